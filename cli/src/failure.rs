// SPDX-License-Identifier: GPL-2.0

//! What went wrong, for a person: what happened, why, and what to do next.

use std::{
    fmt::Display,
    io::{
        self,
        Write, //
    },
    process::ExitCode,
};

/// Why a command ended early.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    what: String,
    next: Vec<String>,
}

/// What the exit status depends on.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// It could not be done.
    Failed,
    /// A command that was run failed, with this exit status.
    Command(u8),
    /// The command line is wrong.
    Usage,
    /// Nobody reads the output any more. This is no failure, and nothing is printed.
    Closed,
}

impl Failure {
    /// It could not be done: what happened, and why.
    pub fn new(what: impl Display) -> Self {
        Self {
            kind: Kind::Failed,
            what: what.to_string(),
            next: Vec::new(),
        }
    }

    /// The command line is wrong.
    pub fn usage(what: impl Display) -> Self {
        Self {
            kind: Kind::Usage,
            ..Self::new(what)
        }
    }

    /// The exit status is this one: that of a command that was run.
    pub(crate) fn with_status(mut self, status: u8) -> Self {
        self.kind = Kind::Command(status);
        self
    }

    /// Adds a line that says what to do next.
    pub fn next(mut self, line: impl Display) -> Self {
        self.next.push(line.to_string());
        self
    }

    /// Prints it, and returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        if self.kind == Kind::Closed {
            return ExitCode::SUCCESS;
        }
        let mut text = format!("imgrement: {}\n", self.what);
        for line in &self.next {
            text.push_str(&format!("  {line}\n"));
        }
        // If this fails, too, nothing can report it.
        let _ = io::stderr().lock().write_all(text.as_bytes());
        match self.kind {
            Kind::Usage => ExitCode::from(2),
            Kind::Command(status) => ExitCode::from(status),
            Kind::Failed | Kind::Closed => ExitCode::FAILURE,
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

/// Output could not be written.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let mut failure = Self::new(format_args!("cannot write the output: {error}"));
        if error.kind() == io::ErrorKind::BrokenPipe {
            failure.kind = Kind::Closed;
        }
        failure
    }
}
