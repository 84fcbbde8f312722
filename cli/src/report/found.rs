// SPDX-License-Identifier: GPL-2.0

//! What was found: the occurrences of patterns.

use super::frequent::Frequent;
use crate::recording::row::{
    Match,
    Request, //
};
use serde::Serialize;

/// How many patterns are counted exactly. A table has fewer, but it may be changed.
const DIFFERENT: usize = 1024;

/// Counts occurrences of patterns.
pub(crate) struct Found {
    summary: FoundSummary,
    patterns: Frequent<(String, String), ()>,
    /// The key of the last one, so that none has to be made for each.
    key: (String, String),
}

/// A pattern, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PatternSummary {
    /// Its name, or its text; escaped.
    pub(crate) pattern: String,
    /// `page`, `across`, `requests` or `read`.
    pub(crate) place: String,
    /// How many occurrences are in the recording.
    pub(crate) matches: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct FoundSummary {
    /// How many requests had occurrences when they were sent on.
    pub(crate) requests: u64,
    /// All of their occurrences.
    pub(crate) hits: u64,
    /// Those within a segment.
    pub(crate) page: u64,
    /// Those within a segment of the recorded copy.
    pub(crate) copy: u64,
    /// Those that straddle segments.
    pub(crate) across: u64,
    /// Whether each occurrence was recorded.
    pub(crate) recorded: bool,
    /// The most frequent patterns first. Empty if the occurrences were not recorded.
    pub(crate) patterns: Vec<PatternSummary>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            summary: FoundSummary::default(),
            patterns: Frequent::new(DIFFERENT),
            key: (String::new(), String::new()),
        }
    }
}

impl Found {
    /// A request.
    pub(crate) fn add(&mut self, request: &Request<'_>) {
        let Some(begin) = request.begin else { return };
        let all = &mut self.summary;
        all.requests += u64::from(begin.hits > 0);
        for (sum, number) in [
            (&mut all.hits, begin.hits),
            (&mut all.page, begin.page),
            (&mut all.copy, begin.copy),
            (&mut all.across, begin.across),
        ] {
            *sum = sum.saturating_add(u64::from(number));
        }
    }

    /// The occurrences in a request were recorded.
    pub(crate) fn add_matches<'a>(&mut self, matches: impl Iterator<Item = Match<'a>>) {
        self.summary.recorded = true;
        for found in matches {
            let (pattern, place) = &mut self.key;
            pattern.clear();
            pattern.push_str(found.pattern);
            place.clear();
            place.push_str(found.place);
            self.patterns.add(&self.key, 1, |()| {});
        }
    }

    /// What was found.
    pub(crate) fn summary(&self) -> FoundSummary {
        let top = self.patterns.top(DIFFERENT).into_iter();
        FoundSummary {
            patterns: top
                .map(|((pattern, place), matches, ())| PatternSummary {
                    pattern,
                    place,
                    matches,
                })
                .collect(),
            ..self.summary.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use crate::recording::row::Begin;
    use imgrement_core::record::Op;

    #[test]
    fn patterns_are_counted() {
        let mut found = Found::default();
        let mut one = request(Op::Write, 0, 512);
        one.begin = Some(Begin {
            hits: 3,
            page: 2,
            across: 1,
            ..Begin::default()
        });
        found.add(&one);
        found.add(&request(Op::Write, 0, 512));
        assert!(!found.summary().recorded);
        let matches = [("a", "page"), ("b", "page"), ("a", "across"), ("a", "page")];
        found.add_matches(matches.into_iter().map(|(pattern, place)| Match {
            pattern,
            place,
            sector: 0,
            byte: 0,
        }));
        let got = found.summary();
        assert_eq!(
            (got.requests, got.hits, got.page, got.copy, got.across),
            (1, 3, 2, 0, 1)
        );
        let patterns: Vec<_> = got
            .patterns
            .iter()
            .map(|one| (one.pattern.as_str(), one.place.as_str(), one.matches))
            .collect();
        assert_eq!(
            patterns,
            [("a", "page", 2), ("a", "across", 1), ("b", "page", 1)]
        );
    }
}
