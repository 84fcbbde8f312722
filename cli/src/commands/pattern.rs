// SPDX-License-Identifier: GPL-2.0

//! `imgrement pattern`.

use crate::{
    dm::Control,
    failure::Failure,
    message::send,
    settings::check_message,
    target::named,
    words::word, //
};
use clap::{
    Args,
    Subcommand, //
};
use imgrement_core::config::message::Change;
use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt, //
};

/// Add or delete a single pattern, from the next request on
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement pattern add imgrement-sdb secret
  imgrement pattern add imgrement-sdb 'BEGIN RSA' --name rsa --nocase
  imgrement pattern add imgrement-sdb imgrement:db-password --key
  imgrement pattern del imgrement-sdb rsa

To replace all patterns: imgrement set. What is searched for, and how often it was found: imgrement status.")]
pub(crate) struct Pattern {
    #[command(subcommand)]
    change: Single,
}

#[derive(Debug, Subcommand)]
enum Single {
    Add(Add),
    Del(Del),
}

/// Search for this pattern, too
#[derive(Args, Debug)]
struct Add {
    /// The name of the device, or its path
    device: String,

    /// The pattern [1 to 255 bytes, %HH for any byte]; with --key, the name of a logon key that holds it
    #[arg(allow_hyphen_values = true)]
    text: OsString,

    /// The name that the log and the status show for it [1 to 64 bytes; default: its text, if that is short enough]
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with = "key"
    )]
    name: Option<OsString>,

    /// The pattern is in a logon key, and is shown nowhere
    #[arg(long)]
    key: bool,

    /// ASCII letters match in either case
    #[arg(long)]
    nocase: bool,
}

/// Stop searching for this pattern
#[derive(Args, Debug)]
struct Del {
    /// The name of the device, or its path
    device: String,

    /// What the status shows for the pattern: its name, or that of its key, or its text
    #[arg(allow_hyphen_values = true)]
    pattern: OsString,
}

impl Pattern {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let (device, words, verb) = match &self.change {
            Single::Add(add) => (&add.device, add.message(), "add to"),
            Single::Del(del) => (&del.device, del.message(), "delete from"),
        };
        check_message(&words, |change| {
            matches!(change, Change::Add(_) | Change::Del(_))
        })?;
        let control = Control::open()?;

        for target in named(&control, device)? {
            let what = format!("{verb} the patterns of {}", target.device.name);
            send(&control, &target, &words, &what)?;
        }
        Ok(())
    }
}

impl Add {
    fn message(&self) -> Vec<String> {
        let text = word(self.text.as_bytes());
        let mut words = match (self.key, &self.name) {
            (true, _) => vec!["pattern_key".to_owned(), "add".to_owned(), text],
            (false, name) => {
                let name = name
                    .as_ref()
                    .map_or_else(|| text.clone(), |name| word(name.as_bytes()));
                vec!["pattern".to_owned(), "add".to_owned(), name, text]
            }
        };
        if self.nocase {
            words.push("nocase".to_owned());
        }
        words
    }
}

impl Del {
    fn message(&self) -> Vec<String> {
        vec![
            "pattern".to_owned(),
            "del".to_owned(),
            word(self.pattern.as_bytes()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        pattern: Pattern,
    }

    /// The words of the message for a command line.
    fn words(line: &[&str]) -> Option<String> {
        let words = [&["pattern"], line].concat();
        let words = match Line::try_parse_from(words).ok()?.pattern.change {
            Single::Add(add) => add.message(),
            Single::Del(del) => del.message(),
        };
        Some(words.join(" "))
    }

    #[test]
    fn changes_are_messages() {
        for (line, message) in [
            (&["add", "d", "a b"][..], "pattern add a%20b a%20b"),
            (
                &["add", "d", "add", "--nocase"],
                "pattern add add add nocase",
            ),
            (&["add", "d", "x", "--name", "a b"], "pattern add a%20b x"),
            (&["add", "d", "-x", "--name=-n"], "pattern add -n -x"),
            (&["add", "d", "a:b", "--key"], "pattern_key add a:b"),
            (
                &["add", "d", "a:b", "--key", "--nocase"],
                "pattern_key add a:b nocase",
            ),
            (&["del", "d", "a b"], "pattern del a%20b"),
        ] {
            assert_eq!(words(line).as_deref(), Some(message));
        }
        for line in [
            &["add", "d"][..],
            &["add", "d", "x", "y"],
            &["add", "d", "x", "--key", "--name", "n"],
            &["del", "d"],
        ] {
            assert_eq!(words(line), None);
        }
    }
}
