// SPDX-License-Identifier: GPL-2.0

//! How far a command is in a file, on the line below the cursor. It is shown on a terminal only, and only after a second.

use indicatif::{
    ProgressBar,
    ProgressDrawTarget,
    ProgressStyle, //
};
use std::{
    fs,
    path::Path,
    time::{
        Duration,
        Instant, //
    },
};

/// Nothing is shown before this.
const SOON: Duration = Duration::from_secs(1);

/// Follows a file that is read. What is shown is removed when this is dropped.
pub(crate) struct Progress {
    began: Instant,
    size: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For a file.
    pub(crate) fn new(path: &Path) -> Self {
        // Without a size, there is nothing to show.
        Self::of_size(fs::metadata(path).map_or(0, |about| about.len()))
    }

    /// For this many bytes.
    pub(crate) fn of_size(size: u64) -> Self {
        Self {
            began: Instant::now(),
            size,
            bar: None,
        }
    }

    /// The file was read up to here.
    pub(crate) fn at(&mut self, place: u64) {
        if self.size == 0 || self.began.elapsed() < SOON {
            return;
        }
        let size = self.size;
        let bar = self.bar.get_or_insert_with(|| {
            // At most 5 times a second.
            let target = ProgressDrawTarget::stderr_with_hz(5);
            let style = ProgressStyle::with_template(
                "reading: {percent} % of {binary_total_bytes}, {elapsed}",
            );
            let bar = ProgressBar::with_draw_target(Some(size), target);
            match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        bar.set_position(place);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
