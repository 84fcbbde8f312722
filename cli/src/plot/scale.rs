// SPDX-License-Identifier: GPL-2.0

//! Scales for people: where ticks are, and how numbers are written.

/// A tick: where it is, and its label.
pub(super) type Tick = (f64, String);

const BYTES: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A number with three significant digits, or all of those before the point.
pub(super) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 || size == 0.0 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    grouped(text)
}

/// A whole number, with commas.
pub(super) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// Digits with a comma before each three.
fn grouped(text: &str) -> String {
    let (whole, rest) = match text.split_once('.') {
        Some((whole, _)) => text.split_at(whole.len()),
        None => (text, ""),
    };
    let mut out = String::new();
    let digits = whole.chars().filter(char::is_ascii_digit).count();
    let mut left = digits;
    for letter in whole.chars() {
        if letter.is_ascii_digit() {
            if left < digits && left % 3 == 0 {
                out.push(',');
            }
            left -= 1;
        }
        out.push(letter);
    }
    out + rest
}

/// A size.
pub(super) fn bytes(value: f64) -> String {
    let (unit, name) = byte_unit(value);
    format!("{} {name}", number(value / unit))
}

/// The unit for sizes up to this one, in bytes, and its name.
fn byte_unit(value: f64) -> (f64, &'static str) {
    let mut unit = 1.0;
    let mut names = BYTES.iter().copied().peekable();
    while let Some(name) = names.next() {
        if value < unit * 1024.0 || names.peek().is_none() {
            return (unit, name);
        }
        unit *= 1024.0;
    }
    (1.0, "B")
}

/// Bytes per second, in powers of 1000, as benchmarks say.
pub(super) fn bytes_per_second(value: f64) -> String {
    let (unit, name) = rate_unit(value);
    format!("{} {name}", number(value / unit))
}

/// The unit for rates up to this one, in bytes per second, and its name.
fn rate_unit(value: f64) -> (f64, &'static str) {
    match value {
        _ if value < 1e3 => (1.0, "B/s"),
        _ if value < 1e6 => (1e3, "kB/s"),
        _ if value < 1e9 => (1e6, "MB/s"),
        _ => (1e9, "GB/s"),
    }
}

/// A duration.
pub(super) fn duration(nanoseconds: f64) -> String {
    let (unit, name) = match nanoseconds.abs() {
        size if size < 999.5 => (1.0, "ns"),
        size if size < 999.5e3 => (1e3, "µs"),
        size if size < 999.5e6 => (1e6, "ms"),
        size if size < 120e9 => (1e9, "s"),
        size if size < 7200e9 => (60e9, "min"),
        size if size < 172_800e9 => (3600e9, "h"),
        _ => (86_400e9, "days"),
    };
    format!("{} {name}", number(nanoseconds / unit))
}

/// A duration with two digits.
pub(super) fn rough(nanoseconds: f64) -> String {
    let power = 10_f64.powf(nanoseconds.max(1.0).log10().floor() - 1.0);
    duration((nanoseconds / power).round() * power)
}

/// The least of 1, 2, 5, 10, 20, 50 ... that is at least this.
fn decimal_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|step| step * power >= least * 0.999_999);
    step.unwrap_or(10.0) * power
}

/// Multiples of a step in a range.
fn multiples(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (low / step - 1e-9).ceil();
    let mut index = 0.0;
    std::iter::from_fn(move || {
        let value = (first + index) * step;
        index += 1.0;
        if value <= high + step * 1e-9 && index < 100.0 {
            Some(value)
        } else {
            None
        }
    })
}

/// Ticks for sizes of a range of bytes: at most about `most`.
pub(super) fn byte_ticks(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let least = ((high - low) / most.max(1) as f64).max(1.0);
    let mut step = least.log2().ceil().exp2();
    // One tick says nothing about the scale.
    if multiples(low, high, step).count() < 2 {
        step = (step / 2.0).max(1.0);
    }
    let (mut unit, mut name) = byte_unit(high);
    if step < unit / 8.0 {
        (unit, name) = byte_unit(step);
    }
    multiples(low, high, step)
        .map(|value| (value, format!("{} {name}", exact(value / unit))))
        .collect()
}

/// Ticks for a rate from 0, with a unit.
pub(super) struct RateTicks {
    /// The end of the scale.
    pub(super) high: f64,
    /// The ticks.
    pub(super) ticks: Vec<Tick>,
    /// The unit of the labels.
    pub(super) unit: String,
}

/// Ticks for bytes a second.
pub(super) fn byte_rate(high: f64, most: usize) -> RateTicks {
    let (unit, name) = rate_unit(high);
    rate(high, most, unit, name)
}

/// Ticks for numbers.
pub(super) fn plain_rate(high: f64, most: usize) -> RateTicks {
    rate(high, most, 1.0, "")
}

fn rate(high: f64, most: usize, unit: f64, name: &str) -> RateTicks {
    let high = high.max(f64::MIN_POSITIVE);
    let step = decimal_step(high / unit / most.max(1) as f64) * unit;
    let high = (high / step - 1e-9).ceil() * step;
    // All labels of a scale are written alike.
    let (short, letter) = match high / unit {
        _ if step / unit >= 1e6 => (1e6, " M"),
        most if most >= 1e5 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let label = |value: f64| match value == 0.0 {
        true => "0".to_owned(),
        false => exact(value / unit / short) + letter,
    };
    RateTicks {
        high,
        ticks: multiples(0.0, high, step)
            .map(|value| (value, label(value)))
            .collect(),
        unit: name.to_owned(),
    }
}

/// A tick's number: a multiple of a step that has few digits.
fn exact(value: f64) -> String {
    grouped(&trimmed(value))
}

/// A number without zeros at its end.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" => "0".to_owned(),
        _ => text.to_owned(),
    }
}

/// Ticks for a range of time, in nanoseconds.
pub(super) fn time_ticks(low: f64, high: f64, most: usize) -> Vec<Tick> {
    const LONG: [f64; 12] = [
        60e9, 120e9, 300e9, 600e9, 1200e9, 1800e9, 3600e9, 7200e9, 14_400e9, 21_600e9, 43_200e9,
        86_400e9,
    ];
    let least = ((high - low) / most.max(1) as f64).max(1.0);
    let step = match least > 50e9 {
        false => decimal_step(least),
        true => LONG
            .into_iter()
            .find(|step| *step >= least)
            .unwrap_or_else(|| decimal_step(least / 86_400e9) * 86_400e9),
    };
    let (unit, name) = match step {
        _ if step >= 86_400e9 => (86_400e9, "d"),
        _ if step >= 3600e9 => (3600e9, "h"),
        _ if step >= 60e9 => (60e9, "min"),
        _ if high >= 1e9 && step >= 1e6 => (1e9, "s"),
        _ if high >= 1e6 && step >= 1e3 => (1e6, "ms"),
        _ if high >= 1e3 => (1e3, "µs"),
        _ => (1.0, "ns"),
    };
    multiples(low, high, step)
        .map(|value| (value, format!("{} {name}", exact(value / unit))))
        .collect()
}

/// Ticks for a logarithmic range of time, in nanoseconds: its powers of ten, and 2 and 5 times these if at most about
/// `most` ticks are there then; fewer powers if there are too many.
pub(super) fn log_time_ticks(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let ticks = |parts: &[f64], step: usize| -> Vec<Tick> {
        let powers = (0..20).step_by(step);
        let values =
            powers.flat_map(|power| parts.iter().map(move |part| part * 10_f64.powi(power)));
        values
            .filter(|value| (low..=high).contains(value))
            .map(|value| (value, duration(value)))
            .collect()
    };
    let fine = ticks(&[1.0, 2.0, 5.0], 1);
    if fine.len() <= most {
        return fine;
    }
    let (coarse, coarser) = (ticks(&[1.0], 1), ticks(&[1.0], 3));
    match coarse.len() > most && !coarser.is_empty() {
        true => coarser,
        false => coarse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn numbers_are_for_people() {
        for (value, text) in [
            (0.0, "0"),
            (0.123, "0.12"),
            (1.0, "1"),
            (1.239, "1.24"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1234.0, "1,234"),
            (1_234_567.0, "1,234,567"),
            (-1234.5, "-1,234"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(bytes(1536.0), "1.5 KiB");
        assert_eq!(bytes(1023.0), "1,023 B");
        assert_eq!(duration(1_234_567.0), "1.23 ms");
        assert_eq!(duration(90e9), "90 s");
        assert_eq!(rough(8_388_608.0), "8.4 ms");
        assert_eq!(rough(999.0), "1 µs");
        assert_eq!(duration(7199e9), "120 min");
    }

    #[test]
    fn ticks_are_round_and_in_range() {
        assert_eq!(
            labels(&time_ticks(0.0, 4.7e9, 6)),
            ["0 s", "1 s", "2 s", "3 s", "4 s"]
        );
        assert_eq!(
            labels(&time_ticks(0.0, 1.9e9, 5)),
            ["0 s", "0.5 s", "1 s", "1.5 s"]
        );
        assert_eq!(labels(&time_ticks(-3e3, 9e3, 3)), ["0 µs", "5 µs"]);
        assert_eq!(
            labels(&time_ticks(0.0, 7300e9, 5)),
            ["0 min", "30 min", "60 min", "90 min", "120 min"]
        );
        assert_eq!(
            labels(&byte_ticks(0.0, 64.0 * 1024.0 * 1024.0, 4)),
            ["0 MiB", "16 MiB", "32 MiB", "48 MiB", "64 MiB"]
        );
        let high = byte_rate(130e6, 3);
        assert_eq!(labels(&high.ticks), ["0", "50", "100", "150"]);
        assert_eq!(high.unit, "MB/s");
        for (high, wanted) in [
            (9_000.0, ["0", "5,000", "10,000"]),
            (33_000.0, ["0", "20,000", "40,000"]),
            (90_000.0, ["0", "50 k", "100 k"]),
            (1_900_000.0, ["0", "1 M", "2 M"]),
        ] {
            assert_eq!(labels(&plain_rate(high, 3).ticks), wanted);
        }
        assert_eq!(
            labels(&log_time_ticks(2e3, 3e7, 6)),
            ["10 µs", "100 µs", "1 ms", "10 ms"]
        );
        assert_eq!(labels(&log_time_ticks(2e3, 3e7, 3)), ["1 ms"]);
        assert_eq!(
            labels(&log_time_ticks(2e3, 3e4, 6)),
            ["2 µs", "5 µs", "10 µs", "20 µs"]
        );
        assert_eq!(
            labels(&byte_ticks(145.0 * 1024.0, 175.0 * 1024.0, 3)),
            ["152 KiB", "160 KiB", "168 KiB"]
        );
    }

    #[test]
    fn any_range_has_few_ticks() {
        for log in 0..60 {
            let high = 1.7 * f64::from(log).exp2();
            for most in 1..8 {
                for ticks in [
                    time_ticks(0.0, high, most),
                    byte_ticks(0.0, high, most),
                    plain_rate(high, most).ticks,
                    byte_rate(high, most).ticks,
                ] {
                    assert!(
                        (1..=most + 2).contains(&ticks.len()),
                        "{high} {most} {ticks:?}"
                    );
                }
            }
        }
    }
}
