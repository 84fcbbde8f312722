// SPDX-License-Identifier: GPL-2.0

//! The layout of the picture: a header, panels over one axis of time, and what concerns all panels.

use super::{
    canvas::{
        Canvas,
        HEADING_HEIGHT,
        SMALL, //
    },
    class::Class,
    data::Data,
    frame::Frame,
    latencies,
    map::{
        self,
        DIAMOND, //
    },
    rates,
    scale,
    svg::{
        Anchor,
        Short,
        Svg, //
    },
    text::Measure,
    theme::Theme, //
};
use std::fmt::Write as _;

/// How wide each picture is, in units: pixels are more or fewer.
const WIDTH: f64 = 1000.0;
/// The panels, from left to right.
const LEFT: f64 = 82.0;
const RIGHT: f64 = 976.0;
/// Between panels.
const GAP: f64 = 12.0;
/// How wide a column is at least.
const COLUMN: f64 = 2.2;
/// How far lines of marks are apart at least.
const MARK_GAP: f64 = 4.0;
/// How high a row of marks' texts is.
const MARK_ROW: f64 = 15.0;
/// How many rows of them there are.
const MARK_ROWS: usize = 3;

/// What the picture says besides the data.
pub(super) struct About {
    /// The title.
    pub(super) title: String,
    /// What was recorded.
    pub(super) subtitle: String,
    /// What the reader must know.
    pub(super) notes: Vec<String>,
}

/// How it looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Its size.
    pub(crate) pixels: (u32, u32),
    /// Its colours.
    pub(crate) theme: Theme,
}

/// Something that draws a panel.
type Draw = fn(&mut Canvas, &Frame, &Data);

/// The panels, and how high they are in relation to each other.
const PANELS: [(f64, Draw); 5] = [
    (3.2, map::draw),
    (1.3, rates::draw_throughput),
    (1.3, rates::draw_requests),
    (2.2, latencies::draw),
    (1.0, rates::draw_depth),
];

/// Draws the picture, as SVG.
pub(super) fn draw(data: &Data, about: &About, look: Look) -> String {
    let theme = look.theme;
    let height = (WIDTH * f64::from(look.pixels.1) / f64::from(look.pixels.0)).max(1.0);
    let measure = Measure::new();
    let columns = data.time.groups(((RIGHT - LEFT) / COLUMN) as usize);
    let ticks = scale::time_ticks(columns.start as f64, columns.end() as f64, 10);
    let mut canvas = Canvas {
        svg: Svg::new(WIDTH, height, look.pixels, &about.title),
        theme,
        measure,
        columns,
        edges: (LEFT, RIGHT),
        ticks,
    };
    canvas
        .svg
        .rectangle([0.0, 0.0, WIDTH, height], theme.background(), 1.0);

    let mut top = header(&mut canvas, data, about);
    let marks = placed(&canvas, data);
    let rows = marks
        .iter()
        .filter_map(|mark| Some(mark.label.as_ref()?.row + 1))
        .max();
    let labels = top;
    top += rows.unwrap_or(0) as f64 * MARK_ROW;

    let notes = notes(&canvas, data, about);
    let bottom = height - 44.0 - 16.0 * notes.len() as f64;
    let weights: f64 = PANELS.iter().map(|(weight, _)| weight).sum();
    let fixed = PANELS.len() as f64 * (HEADING_HEIGHT + GAP);
    let unit = ((bottom - top - fixed) / weights).max(8.0);
    let mut y = top + 4.0;
    let mut frames = Vec::new();
    for (weight, _) in PANELS {
        y += HEADING_HEIGHT;
        frames.push(Frame {
            x: LEFT,
            y,
            width: RIGHT - LEFT,
            height: weight * unit,
        });
        y += weight * unit + GAP;
    }

    for (frame, (_, draw)) in frames.iter().zip(PANELS) {
        draw_losses(&mut canvas, data, frame);
        draw(&mut canvas, frame, data);
    }
    draw_marks(&mut canvas, &marks, labels, top, &frames);
    time_axis(&mut canvas, &frames);
    for (index, note) in notes.iter().rev().enumerate() {
        let y = height - 10.0 - 16.0 * index as f64;
        canvas
            .svg
            .text((LEFT, y), note, SMALL, theme.lost(), Anchor::Start, "");
    }
    canvas.svg.finish()
}

/// The title, what was recorded, and the legend. Returns where they end.
fn header(canvas: &mut Canvas, data: &Data, about: &About) -> f64 {
    let (ink, muted) = (canvas.theme.ink(), canvas.theme.muted());
    let bold = " font-weight=\"600\"";
    let width = RIGHT - 24.0;
    let title = canvas.measure.fit(&about.title, 22.0, width);
    canvas
        .svg
        .text((24.0, 37.0), &title, 22.0, ink, Anchor::Start, bold);
    let subtitle = canvas.measure.fit(&about.subtitle, 13.5, width);
    canvas
        .svg
        .text((24.0, 60.0), &subtitle, 13.5, muted, Anchor::Start, "");

    let mut x = LEFT;
    let y = 86.0;
    let mut entry = |canvas: &mut Canvas, sign: &dyn Fn(&mut Svg, f64), text: &str| {
        sign(&mut canvas.svg, x);
        canvas
            .svg
            .text((x + 17.0, y), text, 13.0, ink, Anchor::Start, "");
        x += 17.0 + canvas.measure.width(text, 13.0) + 22.0;
    };
    let theme = canvas.theme;
    for class in Class::ALL {
        let requests = *data.requests.get(class);
        if requests > 0 {
            let colour = theme.colour(class);
            let square = move |svg: &mut Svg, x: f64| {
                svg.rectangle([x, y - 10.5, 11.0, 11.0], &colour, 1.0);
            };
            entry(canvas, &square, class.name());
        }
    }
    if data.hits > 0 {
        let (fill, stroke) = (theme.found(), theme.ink());
        let diamond = |svg: &mut Svg, x: f64| {
            let path = format!("M{} {}{DIAMOND}", Short(x + 5.5), Short(y - 10.0));
            svg.path(
                &path,
                &format!("fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.2\""),
            );
        };
        let text = format!("pattern found ({}×)", scale::count(data.hits));
        entry(canvas, &diamond, &text);
    }
    if data.lost_events > 0 {
        let band = |svg: &mut Svg, x: f64| {
            svg.rectangle([x, y - 10.5, 11.0, 11.0], theme.lost(), 0.3);
        };
        entry(canvas, &band, "events lost");
    }
    y + 12.0
}

/// What the reader must know.
fn notes(canvas: &Canvas, data: &Data, about: &About) -> Vec<String> {
    let mut notes = about.notes.clone();
    if data.lost_events > 0 {
        let events = scale::count(data.lost_events);
        notes.push(format!(
            "The kernel dropped at least {events} events: requests are missing here."
        ));
    }
    let (seen, kept) = (data.marks.seen(), data.marks.kept().len());
    if !data.marks.is_all() {
        let (seen, kept) = (scale::count(seen), scale::count(kept as u64));
        notes.push(format!(
            "There are {seen} marks; {kept} of them are in the picture."
        ));
    }
    notes
        .iter()
        .map(|note| canvas.measure.fit(note, SMALL, RIGHT - LEFT))
        .collect()
}

/// A mark's text, and where it begins.
struct Label {
    text: String,
    row: usize,
    x: f64,
}

/// A mark, and where it is.
struct Placed {
    x: f64,
    label: Option<Label>,
}

/// Finds places for marks. Marks that are too close to others have no line, and texts without space are left out.
fn placed(canvas: &Canvas, data: &Data) -> Vec<Placed> {
    let whole = Frame {
        x: LEFT,
        y: 0.0,
        width: RIGHT - LEFT,
        height: 1.0,
    };
    let mut marks: Vec<_> = data.marks.kept().iter().collect();
    marks.sort_by_key(|mark| mark.time);
    let mut placed: Vec<Placed> = Vec::new();
    let mut ends = [LEFT - 20.0; MARK_ROWS];
    for mark in marks {
        let x = canvas.x(&whole, mark.time as f64);
        if placed.last().is_some_and(|last| x - last.x < MARK_GAP) {
            continue;
        }
        let text = canvas
            .measure
            .fit(&crate::output::readable(&mark.text), SMALL, 260.0);
        let width = canvas.measure.width(&text, SMALL);
        // At the right edge, the text is to the left of its line.
        let start = match x + 4.0 + width > WIDTH - 6.0 {
            true => x - 4.0 - width,
            false => x + 4.0,
        };
        let row = ends.iter().position(|end| start >= end + 8.0);
        let label = row.map(|row| {
            if let Some(end) = ends.get_mut(row) {
                *end = start + width;
            }
            Label {
                text,
                row,
                x: start,
            }
        });
        placed.push(Placed { x, label });
    }
    placed
}

fn draw_marks(canvas: &mut Canvas, marks: &[Placed], labels: f64, top: f64, frames: &[Frame]) {
    let mut path = String::new();
    for mark in marks {
        // Writing to a string does not fail.
        for frame in frames {
            let _ = write!(
                path,
                "M{} {}v{}",
                Short(mark.x),
                Short(frame.y),
                Short(frame.height)
            );
        }
        if let Some(label) = &mark.label {
            let y = labels + (label.row as f64 + 1.0) * MARK_ROW - 4.0;
            let _ = write!(
                path,
                "M{} {}V{}",
                Short(mark.x),
                Short(y - 10.0),
                Short(top)
            );
            let ink = canvas.theme.ink();
            canvas
                .svg
                .text((label.x, y), &label.text, SMALL, ink, Anchor::Start, "");
        }
    }
    let style = format!(
        "stroke=\"{}\" stroke-width=\"1\" stroke-opacity=\"0.55\" stroke-dasharray=\"3 3\"",
        canvas.theme.ink()
    );
    canvas.svg.path(&path, &style);
}

/// Shades where events were lost.
fn draw_losses(canvas: &mut Canvas, data: &Data, frame: &Frame) {
    let sums = canvas.columns.sums(&data.lost);
    let column = frame.width / sums.len().max(1) as f64;
    let mut index = 0;
    for run in sums.chunk_by(|one, other| (*one > 0) == (*other > 0)) {
        if run.first().is_some_and(|count| *count > 0) {
            let width = (run.len() as f64 * column).max(3.0);
            let place = [
                frame.x + index as f64 * column,
                frame.y,
                width,
                frame.height,
            ];
            canvas.svg.rectangle(place, canvas.theme.lost(), 0.25);
        }
        index += run.len();
    }
}

/// The axis of time, below the last panel.
fn time_axis(canvas: &mut Canvas, frames: &[Frame]) {
    let Some(frame) = frames.last() else {
        return;
    };
    let y = frame.bottom() + 17.0;
    let muted = canvas.theme.muted();
    let caption = "time since the recording began";
    for (time, label) in canvas.ticks.clone() {
        let x = canvas.x(frame, time);
        canvas
            .svg
            .text((x, y), &label, SMALL, muted, Anchor::Middle, "");
    }
    canvas.svg.text(
        (frame.right(), y + 16.0),
        caption,
        SMALL,
        muted,
        Anchor::End,
        "",
    );
}
