// SPDX-License-Identifier: GPL-2.0

//! `imgrement-generate SHAPE ROWS -o FILE`: makes a recording of a workload of known shape, for tests and measurements.
//! With `--history SECTORS`, it makes the log of a history. It is not installed.

use clap::Parser;
use imgrement_cli::{
    history::make::{
        fill,
        Maker, //
    },
    shapes::Shape,
};
use imgrement_core::history::{
    entry::{
        Bases,
        End, //
    },
    superblock::State,
};
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

    /// Make the log of a history of a disk with this many sectors, of ROWS writes: one after another if the shape is
    /// sequential, otherwise anywhere
    #[arg(long, value_name = "SECTORS")]
    history: Option<u64>,

    /// The size of each write of a history, in bytes; 0 for zeroes that are not in the log
    #[arg(long, default_value_t = 4096)]
    bytes: usize,

    /// Another seed gives other random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> io::Result<()> {
    let generate = Generate::parse();
    let file = File::create(&generate.output)?;
    if let Some(sectors) = generate.history {
        let mut maker = Maker::new(file, [1; 16], sectors, 4096);
        let anywhere = Some(generate.seed).filter(|_| generate.shape != Shape::Sequential);
        maker.begin(Bases::Off, false)?;
        fill(&mut maker, generate.rows, generate.bytes, anywhere)?;
        maker.end(End::Suspended)?;
        maker.finish(State::Closed)?;
        return Ok(());
    }
    generate.shape.write(file, generate.rows, generate.seed)?;
    Ok(())
}
