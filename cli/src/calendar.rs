// SPDX-License-Identifier: GPL-2.0

//! Dates and times of day, as a person reads and types them: in UTC.

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86400 * SECOND;

/// A time with milliseconds, in UTC. `nanoseconds` are those since 1970.
pub(crate) fn time(nanoseconds: i64) -> String {
    let (year, month, day) = date(nanoseconds.div_euclid(DAY));
    let rest = nanoseconds.rem_euclid(DAY);
    let second = rest / SECOND;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        rest % SECOND / 1_000_000
    )
}

/// The date of a day, counted from 1 January 1970.
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    // The days since 1 March of the year 0, in cycles of 400 years.
    let days = days.saturating_add(719_468);
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    match month < 10 {
        true => (cycle * 400 + year, month + 3, day),
        false => (cycle * 400 + year + 1, month - 9, day),
    }
}

/// The day of a date, counted from 1 January 1970.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = match month > 2 {
        true => (year, month - 3),
        false => (year - 1, month + 9),
    };
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * month + 2) / 5 + day - 1;
    cycle * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

/// A number with exactly this many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Reads `14:05:00` or `14:05:00.5`, as nanoseconds since midnight.
pub(crate) fn time_of_day(text: &str) -> Option<i64> {
    let (text, part) = match text.split_once('.') {
        Some((text, part)) => (text, part),
        None => (text, "0"),
    };
    let mut words = text.split(':');
    let mut next =
        |below: i64| digits(words.next()?, 2).filter(|number| (0..below).contains(number));
    let (hour, minute, second) = (next(24)?, next(60)?, next(60)?);
    if words.next().is_some() || !(1..=9).contains(&part.len()) {
        return None;
    }
    let nanoseconds = digits(&format!("{part:0<9}"), 9)?;
    Some(((hour * 60 + minute) * 60 + second) * SECOND + nanoseconds)
}

/// Reads a time of RFC 3339, as nanoseconds since 1970. The zone may be missing: then it is UTC.
pub(crate) fn since_1970(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut words = date.split('-');
    let mut next = |count| digits(words.next()?, count);
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    let days = day_of(year, month, day);
    if words.next().is_some() || self::date(days) != (year, month, day) {
        return None;
    }
    let (clock, zone) = match rest.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, 0),
        None => match rest.split_once(['+', '-']) {
            Some((clock, zone)) => {
                let zone = time_of_day(&format!("{zone}:00"))?;
                let west = rest.as_bytes().get(clock.len()) == Some(&b'-');
                (clock, if west { -zone } else { zone })
            }
            None => (rest, 0),
        },
    };
    let time = days.checked_mul(DAY)?.checked_add(time_of_day(clock)?)?;
    time.checked_sub(zone)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read() {
        for (text, wanted) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-27T10:31:34Z", 1_795_775_494),
            ("2026-11-27 10:31:34", 1_795_775_494),
            ("2026-11-27T12:31:34+02:00", 1_795_775_494),
            ("2026-11-27T05:01:34-05:30", 1_795_775_494),
            ("2000-02-29T00:00:00Z", 951_782_400),
        ] {
            assert_eq!(since_1970(text), Some(wanted * SECOND), "{text}");
        }
        assert_eq!(since_1970("1970-01-01T00:00:00.25Z"), Some(SECOND / 4));
        for text in [
            "",
            "2026-11-27",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-27T24:00:00Z",
            "2026-11-27T10:31Z",
            "26-11-27T10:31:34Z",
            "2026-11-27T10:31:34.Z",
            "2026-11-27T10:31:34+2",
        ] {
            assert_eq!(since_1970(text), None, "{text}");
        }
        assert_eq!(
            time_of_day("14:05:00.5"),
            Some(50_700 * SECOND + SECOND / 2)
        );
        for text in [
            "14:05",
            "1:05:00",
            "14:60:00",
            "14:05:00:00",
            "14:05:00.1234567890",
        ] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(milliseconds in -62_000_000_000_000_i64..=250_000_000_000_000) {
            let nanoseconds = i128::from(milliseconds) * 1_000_000;
            // Nanoseconds since 1970 end in the year 2262.
            let nanoseconds = i64::try_from(nanoseconds).unwrap_or(0);
            prop_assert_eq!(since_1970(&time(nanoseconds)), Some(nanoseconds));
        }
    }
}
