// SPDX-License-Identifier: GPL-2.0

//! What a person wants to see: which lists, in which order, and of what.

use super::keys::Key;
use imgrement_core::record::Op;

/// By what the lists are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Requests,
    Bytes,
    Latency,
    Name,
}

impl Order {
    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Bytes => "bytes",
            Self::Latency => "latency",
            Self::Name => "name",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Requests => Self::Bytes,
            Self::Bytes => Self::Latency,
            Self::Latency => Self::Name,
            Self::Name => Self::Requests,
        }
    }
}

/// What is on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Page {
    /// A bit of each list.
    #[default]
    All,
    Ops,
    Devices,
    Commands,
    Ranges,
    Patterns,
    Help,
}

impl Page {
    const fn next(self) -> Self {
        match self {
            Self::All => Self::Ops,
            Self::Ops => Self::Devices,
            Self::Devices => Self::Commands,
            Self::Commands => Self::Ranges,
            Self::Ranges => Self::Patterns,
            Self::Patterns | Self::Help => Self::All,
        }
    }
}

/// What is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// This op alone.
    pub(super) op: Option<Op>,
    /// Devices whose names contain this text.
    pub(super) text: String,
}

/// What a person wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) order: Order,
    /// The lowest first; for names, the last first.
    pub(super) reversed: bool,
    pub(super) page: Page,
    /// How many rows are above the first that is shown, on the page of a list.
    pub(super) above: usize,
    pub(super) filter: Filter,
    /// The text of the filter is being typed.
    pub(super) typing: bool,
    pub(super) paused: bool,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// The view may have changed.
    Draw,
    Quit,
    /// Back to the shell, for now.
    Suspend,
}

/// The ops that `o` goes through.
const OPS: [Option<Op>; 6] = [
    None,
    Some(Op::Read),
    Some(Op::Write),
    Some(Op::Flush),
    Some(Op::Discard),
    Some(Op::WriteZeroes),
];

/// How many rows a page key moves.
const PAGE: usize = 10;

/// The longest text of a filter. The name of a device has no more bytes.
const LONGEST: usize = 127;

impl View {
    /// Changes it as a key asks for.
    pub(super) fn key(&mut self, key: Key) -> Wish {
        match key {
            Key::Interrupt => return Wish::Quit,
            Key::Suspend => return Wish::Suspend,
            Key::Redraw => return Wish::Draw,
            Key::Char(_)
            | Key::Enter
            | Key::Escape
            | Key::Backspace
            | Key::Tab
            | Key::Up
            | Key::Down
            | Key::PageUp
            | Key::PageDown
            | Key::Home => {}
        }
        if self.typing {
            self.type_filter(key);
            return Wish::Draw;
        }
        // Any key leaves the help.
        if self.page == Page::Help && !matches!(key, Key::Char('q')) {
            self.page = Page::All;
            return Wish::Draw;
        }
        match key {
            Key::Char('q') => return Wish::Quit,
            Key::Char('?' | 'h') => self.page = Page::Help,
            Key::Char(' ' | 'p') => self.paused = !self.paused,
            Key::Char('s') => self.order = self.order.next(),
            Key::Char('r') => self.reversed = !self.reversed,
            Key::Char('o') => self.filter.op = next_op(self.filter.op),
            Key::Char('/') => self.typing = true,
            Key::Escape => self.filter = Filter::default(),
            Key::Tab => {
                self.page = self.page.next();
                self.above = 0;
            }
            Key::Up | Key::Char('k') => self.above = self.above.saturating_sub(1),
            Key::Down | Key::Char('j') => self.above = self.above.saturating_add(1),
            Key::PageUp => self.above = self.above.saturating_sub(PAGE),
            Key::PageDown => self.above = self.above.saturating_add(PAGE),
            Key::Home => self.above = 0,
            Key::Char(_)
            | Key::Enter
            | Key::Backspace
            | Key::Interrupt
            | Key::Suspend
            | Key::Redraw => {}
        }
        Wish::Draw
    }

    fn type_filter(&mut self, key: Key) {
        match key {
            Key::Char(typed) if self.filter.text.len() < LONGEST => self.filter.text.push(typed),
            Key::Backspace => {
                self.filter.text.pop();
            }
            Key::Enter => self.typing = false,
            Key::Escape => {
                self.typing = false;
                self.filter.text.clear();
            }
            Key::Char(_)
            | Key::Tab
            | Key::Up
            | Key::Down
            | Key::PageUp
            | Key::PageDown
            | Key::Home
            | Key::Interrupt
            | Key::Suspend
            | Key::Redraw => {}
        }
    }
}

fn next_op(op: Option<Op>) -> Option<Op> {
    let place = OPS.iter().position(|other| *other == op);
    let next = place.and_then(|place| OPS.get(place.saturating_add(1)));
    next.copied().flatten()
}
