// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table: read as the README has it, or refused at the first wrong word; and what
//! is printed of them makes the same again.

#![no_main]

use imgrement_core::params::{
    Key,
    Params,
    Pattern,
    Text,
    What, //
};
use imgrement_fuzz::{
    check_mistake,
    escape,
    key,
    value,
    words,
    Value, //
};
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;

type Values = HashMap<&'static str, Value>;

/// Reads a table: the values of what is named, or the first wrong word.
fn read<'a>(words: &[&'a [u8]]) -> Result<Values, (&'a [u8], What)> {
    let mut values = Values::new();

    for pair in words.chunks(2) {
        let name = pair[0];
        let known = match key(name) {
            None | Some(Key::Reset | Key::Mark) => return Err((name, What::UnknownArgument)),
            Some(known) => known,
        };
        let named = imgrement_fuzz::NAMES.iter().find(|(_, key)| *key == known);
        let (named, _) = named.expect("a key");
        let one_of = match known {
            Key::Pattern | Key::PatternKey => ["pattern", "pattern_key"],
            _ => [*named, *named],
        };
        if one_of.iter().any(|name| values.contains_key(name)) {
            return Err((name, What::Repeated(known)));
        }
        let Some(&word) = pair.get(1) else {
            return Err((name, What::Missing(known)));
        };
        let value = value(known, word).map_err(|fault| (word, What::Value(known, fault)))?;
        values.insert(named, value);
    }
    Ok(values)
}

/// The line that a table with these values prints.
fn line(values: &Values) -> String {
    let text = |bytes: &Vec<u8>| escape(bytes);
    let switch = |name| match values.get(name) {
        Some(Value::Switch(false)) => "off",
        _ => "on",
    };
    let number = |name, default| match values.get(name) {
        Some(Value::Number(number)) => *number,
        _ => default,
    };
    let pattern = match (values.get("pattern"), values.get("pattern_key")) {
        (None, None) => "pattern DAMN".to_owned(),
        (None, Some(Value::Text(name))) => format!("pattern_key {}", text(name)),
        (Some(Value::Nothing), None) => "pattern none".to_owned(),
        (Some(Value::Text(bytes)), None) if bytes == b"none" => "pattern %6Eone".to_owned(),
        (Some(Value::Text(bytes)), None) => format!("pattern {}", text(bytes)),
        other => panic!("{other:?}"),
    };
    let (data, log) = (switch("data"), switch("log"));
    let (log_rate, records) = (number("log_rate", 1000), number("records", 2048));
    let rest = format!("{pattern} data {data} log {log} log_rate {log_rate} records {records}");
    match values.get("label") {
        None => format!("10 {rest}"),
        Some(Value::Text(label)) => format!("12 {rest} label {}", text(label)),
        Some(other) => panic!("{other:?}"),
    }
}

/// What stands in the struct is what was read, within the bounds.
fn check_fields(params: &Params, values: &Values) {
    fn bytes<const N: usize>(text: &Option<Text<N>>) -> Option<Vec<u8>> {
        text.as_ref().map(|text| text.as_bytes().to_vec())
    }
    let shown = |pattern: &Pattern| Value::Text(pattern.shown().to_vec());
    let pattern = params.pattern.as_ref().map_or(Value::Nothing, shown);
    let label = bytes(&params.label).map(Value::Text);

    let default = Value::Text(b"DAMN".to_vec());
    let key = values.get("pattern_key");
    let wanted = key.or(values.get("pattern")).unwrap_or(&default);
    assert_eq!(&pattern, wanted);
    assert_eq!(
        matches!(params.pattern, Some(Pattern::Key(_))),
        key.is_some()
    );
    assert_eq!(label.as_ref(), values.get("label"));
    assert!(params
        .pattern
        .is_none_or(|pattern| (1..=64).contains(&pattern.shown().len())));
    assert!(params
        .label
        .is_none_or(|text| (1..=32).contains(&text.as_bytes().len())));
    assert!((1..=65_536).contains(&params.records));
}

fuzz_target!(|input: &[u8]| {
    let words = words(input);

    match (Params::parse(words.iter().copied()), read(&words)) {
        (Ok(params), Ok(values)) => {
            check_fields(&params, &values);
            let printed = params.to_string();
            assert_eq!(printed, line(&values));
            assert!(printed
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\'));

            let (count, again) = printed.split_once(' ').expect("a count");
            let again: Vec<_> = again.split(' ').map(str::as_bytes).collect();
            assert_eq!(count.parse(), Ok(again.len()));
            assert_eq!(Params::parse(again.iter().copied()), Ok(params));
        }
        (Err(mistake), Err((word, what))) => check_mistake(&mistake, word, what),
        (parsed, wanted) => panic!("parsed: {parsed:?}, wanted: {wanted:?}"),
    }
});
