// SPDX-License-Identifier: GPL-2.0

//! Which processes the requests come from.

use super::frequent::Frequent;
use crate::recording::row::Request;
use serde::Serialize;

/// How many names of processes are counted exactly.
const DIFFERENT: usize = 1024;

/// Counts the requests of each command.
pub(crate) struct Processes(Frequent<String, Counts>);

#[derive(Clone, Default)]
struct Counts {
    read: u64,
    written: u64,
    latency: u64,
    pid: Option<u32>,
    several: bool,
}

/// A process, or several of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ProcessSummary {
    /// The name of its command, escaped.
    pub(crate) command: String,
    /// Its number. `None` if it is not known, or there are several.
    pub(crate) pid: Option<u32>,
    /// How many requests it sent.
    pub(crate) requests: u64,
    /// How many bytes these read,
    pub(crate) read_bytes: u64,
    /// and how many they write.
    pub(crate) written_bytes: u64,
    /// The sum of their latencies.
    pub(crate) latency_ns: u64,
}

/// The busiest processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ProcessesSummary {
    /// How many requests may be missing from each number: 0 if they are exact.
    pub(crate) missing: u64,
    /// The busiest first.
    pub(crate) processes: Vec<ProcessSummary>,
}

impl Default for Processes {
    fn default() -> Self {
        Self(Frequent::new(DIFFERENT))
    }
}

impl Processes {
    /// A request.
    pub(crate) fn add(&mut self, request: &Request<'_>) {
        let bytes = u64::from(request.bytes);
        self.0.add(request.command, 1, |counts| {
            if request.op.writes() {
                counts.written = counts.written.saturating_add(bytes);
            } else if request.op.has_payload() {
                counts.read = counts.read.saturating_add(bytes);
            }
            counts.latency = counts.latency.saturating_add(request.latency.unwrap_or(0));
            if let Some(begin) = request.begin {
                counts.several |= counts.pid.is_some_and(|pid| pid != begin.pid);
                counts.pid = Some(begin.pid);
            }
        });
    }

    /// The busiest ones.
    pub(crate) fn summary(&self, number: usize) -> ProcessesSummary {
        let top = self.0.top(number).into_iter();
        ProcessesSummary {
            missing: self.0.missing(),
            processes: top
                .map(|(command, requests, counts)| ProcessSummary {
                    command,
                    pid: counts.pid.filter(|_| !counts.several),
                    requests,
                    read_bytes: counts.read,
                    written_bytes: counts.written,
                    latency_ns: counts.latency,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use crate::recording::row::Begin;
    use imgrement_core::record::Op;

    #[test]
    fn processes_are_counted() {
        let mut processes = Processes::default();
        for (command, pid, op) in [
            ("fio", 7, Op::Write),
            ("dd", 8, Op::Read),
            ("fio", 9, Op::Read),
            ("fio", 9, Op::Flush),
        ] {
            let mut request = request(op, 0, 512);
            request.command = command;
            request.latency = Some(10);
            request.begin = Some(Begin {
                pid,
                ..Begin::default()
            });
            processes.add(&request);
        }
        let got = processes.summary(10);
        let process = |command: &str, pid, requests, read_bytes, written_bytes| ProcessSummary {
            command: command.into(),
            pid,
            requests,
            read_bytes,
            written_bytes,
            latency_ns: requests * 10,
        };
        assert_eq!(
            got.processes,
            [
                process("fio", None, 3, 512, 512),
                process("dd", Some(8), 1, 512, 0)
            ]
        );
    }
}
