// SPDX-License-Identifier: GPL-2.0

//! The arguments as described in `docs/reference.md`, for tests that compare them with the code.

/// A row of the table of arguments.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) values: Values,
    /// `None` if it does not print by default.
    pub(crate) default: Option<&'static str>,
    /// Whether a message sets it, too.
    pub(crate) message: bool,
    /// Whether it needs the argument `history`.
    pub(crate) of_history: bool,
}

/// The allowed values of an argument.
pub(crate) enum Values {
    /// One of these words.
    Words(Vec<&'static str>),
    /// A number in this range, and the text about 0.
    Number(u32, u32, Option<&'static str>),
    /// A text of 1 to this many bytes.
    Text(usize),
    /// A device, of 1 to this many bytes.
    Device(usize),
}

/// All arguments that are not about patterns, in the order in which they print.
pub(crate) fn settings() -> impl Iterator<Item = Row> {
    // The second table has the arguments of a history.
    let tables: Vec<_> = include_str!("../../../docs/reference.md")
        .split("| argument | value | default | message | meaning |")
        .skip(1)
        .map(|table| table.split_once("\n\n").expect("an end of the table").0)
        .collect();
    assert_eq!(tables.len(), 2);
    let rows = tables.into_iter().enumerate().flat_map(|(at, table)| {
        let lines = table.lines().filter(|line| line.starts_with("| `"));
        lines.map(move |line| (at == 1, line))
    });

    rows.map(|(second, line)| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let mut next = || cells.next().expect("a cell");
        let [name, value, default, message] = [next(), next(), next(), next()];
        (name.trim_matches('`'), value, default, message, second)
    })
    .filter(|(name, ..)| !["pattern", "pattern_key", "name", "nocase"].contains(name))
    .map(|(name, value, default, message, second)| Row {
        name,
        values: values(value),
        default: Some(default.trim_matches('`')).filter(|default| !default.is_empty()),
        message: match message {
            "yes" => true,
            "no" => false,
            other => panic!("{name}: {other} is neither yes nor no"),
        },
        of_history: second && name != "history",
    })
}

/// Reads a cell: "`on` or `off`", "0 to 65536, 0 for none", "1 to 32 bytes", "a device, 1 to 128 bytes".
fn values(cell: &'static str) -> Values {
    if cell.starts_with('`') {
        return Values::Words(cell.split('`').skip(1).step_by(2).collect());
    }
    let (device, range) = match cell.strip_prefix("a device, ") {
        Some(range) => (true, range),
        None => (false, cell),
    };
    let (from, rest) = range.split_once(" to ").expect("a range");
    let from = from.parse().expect("a number");
    if let Some(longest) = rest.strip_suffix(" bytes") {
        assert_eq!(from, 1);
        let longest = longest.parse().expect("a number");
        return match device {
            true => Values::Device(longest),
            false => Values::Text(longest),
        };
    }
    let (to, zero) = match rest.split_once(", 0 for ") {
        Some((to, zero)) => (to, Some(zero)),
        None => (rest, None),
    };
    Values::Number(from, to.parse().expect("a number"), zero)
}

impl Row {
    /// The placeholder for the value in the lists of what is allowed.
    pub(crate) fn usage(&self) -> String {
        match &self.values {
            Values::Words(_) if self.name == "ops" => "OPS".to_owned(),
            Values::Words(words) => words.join("|"),
            Values::Number(..) => "N".to_owned(),
            Values::Text(_) => "TEXT".to_owned(),
            Values::Device(_) => "DEVICE".to_owned(),
        }
    }

    /// The words of a table that must come before it, if any, with a space at their end.
    pub(crate) fn before(&self) -> &'static str {
        if self.of_history {
            "history 8:0 "
        } else {
            ""
        }
    }

    /// What is allowed, for a wrong value.
    pub(crate) fn allowed(&self) -> String {
        match &self.values {
            Values::Words(words) => match &words[..] {
                [others @ .., one, last] => {
                    let others: String = others.iter().map(|word| format!("{word}, ")).collect();
                    format!("{others}{one} or {last}")
                }
                few => panic!("{}: {few:?}", self.name),
            },
            Values::Number(from, to, None) => format!("a whole number from {from} to {to}"),
            Values::Number(from, to, Some(zero)) => {
                format!("a whole number from {from} to {to}, 0 for {zero}")
            }
            Values::Text(longest) => {
                format!("1 to {longest} bytes, %HH for what is not plain")
            }
            Values::Device(longest) => {
                format!("the path or major:minor of a block device, 1 to {longest} bytes, %HH for what is not plain")
            }
        }
    }

    /// Words that are values, and print as they are.
    pub(crate) fn right(&self) -> Vec<String> {
        match &self.values {
            Values::Words(words) => words.iter().map(|&word| word.to_owned()).collect(),
            Values::Number(from, to, _) => [*from, from + 1, *to].map(|n| n.to_string()).into(),
            Values::Text(longest) | Values::Device(longest) => {
                vec!["x".to_owned(), "none".to_owned(), "%25".repeat(*longest)]
            }
        }
    }

    /// Words that are not values, and what is wrong with each. The last one is empty; device-mapper does not pass
    /// it on.
    pub(crate) fn wrong(&self) -> Vec<(String, &'static str)> {
        let all =
            |words: &[&str], what| words.iter().map(|&word| (word.to_owned(), what)).collect();
        match &self.values {
            Values::Words(words) => {
                let what = match &words[..] {
                    ["on", "off"] => "neither on nor off",
                    ["read", "write", "read,write"] => "no such ops",
                    ["on", "off", "durable"] | ["wait", "gap"] => "no such word",
                    others => panic!("{}: {others:?}", self.name),
                };
                all(&["maybe", "1", "ON", "on%", "write,read", "all", ""], what)
            }
            Values::Number(from, to, _) => {
                let mut wrong: Vec<_> = all(
                    &["x", "12x", "+1", "-1", "0x10", "1e3", ""],
                    "not a whole number",
                );
                let beyond = u64::from(*to) + 1;
                wrong.insert(0, (beyond.to_string(), "out of range"));
                wrong.insert(0, ("9".repeat(26), "out of range"));
                if let Some(below) = from.checked_sub(1) {
                    wrong.insert(0, (below.to_string(), "out of range"));
                }
                wrong
            }
            Values::Text(longest) | Values::Device(longest) => {
                let mut wrong = vec![
                    ("x".repeat(longest + 1), "too long"),
                    ("%41".repeat(longest + 1), "too long"),
                    ("%".to_owned(), "bad escape"),
                    ("x%4".to_owned(), "bad escape"),
                    ("%zz".to_owned(), "bad escape"),
                    (String::new(), "empty"),
                ];
                if let Values::Device(_) = &self.values {
                    wrong.insert(0, ("/dev/%00".to_owned(), "bad escape"));
                }
                wrong
            }
        }
    }
}
