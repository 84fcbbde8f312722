// SPDX-License-Identifier: GPL-2.0

//! `imgrement-generate SHAPE ROWS -o FILE`: makes a recording of a workload of known shape, for tests and measurements.
//! It is not installed.

use clap::Parser;
use imgrement_cli::shapes::Shape;
use std::{
    fs::File,
    io,
    path::PathBuf, //
};

/// Make a recording of a workload of known shape.
#[derive(Parser)]
struct Generate {
    /// What the workload is like
    shape: Shape,

    /// How many rows the recording has
    rows: u64,

    /// The file to write
    #[arg(short, long)]
    output: PathBuf,

    /// Another seed gives other random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> io::Result<()> {
    let generate = Generate::parse();
    let file = File::create(&generate.output)?;
    generate.shape.write(file, generate.rows, generate.seed)?;
    Ok(())
}
