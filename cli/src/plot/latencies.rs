// SPDX-License-Identifier: GPL-2.0

//! The panel with latencies.

use super::{
    axis::add,
    canvas::{
        Canvas,
        Part,
        Steps,
        DOT, //
    },
    class::Class,
    data::{
        Data,
        Point, //
    },
    frame::Frame,
    heat::Heat,
    latency::{
        self,
        BINS, //
    },
    scale, //
};

/// How many columns the lines of percentiles have at most. They are wider than those of the heat map, because a
/// percentile of a few requests says little.
const COLUMNS: usize = 120;
/// A column has about so many requests.
const FEW: u64 = 40;

/// The lines: shares, their names, and dashes. The last is in front.
const LINES: [(f64, &str, &str); 2] = [(0.99, "99 %", "5 3"), (0.5, "median", "")];

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas, frame: &Frame, data: &Data) {
    let total = by_latency(data, |_| 0, 1);
    let used = |index: &usize| total.get(*index).is_some_and(|count| *count > 0);
    let (low, high) = match ((0..BINS).find(used), (0..BINS).rfind(used)) {
        (Some(low), Some(high)) => (low.saturating_sub(2), (high + 3).min(BINS)),
        (None, _) | (_, None) => (60, 120),
    };
    let place = |latency: f64| latency::place(latency);
    let up = |place: f64| frame.up(place, low as f64, high as f64);
    let ticks = scale::log_time_ticks(
        latency::value(low as f64),
        latency::value(high as f64),
        (frame.height / 20.0) as usize,
    );
    let heading = "Latency";
    canvas.panel(frame, heading, &ticks, |latency| up(place(latency)));

    let mut parts = Vec::new();
    match &data.points {
        Some(points) => draw_points(canvas, frame, points, |latency| up(place(latency))),
        None => {
            let heat = heat(canvas, data, low, high);
            if let Some(range) = heat.range() {
                heat.draw(&mut canvas.svg, frame, canvas.theme, range);
                parts.push(Canvas::scale(&heat, range, scale::count));
                parts.insert(0, Part::Text("requests in a cell:".to_owned()));
            }
        }
    }

    let all: u64 = total.iter().sum();
    let columns = usize::try_from(all / FEW).unwrap_or(COLUMNS).min(COLUMNS);
    let columns = data.time.groups(columns);
    let counts = by_latency(data, |bin| columns.of(bin), columns.len);
    let background = canvas.theme.background();
    for (share, _, dashes) in LINES {
        let places: Vec<Option<f64>> = counts
            .chunks(BINS)
            .map(|column| latency::percentile(column, share))
            .collect();
        let style = Steps {
            colour: canvas.theme.ink(),
            width: 1.6,
            fill: 0.0,
            dashes,
            halo: Some(background),
        };
        let inner = canvas.of_columns(frame, &columns);
        canvas.steps(&places, &inner, up, &style);
    }
    for (share, name, dashes) in LINES.into_iter().rev() {
        if let Some(place) = latency::percentile(&total, share) {
            let shown = scale::duration(latency::value(place).min(data.longest as f64));
            parts.push(Part::Line(dashes));
            parts.push(Part::Text(format!("{name} {shown}")));
        }
    }
    if data.longest > 0 {
        let longest = scale::duration(data.longest as f64);
        parts.push(Part::Text(format!("longest {longest}")));
    }
    canvas.aside(frame, heading, &parts);
    canvas.edge(frame);
}

/// Counts of latencies of all classes, for each of some columns.
fn by_latency(data: &Data, column: impl Fn(usize) -> usize, columns: usize) -> Vec<u64> {
    let mut sums = vec![0; BINS * columns];
    for (_, cells) in data.latency.iter() {
        for (time, bin) in cells.chunks(BINS).enumerate() {
            let start = column(time).saturating_mul(BINS);
            let sums = sums.get_mut(start..).unwrap_or_default();
            for (sum, count) in sums.iter_mut().zip(bin) {
                add(sum, *count);
            }
        }
    }
    sums
}

/// The latencies as cells.
fn heat(canvas: &Canvas, data: &Data, low: usize, high: usize) -> Heat {
    let rows = high - low;
    let mut heat = Heat::new(canvas.columns.len, rows);
    for (class, cells) in data.latency.iter() {
        if *data.requests.get(class) == 0 {
            continue;
        }
        let mut sums = vec![0; canvas.columns.len * rows];
        for (time, bin) in cells.chunks(BINS).enumerate() {
            let start = canvas.columns.of(time).saturating_mul(rows);
            let column = sums.get_mut(start..).unwrap_or_default();
            let bin = bin.get(low..high).unwrap_or_default();
            for (sum, count) in column.iter_mut().zip(bin) {
                add(sum, *count);
            }
        }
        heat.put(class, &sums);
    }
    heat
}

/// Each request by itself.
fn draw_points(canvas: &mut Canvas, frame: &Frame, points: &[Point], up: impl Fn(f64) -> f64) {
    for class in Class::ALL {
        let mut bars = Vec::new();
        for point in points.iter().filter(|point| point.class == class) {
            if let Some(latency) = point.latency {
                let y = up(latency as f64);
                bars.push((
                    canvas.x(frame, point.time as f64),
                    y + DOT / 2.0,
                    y - DOT / 2.0,
                ));
            }
        }
        canvas.bars(class, bars.into_iter(), 0.9);
    }
}
