// SPDX-License-Identifier: GPL-2.0

//! What is most frequent, in little memory: the algorithm of Misra and Gries, with many counters dropped at once.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash, //
};

/// Counts keys. It is exact as long as there are no more different keys than it can keep. After that, what it says of a
/// key is at most `missing` too low, and a key that it does not have came at most `missing` times.
pub(crate) struct Frequent<K, V> {
    limit: usize,
    counters: HashMap<K, (u64, V)>,
    total: u64,
    missing: u64,
}

impl<K: Hash + Eq + Ord + Clone, V: Default + Clone> Frequent<K, V> {
    /// Keeps `limit` keys, which is at least 2.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(2),
            counters: HashMap::new(),
            total: 0,
            missing: 0,
        }
    }

    /// Counts a key `times` times, and lets `change` change what else is known of it.
    pub(crate) fn add<Q>(&mut self, key: &Q, times: u64, change: impl FnOnce(&mut V))
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.total = self.total.saturating_add(times);
        if let Some((count, value)) = self.counters.get_mut(key) {
            *count = count.saturating_add(times);
            change(value);
            return;
        }
        if self.counters.len() >= self.limit {
            self.drop_half();
        }
        let mut value = V::default();
        change(&mut value);
        self.counters.insert(key.to_owned(), (times, value));
    }

    /// Lowers all counters by the middle one, and drops those that are 0 then.
    fn drop_half(&mut self) {
        let mut counts: Vec<u64> = self.counters.values().map(|(count, _)| *count).collect();
        let middle = counts.len() / 2;
        let (_, lowered, _) = counts.select_nth_unstable(middle);
        let lowered = *lowered;
        self.counters.retain(|_, (count, _)| {
            *count = count.saturating_sub(lowered);
            *count > 0
        });
        self.missing = self.missing.saturating_add(lowered);
    }

    /// The sum of all that was counted.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// How much too low a count may be. 0: all are exact.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// The most frequent keys, with their counts: highest count first, then lowest key. Keys that may be no more
    /// frequent than those that are not known are left out.
    pub(crate) fn top(&self, number: usize) -> Vec<(K, u64, V)> {
        let mut all: Vec<_> = self
            .counters
            .iter()
            .filter(|(_, (count, _))| *count > self.missing)
            .map(|(key, (count, value))| (key, *count, value))
            .collect();
        all.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        all.into_iter()
            .take(number)
            .map(|(key, count, value)| (key.clone(), count, value.clone()))
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_agrees_with_a_map(
            keys in prop::collection::vec((0..60_u64, 0..4_u64), 0..600),
            limit in 2..80_usize,
        ) {
            let mut frequent = Frequent::<u64, u64>::new(limit);
            let mut map = BTreeMap::<u64, u64>::new();
            for (key, times) in &keys {
                // Some keys come often.
                let key = key * key / 60;
                frequent.add(&key, *times, |value| *value += times);
                *map.entry(key).or_default() += times;
            }
            prop_assert!(frequent.counters.len() <= limit);
            prop_assert_eq!(frequent.total(), map.values().sum::<u64>());
            if map.len() <= limit {
                prop_assert_eq!(frequent.missing(), 0);
            }
            // What the algorithm promises: each time it lowers counters, it drops half of them.
            prop_assert!(frequent.missing() <= frequent.total() * 2 / limit as u64);
            for (key, exact) in &map {
                let count = frequent.counters.get(key).map_or(0, |(count, _)| *count);
                prop_assert!(count <= *exact && *exact <= count + frequent.missing(), "{key}");
            }
            let top = frequent.top(usize::MAX);
            prop_assert!(top.windows(2).all(|pair| pair[0].1 >= pair[1].1));
            if frequent.missing() == 0 {
                let mut all: Vec<_> = map.into_iter().filter(|(_, count)| *count > 0).collect();
                all.sort_by_key(|(key, count)| (u64::MAX - count, *key));
                let top: Vec<_> = top.iter().map(|(key, count, value)| {
                    assert_eq!(count, value);
                    (*key, *count)
                }).collect();
                prop_assert_eq!(top, all);
            }
        }
    }
}
