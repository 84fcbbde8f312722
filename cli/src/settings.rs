// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table, read by the same code as in the kernel. So a mistake is found, and reported in the same
//! words, before the kernel is called.

use crate::failure::Failure;
use imgrement_core::{
    config::{
        arguments::Argument,
        message::Change,
        mistake::Mistake,
        pattern::Pattern,
        table::{
            Refusal,
            Table, //
        },
        values::Value, //
    },
    memory::Memory, //
};
use std::convert::Infallible;

/// Memory from the standard library.
#[derive(Debug)]
pub(crate) struct Std;

impl Memory for Std {
    type Array<T: Copy> = Vec<T>;
    type Error = Infallible;

    fn array<T: Copy>(value: &T, len: usize) -> Result<Vec<T>, Infallible> {
        Ok(vec![*value; len])
    }
}

/// Reads the arguments of a table.
pub(crate) fn read(words: &[String]) -> Result<Table<Std>, Failure> {
    let table = match Table::parse(words.iter().map(String::as_bytes)) {
        Ok(table) => table,
        Err(Refusal::Mistake(mistake)) => return Err(Failure::usage(mistake)),
        Err(Refusal::Memory(never)) => match never {},
    };
    if let Err((index, fault)) = table.patterns.check() {
        if let Some(pattern) = table.patterns.as_slice().get(index) {
            return Err(Failure::usage(Mistake::of_pattern(pattern, fault)));
        }
    }
    Ok(table)
}

/// Checks the words of a message, of one of the kinds that `allowed` accepts.
pub(crate) fn check_message(
    words: &[String],
    allowed: impl FnOnce(&Change<'_>) -> bool,
) -> Result<(), Failure> {
    let mut room = Pattern::EMPTY;
    let change = Change::parse(words.iter().map(String::as_bytes), &mut room);

    match change {
        Ok(change) if allowed(&change) => Ok(()),
        Ok(_) => {
            let name = words.first().map_or("", String::as_str);
            Err(Failure::usage(format_args!("{name} is not a setting")))
        }
        Err(mistake) => Err(Failure::usage(mistake)),
    }
}

/// The settings that `dmsetup table` prints, by name.
pub(crate) fn values(table: &Table<Std>) -> Vec<(&'static str, Value<'_>)> {
    Argument::ALL
        .iter()
        .filter_map(|argument| Some((argument.name(), table.params.shown(*argument)?)))
        .collect()
}

/// A value for programs.
pub(crate) fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Switch(on) => (*on).into(),
        Value::Number(number) => (*number).into(),
        Value::Ops(_) | Value::Text(_) | Value::Word(_) => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn mistakes_are_the_kernels() {
        let wrong = |text| read(&words(text)).err().map(|failure| failure.to_string());
        assert_eq!(
            wrong("log_rate 12x").as_deref(),
            Some(
                "log_rate 12x: not a whole number; \
                 allowed: a whole number from 0 to 4294967295, 0 for no limit"
            )
        );
        assert!(wrong("pattern a name n pattern b name n")
            .is_some_and(|line| line.contains("each name once")));
        assert_eq!(wrong("pattern none"), None);
    }

    #[test]
    fn only_settings_are_settings() {
        let set = |change: &Change<'_>| matches!(change, Change::Set(_));
        assert!(check_message(&words("log off"), set).is_ok());
        assert!(check_message(&words("reset"), set).is_err());
        assert!(check_message(&words("records 5"), set).is_err());
    }
}
