// SPDX-License-Identifier: GPL-2.0

//! The first panel: where on the disk, over time.

use super::{
    axis::Groups,
    canvas::{
        Canvas,
        Part,
        DOT, //
    },
    class::Class,
    data::{
        Data,
        Point, //
    },
    frame::Frame,
    heat::Heat,
    scale,
    svg::Short, //
};
use std::{
    collections::HashSet,
    fmt::Write as _, //
};

/// The size of a sector, in bytes.
const SECTOR: f64 = 512.0;

/// How high a cell is at least.
const CELL: f64 = 2.0;

/// How many places of matches are shown.
const FOUND: usize = 500;

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas, frame: &Frame, data: &Data) {
    let rows = data.place.groups((frame.height / CELL) as usize);
    let (low, high) = (rows.start as f64, rows.end() as f64);
    let up = |sector: f64| frame.up(sector, low, high);
    let ticks = scale::byte_ticks(low * SECTOR, high * SECTOR, (frame.height / 30.0) as usize);
    let heading = "Position on the disk";
    canvas.panel(frame, heading, &ticks, |bytes| up(bytes / SECTOR));

    match &data.points {
        Some(points) => draw_points(canvas, frame, points, up),
        None => {
            let heat = heat(canvas, data, &rows);
            let range = heat.range();
            heat.draw(
                &mut canvas.svg,
                frame,
                canvas.theme,
                range.unwrap_or_default(),
            );
            if let Some(range) = range {
                let about = format!(
                    "in each cell of {} × {}:",
                    scale::rough(canvas.columns.width as f64),
                    scale::bytes(rows.width as f64 * SECTOR)
                );
                let amount = |sectors: u64| scale::bytes(sectors as f64 * SECTOR);
                let parts = [Part::Text(about), Canvas::scale(&heat, range, amount)];
                canvas.aside(frame, heading, &parts);
            }
        }
    }
    draw_found(canvas, frame, data, up);
    canvas.edge(frame);
}

/// The map as cells of columns and rows.
fn heat(canvas: &Canvas, data: &Data, rows: &Groups) -> Heat {
    let columns = &canvas.columns;
    let mut heat = Heat::new(columns.len, rows.len);
    for (class, cells) in data.map.iter() {
        if *data.total.get(class) == 0 {
            continue;
        }
        let mut sums = vec![0; columns.len * rows.len];
        for (time, bin) in cells.chunks(data.place.bins()).enumerate() {
            let column = columns.of(time);
            for (place, sectors) in bin.iter().enumerate().filter(|(_, sectors)| **sectors > 0) {
                if let Some(sum) = sums.get_mut(column * rows.len + rows.of(place)) {
                    super::axis::add(sum, *sectors);
                }
            }
        }
        match class {
            // A discard may be as large as the disk, which says little.
            Class::Discard => heat.put_flat(class, &sums),
            Class::Read | Class::Write | Class::Flush | Class::Other => heat.put(class, &sums),
        }
    }
    heat
}

/// Each request by itself, as high as its sectors.
fn draw_points(canvas: &mut Canvas, frame: &Frame, points: &[Point], up: impl Fn(f64) -> f64) {
    // Discards are large, so they are behind the others.
    for (class, opacity) in [
        (Class::Discard, 0.5),
        (Class::Read, 0.9),
        (Class::Write, 0.9),
    ] {
        let mut bars = Vec::new();
        for point in points.iter().filter(|point| point.class == class) {
            let Some((first, end)) = point.place else {
                continue;
            };
            let (mut from, mut to) = (up(first as f64), up(end as f64));
            if from - to < DOT {
                let middle = (from + to) / 2.0;
                (from, to) = (middle + DOT / 2.0, middle - DOT / 2.0);
            }
            bars.push((canvas.x(frame, point.time as f64), from, to));
        }
        canvas.bars(class, bars.into_iter(), opacity);
    }
}

/// Where patterns were found.
fn draw_found(canvas: &mut Canvas, frame: &Frame, data: &Data, up: impl Fn(f64) -> f64) {
    let mut path = String::new();
    let mut taken = HashSet::new();
    for (time, sector) in data.found.kept() {
        let (x, y) = (canvas.x(frame, *time as f64), up(*sector as f64));
        // Those that would hide one another are one.
        if taken.len() < FOUND && taken.insert(((x / 4.0) as i64, (y / 4.0) as i64)) {
            // Writing to a string does not fail.
            let _ = write!(path, "M{} {}{DIAMOND}", Short(x), Short(y - 5.0));
        }
    }
    let (fill, stroke) = (canvas.theme.found(), canvas.theme.ink());
    let style = format!("fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.2\"");
    canvas.svg.path(&path, &style);
}

/// The sign for a match, from its top.
pub(super) const DIAMOND: &str = "l5 5-5 5-5-5z";
