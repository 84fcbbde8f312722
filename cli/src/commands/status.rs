// SPDX-License-Identifier: GPL-2.0

//! `imgrement status`.

use super::list::{
    state,
    About, //
};
use crate::{
    dm::Control,
    failure::Failure,
    output::{
        columns,
        print,
        print_json,
        size,
        width,
        wrapped, //
    },
    settings,
    target::{
        all,
        explain,
        named,
        Target,
        KIND, //
    },
};
use clap::Args;
use rustix::io::Errno;
use serde::{
    Serialize,
    Serializer, //
};
use serde_json::Value;

/// Show the counters, the patterns and the settings of devices
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement status
  imgrement status imgrement-sdb
  imgrement status --json imgrement-sdb | jq '.[0].counters.write'

For people, counters that are 0 are left out. docs/reference.md explains each counter.")]
pub(crate) struct Status {
    /// The names of devices, or their paths [default: all]
    names: Vec<String>,

    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// The value of a counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    /// A history also says words: what it does, and why it has ended.
    Word(String),
}

impl Count {
    /// The value of the counter `word`; `None` if it is something else.
    fn read(word: &str, value: &str) -> Option<Self> {
        match value.parse() {
            Ok(number) => Some(Self::Number(number)),
            Err(_) if ["history", "history_reason"].contains(&word) => {
                Some(Self::Word(value.to_owned()))
            }
            Err(_) => None,
        }
    }

    /// For people; `None` if there is nothing to say.
    fn text(&self, word: &str) -> Option<String> {
        match self {
            Self::Number(0) => None,
            Self::Number(number) if word.starts_with("sectors_") => {
                Some(format!("{number} ({})", size(*number)))
            }
            Self::Number(number) => Some(number.to_string()),
            Self::Word(nothing) if nothing == "-" => None,
            Self::Word(word) => Some(word.clone()),
        }
    }
}

/// The counters of a target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counters {
    /// By their word, in the kernel's order.
    words: Vec<(String, Count)>,
    /// The name of each pattern, escaped, and its matches.
    patterns: Vec<(String, u64)>,
}

impl Counters {
    /// Reads what the kernel prints: words with their numbers, the last of which is `patterns`; then as many names of
    /// patterns with their numbers. `None` if it is something else.
    fn read(text: &str) -> Option<Self> {
        let mut counters = Self::default();
        let mut words = text.split_ascii_whitespace();

        loop {
            let word = words.next()?;
            let value = words.next()?;
            if word == "patterns" {
                for _ in 0..value.parse().ok()? {
                    let name = words.next()?.to_owned();
                    counters.patterns.push((name, words.next()?.parse().ok()?));
                }
                return Some(counters);
            }
            let count = Count::read(word, value)?;
            counters.words.push((word.to_owned(), count));
        }
    }
}

/// What JSON says of a target.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    about: About,
    #[serde(serialize_with = "as_map")]
    counters: Vec<(String, Count)>,
    patterns: Vec<Pattern>,
    #[serde(serialize_with = "as_map")]
    settings: Vec<(&'static str, Value)>,
}

/// As a map, in this order.
fn as_map<S: Serializer, K: Serialize, V: Serialize>(
    pairs: &[(K, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// A pattern and its matches. Its text is not shown: it may be a secret that has a name for this reason.
#[derive(Serialize)]
struct Pattern {
    name: String,
    matches: u64,
}

impl Status {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let control = Control::open()?;
        let mut targets = Vec::new();

        if self.names.is_empty() {
            targets = all(&control)?;
        }
        for name in &self.names {
            targets.extend(named(&control, name)?);
        }
        let mut all = Vec::new();
        for target in targets {
            match counters(&control, &target) {
                Ok(counters) => all.push((target, counters)),
                // It has been removed meanwhile, and was not given by name.
                Err(Errno::NXIO) if self.names.is_empty() => {}
                Err(error) => {
                    let what = format!("read the status of {}", target.device.name);
                    return Err(explain(&what, error));
                }
            }
        }
        if self.json {
            return print_json(&all.into_iter().map(report).collect::<Vec<_>>());
        }
        if all.is_empty() {
            return print("Nothing is attached. To attach a disk: imgrement attach DEVICE\n");
        }
        let texts: Vec<_> = all
            .iter()
            .map(|(target, counters)| text(target, counters))
            .collect();
        print(&texts.join("\n"))
    }
}

fn counters(control: &Control, target: &Target) -> Result<Counters, Errno> {
    let rows = control.status(&target.device.name)?;
    let mut ours = rows
        .iter()
        .filter(|row| row.kind == KIND && row.start == target.start);
    Counters::read(&ours.next().ok_or(Errno::NXIO)?.text).ok_or(Errno::PROTO)
}

fn report((target, counters): (Target, Counters)) -> Report {
    Report {
        about: About::of(&target),
        counters: counters.words,
        patterns: counters
            .patterns
            .into_iter()
            .map(|(name, matches)| Pattern { name, matches })
            .collect(),
        settings: settings::values(&target.table)
            .iter()
            .map(|(name, value)| (*name, settings::json(value)))
            .collect(),
    }
}

/// For people.
fn text(target: &Target, counters: &Counters) -> String {
    let mut rows = Vec::new();
    let mut row = |word: &str, value: String| rows.push(vec![format!("  {word}"), value]);

    for (word, count) in &counters.words {
        if let Some(text) = count.text(word) {
            row(word, text);
        }
    }
    for (name, matches) in &counters.patterns {
        row("pattern", format!("{name}: found {matches} times"));
    }
    if counters.patterns.is_empty() {
        row("pattern", "none".into());
    }
    // The settings are wrapped on a terminal.
    row("settings", String::new());
    let words = rows.iter().filter_map(|row| row.first());
    let indent = words.map(|word| word.chars().count()).max().unwrap_or(0) + 2;
    let mut settings = settings::values(&target.table).into_iter().peekable();
    let mut words = Vec::new();
    while let Some((name, value)) = settings.next() {
        let comma = if settings.peek().is_some() { "," } else { "" };
        words.push(format!("{name} {value}{comma}"));
    }
    let columns = columns(&rows);
    let (last, rows) = match columns.trim_end().rsplit_once('\n') {
        Some((rows, last)) => (last, format!("{rows}\n")),
        None => (columns.trim_end(), String::new()),
    };
    format!(
        "{}: {} of {}, {}\n{rows}{last:<indent$}{}\n",
        target.shown(),
        size(target.length),
        target.disk.name(),
        state(target),
        wrapped(&words, indent, indent, width())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read() {
        let counters = Counters::read("read 0 write 3 patterns 2 DAMN 1 patterns 4");
        let number = |name: &str, number| (name.to_owned(), Count::Number(number));
        let pattern = |name: &str, count| (name.to_owned(), count);
        assert_eq!(
            counters,
            Some(Counters {
                words: vec![number("read", 0), number("write", 3)],
                patterns: vec![pattern("DAMN", 1), pattern("patterns", 4)],
            })
        );
        let of_history = Counters::read("write 3 history on history_reason - patterns 0");
        let word = |name: &str, value: &str| (name.to_owned(), Count::Word(value.to_owned()));
        let words = of_history.map(|counters| counters.words);
        assert_eq!(
            words.as_deref().and_then(|words| words.get(1..)),
            Some(&[word("history", "on"), word("history_reason", "-")][..])
        );
        for text in ["", "read", "read x", "read 0", "patterns 1", "patterns 1 a"] {
            assert_eq!(Counters::read(text), None, "{text}");
        }
        assert_eq!(Counters::read("patterns 0"), Some(Counters::default()));
    }
}
