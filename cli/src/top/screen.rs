// SPDX-License-Identifier: GPL-2.0

//! Draws figures, on a screen of any size.

use super::{
    figures::Figures,
    layout::share_out,
    table::{
        self,
        count,
        Line,
        Table, //
    },
    view::{
        Page,
        View, //
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{
        Color,
        Modifier,
        Style, //
    },
};

/// From this width on, tasks and ranges are side by side.
const WIDE: u16 = 120;

/// A screen of so few lines has none to spare for the keys.
const LOW: u16 = 7;

const HELP: &[&str] = &[
    "q  Ctrl-C     quit",
    "space  p      pause: the figures stay, and are still sorted and filtered",
    "s             sort by requests, bytes, latency, name",
    "r             reverse the order",
    "o             one op: read, write, flush, discard, write-zeroes; then all",
    "/             only devices whose name contains what you type; Enter ends it",
    "Esc           all ops and devices again",
    "tab           one list: ops, devices, tasks, ranges, patterns; then all",
    "up  down      move in that list; also j and k, page up and page down, Home",
    "Ctrl-Z        back to the shell; fg continues",
    "",
    "All figures cover the last interval: --interval sets its length.",
    "REQ/s         requests that completed, each second",
    "p50 p99 MAX   latency: half, 99 %, all of the requests took no longer",
    "DEPTH         requests in flight at a time, on average. NOW: in flight now",
    "FOUND         occurrences of patterns",
    "SHARE         of all requests. LATENCY: the mean",
    "RANGE FROM    where requests begin on the disk, in ranges of 1 MiB",
    "events lost   the kernel dropped them: the figures are too low",
];

/// The lines of a list alone; `None` on other pages.
pub(super) fn list(page: Page, figures: &Figures) -> Option<Table> {
    match page {
        Page::All | Page::Help => None,
        Page::Ops => Some(table::ops(figures)),
        Page::Devices => Some(table::devices(figures)),
        Page::Commands => Some(table::commands(figures)),
        Page::Ranges => Some(table::ranges(figures)),
        Page::Patterns => Some(table::patterns(figures)),
    }
}

/// Draws all of it.
pub(super) fn draw(buffer: &mut Buffer, figures: &Figures, view: &View, colors: bool) {
    let area = buffer.area;
    let painter = &mut Painter { buffer, colors };
    let width = usize::from(area.width);

    painter.text(
        area,
        &joined(&title(figures, view), width),
        painter.title(figures, view),
    );
    let mut body = without_first(area);
    if area.height >= if view.typing { 1 } else { LOW } {
        let last = Rect {
            y: area.bottom().saturating_sub(1),
            height: 1,
            ..area
        };
        body.height = body.height.saturating_sub(1);
        let text = match view.typing {
            // Its end is what is being typed.
            true => {
                let text = format!("devices with: {}_", view.filter.text);
                let more = text.chars().count().saturating_sub(width);
                text.chars().skip(more).collect()
            }
            false => joined(&keys(view), width),
        };
        painter.text(last, &text, Style::new().add_modifier(Modifier::DIM));
    }
    if view.page == Page::Help {
        for (place, text) in rows(body).zip(HELP) {
            painter.text(place, text, Style::new());
        }
    } else if let Some(table) = list(view.page, figures) {
        painter.table(body, &table, view.above);
    } else if figures.seconds <= 0.0 {
        painter.text(body, "The first figures come in a moment.", Style::new());
    } else {
        lists(painter, body, figures);
    }
}

/// A bit of each list.
fn lists(painter: &mut Painter<'_>, body: Rect, figures: &Figures) {
    let mut groups = vec![vec![table::ops(figures)], vec![table::devices(figures)]];
    match body.width >= WIDE {
        true => groups.push(vec![table::commands(figures), table::ranges(figures)]),
        false => groups.extend([vec![table::commands(figures)], vec![table::ranges(figures)]]),
    }
    groups.push(vec![table::patterns(figures)]);

    let wanted = |group: &Vec<Table>| {
        let lines = group
            .iter()
            .map(|table| table.lines.len())
            .max()
            .unwrap_or(0);
        match lines {
            0 => 0,
            lines => lines.saturating_add(1),
        }
    };
    let wanted: Vec<usize> = groups.iter().map(wanted).collect();
    let shares = share_out(usize::from(body.height), &wanted);
    let mut place = body;
    for (group, share) in groups.iter().zip(shares) {
        let height = u16::try_from(share).unwrap_or(u16::MAX);
        let number = u16::try_from(group.len()).unwrap_or(1).max(1);
        let width = body.width / number;
        for (index, table) in (0..).zip(group) {
            let place = Rect {
                x: place.x.saturating_add(width.saturating_mul(index)),
                // A gap between two.
                width: width.saturating_sub(u16::from(index + 1 < number)),
                height,
                ..place
            };
            painter.table(place, table, 0);
        }
        place.y = place.y.saturating_add(height);
        place.height = place.height.saturating_sub(height);
    }
    if figures.requests <= 0.0 {
        painter.text(place, "No requests.", Style::new());
    }
}

/// What the first line says, the most important first.
fn title(figures: &Figures, view: &View) -> Vec<String> {
    let mut parts = vec![format!("{} requests/s", count(figures.requests))];
    if view.paused {
        parts.push("PAUSED".into());
    }
    if let Some(op) = view.filter.op {
        parts.push(format!("only {}", crate::recording::row::op_name(op)));
    }
    if !view.filter.text.is_empty() {
        parts.push(format!("devices with {}", view.filter.text));
    }
    if figures.lost_ever > 0 {
        parts.push(lost(figures));
    }
    parts.push(match figures.devices.len() {
        1 => "1 device".into(),
        number => format!("{number} devices"),
    });
    parts.push(format!("last {:.1} s", figures.seconds));
    if figures.lost_ever == 0 {
        parts.push(lost(figures));
    }
    parts
}

/// What is said about lost events.
pub(super) fn lost(figures: &Figures) -> String {
    match (figures.lost, figures.lost_ever) {
        (_, 0) => "no events lost".into(),
        (lost, ever) => format!("{lost} events lost, {ever} so far"),
    }
}

/// What the last line says.
fn keys(view: &View) -> Vec<String> {
    let op = view.filter.op.map_or("all", crate::recording::row::op_name);
    let mut keys = vec![
        "q quit".into(),
        "? help".into(),
        match view.paused {
            true => "space continue".into(),
            false => "space pause".to_owned(),
        },
        format!("s sort: {}", view.order.name()),
        format!("o op: {op}"),
        "/ filter".into(),
        "tab lists".into(),
        "r reverse".into(),
    ];
    if view.page == Page::Help {
        keys = vec!["any key: back".into()];
    }
    keys
}

/// The first parts, as many as fit.
fn joined(parts: &[String], width: usize) -> String {
    let mut text = String::new();
    for part in parts {
        let space = match text.is_empty() {
            true => "",
            false => "  ",
        };
        if !text.is_empty() && text.chars().count() + space.len() + part.chars().count() > width {
            break;
        }
        text.push_str(space);
        text.push_str(part);
    }
    text
}

/// The area below the first line.
fn without_first(area: Rect) -> Rect {
    Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    }
}

/// The lines of an area.
fn rows(area: Rect) -> impl Iterator<Item = Rect> {
    (area.top()..area.bottom()).map(move |y| Rect {
        y,
        height: 1,
        ..area
    })
}

struct Painter<'b> {
    buffer: &'b mut Buffer,
    /// Without colours, what matters is bold.
    colors: bool,
}

impl Painter<'_> {
    fn colored(&self, color: Color) -> Style {
        match self.colors {
            true => Style::new().fg(color),
            false => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    fn title(&self, figures: &Figures, view: &View) -> Style {
        match (view.paused, figures.lost > 0) {
            (true, _) => self.colored(Color::Yellow),
            (false, true) => self.colored(Color::Red),
            (false, false) => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// A text in the first line of an area.
    fn text(&mut self, area: Rect, text: &str, style: Style) {
        if area.height > 0 {
            let width = usize::from(area.width);
            self.buffer.set_stringn(area.x, area.y, text, width, style);
        }
    }

    /// A table, without the lines `above`.
    fn table(&mut self, area: Rect, table: &Table, above: usize) {
        let widths = table.widths(usize::from(area.width));
        let titles = table.titles(&widths);
        let width = usize::from(area.width);
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        self.text(area, &format!("{titles:<width$}"), reversed);
        for (place, line) in rows(without_first(area)).zip(table.lines.iter().skip(above)) {
            self.text(place, &table.line(&widths, line), self.line(line));
        }
    }

    fn line(&self, line: &Line) -> Style {
        match line.alarming {
            true => self.colored(Color::Red),
            false => Style::new(),
        }
    }
}
