// SPDX-License-Identifier: GPL-2.0

//! Messages: what each asks for.

use super::{
    arguments::{
        Argument,
        Given,
        Setting, //
    },
    fault::Fault,
    history::DEVICE_MAX,
    keyword::{
        Keyword,
        MARK_MAX, //
    },
    mistake::{
        Mistake,
        MistakeKind, //
    },
    pattern::Pattern, //
};

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'r> {
    /// `pattern TEXT|none` or `pattern_key NAME`: search only for this from now on.
    Pattern(Option<&'r Pattern>),
    /// `pattern add NAME TEXT` or `pattern_key add NAME`: search for this, too.
    Add(&'r Pattern),
    /// `pattern del NAME`: stop searching for this.
    Del(&'r [u8]),
    /// `pattern list`: list the patterns.
    List,
    /// The name of an argument and its new value.
    Set(Setting),
    /// `reset`: the counters start from zero again.
    Reset,
    /// `mark TEXT`: a line in the log, after all requests before it.
    Mark(&'r [u8]),
    /// `history stop`: the history ends here.
    HistoryStop,
    /// `history next DEVICE`: the history goes on with this log device.
    HistoryNext(&'r [u8]),
}

impl<'r> Change<'r> {
    /// Reads the words of a message. Its texts are unescaped into `room`, which is too large for the stack.
    ///
    /// # Errors
    ///
    /// No word, an unknown one, a missing, wrong or superfluous one, or an argument that only a table can set.
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a [u8]>,
        room: &'r mut Pattern,
    ) -> Result<Self, Mistake<'a>> {
        let mut words = Words {
            words: words.into_iter(),
        };
        let name = words
            .words
            .next()
            .ok_or_else(|| Mistake::new(b"", MistakeKind::NoMessage))?;
        let unknown = || Mistake::new(name, MistakeKind::UnknownMessage);
        let keyword = Keyword::from_name(name).ok_or_else(unknown)?;

        *room = Pattern::EMPTY;
        let change = match keyword {
            Keyword::Pattern => words.pattern(name, room)?,
            Keyword::PatternKey => words.pattern_key(name, room)?,
            Keyword::History | Keyword::Setting(Argument::History) => words.history(name, room)?,
            Keyword::Setting(argument) => match argument.given() {
                Given::Table => return Err(Mistake::new(name, MistakeKind::TableOnly)),
                Given::AnyTime => {
                    Self::Set(words.value(keyword, name, |value| argument.parse(value))?)
                }
            },
            Keyword::Reset => Self::Reset,
            Keyword::Mark => {
                words.value(keyword, name, |text| room.set_text_of(text, MARK_MAX))?;
                Self::Mark(room.bytes())
            }
            Keyword::Name
            | Keyword::NoCase
            | Keyword::Add
            | Keyword::Del
            | Keyword::Stop
            | Keyword::Next => return Err(unknown()),
        };
        words.end(keyword)?;
        Ok(change)
    }

    /// The mistake in sending this to a target without a history; `None` if that is none.
    pub fn without_history(&self) -> Option<Mistake<'static>> {
        let keyword = match self {
            Self::HistoryStop | Self::HistoryNext(_) => Keyword::History,
            Self::Set(setting) if setting.argument().needs_history() => {
                Keyword::Setting(setting.argument())
            }
            Self::Set(_)
            | Self::Pattern(_)
            | Self::Add(_)
            | Self::Del(_)
            | Self::List
            | Self::Reset
            | Self::Mark(_) => return None,
        };
        Some(Mistake::new(
            keyword.name().as_bytes(),
            MistakeKind::NoHistory,
        ))
    }
}

/// The words of a message after the first.
struct Words<I> {
    words: I,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Words<I> {
    /// The next word, read by `read`. It is a value of `keyword`, and follows `before`.
    fn value<T>(
        &mut self,
        keyword: Keyword,
        before: &'a [u8],
        read: impl FnOnce(&'a [u8]) -> Result<T, Fault>,
    ) -> Result<T, Mistake<'a>> {
        let value = self
            .words
            .next()
            .ok_or_else(|| Mistake::new(before, MistakeKind::Missing(keyword)))?;

        read(value).map_err(|fault| Mistake::new(value, MistakeKind::Value(keyword, fault)))
    }

    /// No word may be left.
    fn end(&mut self, keyword: Keyword) -> Result<(), Mistake<'a>> {
        match self.words.next() {
            Some(word) => Err(Mistake::new(word, MistakeKind::Extra(keyword))),
            None => Ok(()),
        }
    }

    /// The message `pattern`, whose first word is `name`.
    fn pattern<'r>(
        &mut self,
        name: &'a [u8],
        pattern: &'r mut Pattern,
    ) -> Result<Change<'r>, Mistake<'a>> {
        let keyword = Keyword::Pattern;

        match self.value(keyword, name, Ok)? {
            b"list" => Ok(Change::List),
            b"none" => Ok(Change::Pattern(None)),
            word @ b"del" => {
                self.value(Keyword::Del, word, |name| pattern.set_text(name))?;
                self.end(Keyword::Del)?;
                Ok(Change::Del(pattern.bytes()))
            }
            word @ b"add" => {
                self.value(Keyword::Add, word, |name| pattern.set_name(name))?;
                self.value(Keyword::Add, word, |text| pattern.set_text(text))?;
                self.nocase(Keyword::Add, pattern).map(Change::Add)
            }
            text => {
                pattern
                    .set_text(text)
                    .map_err(|fault| Mistake::new(text, MistakeKind::Value(keyword, fault)))?;
                self.nocase(keyword, pattern).map(Some).map(Change::Pattern)
            }
        }
    }

    /// The message `pattern_key`, whose first word is `name`.
    fn pattern_key<'r>(
        &mut self,
        name: &'a [u8],
        pattern: &'r mut Pattern,
    ) -> Result<Change<'r>, Mistake<'a>> {
        let keyword = Keyword::PatternKey;

        match self.value(keyword, name, Ok)? {
            word @ b"add" => {
                self.value(keyword, word, |name| pattern.set_key(name))?;
                self.nocase(Keyword::Add, pattern).map(Change::Add)
            }
            name => {
                pattern
                    .set_key(name)
                    .map_err(|fault| Mistake::new(name, MistakeKind::Value(keyword, fault)))?;
                self.nocase(keyword, pattern).map(Some).map(Change::Pattern)
            }
        }
    }

    /// The message `history`, whose first word is `name`.
    fn history<'r>(
        &mut self,
        name: &'a [u8],
        room: &'r mut Pattern,
    ) -> Result<Change<'r>, Mistake<'a>> {
        let keyword = Keyword::History;

        match self.value(keyword, name, Ok)? {
            b"stop" => {
                self.end(Keyword::Stop)?;
                Ok(Change::HistoryStop)
            }
            word @ b"next" => {
                self.value(Keyword::Next, word, |device| {
                    room.set_path_of(device, DEVICE_MAX)
                })?;
                self.end(Keyword::Next)?;
                Ok(Change::HistoryNext(room.bytes()))
            }
            word => Err(Mistake::new(
                word,
                MistakeKind::Value(keyword, Fault::NotWord),
            )),
        }
    }

    /// `nocase` may follow.
    fn nocase<'r>(
        &mut self,
        keyword: Keyword,
        pattern: &'r mut Pattern,
    ) -> Result<&'r Pattern, Mistake<'a>> {
        match self.words.next() {
            None => {}
            Some(b"nocase") => pattern.ignore_case(),
            Some(word) => return Err(Mistake::new(word, MistakeKind::Extra(keyword))),
        }
        Ok(pattern)
    }
}
