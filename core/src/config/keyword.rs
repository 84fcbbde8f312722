// SPDX-License-Identifier: GPL-2.0

//! The words that are not values: the names of arguments and messages, and the lists of them that are printed when a
//! word is unknown.

use super::{
    arguments::{
        Argument,
        Given, //
    },
    history::DEVICE_MAX,
    pattern::NAME_MAX,
    values::Kind, //
};
use core::{
    ffi::CStr,
    fmt, //
};

/// The longest text of a `mark` message, in bytes.
pub const MARK_MAX: usize = 128;

/// A word that is not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// `pattern`, of a table or a message.
    Pattern,
    /// `add`, after `pattern` or `pattern_key` of a message.
    Add,
    /// `del`, after `pattern` of a message.
    Del,
    /// `pattern_key`, of a table or a message.
    PatternKey,
    /// `name`, after a pattern of a table.
    Name,
    /// `nocase`, after a pattern.
    NoCase,
    /// The name of a setting, of a table and perhaps of a message.
    Setting(Argument),
    /// `reset`, a message.
    Reset,
    /// `mark`, a message.
    Mark,
    /// `history`, a message. In a table it is a setting.
    History,
    /// `stop`, after `history` of a message.
    Stop,
    /// `next`, after `history` of a message.
    Next,
}

/// What is known about a keyword.
struct Row {
    name: &'static str,
    /// What may follow it in a table; `None` if it is not allowed in tables.
    table: Option<&'static str>,
    /// What may follow it in a message; `None` if no message begins with it.
    message: Option<&'static str>,
    /// The allowed values.
    allowed: Allowed,
    /// The sentence about a wrong value, for device-mapper's own line.
    invalid: &'static CStr,
}

/// The allowed values of a keyword.
enum Allowed {
    Words(&'static str),
    Kind(Kind),
}

impl Keyword {
    /// The keywords that can begin a part of a table, or a message, in the order of the lists.
    pub fn firsts() -> impl Iterator<Item = Self> {
        [Self::Pattern, Self::PatternKey, Self::Name, Self::NoCase]
            .into_iter()
            .chain(Argument::ALL.iter().copied().map(Self::Setting))
            .chain([Self::Reset, Self::Mark, Self::History])
    }

    /// The first keyword of this list with this name.
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        Self::firsts().find(|keyword| keyword.name().as_bytes() == name)
    }

    fn row(self) -> Row {
        match self {
            Self::Pattern => Row {
                name: "pattern",
                table: Some("TEXT|none"),
                message: Some(
                    "TEXT|none, pattern add NAME TEXT, pattern del NAME, pattern list",
                ),
                allowed: Allowed::Words("1 to 255 bytes, %HH for what is not plain; or none"),
                invalid: c"Invalid pattern",
            },
            Self::Add => Row {
                name: "add",
                table: None,
                message: None,
                allowed: Allowed::Words(
                    "a name of 1 to 64 bytes and a text of 1 to 255, %HH for what is not plain",
                ),
                invalid: c"Invalid pattern",
            },
            Self::Del => Row {
                name: "del",
                table: None,
                message: None,
                allowed: Allowed::Words("a name as pattern list prints it"),
                invalid: c"Invalid pattern",
            },
            Self::PatternKey => Row {
                name: "pattern_key",
                table: Some("NAME"),
                message: Some("NAME, pattern_key add NAME"),
                allowed: Allowed::Words(
                    "the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes",
                ),
                invalid: c"Invalid pattern_key",
            },
            Self::Name => Row {
                name: "name",
                table: Some("NAME"),
                message: None,
                allowed: Allowed::Kind(Kind::Text { longest: NAME_MAX }),
                invalid: c"Invalid name",
            },
            Self::NoCase => Row {
                name: "nocase",
                table: Some(""),
                message: None,
                allowed: Allowed::Words("nocase"),
                invalid: c"Unknown message",
            },
            Self::Setting(argument) => {
                let usage = argument.kind().usage();
                Row {
                    name: argument.name(),
                    table: Some(usage),
                    message: match argument.given() {
                        Given::Table => None,
                        Given::AnyTime => Some(usage),
                    },
                    allowed: Allowed::Kind(argument.kind()),
                    invalid: argument.invalid(),
                }
            }
            Self::Reset => Row {
                name: "reset",
                table: None,
                message: Some(""),
                allowed: Allowed::Words("reset alone"),
                invalid: c"Unknown message",
            },
            Self::Mark => Row {
                name: "mark",
                table: None,
                message: Some("TEXT"),
                allowed: Allowed::Kind(Kind::Text { longest: MARK_MAX }),
                invalid: c"Invalid mark",
            },
            Self::History => Row {
                name: "history",
                table: None,
                message: Some("stop, history next DEVICE"),
                allowed: Allowed::Words("stop, or next DEVICE"),
                invalid: c"Invalid history",
            },
            Self::Stop => Row {
                name: "stop",
                table: None,
                message: None,
                allowed: Allowed::Words("stop alone"),
                invalid: c"Invalid history",
            },
            Self::Next => Row {
                name: "next",
                table: None,
                message: None,
                allowed: Allowed::Kind(Kind::Device {
                    longest: DEVICE_MAX,
                }),
                invalid: c"Invalid history",
            },
        }
    }

    /// The word itself.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Writes the allowed values.
    pub(super) fn write_allowed(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row().allowed {
            Allowed::Words(words) => f.write_str(words),
            Allowed::Kind(kind) => fmt::Display::fmt(&kind, f),
        }
    }

    /// The sentence about a wrong value, for device-mapper's own line.
    pub(super) fn invalid(self) -> &'static CStr {
        self.row().invalid
    }
}

/// Writes the list of arguments of a table.
pub(super) fn write_arguments(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_list(f, |row| row.table)
}

/// Writes the list of messages.
pub(super) fn write_messages(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_list(f, |row| row.message)
}

fn write_list(
    f: &mut fmt::Formatter<'_>,
    rest: impl Fn(&Row) -> Option<&'static str>,
) -> fmt::Result {
    let mut comma = "";

    for row in Keyword::firsts().map(Keyword::row) {
        let Some(rest) = rest(&row) else {
            continue;
        };
        let space = if rest.is_empty() { "" } else { " " };
        write!(f, "{comma}{}{space}{rest}", row.name)?;
        comma = ", ";
    }
    Ok(())
}
