// SPDX-License-Identifier: GPL-2.0

//! `imgrement-pages FOLDER`: makes the man pages and the completions of shells, from the command line's definition.

use clap::CommandFactory;
use clap_complete::Shell;
use std::{
    env,
    fs,
    io,
    path::PathBuf, //
};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("which folder?"))?;
    let mut command = imgrement_cli::commands::Cli::command();

    fs::create_dir_all(&folder)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut command, "imgrement", &folder)?;
    }
    clap_mangen::generate_to(command, &folder)
}
