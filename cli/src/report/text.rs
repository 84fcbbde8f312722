// SPDX-License-Identifier: GPL-2.0

//! A report for a person, in 80 columns: first what happened, then the details.

use super::{
    device::DeviceSummary,
    file::Report,
    notes::Notes,
    ops::OpSummary,
    spread::Summary, //
};
use crate::{
    calendar,
    output::{
        bytes,
        readable,
        span, //
    },
};
use std::fmt::Write;

/// How many lines a list has at most.
const LINES: usize = 10;

/// The width of a terminal.
const WIDTH: usize = 80;

/// The report.
pub(crate) fn text(report: &Report) -> String {
    let mut text = String::new();
    for device in &report.devices {
        if !text.is_empty() {
            text.push('\n');
        }
        first(&mut text, report, device);
        sections(&mut text, device);
    }
    if report.devices.is_empty() {
        text.push_str("The recording has no device.\n");
    }
    notes(&mut text, report);
    text
}

/// Adds a line.
fn line(text: &mut String, args: std::fmt::Arguments<'_>) {
    // A string takes anything.
    let _ = text.write_fmt(args);
    text.push('\n');
}

/// What happened, in a few lines.
fn first(text: &mut String, report: &Report, device: &DeviceSummary) {
    let about = &device.device;
    let mut what = match about.name.is_empty() {
        true => "a device without a name".to_owned(),
        false => about.name.clone(),
    };
    if about.sectors > 0 {
        what += &format!(
            ": {} of {}",
            bytes(about.sectors.saturating_mul(512)),
            about.disk
        );
    }
    if !report.recording.host.is_empty() {
        what += &format!(" on {}", report.recording.host);
    }
    line(text, format_args!("{}", cut(&what, WIDTH)));
    if let Some(first) = device.first_ns {
        line(
            text,
            format_args!(
                "  {:<11} {}, for {}",
                "when",
                date(first),
                span(device.duration_ns)
            ),
        );
    }
    if !report.recording.command.is_empty() {
        let command = report.recording.command.join(" ");
        line(
            text,
            format_args!("  {:<11} {}", "command", cut(&command, WIDTH - 14)),
        );
    }
    let all = &device.all;
    line(
        text,
        format_args!(
            "  {:<11} {}: {} a second, {}",
            "requests",
            all.requests,
            rate(all.requests_per_second),
            megabytes(all.bytes_per_second)
        ),
    );
    let latency = &all.latency_ns;
    if latency.count > 0 {
        line(
            text,
            format_args!(
                "  {:<11} half within {}, 99 % within {}, at most {}",
                "latency",
                span(latency.p50),
                span(latency.p99),
                span(latency.max)
            ),
        );
    }
    line(
        text,
        format_args!(
            "  {:<11} {:.1} requests at a time, at most {}",
            "queue", device.depth.mean, device.depth.max
        ),
    );
    if all.errors > 0 {
        line(
            text,
            format_args!("  {:<11} {}", "failed", of(all.errors, "request")),
        );
    }
    if device.matches.hits > 0 {
        line(
            text,
            format_args!(
                "  {:<11} {}, in {}",
                "found",
                of(device.matches.hits, "time"),
                of(device.matches.requests, "request")
            ),
        );
    }
    let losses = &report.notes.losses;
    let lost = match (losses.places.count, losses.unknown) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => format!(
            "{}: the numbers below leave these out",
            of(losses.events, "event")
        ),
        (_, _) => format!(
            "at least {}: the numbers below leave these out",
            of(losses.events, "event")
        ),
    };
    line(text, format_args!("  {:<11} {lost}", "lost"));
}

/// The details.
fn sections(text: &mut String, device: &DeviceSummary) {
    if device.all.requests == 0 {
        return;
    }
    operations(text, device);
    latencies(text, device);
    sizes(text, device);
    sequences(text, device);
    depth(text, device);
    epochs(text, device);
    coverage(text, device);
    hottest(text, device);
    processes(text, device);
    alignment(text, device);
    failures(text, device);
    matches(text, device);
}

/// The title of a section.
fn title(text: &mut String, name: &str) {
    line(text, format_args!("\n{name}"));
}

/// A table, its first columns to the left, the numbers to the right.
fn table(text: &mut String, left: usize, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut all = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            match column < left {
                true => all.push_str(&format!("  {cell:<width$}")),
                false => all.push_str(&format!("  {cell:>width$}")),
            }
        }
        line(text, format_args!("{}", all.trim_end()));
    }
}

/// The cells of a row.
fn cells<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn operations(text: &mut String, device: &DeviceSummary) {
    title(text, "Requests");
    let mut rows = vec![cells([
        "op", "requests", "share", "size", "a second", "rate", "failed",
    ])];
    let row = |op: &OpSummary| {
        vec![
            op.op.to_owned(),
            op.requests.to_string(),
            share(op.requests, device.all.requests),
            bytes(op.bytes),
            rate(op.requests_per_second),
            megabytes(op.bytes_per_second),
            op.errors.to_string(),
        ]
    };
    rows.extend(device.ops.iter().map(row));
    if device.ops.len() > 1 {
        rows.push(row(&device.all));
    }
    table(text, 1, &rows);
    if device.without_end > 0 {
        line(
            text,
            format_args!(
                "  {} of them have no end in the recording.",
                device.without_end
            ),
        );
    }
    if device.without_begin > 0 {
        line(
            text,
            format_args!(
                "  {} of them have no begin in the recording.",
                device.without_begin
            ),
        );
    }
}

fn latencies(text: &mut String, device: &DeviceSummary) {
    let head = |first| cells([first, "50 %", "90 %", "99 %", "99.9 %", "most", "mean"]);
    let row = |first: String, latency: &Summary| {
        let mut row = vec![first];
        let values = [
            latency.p50,
            latency.p90,
            latency.p99,
            latency.p99_9,
            latency.max,
        ];
        row.extend(values.map(span));
        row.push(span(latency.mean as u64));
        row
    };
    title(
        text,
        "Latency: how long that part of the requests took at most",
    );
    let mut rows = vec![head("op")];
    let ops = device.ops.iter().filter(|op| op.latency_ns.count > 0);
    rows.extend(ops.map(|op| row(op.op.to_owned(), &op.latency_ns)));
    table(text, 1, &rows);

    let classes = device
        .size_classes
        .iter()
        .filter(|class| class.latency_ns.count > 0);
    if classes.clone().count() <= 1 {
        return;
    }
    title(
        text,
        "Latency by size: from this size to less than twice of it",
    );
    let mut rows = vec![head("op and size")];
    rows.extend(classes.map(|class| {
        let name = format!("{}, {}", class.op, bytes(u64::from(class.from_bytes)));
        row(name, &class.latency_ns)
    }));
    table(text, 1, &rows);
}

fn sizes(text: &mut String, device: &DeviceSummary) {
    title(text, "Most common sizes");
    let mut rows = vec![cells(["op", "size", "requests", "share"])];
    rows.extend(device.sizes.iter().take(LINES).map(|size| {
        vec![
            size.op.to_owned(),
            bytes(u64::from(size.bytes)),
            size.requests.to_string(),
            share(size.requests, device.all.requests),
        ]
    }));
    if rows.len() > 1 {
        table(text, 1, &rows);
    }
    match device.sizes.len() {
        0 if device.sizes_missing == 0 => line(text, format_args!("  No request has a size.")),
        0 => line(
            text,
            format_args!("  There are many sizes, and none is common."),
        ),
        _ => missing(text, device.sizes_missing),
    }
}

/// Says that numbers are too low.
fn missing(text: &mut String, missing: u64) {
    if missing > 0 {
        line(text, format_args!("  There are too many to count each: up to {missing} may be missing from each number."));
    }
}

fn sequences(text: &mut String, device: &DeviceSummary) {
    if device.sequential.is_empty() {
        return;
    }
    title(
        text,
        "Sequential: begins where the one before ended, or one of the 64 before",
    );
    let mut rows = vec![cells([
        "op",
        "one before",
        "64 before",
        "mean run",
        "middle jump",
    ])];
    rows.extend(device.sequential.iter().map(|op| {
        vec![
            op.op.to_owned(),
            share(op.sequential, op.requests),
            share(op.in_streams, op.requests),
            bytes(op.run_bytes.mean as u64),
            match op.jump_bytes.count {
                0 => "none".to_owned(),
                _ => bytes(op.jump_bytes.p50),
            },
        ]
    }));
    table(text, 1, &rows);
}

fn depth(text: &mut String, device: &DeviceSummary) {
    title(
        text,
        "Queue depth: how many requests are on the disk at a time",
    );
    let mut shares = String::new();
    for range in device.depth.shares.iter().filter(|range| range.share > 0.0) {
        let name = match range.from == range.to {
            true => range.from.to_string(),
            false => format!("{}-{}", range.from, range.to),
        };
        shares += &format!("{name}: {}, ", percent(range.share));
    }
    wrap(
        text,
        &format!("part of the time: {}", shares.trim_end_matches(", ")),
    );
    let gaps = &device.arrival_ns;
    if gaps.count > 0 {
        line(
            text,
            format_args!(
                "  until the next one begins: 50 % {}, 99 % {}, most {}",
                span(gaps.p50),
                span(gaps.p99),
                span(gaps.max)
            ),
        );
    }
}

fn epochs(text: &mut String, device: &DeviceSummary) {
    let epochs = &device.epochs;
    let fua = device.all.fua;
    if epochs.barriers == 0 && fua == 0 {
        return;
    }
    title(text, "Flushes, and what was written between them");
    line(
        text,
        format_args!(
            "  {}, {} with FUA",
            of(epochs.barriers, "flush"),
            of(fua, "request")
        ),
    );
    if epochs.writes.count == 0 {
        return;
    }
    let mut rows = vec![cells([
        "between two flushes",
        "least",
        "50 %",
        "99 %",
        "most",
        "mean",
    ])];
    let row = |name: &str, of: &Summary, show: fn(f64) -> String| {
        let mut row = vec![name.to_owned()];
        row.extend([of.min, of.p50, of.p99, of.max].map(|value| show(value as f64)));
        row.push(show(of.mean));
        row
    };
    rows.push(row("writes", &epochs.writes, |number| {
        match number.fract() == 0.0 {
            true => number.to_string(),
            false => format!("{number:.1}"),
        }
    }));
    rows.push(row("written", &epochs.bytes, |number| bytes(number as u64)));
    rows.push(row("time", &epochs.length_ns, |number| span(number as u64)));
    table(text, 1, &rows);
    if epochs.without_writes > 0 {
        line(
            text,
            format_args!(
                "  {} more times, nothing was written between two flushes.",
                epochs.without_writes
            ),
        );
    }
}

fn coverage(text: &mut String, device: &DeviceSummary) {
    let parts = [
        ("written", &device.written, "write"),
        ("read", &device.read, "read"),
    ];
    if parts.iter().all(|(_, of, _)| of.distinct_bytes == 0) {
        return;
    }
    title(text, "The same sectors again");
    let mut rows = vec![cells(["", "different sectors", "more than once", "share"])];
    for (name, of, _) in parts.iter().filter(|(_, of, _)| of.distinct_bytes > 0) {
        rows.push(vec![
            (*name).to_owned(),
            bytes(of.distinct_bytes),
            bytes(of.repeated_bytes),
            share(of.repeated_bytes, of.distinct_bytes),
        ]);
    }
    table(text, 1, &rows);
    let sampled = device.written.sampled.min(device.read.sampled);
    if sampled < 1.0 {
        line(text, format_args!("  These are estimates: too much of the disk was used. 1/{:.0} of it was looked at.", 1.0 / sampled));
    }
}

fn hottest(text: &mut String, device: &DeviceSummary) {
    let hottest = &device.hottest;
    if hottest.requests == 0 {
        return;
    }
    title(
        text,
        &format!("Hottest ranges of {}", bytes(hottest.range_bytes)),
    );
    if hottest.ranges.is_empty() {
        line(
            text,
            format_args!("  There are many ranges, and none is hotter than the others."),
        );
        return;
    }
    let mut rows = vec![cells([
        "at",
        "first sector",
        "requests",
        "share",
        "read",
        "written",
    ])];
    rows.extend(hottest.ranges.iter().take(LINES).map(|range| {
        vec![
            bytes(range.sector.saturating_mul(512)),
            range.sector.to_string(),
            range.requests.to_string(),
            share(range.requests, hottest.requests),
            bytes(range.read_bytes),
            bytes(range.written_bytes),
        ]
    }));
    table(text, 0, &rows);
    missing(text, hottest.missing);
}

fn processes(text: &mut String, device: &DeviceSummary) {
    title(text, "Processes");
    let mut rows = vec![cells([
        "command",
        "pid",
        "requests",
        "share",
        "read",
        "written",
        "mean latency",
    ])];
    rows.extend(
        device
            .processes
            .processes
            .iter()
            .take(LINES)
            .map(|process| {
                vec![
                    cut(&process.command, 18),
                    process
                        .pid
                        .map_or("several".to_owned(), |pid| pid.to_string()),
                    process.requests.to_string(),
                    share(process.requests, device.all.requests),
                    bytes(process.read_bytes),
                    bytes(process.written_bytes),
                    span(
                        process
                            .latency_ns
                            .checked_div(process.requests)
                            .unwrap_or(0),
                    ),
                ]
            }),
    );
    table(text, 1, &rows);
    missing(text, device.processes.missing);
}

fn alignment(text: &mut String, device: &DeviceSummary) {
    let sizes: Vec<_> = device
        .alignment
        .iter()
        .filter(|size| size.requests > 0)
        .map(|size| {
            format!(
                "{} {}",
                bytes(size.bytes),
                share(size.aligned, size.requests)
            )
        })
        .collect();
    if sizes.is_empty() {
        return;
    }
    title(
        text,
        "Alignment: begins and ends at a multiple of this size",
    );
    wrap(text, &sizes.join(", "));
}

fn failures(text: &mut String, device: &DeviceSummary) {
    if device.errors.is_empty() {
        return;
    }
    title(text, "Failed requests");
    let mut rows = vec![cells(["op", "error", "requests"])];
    rows.extend(device.errors.iter().take(LINES).map(|error| {
        vec![
            error.op.to_owned(),
            format!("{} ({})", error.text, error.errno),
            error.requests.to_string(),
        ]
    }));
    table(text, 2, &rows);
}

fn matches(text: &mut String, device: &DeviceSummary) {
    let found = &device.matches;
    if found.hits == 0 && found.patterns.is_empty() {
        return;
    }
    title(text, "Found patterns");
    line(
        text,
        format_args!(
            "  in what was written: {}, in {}; {} of these across segments",
            of(found.hits, "time"),
            of(found.requests, "request"),
            found.across
        ),
    );
    if !found.recorded {
        line(
            text,
            format_args!("  To record which: imgrement record --matches"),
        );
        return;
    }
    let mut rows = vec![cells(["pattern", "where", "times"])];
    rows.extend(found.patterns.iter().take(LINES).map(|pattern| {
        vec![
            cut(&pattern.pattern, 50),
            pattern.place.clone(),
            pattern.matches.to_string(),
        ]
    }));
    table(text, 2, &rows);
}

/// Losses, marks and tables.
fn notes(text: &mut String, report: &Report) {
    let Notes {
        losses,
        marks,
        tables,
    } = &report.notes;
    if report.left_out > 0 {
        line(
            text,
            format_args!(
                "\n{} requests that took longer than a second are left out of the sections\nSequential, Queue depth and Flushes: there are too many.",
                report.left_out
            ),
        );
    }
    let more = |text: &mut String, count: u64| {
        let shown = u64::try_from(LINES).unwrap_or(u64::MAX);
        if count > shown {
            line(
                text,
                format_args!("  and {} more (see --json)", count - shown),
            );
        }
    };
    if losses.places.count > 0 {
        title(text, "Lost events");
        for loss in losses.places.first.iter().take(LINES) {
            let number = loss
                .events
                .map_or("some".to_owned(), |events| events.to_string());
            let cpu = loss
                .cpu
                .map_or(String::new(), |cpu| format!(" on CPU {cpu}"));
            line(
                text,
                format_args!("  {:>12}  {number}{cpu}", seconds(loss.at_ns)),
            );
        }
        more(text, losses.places.count);
    }
    let device = |name: &Option<String>| match name {
        Some(name) if report.devices.len() > 1 => format!("{name}: "),
        Some(_) | None => String::new(),
    };
    if marks.count > 0 {
        title(text, "Marks");
        for mark in marks.first.iter().take(LINES) {
            let what = format!(
                "  {:>12}  {}{}",
                seconds(mark.at_ns),
                device(&mark.device),
                readable(&mark.text)
            );
            line(text, format_args!("{}", cut(&what, WIDTH)));
        }
        more(text, marks.count);
    }
    if tables.count > 0 {
        title(text, "Tables");
        for table in tables.first.iter().take(LINES) {
            let what = format!(
                "  {:>12}  {}{}: {}",
                seconds(table.at_ns),
                device(&table.device),
                table.reason,
                table.line
            );
            line(text, format_args!("{}", cut(&what, WIDTH)));
        }
        more(text, tables.count);
    }
}

/// Nanoseconds as seconds.
fn seconds(nanoseconds: i64) -> String {
    format!("{:.6} s", nanoseconds as f64 / 1e9)
}

/// A part of a whole, in percent.
fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        whole => percent(part as f64 / whole as f64),
    }
}

/// Prints 0 % or 100 % only if that is exact.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        percent if percent > 0.0 && percent < 0.1 => "< 0.1 %".to_owned(),
        percent if percent < 100.0 && percent > 99.9 => "> 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// A number of things.
fn of(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!(
            "{number} {thing}{}",
            if thing.ends_with("sh") { "es" } else { "s" }
        ),
    }
}

/// A number of things in a second.
fn rate(number: f64) -> String {
    match number < 10.0 {
        true => format!("{number:.1}"),
        false => format!("{number:.0}"),
    }
}

/// 10^6 bytes in a second.
fn megabytes(number: f64) -> String {
    match number < 10e6 {
        true => format!("{:.2} MB/s", number / 1e6),
        false => format!("{:.1} MB/s", number / 1e6),
    }
}

/// A text that is at most this wide.
fn cut(text: &str, width: usize) -> String {
    match text.chars().count() <= width {
        true => text.to_owned(),
        false => {
            let part: String = text.chars().take(width.saturating_sub(3)).collect();
            part + "..."
        }
    }
}

/// Adds lines with these words, none wider than the terminal if that is possible.
fn wrap(text: &mut String, words: &str) {
    let mut all = String::from(" ");
    for part in words.split_inclusive(", ") {
        if all.chars().count() + part.trim_end().chars().count() >= WIDTH {
            line(text, format_args!("{}", all.trim_end()));
            all = "    ".to_owned();
        }
        if !all.ends_with(' ') || all == " " {
            all.push(' ');
        }
        all.push_str(part);
    }
    line(text, format_args!("{}", all.trim_end()));
}

/// A time, in UTC. `nanoseconds` are those since 1970.
pub(crate) fn date(nanoseconds: i64) -> String {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    let (days, second) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let (year, month, day) = calendar::date(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // As `date -u -d @SECONDS` prints them.
        for (seconds, wanted) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_795_775_494, "2026-11-27 10:31:34 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date(seconds * 1_000_000_000), wanted);
        }
    }

    #[test]
    fn shares_do_not_say_all_or_nothing() {
        assert_eq!(share(0, 7), "0.0 %");
        assert_eq!(share(1, 1_000_000), "< 0.1 %");
        assert_eq!(share(999_999, 1_000_000), "> 99.9 %");
        assert_eq!(share(7, 7), "100.0 %");
        assert_eq!(share(0, 0), "-");
    }
}
