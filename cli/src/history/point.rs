// SPDX-License-Identifier: GPL-2.0

//! Points in time, as a person names them, and the positions that they mean.

use super::log::{
    Log,
    Session, //
};
use crate::{
    calendar::{
        since_1970,
        time,
        time_of_day, //
    },
    failure::Failure,
    period,
    words::word, //
};
use imgrement_core::{
    bytes::word::Escaped,
    history::entry::{
        Entry,
        Kind, //
    },
};

/// How the help describes a point.
pub(crate) const HELP: &str = "\
POINT is `begin`, `end`, the text of a mark, a position as `history list` prints it, a time such as \
2026-11-27T14:05:00Z or 14:05:00 (UTC), or a time from the begin or the end: begin+90s, end-30s. mark:TEXT is always a \
mark.";

/// How many marks an error lists.
const SHOWN: usize = 20;

const DAY: i64 = 86_400_000_000_000;

/// What a person typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spec {
    /// This many nanoseconds after the log's begin.
    Begin(u64),
    /// This many nanoseconds before the log's end.
    End(u64),
    /// A position.
    Position(u64),
    /// Nanoseconds since 1970.
    Time(i64),
    /// The latest such time of day, in nanoseconds since midnight (UTC).
    Clock(i64),
    /// The text of a mark.
    Mark(String),
}

/// Reads a point.
pub(crate) fn parse(text: &str) -> Result<Spec, String> {
    if text.is_empty() {
        return Err("write it as begin, end, a mark, a position or a time".into());
    }
    if let Some(text) = text.strip_prefix("mark:") {
        return Ok(Spec::Mark(text.into()));
    }
    match text {
        "begin" => return Ok(Spec::Begin(0)),
        "end" => return Ok(Spec::End(0)),
        _ => {}
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let position = text
            .parse()
            .map_err(|_| "this number is too large".to_owned())?;
        return Ok(Spec::Position(position));
    }
    if let Some(Ok(after)) = text.strip_prefix("begin+").map(period::parse) {
        return Ok(Spec::Begin(after));
    }
    if let Some(Ok(before)) = text.strip_prefix("end-").map(period::parse) {
        return Ok(Spec::End(before));
    }
    if let Some(time) = time_of_day(text) {
        return Ok(Spec::Clock(time));
    }
    if let Some(time) = since_1970(text) {
        return Ok(Spec::Time(time));
    }
    match period::parse(text) {
        Ok(after) => Ok(Spec::Begin(after)),
        Err(_) => Ok(Spec::Mark(text.into())),
    }
}

/// A point in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Entries at smaller positions have happened.
    pub(crate) position: u64,
    /// The time of the last of them, in nanoseconds since 1970.
    pub(crate) time: i64,
}

/// Whether a mark in the log has this text. The log may have it as a word of a message.
pub(crate) fn is_text(payload: &[u8], text: &str) -> bool {
    payload == text.as_bytes() || payload == word(text.as_bytes()).as_bytes()
}

/// Finds the position of a point while the entries pass by.
#[derive(Debug)]
pub(crate) struct Finder {
    spec: Spec,
    /// The time that is looked for.
    wanted: Option<i64>,
    /// The position after the last entry, and its time.
    last: Point,
    found: Option<Point>,
    /// The marks with the wanted text.
    same: Vec<Point>,
    /// The text and the position of other marks; of as many as are shown.
    others: Vec<(String, u64)>,
    marks: u64,
}

impl Finder {
    /// For a point of a log.
    pub(crate) fn new(spec: Spec, log: &Log) -> Self {
        let begin = log
            .sessions()
            .first()
            .map_or(0, |session| session.real_time(session.began));
        let end = log
            .sessions()
            .last()
            .map_or(0, |session| session.real_time(session.last));
        let offset = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let wanted = match &spec {
            Spec::Begin(0) | Spec::End(0) | Spec::Position(_) | Spec::Mark(_) => None,
            Spec::Begin(after) => Some(begin.saturating_add(offset(*after))),
            Spec::End(before) => Some(end.saturating_sub(offset(*before))),
            Spec::Time(time) => Some(*time),
            Spec::Clock(time) => {
                let today = end
                    .div_euclid(DAY)
                    .saturating_mul(DAY)
                    .saturating_add(*time);
                Some(match today <= end {
                    true => today,
                    false => today.saturating_sub(DAY),
                })
            }
        };
        Self {
            spec,
            wanted,
            last: Point {
                position: log.begin(),
                time: begin,
            },
            found: None,
            same: Vec::new(),
            others: Vec::new(),
            marks: 0,
        }
    }

    /// The next entry.
    pub(crate) fn pass(&mut self, session: &Session, entry: &Entry<'_>) {
        let header = &entry.header;
        let now = Point {
            position: header.position,
            time: session.real_time(header.time),
        };
        if self.found.is_none() {
            let here = match self.spec {
                Spec::Position(position) => header.position >= position,
                Spec::Begin(_) | Spec::End(_) | Spec::Time(_) | Spec::Clock(_) | Spec::Mark(_) => {
                    self.wanted.is_some_and(|wanted| now.time > wanted)
                }
            };
            if here {
                self.found = Some(self.last);
            }
        }
        if header.kind == Kind::Mark {
            self.mark(now, entry.payload);
        }
        self.last = Point {
            position: header
                .position
                .saturating_add(u64::from(header.size().unwrap_or(0))),
            time: now.time,
        };
    }

    fn mark(&mut self, at: Point, text: &[u8]) {
        self.marks = self.marks.saturating_add(1);
        if let Spec::Mark(wanted) = &self.spec {
            if is_text(text, wanted) {
                if self.same.len() < SHOWN {
                    self.same.push(at);
                }
            } else if self.others.len() < SHOWN {
                self.others.push((Escaped(text).to_string(), at.position));
            }
        }
    }

    /// The point, when all entries have passed by.
    pub(crate) fn finish(self, log: &Log) -> Result<Point, Failure> {
        let (begin, end) = (log.begin(), log.end());
        let began = log
            .sessions()
            .first()
            .map_or(0, |session| session.real_time(session.began));
        let last = Point {
            position: end,
            time: self.last.time,
        };
        match &self.spec {
            Spec::Begin(0) => Ok(Point {
                position: begin,
                time: began,
            }),
            Spec::End(0) => Ok(last),
            Spec::Position(position) => match (begin..=end).contains(position) {
                true => Ok(Point {
                    position: *position,
                    ..self.found.unwrap_or(last)
                }),
                false => Err(Failure::new(format_args!(
                    "position {position} is not in the log, which has positions {begin} to {end}"
                ))),
            },
            Spec::Begin(_) | Spec::End(_) | Spec::Time(_) | Spec::Clock(_) => {
                match self.wanted.is_some_and(|wanted| wanted < began) {
                    true => Err(Failure::new(format_args!(
                        "the log begins at {}, which is later",
                        time(began)
                    ))),
                    false => Ok(self.found.unwrap_or(last)),
                }
            }
            Spec::Mark(text) => self.one_mark(text),
        }
    }

    fn one_mark(&self, text: &str) -> Result<Point, Failure> {
        match self.same.as_slice() {
            [point] => Ok(*point),
            [] => {
                let mut failure = Failure::new(format_args!("the log has no mark {text:?}"));
                for (mark, position) in &self.others {
                    failure = failure.next(format_args!("There is {mark}, position {position}"));
                }
                let shown = self.others.len() as u64;
                Err(match self.marks {
                    0 => {
                        failure.next("It has no marks at all. To set one: imgrement mark NAME TEXT")
                    }
                    marks if marks > shown => {
                        failure.next(format_args!("and {} more", marks - shown))
                    }
                    _ => failure,
                })
            }
            several => {
                let mut failure =
                    Failure::new(format_args!("the log has more than one mark {text:?}"));
                for point in several {
                    failure = failure.next(format_args!(
                        "position {}, {}",
                        point.position,
                        time(point.time)
                    ));
                }
                Err(failure.next("Give the position instead of the text."))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read() {
        for (text, wanted) in [
            ("begin", Spec::Begin(0)),
            ("end", Spec::End(0)),
            ("begin+2m", Spec::Begin(120_000_000_000)),
            ("end-30s", Spec::End(30_000_000_000)),
            ("end-1.5", Spec::End(1_500_000_000)),
            ("90s", Spec::Begin(90_000_000_000)),
            ("8272", Spec::Position(8272)),
            ("00:01:02.5", Spec::Clock(62_500_000_000)),
            ("1970-01-02T00:00:01Z", Spec::Time(86_401_000_000_000)),
            (
                "before the upgrade",
                Spec::Mark("before the upgrade".into()),
            ),
            ("end-of-day", Spec::Mark("end-of-day".into())),
            ("mark:end", Spec::Mark("end".into())),
            ("mark:7", Spec::Mark("7".into())),
        ] {
            assert_eq!(parse(text), Ok(wanted), "{text}");
        }
        assert!(parse("").is_err());
        assert!(parse("99999999999999999999").is_err());
    }
}
