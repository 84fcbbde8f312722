// SPDX-License-Identifier: GPL-2.0

//! The chart: for each 4 KiB workload, the contenders' rates relative to dm-linear's.

use crate::{report::Report, samples::Row};
use anyhow::Result;
use plotters::prelude::*;

const WIDTH: i32 = 860;
const TITLE: i32 = 34;
const LINE: i32 = 24;
const LEFT: i32 = 130;
/// The width that represents dm-linear's rate.
const ONE: f64 = 480.0;

/// Draws it as SVG.
pub fn draw(report: &Report) -> Result<String> {
    let mut panels: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in report.rows.iter().filter(|row| row.what.bytes == 4096) {
        let name = row.what.to_string();
        match panels.last_mut() {
            Some((last, rows)) if *last == name => rows.push(row),
            _ => panels.push((name, vec![row])),
        }
    }
    let lines: i32 = panels.iter().map(|(_, rows)| rows.len() as i32).sum();
    let height = lines * LINE + panels.len() as i32 * (TITLE + LINE / 2) + LINE;

    let mut svg = String::new();
    {
        let area =
            SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut top = 0;
        for (name, rows) in &panels {
            area.draw(&text(
                format!("{name}: rate ÷ dm-linear's"),
                (10, top + 10),
                16,
                BLACK,
            ))?;
            top += TITLE;
            let bottom = top + rows.len() as i32 * LINE;
            area.draw(&PathElement::new(
                [(x(1.0), top), (x(1.0), bottom)],
                BLACK.mix(0.4),
            ))?;
            for row in rows {
                draw_row(&area, row, top)?;
                top += LINE;
            }
            top += LINE / 2;
        }
        area.present()?;
    }
    Ok(svg)
}

fn draw_row(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    row: &Row,
    top: i32,
) -> Result<()> {
    let Some(ratio) = row.of_linear else {
        return Ok(());
    };
    let ours = matches!(
        row.what.contender.as_str(),
        "off"
            | "pattern"
            | "patterns"
            | "edges"
            | "reads"
            | "data"
            | "log"
            | "events"
            | "complete-event"
            | "rust_linear"
            | "history"
            | "history-base"
    );
    let color = if ours {
        RGBColor(40, 110, 180)
    } else {
        RGBColor(150, 150, 150)
    };
    let middle = top + LINE / 2;
    area.draw(&text(
        row.what.contender.clone(),
        (10, middle - 6),
        13,
        BLACK,
    ))?;
    area.draw(&Rectangle::new(
        [(LEFT, top + 4), (x(ratio.median), top + LINE - 4)],
        color.filled(),
    ))?;
    // From the minimum to the maximum of the rounds.
    area.draw(&PathElement::new(
        [(x(ratio.min), middle), (x(ratio.max), middle)],
        BLACK,
    ))?;
    let label = format!("{:.3}   {:.0} ns", ratio.median, row.ns_per_bio.median);
    area.draw(&text(
        label,
        (x(ratio.max.max(1.0)) + 8, middle - 6),
        12,
        BLACK,
    ))?;
    Ok(())
}

/// The position of a ratio. Ratios above 1.2 are drawn at the edge.
fn x(ratio: f64) -> i32 {
    LEFT + (ratio.min(1.2) * ONE) as i32
}

fn text(
    words: String,
    at: (i32, i32),
    size: i32,
    color: RGBColor,
) -> Text<'static, (i32, i32), String> {
    Text::new(words, at, ("sans-serif", size).into_font().color(&color))
}
