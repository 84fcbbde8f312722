// SPDX-License-Identifier: GPL-2.0

//! `imgrement attach`.

use crate::{
    disk::Disk,
    dm::{
        Control,
        Device,
        Row,
        FOLDER,
        NAME_MAX, //
    },
    failure::Failure,
    filter::size,
    holders::{
        self,
        refusal, //
    },
    kernel_log::KernelLog,
    log_device,
    options::TableOptions,
    output::print,
    settings,
    target::{
        explain,
        KIND, //
    },
};
use clap::Args;
use imgrement_core::config::arguments::Argument;
use rustix::io::Errno;
use std::{
    path::PathBuf,
    process::Command, //
};

/// Wrap a disk or partition: use /dev/mapper/NAME in its place from now on
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement attach /dev/sdb
  imgrement attach /dev/sdb1 --name data --pattern 'BEGIN RSA' --pattern-name rsa --places on
  imgrement attach /dev/sdb --pattern none --log off
  imgrement attach /dev/sdb --history /dev/sdc
  imgrement attach /dev/sdb --history /var/lib/sdb.log --history-size 10G

It refuses a disk that is mounted or in use, and names who uses it; also for --history. Nothing on the disk changes.")]
pub(crate) struct Attach {
    /// The disk or partition, such as /dev/sdb
    device: PathBuf,

    /// The name of the new device in /dev/mapper [default: imgrement- and the disk's name]
    #[arg(long)]
    name: Option<String>,

    /// The size of the file of a history, if --history names a file that is not there: 512M, 10G [default: that of the
    /// disk]. The file takes only as much room as is written
    #[arg(long, value_name = "SIZE", value_parser = size)]
    history_size: Option<u64>,

    #[command(flatten)]
    arguments: TableOptions,
}

impl Attach {
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let table = settings::read(&self.arguments.words)
            .map_err(|failure| failure.next("All arguments: imgrement attach --help"))?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let disk = Disk::find(&self.device)?;
        // The kernel writes `!` for a slash within a name: `cciss!c0d0`.
        let name = self
            .name
            .unwrap_or_else(|| format!("imgrement-{}", disk.name.replace('!', "-")));
        let control = Control::open()?;
        let what = format!("attach {}", self.device.display());

        if let Some(failure) = refusal(&what, &holders::of(disk.number)) {
            return Err(failure);
        }
        let log = match &table.params.history {
            Some(history) => {
                let log = log_device::find(history.as_bytes(), &disk, self.history_size)?;
                self.arguments
                    .replace(Argument::History, log.number.to_string());
                Some(log)
            }
            None if self.history_size.is_some() => {
                return Err(Failure::usage("--history-size needs --history FILE"));
            }
            None => None,
        };
        load_module(&control)?;
        let device = control
            .create(&name, disk.readonly)
            .map_err(|error| match error {
                Errno::BUSY => Failure::new(format_args!(
                    "cannot {what}: there is a device {name} already"
                ))
                .next(format_args!(
                    "Choose another name with --name, or remove that one: imgrement detach {name}"
                )),
                _ => explain(&what, error),
            })?;
        let row = Row {
            start: 0,
            length: disk.sectors,
            kind: KIND.into(),
            text: format!(
                "{} 0 {} {}",
                disk.number,
                self.arguments.words.len(),
                self.arguments.words.join(" ")
            ),
        };
        if let Err(failure) = start(&control, &disk, &device, &row, &what) {
            // It was never used, so nobody holds it.
            let _ = control.remove(&device);
            return Err(failure);
        }
        if let Some(log) = log {
            log.keep();
        }
        print(&format!("{FOLDER}/{name}\n"))
    }
}

/// Loads the table and starts the device.
fn start(
    control: &Control,
    disk: &Disk,
    device: &Device,
    row: &Row,
    what: &str,
) -> Result<(), Failure> {
    let log = KernelLog::from_here();

    control.load(device, row).map_err(|error| {
        // The kernel does not say what uses it.
        if error == Errno::BUSY {
            if let Some(failure) = refusal(what, &holders::processes(disk.number)) {
                return failure;
            }
        }
        match log.reason(device.number) {
            Some(reason) => Failure::new(format_args!("cannot {what}: the kernel says: {reason}"))
                .next("What to do about it: docs/mistakes.md"),
            None => explain(what, error),
        }
    })?;
    control.resume(device)
}

/// Refuses a name that udev or device-mapper could not keep as it is.
fn check_name(name: &str) -> Result<(), Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"#+-.:=@_".contains(&byte);

    if (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(plain)
        && ![".", "..", "control"].contains(&name)
    {
        return Ok(());
    }
    Err(Failure::usage(format_args!(
        "--name {name:?}: not a name; allowed: 1 to {NAME_MAX} letters, digits and # + - . : = @ _"
    )))
}

/// Loads the module, unless it is there.
fn load_module(control: &Control) -> Result<(), Failure> {
    match control.has_target(KIND) {
        Ok(true) => return Ok(()),
        Ok(false) => {}
        Err(error) => return Err(explain("ask for the module dm-imgrement", error)),
    }
    // The kernel has tried that, too. But modprobe says why it does not work.
    let output = Command::new("modprobe").arg("dm-imgrement").output();
    let said = match &output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("cannot run modprobe: {error}"),
    };
    let failure = Failure::new(format_args!(
        "the module dm-imgrement cannot be loaded: {said}"
    ));
    Err(match said.contains("not found") {
        true => failure.next("Install it for this kernel: make install, in imgrement's source"),
        false => failure.next("With Secure Boot, the module must be signed: see README.md. The kernel's log may say more: dmesg"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for name in ["a", "imgrement-sdb", "a.b", &"n".repeat(127)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "a b",
            "a/b",
            "..",
            "control",
            "\u{e9}",
            &"n".repeat(128),
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
