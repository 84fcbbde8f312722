// SPDX-License-Identifier: GPL-2.0

//! The panels with lines: throughput, requests a second, and requests in flight.

use super::{
    canvas::{
        Canvas,
        Part,
        Steps, //
    },
    class::{
        Class,
        Classes, //
    },
    data::Data,
    frame::Frame,
    scale::{
        self,
        RateTicks, //
    },
};

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;

/// A column has about so many requests at least, because a rate of fewer says little.
const FEW: u64 = 6;
/// How many columns a rate has.
const COLUMNS: (usize, usize) = (60, 300);

/// A panel with a rate of each class.
struct Rates<'a> {
    heading: &'a str,
    /// What happened in each bin of time.
    counts: &'a Classes<Vec<u64>>,
    /// The classes that are shown.
    wanted: fn(Class) -> bool,
    /// The scale.
    ticks: fn(f64, usize) -> RateTicks,
    /// How a rate is written.
    show: fn(f64) -> String,
}

/// Draws the throughput of each class that moves data.
pub(super) fn draw_throughput(canvas: &mut Canvas, frame: &Frame, data: &Data) {
    let rates = Rates {
        heading: "Throughput",
        counts: &data.bytes,
        wanted: Class::moves_data,
        ticks: scale::byte_rate,
        show: scale::bytes_per_second,
    };
    draw_rates(canvas, frame, data, &rates);
}

/// Draws how many requests of each class end in a second.
pub(super) fn draw_requests(canvas: &mut Canvas, frame: &Frame, data: &Data) {
    let rates = Rates {
        heading: "Requests per second",
        counts: &data.ended,
        wanted: |_| true,
        ticks: scale::plain_rate,
        show: scale::number,
    };
    draw_rates(canvas, frame, data, &rates);
}

/// Draws rates of classes.
fn draw_rates(canvas: &mut Canvas, frame: &Frame, data: &Data, what: &Rates<'_>) {
    let all: u64 = data.ended.iter().flat_map(|(_, ended)| ended).sum();
    let most = usize::try_from(all / FEW).unwrap_or(usize::MAX);
    let columns = data.time.groups(most.clamp(COLUMNS.0, COLUMNS.1));
    let whole = data.active() / SECOND;
    let mut rates = Vec::new();
    let mut means = Vec::new();
    for (class, counts) in what
        .counts
        .iter()
        .filter(|(class, _)| (what.wanted)(*class))
    {
        let sums = columns.sums(counts);
        let total: f64 = sums.iter().map(|sum| *sum as f64).sum();
        if total > 0.0 {
            let sums = sums.iter().zip(data.widths(&columns));
            let sums = sums.map(|(sum, width)| *sum as f64 * SECOND / width);
            rates.push((class, sums.collect::<Vec<f64>>()));
            means.push(format!("{} {}", class.name(), (what.show)(total / whole)));
        }
    }
    let high = rates.iter().flat_map(|(_, sums)| sums).copied();
    let scale = (what.ticks)(high.fold(0.0, f64::max), lines(frame));
    let up = |value: f64| frame.up(value, 0.0, scale.high);
    let full = match scale.unit.is_empty() {
        true => what.heading.to_owned(),
        false => format!("{}, {}", what.heading, scale.unit),
    };
    canvas.panel(frame, &full, &scale.ticks, up);
    // The largest is behind the others.
    rates.sort_by(|(_, one), (_, other)| {
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        sum(other).total_cmp(&sum(one))
    });
    for (class, values) in &rates {
        let colour = canvas.theme.colour(*class);
        let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
        let style = Steps {
            colour: &colour,
            width: 1.3,
            fill: 0.22,
            dashes: "",
            halo: None,
        };
        let inner = canvas.of_columns(frame, &columns);
        canvas.steps(&values, &inner, up, &style);
    }
    if !means.is_empty() {
        let text = format!("mean: {}", means.join(", "));
        canvas.aside(frame, &full, &[Part::Text(text)]);
    }
    canvas.edge(frame);
}

/// Draws how many requests are in flight.
pub(super) fn draw_depth(canvas: &mut Canvas, frame: &Frame, data: &Data) {
    let heading = "Requests in flight";
    let sums = canvas.columns.sums(&data.depth.sums(data.time.width()));
    let depths = sums.iter().zip(data.widths(&canvas.columns));
    let depths: Vec<f64> = depths.map(|(sum, width)| *sum as f64 / width).collect();
    let highest = depths.iter().copied().fold(0.0, f64::max);
    let mean = sums.iter().map(|sum| *sum as f64).sum::<f64>() / data.active();
    let scale = scale::plain_rate(highest, lines(frame));
    let up = |value: f64| frame.up(value, 0.0, scale.high);
    canvas.panel(frame, heading, &scale.ticks, up);
    let depths: Vec<Option<f64>> = depths.into_iter().map(Some).collect();
    let style = Steps {
        colour: canvas.theme.muted(),
        width: 1.3,
        fill: 0.3,
        dashes: "",
        halo: None,
    };
    canvas.steps(&depths, frame, up, &style);
    let text = format!(
        "mean: {}, highest column: {}",
        scale::number(mean),
        scale::number(highest)
    );
    canvas.aside(frame, heading, &[Part::Text(text)]);
    canvas.edge(frame);
}

/// How many lines a scale has at most.
fn lines(frame: &Frame) -> usize {
    ((frame.height / 24.0) as usize).clamp(1, 6)
}
