// SPDX-License-Identifier: GPL-2.0

//! `imgrement mark`.

use crate::{
    dm::Control,
    failure::Failure,
    settings::check_message,
    target::{
        explain,
        named, //
    },
    words::word,
};
use clap::Args;
use imgrement_core::config::message::Change;
use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt, //
};

/// Write a line to the log, after all requests before it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement mark imgrement-sdb 'before the upgrade'")]
pub(crate) struct Mark {
    /// The name of the device, or its path
    name: String,

    /// The text, 1 to 128 bytes. Several words are joined by spaces
    #[arg(required = true)]
    text: Vec<OsString>,
}

impl Mark {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let words = vec![
            "mark".to_owned(),
            word(self.text.join(" ".as_ref()).as_bytes()),
        ];
        check_message(&words, |change| matches!(change, Change::Mark(_)))?;
        let control = Control::open()?;

        for target in named(&control, &self.name)? {
            let name = &target.device.name;
            control
                .message(name, target.start, &words.join(" "))
                .map_err(|error| explain(&format!("mark {name}"), error))?;
        }
        Ok(())
    }
}
