// SPDX-License-Identifier: GPL-2.0

//! `imgrement set`.

use crate::{
    dm::Control, failure::Failure, message::send, settings::check_message, target::named,
    words::word,
};
use clap::Args;
use imgrement_core::config::message::Change;
use std::{
    ffi::{
        OsStr,
        OsString, //
    },
    os::unix::ffi::OsStrExt,
};

/// Change settings, from the next request on
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement set imgrement-sdb pattern=secret
  imgrement set imgrement-sdb pattern='BEGIN RSA' places=on log_rate=0
  imgrement set imgrement-sdb pattern=none log=off

pattern=TEXT and pattern_key=NAME replace all patterns; imgrement pattern adds or deletes a single one. Some arguments,
such as records and label, are only set by attach. docs/reference.md explains each argument.")]
pub(crate) struct Set {
    /// The name of the device, or its path
    name: String,

    /// The name of an argument, and its new value
    #[arg(required = true, value_name = "KEY=VALUE")]
    changes: Vec<OsString>,
}

impl Set {
    pub(crate) fn run(self) -> Result<(), Failure> {
        // All are checked before the first is made.
        let messages = self
            .changes
            .iter()
            .map(|change| message(change))
            .collect::<Result<Vec<_>, _>>()?;
        let control = Control::open()?;
        let targets = named(&control, &self.name)?;

        for target in &targets {
            for words in &messages {
                let what = format!("set {} of {}", words.join(" "), target.device.name);
                send(&control, target, words, &what)
                    .map_err(|failure| failure.next("The changes before it were made."))?;
            }
        }
        Ok(())
    }
}

/// The words of the message for KEY=VALUE.
fn message(change: &OsStr) -> Result<Vec<String>, Failure> {
    let bytes = change.as_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=');
    let (Some(key), Some(value)) = (
        equals.and_then(|at| bytes.get(..at)),
        equals.and_then(|at| bytes.get(at + 1..)),
    ) else {
        return Err(Failure::usage(format_args!(
            "{}: not of the form KEY=VALUE",
            change.to_string_lossy()
        ))
        .next("Examples: imgrement set --help"));
    };
    let mut words = vec![word(key), word(value)];
    // These words would have a meaning of their own.
    if let (true, Some(value)) = (key.starts_with(b"pattern"), words.get_mut(1)) {
        if let Some(first) = ["add", "del", "list"]
            .contains(&value.as_str())
            .then(|| value.remove(0))
        {
            value.insert_str(0, &format!("%{:02X}", u32::from(first)));
        }
    }
    check_message(&words, |change| match change {
        Change::Set(_) | Change::Pattern(_) => true,
        Change::Add(_)
        | Change::Del(_)
        | Change::List
        | Change::Reset
        | Change::Mark(_)
        | Change::HistoryStop
        | Change::HistoryNext(_) => false,
    })?;
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(change: &str) -> Result<String, String> {
        let words = message(OsStr::new(change)).map_err(|failure| failure.to_string())?;
        Ok(words.join(" "))
    }

    #[test]
    fn changes_are_messages() {
        assert_eq!(words("log=off").as_deref(), Ok("log off"));
        assert_eq!(
            words("pattern=BEGIN RSA").as_deref(),
            Ok("pattern BEGIN%20RSA")
        );
        assert_eq!(words("pattern=a=b").as_deref(), Ok("pattern a=b"));
        assert_eq!(words("pattern=none").as_deref(), Ok("pattern none"));
        assert_eq!(words("pattern=add").as_deref(), Ok("pattern %61dd"));
        assert_eq!(
            words("pattern_key=list").as_deref(),
            Ok("pattern_key %6Cist")
        );
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for change in [
            "log",
            "log=maybe",
            "=",
            "reset=",
            "mark=x",
            "name=x",
            "records=1",
            "history=stop",
            "history=next",
            "history=/dev/sdb",
            "pattern=",
            "",
        ] {
            assert!(words(change).is_err(), "{change}");
        }
        assert!(words("records=1").is_err_and(|line| line.contains("set by the table only")));
    }
}
