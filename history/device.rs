// SPDX-License-Identifier: GPL-2.0

//! The log device that a table or a message names, and what a message tells the history.

use super::{
    HasKept,
    History,
    Parts, //
};
use crate::{
    config::{
        arguments::Params,
        history::DEVICE_MAX,
        message::Change,
        text::Text, //
    },
    dm::{
        Args,
        Builder,
        CtrError,
        Device,
        Holders,
        MappedDevice, //
    },
    sys::claims::{
        Claim,
        Conflict,
        Use, //
    },
};
use kernel::prelude::*;

/// A device that can be the log of a disk.
pub(crate) struct LogDevice<'t>(Device<'t>);

impl<'t> LogDevice<'t> {
    /// Opens the log device of a history, if the table asks for one, and names it in the arguments by its number.
    pub(crate) fn open(
        builder: &mut Builder<'t>,
        words: &Args<'_>,
        disk: Device<'t>,
        params: &mut Params,
    ) -> Result<Option<Self>, CtrError> {
        let Some(path) = &params.history else {
            return Ok(None);
        };
        let mut text = KVec::with_capacity(DEVICE_MAX + 1, GFP_KERNEL)?;
        let path = c_path(path.as_bytes(), &mut text)?;
        let log = builder.open(words, path)?;
        if disk.is_zoned() {
            return Err(words.refuse(
                Some(path),
                EINVAL,
                c"Invalid history",
                format_args!("history: the disk is zoned; allowed: a disk that is not"),
            ));
        }
        check_log(words, path, disk, log, builder.other_holders(log))?;
        params.history = Text::new(log.name().0);
        Ok(Some(Self(log)))
    }

    /// The history that it is for, of a target that begins at sector `offset` of `disk`. May sleep.
    pub(crate) fn history<P: HasKept>(
        self,
        builder: &mut Builder<'t>,
        words: &Args<'_>,
        params: &Params,
        (disk, offset): (Device<'t>, u64),
    ) -> Result<Pin<KBox<History<'t, P>>>, CtrError> {
        let log = self.0;
        let parts = Parts {
            disk,
            offset,
            sectors: builder.sectors(),
            log,
            io: builder.io()?,
            worker: builder.io_worker()?,
            mapped: builder.mapped_device(),
            _claim: claim(words, builder.mapped_device(), disk, log)?,
            opener: builder.opener()?,
        };
        let history = KBox::try_pin_init(History::new(parts, params)?, GFP_KERNEL)?;

        history.check(&builder.io_task()).map_err(|unfit| {
            let log = log.name();
            words.refuse(
                None,
                unfit.errno(),
                c"Invalid history",
                format_args!("history {log}: {unfit}"),
            )
        })?;
        builder.max_io_len(history.request_sectors());
        builder.limit_swap_bios();
        Ok(history)
    }
}

impl<'t, P: HasKept> History<'t, P> {
    /// What a message says to the history. The answer is the log device with which it goes on. May sleep.
    #[inline(never)]
    pub(crate) fn message(
        &self,
        change: &Change<'_>,
        args: &Args<'_>,
    ) -> Result<Option<Device<'t>>, CtrError> {
        match change {
            Change::HistoryStop => {
                self.stop();
                Ok(None)
            }
            Change::HistoryNext(path) => self.next_log(path, args).map(Some),
            Change::Mark(text) => self.mark(text).map(|()| None).map_err(|errno| {
                args.refuse(
                    None,
                    errno,
                    c"The mark is not in the history",
                    format_args!(
                        "mark: the log device has not taken it; the history's status says why"
                    ),
                )
            }),
            Change::Pattern(_)
            | Change::Add(_)
            | Change::Del(_)
            | Change::List
            | Change::Set(_)
            | Change::Reset => Ok(None),
        }
    }

    /// Lets the history go on with another log device.
    #[inline(never)]
    fn next_log(&self, path: &[u8], args: &Args<'_>) -> Result<Device<'t>, CtrError> {
        let (disk, mapped) = (self.parts.disk, self.parts.mapped);
        let mut text = KVec::with_capacity(DEVICE_MAX + 1, GFP_KERNEL)?;
        let path = c_path(path, &mut text)?;
        let log = self.parts.opener.open(args, path)?;

        check_log(args, path, disk, log, mapped.other_holders(log))?;
        let claim = claim(args, mapped, disk, log)?;
        self.change_log(log, claim).map_err(|unfit| {
            args.refuse(
                Some(path),
                unfit.errno(),
                c"Invalid history",
                format_args!("history next: {unfit}"),
            )
        })?;
        Ok(log)
    }
}

/// A path as a C string, in `text`.
fn c_path<'p>(path: &[u8], text: &'p mut KVec<u8>) -> Result<&'p CStr, CtrError> {
    text.extend_from_slice(path, GFP_KERNEL)?;
    text.push(0, GFP_KERNEL)?;
    Ok(CStr::from_bytes_with_nul(text).map_err(|_| EINVAL)?)
}

/// Refuses a device that cannot be the log of a disk.
fn check_log(
    words: &Args<'_>,
    path: &CStr,
    disk: Device<'_>,
    log: Device<'_>,
    holders: Option<Holders>,
) -> Result<(), CtrError> {
    let refuse = |why: kernel::fmt::Arguments<'_>| {
        Err(words.refuse(Some(path), EINVAL, c"Invalid history", why))
    };

    if log.is_zoned() {
        return refuse(format_args!("is zoned; allowed: a log device that is not"));
    }
    if log.is_read_only() {
        return refuse(format_args!(
            "is read-only; allowed: a log device that can be written"
        ));
    }
    if log.overlaps(disk) || log.is_stacked_with(disk) {
        return refuse(format_args!(
            "is the disk itself, or above or below it; allowed: another device, or another partition"
        ));
    }
    if let Some(holders) = holders {
        return refuse(format_args!(
            "is used by {holders}; allowed: a device that nothing else uses"
        ));
    }
    Ok(())
}

/// The right to use a disk and its log.
fn claim(
    words: &Args<'_>,
    mapped: MappedDevice<'_>,
    disk: Device<'_>,
    log: Device<'_>,
) -> Result<Claim, CtrError> {
    let wanted = Use {
        target: (mapped.number(), mapped.begin()),
        disk: disk.dev_t(),
        log: log.dev_t(),
    };
    Claim::new(wanted).map_err(|conflict| {
        let why = match conflict {
            Conflict::LogIsDisk => {
                "is a disk with a history; allowed: a device that nothing else uses"
            }
            Conflict::DiskIsLog => {
                "is for a disk that is the log of a history; allowed: another disk"
            }
            Conflict::SameLog => {
                "is the log of another target; allowed: a device that nothing else uses"
            }
            Conflict::Full => "is for one history too many; allowed: 256 histories",
        };
        let log = log.name();
        words.refuse(
            None,
            EINVAL,
            c"Invalid history",
            format_args!("history {log}: {why}"),
        )
    })
}
