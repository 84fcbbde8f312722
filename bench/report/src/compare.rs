// SPDX-License-Identifier: GPL-2.0

//! Reports what has changed since another report.
//!
//! Only ratios within one run are compared. The absolute speed of a machine means nothing, and neither do two days of
//! the same machine.

use crate::{
    report::{table, Report},
    samples::{Search, LINEAR},
    spread::Spread,
};
use std::collections::BTreeMap;

/// The ratios of a report, by name.
fn ratios(report: &Report) -> BTreeMap<String, Spread> {
    let goals = report
        .ratios
        .iter()
        .filter_map(|(name, ratio)| Some((name.clone(), ratio.as_ref()?.spread())));
    let rows = report
        .rows
        .iter()
        .filter(|row| row.what.contender != LINEAR)
        .filter_map(|row| {
            let name = format!("{}: {} ÷ dm-linear", row.what, row.what.contender);
            Some((name, row.of_linear?))
        });
    goals.chain(rows).chain(searches(&report.search)).collect()
}

/// The rate of each search relative to memmem's in the same bytes.
fn searches(searches: &[Search]) -> impl Iterator<Item = (String, Spread)> + '_ {
    searches.iter().filter_map(|row| {
        let beside = searches.iter().find(|other| {
            other.contender == "memmem" && other.input == row.input && other.bytes == row.bytes
        })?;
        let name = format!(
            "{}, {} bytes: {} ÷ memmem",
            row.input, row.bytes, row.contender
        );
        (row.contender != "memmem").then(|| {
            (
                name,
                row.gb_per_s.map(|speed| speed / beside.gb_per_s.median),
            )
        })
    })
}

/// A table of the goals and of the ratios that changed beyond the spread, which are marked; and how many got worse.
pub fn compare(old: &Report, new: &Report) -> (String, usize) {
    let (before, after) = (ratios(old), ratios(new));
    let mut worse = 0;
    let mut table = table(false, &["ratio", "", "before", "now", "change"]);

    for (name, now) in &after {
        let Some(then) = before.get(name) else {
            table.add_row([name, "new", "", &format!("{:.3}", now.median), ""]);
            continue;
        };
        let mark = match now.is_apart_from(*then) {
            false => "",
            true if now.median < then.median => {
                worse += 1;
                "WORSE"
            }
            true => "better",
        };
        if mark.is_empty() && !new.ratios.contains_key(name) {
            continue;
        }
        let change = (now.median / then.median - 1.0) * 100.0;
        table.add_row([
            name,
            mark,
            &format!("{:.3}", then.median),
            &format!("{:.3}", now.median),
            &format!("{change:+.1} %"),
        ]);
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        table.add_row([name, "gone", &format!("{:.3}", before[name].median), "", ""]);
    }
    (table.to_string(), worse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        goals,
        report::VERSION,
        samples::{rows, Sample, What},
    };

    fn report(off: [f64; 3]) -> Report {
        let sample = |contender: &str, round, iops| Sample {
            what: What {
                disk: "null".to_owned(),
                rw: "randread".to_owned(),
                bytes: 4096,
                contender: contender.to_owned(),
            },
            round,
            iops,
            linear: None,
            segments: None,
            accounted: None,
            recorders: None,
        };
        let mut samples = Vec::new();
        for (round, iops) in (0..).zip(off) {
            samples.push(sample(LINEAR, round, 100.0));
            samples.push(sample("off", round, iops));
        }
        Report {
            version: VERSION,
            about: BTreeMap::new(),
            rows: rows(&samples),
            search: Vec::new(),
            latency: Vec::new(),
            readers: Vec::new(),
            restore: Vec::new(),
            slow_log: Vec::new(),
            ratios: goals::ratios(&samples, &[], &[], &[]),
        }
    }

    #[test]
    fn only_changes_beyond_the_spread_are_marked() {
        let old = report([97.0, 98.0, 99.0]);
        assert_eq!(compare(&old, &report([96.0, 98.5, 99.5])).1, 0);
        let (text, worse) = compare(&old, &report([94.0, 95.0, 96.0]));
        assert_eq!(worse, 1);
        assert!(text.contains("WORSE") && text.contains("-3.1 %"), "{text}");
        let (text, worse) = compare(&old, &report([100.0, 101.0, 102.0]));
        assert_eq!(worse, 0);
        assert!(text.contains("better"), "{text}");
    }
}
