// SPDX-License-Identifier: GPL-2.0

//! The folders of `core/src` use each other in one direction only.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    path::Path, //
};

/// Whether a line of code names something in this folder.
fn names(line: &str, folder: &str) -> bool {
    let code = line.split("//").next().unwrap_or("");
    code.match_indices(&format!("{folder}::")).any(|(at, _)| {
        let before = code.get(..at).unwrap_or("");
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn folders_use_only_those_above_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let order: Vec<_> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();

    for (index, folder) in order.iter().enumerate() {
        for file in fs::read_dir(src.join(folder)).unwrap() {
            let file = file.unwrap().path();
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                for below in order.iter().skip(index + 1) {
                    assert!(
                        !names(line, below),
                        "{}:{}: uses {below}, which is below {folder} in lib.rs",
                        file.display(),
                        number + 1
                    );
                }
            }
        }
    }
}
