// SPDX-License-Identifier: GPL-2.0

//! The terminal: whatever happens, it is left as it was.

use super::keys::{
    keys,
    Key, //
};
use ratatui::{
    backend::CrosstermBackend,
    buffer::Buffer,
    crossterm::{
        cursor::{
            Hide,
            Show, //
        },
        execute,
        terminal::{
            disable_raw_mode,
            enable_raw_mode,
            EnterAlternateScreen,
            LeaveAlternateScreen, //
        }, //
    },
    Terminal, //
};
use rustix::{
    io::Errno,
    process::{
        kill_current_process_group,
        Signal, //
    }, //
};
use std::{
    env,
    io::{
        self,
        IsTerminal,
        Stdout, //
    },
    panic,
};

/// A full screen. The terminal is as before when this is dropped.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// A person may not want any, or the terminal has none.
    pub(super) colors: bool,
}

/// Whether there is a terminal that can move its cursor, and somebody to press keys.
pub(super) fn is_there() -> bool {
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn enter() -> io::Result<Self> {
        let screen = Self {
            terminal: Terminal::new(CrosstermBackend::new(io::stdout()))?,
            colors: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        // A panic is printed on the screen of the shell, not on one that vanishes.
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |about| {
            leave();
            hook(about);
        }));
        enter()?;
        Ok(screen)
    }

    /// Draws on it.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame.buffer_mut()))?;
        Ok(())
    }

    /// Draws everything again the next time, whatever is on the screen now.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Takes the terminal again after it was somebody else's.
    pub(super) fn enter_again(&mut self) -> io::Result<()> {
        // The shell has changed its modes, and crossterm takes them for ours.
        disable_raw_mode()?;
        enter()?;
        self.redraw()
    }

    /// Gives the terminal to the shell, until that continues us.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        leave();
        // All of a pipeline or of sudo stop, as they do when the terminal sends the signal.
        kill_current_process_group(Signal::TSTP)?;
        self.enter_again()
    }

    /// The keys that were pressed; `None` if the terminal is gone.
    pub(super) fn keys(&mut self) -> Option<Vec<Key>> {
        let mut bytes = [0; 256];
        // Not through the standard library, whose buffer would hide from `poll` what was read too early.
        match rustix::io::read(io::stdin(), &mut bytes) {
            Ok(0) => None,
            Ok(length) => Some(keys(bytes.get(..length).unwrap_or_default())),
            Err(Errno::INTR) => Some(Vec::new()),
            Err(_) => None,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, Hide)
}

/// Nobody may be there any more, so errors are of no interest.
fn leave() {
    let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}
