// SPDX-License-Identifier: GPL-2.0

//! What people write: reads the words of a table, and refuses words of tables and messages.

use crate::{
    config::{
        message::Change,
        mistake::Mistake,
        table::{
            Refusal,
            Table, //
        }, //
    },
    dm::{
        Args,
        Builder,
        CtrError,
        Device, //
    },
    history::{
        self,
        LogDevice, //
    },
    trace::{
        ConfigError,
        Settings,
        Trace, //
    },
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// Why the arguments of a table are refused.
pub(crate) enum ReadError<'a> {
    Mistake(Mistake<'a>),
    Config(ConfigError),
    /// The line about it has been printed.
    Refused(CtrError),
}

impl ReadError<'_> {
    /// Says what is wrong with these words, unless that has been said.
    pub(crate) fn refuse(self, words: &Args<'_>) -> CtrError {
        match self {
            Self::Mistake(mistake) => refuse(words, &mistake, EINVAL),
            Self::Config(error) => no_pattern(words, &error, None),
            Self::Refused(error) => error,
        }
    }
}

/// Reads the arguments of a table, and opens the log device if there is a history.
// What it has on the stack is large, and the rest of the constructor needs the stack for more.
#[inline(never)]
pub(crate) fn read<'a, 't>(
    builder: &mut Builder<'t>,
    words: &Args<'a>,
    disk: Device<'t>,
) -> Result<(KBox<Settings>, Option<LogDevice<'t>>), ReadError<'a>> {
    let mut table = match Table::parse(words.clone().map(CStr::to_bytes)) {
        Ok(table) => table,
        Err(Refusal::Mistake(mistake)) => return Err(ReadError::Mistake(mistake)),
        Err(Refusal::Memory(AllocError)) => {
            return Err(ReadError::Config(ConfigError::Errno(ENOMEM)));
        }
    };
    let log =
        LogDevice::open(builder, words, disk, &mut table.params).map_err(ReadError::Refused)?;
    let memory = history::memory(&table.params, disk, builder.sectors());
    let settings = Trace::prepare(table, memory).map_err(ReadError::Config)?;
    Ok((settings, log))
}

/// Refuses patterns that cannot be searched for.
pub(crate) fn no_pattern(
    args: &Args<'_>,
    error: &ConfigError,
    change: Option<&Change<'_>>,
) -> CtrError {
    match error {
        ConfigError::Pattern {
            patterns,
            index,
            fault,
            errno,
        } => match patterns.as_slice().get(*index) {
            Some(pattern) => refuse(args, &Mistake::of_pattern(pattern, *fault), *errno),
            None => (*errno).into(),
        },
        ConfigError::NoPattern => match change {
            Some(Change::Del(name)) => refuse(args, &Mistake::no_pattern(name), ENOENT),
            // These do not name a pattern that must exist.
            Some(
                Change::Pattern(_)
                | Change::Add(_)
                | Change::List
                | Change::Set(_)
                | Change::Reset
                | Change::Mark(_)
                | Change::HistoryStop
                | Change::HistoryNext(_),
            )
            | None => ENOENT.into(),
        },
        ConfigError::Shortage(shortage) => args.refuse(
            None,
            ENOMEM,
            c"Not enough memory",
            format_args!("{shortage}"),
        ),
        ConfigError::Errno(errno) => (*errno).into(),
    }
}

/// Refuses to search reads.
pub(crate) fn no_queue(args: &Args<'_>, errno: Error) -> CtrError {
    let event = if errno == EBUSY {
        "ops read: the device is suspended; allowed: when it has been resumed, or in a table"
    } else {
        "ops: no memory, or no thread, for the queue of reads that are searched"
    };
    args.refuse(None, errno, c"Cannot make a queue", format_args!("{event}"))
}

/// Refuses words of a table or a message.
pub(crate) fn refuse(args: &Args<'_>, mistake: &Mistake<'_>, errno: Error) -> CtrError {
    args.refuse(
        None,
        errno,
        mistake.kind.sentence(),
        format_args!("{mistake}"),
    )
}
