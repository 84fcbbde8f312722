// SPDX-License-Identifier: GPL-2.0

//! Messages to targets.

use crate::{
    dm::Control,
    failure::Failure,
    kernel_log::KernelLog,
    target::{
        explain,
        Target, //
    },
};

/// Sends a message of these words. If it is refused, "cannot `what`" says so, with the reason that the kernel gives.
pub(crate) fn send(
    control: &Control,
    target: &Target,
    words: &[String],
    what: &str,
) -> Result<(), Failure> {
    let log = KernelLog::from_here();

    control
        .message(&target.device.name, target.start, &words.join(" "))
        .map_err(|error| match log.reason(target.device.number) {
            Some(reason) => Failure::new(format_args!("cannot {what}: the kernel says: {reason}"))
                .next("What to do about it: docs/mistakes.md"),
            None => explain(what, error),
        })
}
