// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table as options. They follow from `core/src/config/arguments.rs`: an argument that is declared
//! there is an option here. Only the words about patterns, which may be repeated, are declared here.

use crate::words::word;
use clap::{
    value_parser,
    Arg,
    ArgAction,
    ArgMatches,
    Args,
    Command,
    Error,
    FromArgMatches, //
};
use imgrement_core::config::arguments::{
    Argument,
    Params, //
};
use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt, //
};

/// The heading of these options in the help.
const HEADING: &str = "Arguments of the table";

/// The options about patterns: the word of the table, the option, its value, and the help.
const PATTERN_OPTIONS: [(&str, &str, Option<&str>, &str); 4] = [
    (
        "pattern",
        "pattern",
        Some("TEXT"),
        "A pattern to search for; none for no pattern. Repeat it for more [1 to 255 bytes, %HH for any byte; \
         default: DAMN]",
    ),
    (
        "pattern_key",
        "pattern-key",
        Some("KEY"),
        "The name of a logon key that holds a pattern. The pattern is then shown nowhere [1 to 64 bytes]",
    ),
    (
        "name",
        "pattern-name",
        Some("TEXT"),
        "After a pattern: the name that the log and the status show for it [1 to 64 bytes]",
    ),
    (
        "nocase",
        "nocase",
        None,
        "After a pattern: ASCII letters match in either case",
    ),
];

/// The arguments that were given, as words of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableOptions {
    /// The words, without their count.
    pub(crate) words: Vec<String>,
}

impl TableOptions {
    /// Replaces the value of an argument, if it was given.
    pub(crate) fn replace(&mut self, argument: Argument, value: String) {
        let mut words = self.words.iter_mut();

        while let Some(name) = words.next() {
            // The only one without a value.
            if name == "nocase" {
                continue;
            }
            let word = words.next();
            if name == argument.name() {
                if let Some(word) = word {
                    *word = value;
                }
                return;
            }
        }
    }
}

impl Args for TableOptions {
    fn augment_args(mut command: Command) -> Command {
        for (_, option, value, help) in PATTERN_OPTIONS {
            let argument = option_of(option.into(), help.into()).action(ArgAction::Append);
            command = command.arg(match value {
                Some(value) => of_any_bytes(argument, value),
                None => argument.num_args(0).default_missing_value(""),
            });
        }
        let defaults = Params::default();
        for &setting in Argument::ALL {
            let kind = setting.kind();
            let default = match defaults.value(setting) {
                Some(value) => format!("; default: {value}"),
                None => String::new(),
            };
            let help = format!(
                "{} [{kind}{default}]",
                setting.help().trim().trim_end_matches('.')
            );
            command = command.arg(of_any_bytes(option_of(long(setting), help), kind.usage()));
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn option_of(name: String, help: String) -> Arg {
    Arg::new(name.clone())
        .long(name)
        .help(help)
        .help_heading(HEADING)
}

/// An option with a value, which may be any bytes.
fn of_any_bytes(option: Arg, value: &'static str) -> Arg {
    option
        .value_name(value)
        .value_parser(value_parser!(OsString))
        .allow_hyphen_values(true)
}

/// The option for an argument: `log-rate` for `log_rate`.
fn long(argument: Argument) -> String {
    argument.name().replace('_', "-")
}

impl FromArgMatches for TableOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        // A name belongs to the pattern before it, so the order is kept.
        let mut given = Vec::new();
        let mut add = |option: &str, name: &str, value: bool| {
            let indices = matches.indices_of(option).into_iter().flatten();
            let values = matches.get_raw(option).into_iter().flatten();
            for (index, text) in indices.zip(values) {
                let mut words = vec![name.to_owned()];
                if value {
                    words.push(word(text.as_bytes()));
                }
                given.push((index, words));
            }
        };
        for (name, option, value, _) in PATTERN_OPTIONS {
            add(option, name, value.is_some());
        }
        for &setting in Argument::ALL {
            add(&long(setting), setting.name(), true);
        }
        given.sort();
        Ok(Self {
            words: given.into_iter().flat_map(|(_, words)| words).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a table for these options.
    fn words(options: &[&str]) -> Result<String, String> {
        let command = TableOptions::augment_args(Command::new("test").no_binary_name(true));
        let matches = command
            .try_get_matches_from(options)
            .map_err(|error| error.to_string())?;
        let options =
            TableOptions::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        Ok(options.words.join(" "))
    }

    #[test]
    fn the_order_is_kept() {
        let given = [
            "--pattern",
            "BEGIN RSA",
            "--pattern-name",
            "rsa",
            "--places=on",
            "--pattern",
            "b",
            "--nocase",
            "--pattern-key",
            "a:b",
            "--nocase",
        ];
        assert_eq!(
            words(&given).as_deref(),
            Ok("pattern BEGIN%20RSA name rsa places on pattern b nocase pattern_key a:b nocase")
        );
        assert_eq!(words(&[]).as_deref(), Ok(""));
    }

    #[test]
    fn each_argument_is_an_option() {
        for &setting in Argument::ALL {
            let option = format!("--{}=x", long(setting));
            assert_eq!(words(&[&option]), Ok(format!("{} x", setting.name())));
            assert!(words(&[&option, &option]).is_err());
        }
    }

    #[test]
    fn a_value_is_replaced() {
        let replaced = |words: &str| {
            let words = words.split(' ').map(str::to_owned).collect();
            let mut options = TableOptions { words };
            options.replace(Argument::History, "8:32".to_owned());
            options.words.join(" ")
        };
        assert_eq!(
            replaced("pattern history nocase history /dev/sdc base off"),
            "pattern history nocase history 8:32 base off"
        );
        assert_eq!(
            replaced("pattern nocase label history"),
            "pattern nocase label history"
        );
        assert_eq!(
            replaced("label history history x"),
            "label history history 8:32"
        );
    }

    #[test]
    fn a_value_may_begin_with_a_hyphen() {
        assert_eq!(
            words(&["--pattern", "-----BEGIN"]).as_deref(),
            Ok("pattern -----BEGIN")
        );
    }
}
