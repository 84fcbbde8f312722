// SPDX-License-Identifier: GPL-2.0

//! What a message changes.

use super::{
    search::{
        ConfigError,
        Search, //
    },
    settings::Settings,
    sys::events::{
        self,
        TableEvent, //
    },
    Trace, //
};
use crate::{
    config::message::Change,
    log::lines::Line, //
};
use core::sync::atomic::Ordering;
use kernel::{
    prelude::*,
    sync::Arc, //
};

impl Trace {
    /// Puts a mark into the log, after all requests before it, and shows it to listeners. May sleep.
    pub(crate) fn mark(&self, text: &[u8]) {
        events::mark(self.device, text);
        self.marks.fetch_add(1, Ordering::Relaxed);
        self.drain().print(Line::Mark(text));
        self.marks.fetch_sub(1, Ordering::Relaxed);
    }

    /// Changes the settings, or does what a message asks for, and calls `told` if that is an event of the table. If the
    /// message gave a pattern, returns the new patterns, of which it is the last. May sleep.
    ///
    /// Until `told` returns, no other message changes anything.
    ///
    /// # Errors
    ///
    /// Those of [`Self::new`]. Nothing has changed then.
    pub(crate) fn change(
        &self,
        change: &Change<'_>,
        told: &dyn Fn(TableEvent),
    ) -> Result<Option<Arc<Search>>, ConfigError> {
        let _changes = self.changes.lock();
        let (mut params, search) = self.settings();
        let patterns = &search.patterns;
        let find = |patterns| Search::new(patterns, params.places);

        let search = match *change {
            Change::Pattern(pattern) => find(patterns.replaced(pattern)?)?,
            Change::Add(pattern) => find(patterns.with(pattern)?)?,
            Change::Del(name) => find(patterns.without(name)?.ok_or(ConfigError::NoPattern)?)?,
            Change::Set(setting) => {
                let places = params.places;
                params.set(setting);
                // The way to search depends on it.
                if params.places == places {
                    search
                } else {
                    Search::new(patterns.copied()?, params.places)?
                }
            }
            Change::Reset => {
                self.counters.reset();
                told(TableEvent::Reset);
                return Ok(None);
            }
            Change::List | Change::Mark(_) | Change::HistoryStop | Change::HistoryNext(_) => {
                return Ok(None)
            }
        };
        self.replace(Settings::new(&params, search.clone())?);
        told(TableEvent::Changed);
        Ok(match change {
            Change::Pattern(Some(_)) | Change::Add(_) => Some(search),
            Change::Pattern(None)
            | Change::Del(_)
            | Change::List
            | Change::Set(_)
            | Change::Reset
            | Change::Mark(_)
            | Change::HistoryStop
            | Change::HistoryNext(_) => None,
        })
    }

    /// Replaces the settings.
    fn replace(&self, settings: KBox<Settings>) {
        let (_, before) = self.settings();
        let has = |slot| before.patterns.iter().any(|pattern| pattern.slot() == slot);

        for pattern in settings.search.patterns.iter() {
            if !has(pattern.slot()) {
                self.counters.reset_pattern(pattern);
            }
        }
        let writes = settings.params.ops.write && settings.search.is_wanted();
        self.settings.replace(settings);
        if !writes {
            // Later writes are not seen, and may overwrite earlier ones. All requests that were searched with the
            // old settings have been looked up by now.
            self.edges.lock().clear();
        }
    }
}
