// SPDX-License-Identifier: GPL-2.0

//! What all panels draw alike: headings, scales, and the common axis of time.

use super::{
    axis::Groups,
    class::Class,
    frame::Frame,
    heat::{
        Heat,
        Range, //
    },
    scale::Tick,
    svg::{
        Anchor,
        Short,
        Svg, //
    },
    text::Measure,
    theme::{
        Hue,
        Theme,
        SHADES, //
    },
};
use std::fmt::Write as _;

/// The size of texts in panels.
pub(super) const SMALL: f64 = 12.0;
/// The size of the headings of panels.
pub(super) const HEADING: f64 = 13.5;
/// How large a request is at least, if it is drawn by itself.
pub(super) const DOT: f64 = 3.2;
/// How high a heading is.
pub(super) const HEADING_HEIGHT: f64 = 22.0;

/// The name of the colours for several classes.
const MIXED: &str = "mixed";

/// The picture while it is drawn.
pub(super) struct Canvas {
    /// What was drawn so far.
    pub(super) svg: Svg,
    /// The colours.
    pub(super) theme: Theme,
    /// How wide texts are.
    pub(super) measure: Measure,
    /// The columns of the axis of time.
    pub(super) columns: Groups,
    /// The left and the right edge of all panels.
    pub(super) edges: (f64, f64),
    /// The ticks of the axis of time.
    pub(super) ticks: Vec<Tick>,
}

/// A part of a heading.
pub(super) enum Part {
    /// A text.
    Text(String),
    /// The colours of a heat map: least, colours, most.
    Scale(String, Vec<Hue>, String),
    /// A line, with its dashes.
    Line(&'static str),
}

impl Canvas {
    /// Where a time is.
    pub(super) fn x(&self, frame: &Frame, time: f64) -> f64 {
        frame.across(time, self.columns.start as f64, self.columns.end() as f64)
    }

    /// The part of a frame that these columns have. They may begin before it and end after it.
    pub(super) fn of_columns(&self, frame: &Frame, columns: &Groups) -> Frame {
        let whole = (self.columns.end() - self.columns.start) as f64;
        let scale = frame.width / whole;
        Frame {
            x: frame.x + (columns.start - self.columns.start) as f64 * scale,
            width: (columns.end() - columns.start) as f64 * scale,
            ..*frame
        }
    }

    /// Draws what is behind a panel: its heading, and the lines of both axes with the labels of the upright one.
    pub(super) fn panel(
        &mut self,
        frame: &Frame,
        heading: &str,
        ticks: &[Tick],
        up: impl Fn(f64) -> f64,
    ) {
        let baseline = frame.y - 7.0;
        let bold = " font-weight=\"600\"";
        let ink = self.theme.ink();
        self.svg.text(
            (frame.x, baseline),
            heading,
            HEADING,
            ink,
            Anchor::Start,
            bold,
        );
        let grid = self.theme.grid();
        let mut path = String::new();
        for (time, _) in &self.ticks {
            // Writing to a string does not fail.
            let x = self.x(frame, *time);
            let _ = write!(
                path,
                "M{} {}v{}",
                Short(x),
                Short(frame.y),
                Short(frame.height)
            );
        }
        for (value, _) in ticks {
            let _ = write!(
                path,
                "M{} {}h{}",
                Short(frame.x),
                Short(up(*value)),
                Short(frame.width)
            );
        }
        self.svg.path(&path, &format!("stroke=\"{grid}\""));
        for (value, label) in ticks {
            let place = (frame.x - 8.0, up(*value) + SMALL * 0.36);
            let muted = self.theme.muted();
            self.svg.text(place, label, SMALL, muted, Anchor::End, "");
        }
    }

    /// Draws what is in front of a panel: its lower edge.
    pub(super) fn edge(&mut self, frame: &Frame) {
        let y = frame.bottom();
        self.svg
            .line([frame.x, y, frame.right(), y], self.theme.muted(), 1.0, "");
    }

    /// Draws the right part of a heading. Parts that do not fit are left out, the first ones first.
    pub(super) fn aside(&mut self, frame: &Frame, heading: &str, parts: &[Part]) {
        let baseline = frame.y - 7.0;
        let left = frame.x + self.measure.width(heading, HEADING) + 20.0;
        let (gap, line) = (7.0, 22.0);
        let shade_of = |hues: &[Hue]| match hues.len() > 2 {
            true => 5.0,
            false => 9.0,
        };
        let mut x = frame.right();
        let muted = self.theme.muted();
        for part in parts.iter().rev() {
            let width = match part {
                Part::Text(text) => self.measure.width(text, SMALL),
                Part::Line(_) => line,
                Part::Scale(low, hues, high) => {
                    let texts = self.measure.width(low, SMALL) + self.measure.width(high, SMALL);
                    let mixed = match hues.contains(&Hue::Mixed) {
                        true => self.measure.width(MIXED, SMALL) + gap,
                        false => 0.0,
                    };
                    texts + mixed + hues.len() as f64 * (SHADES as f64 * shade_of(hues) + gap) + gap
                }
            };
            if x - width < left {
                return;
            }
            match part {
                // What follows a line belongs to it.
                Part::Text(text) if x < frame.right() => {
                    let start = (x - width, baseline);
                    self.svg.text(start, text, SMALL, muted, Anchor::Start, "");
                }
                Part::Text(text) => {
                    self.svg
                        .text((x, baseline), text, SMALL, muted, Anchor::End, "");
                }
                Part::Line(dashes) => {
                    let y = baseline - 4.0;
                    self.svg
                        .line([x - line, y, x, y], self.theme.ink(), 1.8, dashes);
                }
                Part::Scale(low, hues, high) => {
                    self.svg
                        .text((x, baseline), high, SMALL, muted, Anchor::End, "");
                    let shade = shade_of(hues);
                    let mut at = x - self.measure.width(high, SMALL) - gap;
                    for hue in hues.iter().rev() {
                        for index in (0..SHADES).rev() {
                            at -= shade;
                            let colour = self.theme.shade(*hue, index);
                            let place = [at, baseline - 9.5, shade + 0.3, 10.0];
                            self.svg.rectangle(place, &colour, 1.0);
                        }
                        at -= gap;
                        if *hue == Hue::Mixed {
                            self.svg
                                .text((at, baseline), MIXED, SMALL, muted, Anchor::End, "");
                            at -= self.measure.width(MIXED, SMALL) + gap;
                        }
                    }
                    self.svg
                        .text((at, baseline), low, SMALL, muted, Anchor::End, "");
                }
            }
            x -= width + gap;
        }
    }

    /// The part of a heading that explains the colours of a heat map.
    pub(super) fn scale(heat: &Heat, range: Range, amount: impl Fn(u64) -> String) -> Part {
        Part::Scale(amount(range.low), heat.hues(), amount(range.high))
    }

    /// Draws steps: a value for each column. Columns without a value interrupt the line.
    pub(super) fn steps(
        &mut self,
        values: &[Option<f64>],
        frame: &Frame,
        up: impl Fn(f64) -> f64,
        style: &Steps<'_>,
    ) {
        let width = frame.width / values.len().max(1) as f64;
        let (mut line, mut area) = (String::new(), String::new());
        // Where the line is, in tenths of a unit, so that rounding does not add up.
        let tenths = |value: f64| (value * 10.0).round() as i64;
        let (mut x, mut y) = (0, None);
        let floor = tenths(frame.bottom());
        for (index, value) in values.iter().enumerate() {
            let (left, right) = (index as f64 * width, (index + 1) as f64 * width);
            let inside = |x: f64| tenths(x.clamp(self.edges.0, self.edges.1));
            let (left, right) = (inside(frame.x + left), inside(frame.x + right));
            let Some(value) = value else {
                if let Some(y) = y.take() {
                    let _ = write!(area, "{}z", Move('v', floor - y));
                }
                continue;
            };
            let new = tenths(up(*value));
            match y {
                // Columns of the same height are one line.
                Some(old) => {
                    if old != new {
                        let _ = write!(line, "{}", Move('v', new - old));
                        let _ = write!(area, "{}", Move('v', new - old));
                    }
                }
                None => {
                    let (mx, my) = (left as f64 / 10.0, new as f64 / 10.0);
                    let _ = write!(line, "M{} {}", Short(mx), Short(my));
                    let _ = write!(
                        area,
                        "M{} {}V{}",
                        Short(mx),
                        Short(floor as f64 / 10.0),
                        Short(my)
                    );
                    x = left;
                }
            }
            let _ = write!(line, "{}", Move('h', right - x));
            let _ = write!(area, "{}", Move('h', right - x));
            (x, y) = (right, Some(new));
        }
        if let Some(y) = y {
            let _ = write!(area, "{}z", Move('v', floor - y));
        }
        if style.fill > 0.0 {
            let fill = format!(
                "fill=\"{}\" fill-opacity=\"{}\"",
                style.colour,
                Short(style.fill)
            );
            self.svg.path(&area, &fill);
        }
        if let Some(halo) = style.halo {
            let halo = format!(
                "fill=\"none\" stroke=\"{halo}\" stroke-opacity=\"0.75\" stroke-width=\"4\""
            );
            self.svg.path(&line, &halo);
        }
        let dashes = match style.dashes.is_empty() {
            true => String::new(),
            false => format!(" stroke-dasharray=\"{}\"", style.dashes),
        };
        let stroke = format!(
            "fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes}",
            style.colour,
            Short(style.width)
        );
        self.svg.path(&line, &stroke);
    }

    /// Draws bars: for each class one path. A bar has an x, and the y of both ends.
    pub(super) fn bars(
        &mut self,
        class: Class,
        bars: impl Iterator<Item = (f64, f64, f64)>,
        opacity: f64,
    ) {
        let mut path = String::new();
        for (x, from, to) in bars {
            let _ = write!(path, "M{} {}V{}", Short(x), Short(from), Short(to));
        }
        let stroke = format!(
            "stroke=\"{}\" stroke-width=\"{DOT}\" stroke-opacity=\"{}\"",
            self.theme.colour(class),
            Short(opacity)
        );
        self.svg.path(&path, &stroke);
    }
}

/// How steps are drawn.
pub(super) struct Steps<'a> {
    /// The colour.
    pub(super) colour: &'a str,
    /// How wide the line is.
    pub(super) width: f64,
    /// How opaque the area below is.
    pub(super) fill: f64,
    /// Its dashes.
    pub(super) dashes: &'a str,
    /// The colour around the line, where it crosses other things.
    pub(super) halo: Option<&'a str>,
}

/// A relative move of a path: `h` or `v`, and tenths of a unit.
struct Move(char, i64);

impl std::fmt::Display for Move {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1 {
            0 => Ok(()),
            way => write!(f, "{}{}", self.0, Short(way as f64 / 10.0)),
        }
    }
}
