// SPDX-License-Identifier: GPL-2.0

//! Makes `report.json`, `report.md` and `chart.svg` from the measurements of `make bench`. Prints which goals are met
//! and, if an older report is given, what has changed.

mod chart;
mod compare;
mod goals;
mod report;
mod samples;
mod spread;

use anyhow::{Context, Result};
use clap::{Args, Parser};
use report::{Latency, Reader, Report, Restore, SlowLog, VERSION};
use samples::{Sample, Search, Searches};
use serde::de::DeserializeOwned;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Make a report of the benchmark's measurements, or check a file.
#[derive(Parser)]
enum Command {
    /// Check that a file is a report. A wrong file should fail before a quarter of an hour of measuring.
    Check {
        /// The file.
        report: PathBuf,
    },
    /// Make a report of the measurements.
    Make(Make),
}

#[derive(Args)]
struct Make {
    /// The samples of the kernel part.
    #[arg(long)]
    samples: Option<PathBuf>,
    /// Speeds of searches; repeat for several files.
    #[arg(long)]
    search: Vec<PathBuf>,
    /// Latencies with a slow console.
    #[arg(long)]
    latency: Option<PathBuf>,
    /// The rates with a reader of events on either CPU.
    #[arg(long)]
    readers: Option<PathBuf>,
    /// Restores beside dd.
    #[arg(long)]
    restore: Option<PathBuf>,
    /// Latencies with a slow log.
    #[arg(long)]
    slow_log: Option<PathBuf>,
    /// When, where and how it was measured.
    #[arg(long, value_name = "NAME=TEXT")]
    about: Vec<String>,
    /// An older report.json to compare with.
    #[arg(long)]
    base: Option<PathBuf>,
    /// The folder for the results.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Check { report } => read::<Report>(&report).map(drop),
        Command::Make(words) => make(&words),
    }
}

fn make(words: &Make) -> Result<()> {
    // Read before anything is written: it may be the very report that is replaced.
    let base: Option<Report> = words.base.as_deref().map(read).transpose()?;
    let samples: Vec<Sample> = words.samples.as_deref().map_or(Ok(Vec::new()), read)?;
    let mut search: Vec<Search> = Vec::new();
    for file in &words.search {
        search.extend(read::<Searches>(file)?.rows);
    }
    let latency: Vec<Latency> = words.latency.as_deref().map_or(Ok(Vec::new()), read)?;
    let readers: Vec<Reader> = words.readers.as_deref().map_or(Ok(Vec::new()), read)?;
    let restore: Vec<Restore> = words.restore.as_deref().map_or(Ok(Vec::new()), read)?;
    let slow_log: Vec<SlowLog> = words.slow_log.as_deref().map_or(Ok(Vec::new()), read)?;

    let report = Report {
        version: VERSION,
        about: words
            .about
            .iter()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        rows: samples::rows(&samples),
        ratios: goals::ratios(&samples, &search, &readers, &restore),
        search,
        latency,
        readers,
        restore,
        slow_log,
    };
    write(
        &words.out,
        "report.json",
        &serde_json::to_string_pretty(&report)?,
    )?;
    write(&words.out, "report.md", &report.markdown())?;
    if !report.rows.is_empty() {
        write(&words.out, "chart.svg", &chart::draw(&report)?)?;
    }

    println!("{}", report.goals(false));
    if let Some(base) = base {
        let (table, worse) = compare::compare(&base, &report);
        println!("{table}\n{worse} ratios are worse than before, beyond the spread of both.");
    }
    Ok(())
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not what it should be", file.display()))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let file = folder.join(name);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}
