// SPDX-License-Identifier: GPL-2.0

//! Events as the kernel's pages have them, through the merge and the join.

use super::{
    example::{
        kinds,
        DEVICE,
        HEADER_EVENT,
        HEADER_PAGE, //
    },
    fields::{
        Fields,
        KINDS, //
    },
    join::{
        Joiner,
        Sink,
        PARTS, //
    },
};
use crate::{
    failure::Failure,
    recording::row::{
        Delta,
        Event,
        Match,
        Row, //
    },
    trace::{
        self,
        Kind,
        Merge,
        Seen,
        Span, //
    },
};
use imgrement_core::{
    record::Op,
    ring::layout::Layout, //
};
use proptest::prelude::*;
use std::cell::RefCell;

const SECOND: u64 = 1_000_000_000;

/// The bytes of an event: the type, the process, then these fields.
fn event(kind: u16, fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [&kind.to_ne_bytes()[..], &[0; 2], &77_u32.to_ne_bytes()].concat();
    fields.iter().for_each(|field| bytes.extend(*field));
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn name(text: &str) -> [u8; 16] {
    let mut name = [0; 16];
    name[..text.len()].copy_from_slice(text.as_bytes());
    name
}

fn request(id: u64, segments: u32, hits: u32) -> Vec<u8> {
    let four = u32::to_ne_bytes;
    let begin = [segments, hits, hits, 0, 0].map(four).concat();
    event(
        1,
        &[
            &four(DEVICE as u32),
            &four(1),
            &id.to_ne_bytes(),
            &(id * 8).to_ne_bytes(),
            &four(4096),
            &four(8),
            &begin,
            &name("a b"),
            &9_u64.to_ne_bytes(),
        ],
    )
}

fn complete(id: u64, errno: u32, latency: u64) -> Vec<u8> {
    let four = u32::to_ne_bytes;
    event(
        2,
        &[
            &four(DEVICE as u32),
            &four(1),
            &id.to_ne_bytes(),
            &(id * 8).to_ne_bytes(),
            &four(4096),
            &four(8),
            &four(errno),
            &latency.to_ne_bytes(),
            &name("a b"),
        ],
    )
}

fn delta(id: u64, sector: u64) -> Vec<u8> {
    let four = u32::to_ne_bytes;
    event(
        5,
        &[
            &four(DEVICE as u32),
            &id.to_ne_bytes(),
            &four(512),
            &four(0),
            &sector.to_ne_bytes(),
            &four(1),
        ],
    )
}

fn found(id: u64, pattern: &str) -> Vec<u8> {
    event(
        6,
        &[
            &(DEVICE as u32).to_ne_bytes(),
            &[1],
            &id.to_ne_bytes(),
            &(id * 8).to_ne_bytes(),
            &3_u32.to_ne_bytes(),
            &name(pattern),
        ],
    )
}

/// A page with these events at these times.
fn page(events: &[(u64, Vec<u8>)], lost: Option<u64>) -> Vec<u8> {
    let start = events.first().map_or(0, |(time, _)| *time);
    let (mut data, mut now) = (Vec::new(), start);
    for (time, bytes) in events {
        let passed = time - now;
        now = *time;
        if passed >= 1 << 27 {
            let low = u32::try_from(passed & ((1 << 27) - 1)).unwrap();
            data.extend((30 | low << 5).to_ne_bytes());
            data.extend(u32::try_from(passed >> 27).unwrap().to_ne_bytes());
            data.extend(0_u32.to_ne_bytes());
        } else {
            data.extend((u32::try_from(passed).unwrap() << 5).to_ne_bytes());
        }
        data.extend(u32::try_from(bytes.len() + 4).unwrap().to_ne_bytes());
        data.extend(bytes);
    }
    let mut commit = u32::try_from(data.len()).unwrap();
    if let Some(lost) = lost {
        commit |= 3 << 30;
        data.extend(lost.to_ne_bytes());
    }
    let mut page = [
        &start.to_ne_bytes()[..],
        &commit.to_ne_bytes(),
        &[0; 4],
        &data,
    ]
    .concat();
    page.resize(4096, 0);
    page
}

/// What came out: each row as text, its segments and its matches.
#[derive(Default)]
struct Rows(Vec<(i64, String, Option<usize>, Option<String>)>);

impl Sink for Rows {
    fn row(
        &mut self,
        row: &Row<'_>,
        deltas: Option<&[Delta]>,
        matches: Option<&[Match<'_>]>,
    ) -> Result<(), Failure> {
        let text = match row.event {
            Event::Request(request) => {
                assert_eq!((request.op, request.command), (Op::Write, "a%20b"));
                assert!(request
                    .begin
                    .is_none_or(|begin| begin.pid == 77 && begin.cgroup == 9));
                let cpu = request.begin.map(|begin| begin.cpu);
                let (errno, latency) = (request.errno, request.latency);
                format!("{} {cpu:?} {errno:?} {latency:?}", request.id)
            }
            Event::Mark(text) => format!("mark {text}"),
            Event::Table { reason, line } => format!("table {reason} {line}"),
            Event::Lost { cpu, events } => format!("lost {cpu:?} {events:?}"),
        };
        let matches = matches.map(|matches| {
            let names: Vec<_> = matches.iter().map(|found| found.pattern).collect();
            names.join(" ")
        });
        self.0
            .push((row.time, text, deltas.map(<[Delta]>::len), matches));
        Ok(())
    }
}

impl Rows {
    fn texts(&self) -> Vec<&str> {
        self.0.iter().map(|(_, text, ..)| text.as_str()).collect()
    }
}

fn joiner(kinds: &[Kind]) -> Joiner {
    let named = |name: &str| {
        let index = KINDS.iter().position(|kind| *kind == name)?;
        kinds.get(index)
    };
    Joiner::new(Fields::find(named).unwrap(), vec![DEVICE], 1000)
}

/// For the events of so many CPUs.
fn merge(cpus: u32) -> Merge {
    let layout = Layout::read(HEADER_PAGE, HEADER_EVENT).unwrap();
    Merge::new(layout, (1..=6).collect(), 0..cpus)
}

/// All is read, and what happened before this time is passed on.
fn pass(before: u64) -> Span {
    Span {
        pass: before,
        ..Span::ALL
    }
}

/// Reads these pages: the first one of a CPU that was not read.
fn reader(
    pages: &[(usize, Vec<u8>)],
) -> impl FnMut(usize, &mut [u8]) -> Result<Option<usize>, Failure> + '_ {
    let mut left: Vec<_> = pages.iter().collect();
    move |cpu, to| {
        let next = left.iter().position(|(of, _)| *of == cpu);
        Ok(next.map(|next| {
            let (_, page) = left.remove(next);
            to[..page.len()].copy_from_slice(page);
            page.len()
        }))
    }
}

/// Reads pages of CPUs, a round at a time: what is in a round comes before what is in the next.
fn run(rounds: &[Vec<(usize, Vec<u8>)>], until: &[u64], kinds: usize) -> (Rows, Joiner) {
    let all = kinds_of(kinds);
    let (mut merge, mut joiner, mut rows) = (merge(4), joiner(&all), Rows::default());
    for (pages, until) in rounds.iter().zip(until) {
        let round = merge.round(pass(*until), reader(pages), |seen| {
            joiner.take(seen, &mut rows)
        });
        assert!(!round.unwrap().more);
        joiner.at(*until, &mut rows).unwrap();
    }
    joiner.finish(&mut rows).unwrap();
    (rows, joiner)
}

/// The first kinds only.
fn kinds_of(number: usize) -> Vec<Kind> {
    kinds().into_iter().take(number).collect()
}

#[test]
fn a_request_has_its_end_and_its_parts() {
    let first = page(
        &[
            (10, delta(1, 8)),
            (11, delta(1, 9)),
            (12, found(1, "x")),
            (13, request(1, 2, 1)),
            (14, request(2, 1, 0)),
        ],
        None,
    );
    let second = page(&[(20, complete(2, 0, 6)), (21, complete(1, 5, 8))], None);
    // Another CPU's buffer is read first.
    let (rows, joiner) = run(&[vec![(3, second), (1, first)]], &[100], 6);
    assert_eq!(
        rows.0,
        [
            (
                1013,
                "1 Some(1) Some(5) Some(8)".into(),
                Some(2),
                Some("x".into())
            ),
            // Its segment is missing, so it has no list.
            (
                1014,
                "2 Some(1) Some(0) Some(6)".into(),
                None,
                Some(String::new())
            ),
        ]
    );
    assert_eq!((joiner.counts().requests, joiner.holes()), (2, 0));
    assert!(!joiner.in_flight());
}

#[test]
fn nothing_is_in_a_row_that_was_not_asked_for() {
    let events = [(13, request(1, 0, 0)), (14, complete(1, 0, 1))];
    let (rows, _) = run(&[vec![(0, page(&events, None))]], &[100], 4);
    assert_eq!(
        rows.0,
        [(1013, "1 Some(0) Some(0) Some(1)".into(), None, None)]
    );
}

#[test]
fn rows_are_in_the_order_of_their_beginnings() {
    let events: Vec<_> = (1..=10).map(|id| (id * 10, request(id, 0, 0))).collect();
    let ends: Vec<_> = (1..=10)
        .map(|id| (200 + id, complete(11 - id, 0, 5)))
        .collect();
    let (rows, _) = run(
        &[vec![(0, page(&events, None))], vec![(1, page(&ends, None))]],
        &[150, 300],
        4,
    );
    let times: Vec<_> = rows.0.iter().map(|row| row.0).collect();
    assert_eq!(times, (1..=10).map(|id| 1000 + id * 10).collect::<Vec<_>>());
}

#[test]
fn a_slow_request_holds_up_nobody() {
    let begin = page(
        &[
            (10, request(1, 0, 0)),
            (20, request(2, 0, 0)),
            (30, complete(2, 0, 10)),
        ],
        None,
    );
    let later = page(
        &[
            (3 * SECOND, request(3, 0, 0)),
            (3 * SECOND + 1, complete(3, 0, 1)),
        ],
        None,
    );
    let end = page(&[(5 * SECOND, complete(1, 0, 5 * SECOND - 10))], None);
    let (rows, _) = run(
        &[vec![(0, begin)], vec![(0, later)], vec![(0, end)]],
        &[SECOND * 2, 4 * SECOND, 6 * SECOND],
        4,
    );
    assert_eq!(
        rows.texts(),
        [
            "2 Some(0) Some(0) Some(10)",
            "3 Some(0) Some(0) Some(1)",
            "1 Some(0) Some(0) Some(4999999990)",
        ]
    );
    assert_eq!(rows.0[2].0, 1010);
}

#[test]
fn halves_of_requests_have_rows() {
    // 1 began before the recording, 2 does not end in it, 3 did not tell when it began.
    let events = [
        (50, complete(1, 0, 20)),
        (60, request(2, 0, 0)),
        (70, complete(3, 0, 0)),
    ];
    let (rows, joiner) = run(&[vec![(0, page(&events, None))]], &[100], 4);
    let wanted = [
        (1030, "1 None Some(0) Some(20)"),
        (1060, "2 Some(0) None None"),
        (1070, "3 None Some(0) None"),
    ];
    let rows: Vec<_> = rows.0.iter().map(|row| (row.0, row.1.as_str())).collect();
    assert_eq!(rows, wanted);
    assert_eq!(joiner.counts().requests, 3);
    // Nothing waits any more for the end of 2.
    assert!(!joiner.in_flight());
}

#[test]
fn losses_have_rows_and_holes_are_counted() {
    let first = page(&[(10, request(1, 0, 0)), (11, complete(1, 0, 1))], None);
    let second = page(&[(50, request(5, 0, 0)), (51, complete(5, 0, 1))], Some(6));
    let (rows, joiner) = run(&[vec![(2, first), (2, second)]], &[100], 4);
    assert_eq!(
        rows.texts(),
        [
            "1 Some(2) Some(0) Some(1)",
            "lost Some(2) Some(6)",
            "5 Some(2) Some(0) Some(1)",
        ]
    );
    assert_eq!((joiner.counts().lost, joiner.holes()), (6, 3));
}

#[test]
fn marks_and_tables_are_where_they_happened() {
    let dev = u32::try_from(DEVICE).unwrap().to_ne_bytes();
    let events = [
        (10, request(1, 0, 0)),
        (20, event(3, &[&dev, &name("now%20then")])),
        (30, event(4, &[&dev, &[5], &name("0%208")])),
        // Of another device.
        (35, event(3, &[&[1, 0, 0, 0], &name("no")])),
        (40, complete(1, 0, 30)),
    ];
    let (rows, _) = run(&[vec![(0, page(&events, None))]], &[100], 4);
    assert_eq!(
        rows.texts(),
        [
            "1 Some(0) Some(0) Some(30)",
            "mark now%20then",
            "table removed 0%208"
        ]
    );
}

/// Gives an event to the joiner.
fn take(joiner: &mut Joiner, rows: &mut Rows, time: u64, bytes: &[u8]) {
    let event = trace::Event {
        time,
        cpu: 0,
        kind: usize::from(bytes[0]) - 1,
        bytes,
    };
    joiner.take(Seen::Event(event), rows).unwrap();
}

/// If a request never begins, its parts would wait for it forever.
#[test]
fn few_parts_wait_for_requests() {
    let (mut joiner, mut rows) = (joiner(&kinds()), Rows::default());
    take(&mut joiner, &mut rows, 10, &delta(1, 8));
    // The beginning of 2 was lost.
    let (segment, occurrence) = (delta(2, 8), found(2, "x"));
    for part in [&segment, &occurrence].into_iter().cycle().take(PARTS - 1) {
        take(&mut joiner, &mut rows, 11, part);
    }
    assert_eq!(joiner.parts_waiting(), PARTS);
    take(&mut joiner, &mut rows, 12, &delta(3, 9));
    assert_eq!(joiner.parts_waiting(), 1);

    for id in [1, 3] {
        take(&mut joiner, &mut rows, 13, &request(id, 1, 0));
        take(&mut joiner, &mut rows, 14, &complete(id, 0, 1));
    }
    let segments: Vec<_> = rows.0.iter().map(|row| row.2).collect();
    assert_eq!(segments, [None, Some(1)]);
    assert_eq!(joiner.parts_waiting(), 0);
}

proptest! {
    /// However requests are spread over CPUs, rounds and pages, each has one row, in order, and what it should say.
    #[test]
    fn all_requests_have_one_row(
        requests in prop::collection::vec((1..2000_u64, 1..5000_u64, 0..4_usize, 0..4_usize), 1..300),
        cuts in prop::collection::vec(0..300_000_u64, 0..6),
    ) {
        let mut events: [Vec<(u64, Vec<u8>)>; 4] = Default::default();
        let mut now = 0;
        let mut wanted = Vec::new();
        for (index, (gap, latency, from, to)) in requests.iter().enumerate() {
            now += gap;
            let id = index as u64 + 1;
            events[*from].push((now, request(id, 0, 0)));
            events[*to].push((now + latency, complete(id, 0, *latency)));
            wanted.push(format!("{id} Some({from}) Some(0) Some({latency})"));
        }
        let mut cuts = cuts;
        cuts.push(u64::MAX);
        cuts.sort_unstable();
        let mut rounds = Vec::new();
        let mut from = 0;
        for cut in &cuts {
            let mut pages = Vec::new();
            for (cpu, events) in events.iter_mut().enumerate() {
                events.sort_by_key(|(time, _)| *time);
                let these: Vec<_> = events
                    .iter()
                    .filter(|(time, _)| (from..*cut).contains(time))
                    .cloned()
                    .collect();
                pages.extend(these.chunks(20).map(|chunk| (cpu, page(chunk, None))));
            }
            from = *cut;
            rounds.push(pages);
        }
        // The clock never gets far ahead here, so nothing is slow.
        let until: Vec<_> = cuts.iter().map(|cut| (*cut).min(SECOND / 2)).collect();
        let (rows, joiner) = run(&rounds, &until, 4);
        prop_assert_eq!(rows.texts(), wanted);
        prop_assert_eq!(joiner.holes(), 0);
    }

    /// Any bytes may be in a page.
    #[test]
    fn any_page_is_read(
        bytes in prop::collection::vec(any::<u8>(), 0..4096),
        flips in prop::collection::vec((0..4096_usize, any::<u8>()), 0..20),
    ) {
        let events = [(13, request(1, 0, 0)), (14, complete(1, 0, 1)), (15, delta(1, 2)), (16, found(1, "x"))];
        let mut damaged = page(&events, Some(5));
        for (place, byte) in flips {
            damaged[place] = byte;
        }
        struct Any;
        impl Sink for Any {
            fn row(&mut self, _: &Row<'_>, _: Option<&[Delta]>, _: Option<&[Match<'_>]>) -> Result<(), Failure> {
                Ok(())
            }
        }
        let all = kinds();
        let (mut merge, mut joiner) = (merge(4), joiner(&all));
        for page in [bytes, damaged] {
            let pages = [(1, page)];
            merge.round(Span::ALL, reader(&pages), |seen| joiner.take(seen, &mut Any)).unwrap();
        }
        joiner.finish(&mut Any).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn rounds_pass_on_all_events_in_order_and_few_wait(
        // For each CPU, how far the events of each page are apart.
        cpus in prop::collection::vec(prop::collection::vec(0_u64..50, 0..50), 3),
        pass in 0_u64..400_000,
        up_to in 0_u64..450_000,
    ) {
        const EVENTS: u64 = 250;
        let (mut pages, mut wanted) = (Vec::new(), Vec::new());
        for (cpu, steps) in cpus.iter().enumerate() {
            let mut now = 0;
            for step in steps {
                let events: Vec<_> = (1..=EVENTS).map(|index| (now + index * step, event(3, &[]))).collect();
                now += EVENTS * step;
                wanted.extend(events.iter().map(|(time, _)| (*time, cpu)));
                pages.push((cpu, page(&events, None)));
            }
        }
        wanted.sort();
        let (mut merge, mut read) = (merge(3), reader(&pages));
        let times: Vec<Vec<u64>> = (0..3).map(|cpu| {
            wanted.iter().filter(|(_, of)| *of == cpu).map(|(time, _)| *time).collect()
        }).collect();
        // How many events of each CPU were passed on, and read.
        let (mut seen, counts) = (Vec::new(), RefCell::new([(0_usize, 0_usize); 3]));
        let mut look = |span: Span| {
            let fill = |cpu: usize, to: &mut [u8]| {
                // Another page is read: few events wait, or all that wait are too young, and none is even younger.
                let (passed, read_of) = counts.borrow()[cpu];
                if read_of > passed {
                    let (first, last) = (times[cpu][passed], times[cpu][read_of - 1]);
                    assert!(read_of - passed < 4096 || first >= last.min(span.pass));
                    assert!(last < span.read);
                }
                let filled = read(cpu, to)?;
                if filled.is_some() {
                    counts.borrow_mut()[cpu].1 += EVENTS as usize;
                }
                Ok::<_, Failure>(filled)
            };
            let round = merge.round(span, fill, |event| {
                let Seen::Event(event) = event else { return Err(Failure::new("nothing is lost")) };
                counts.borrow_mut()[event.cpu as usize].0 += 1;
                seen.push((event.time, event.cpu as usize));
                Ok(())
            }).unwrap();
            assert!(seen.iter().all(|(time, _)| *time < round.until));
            let all = wanted.iter().take_while(|(time, _)| *time < round.until).count();
            assert_eq!(seen.len(), all);
            round
        };
        let part = Span { pass, read: up_to };
        prop_assert!(look(part).until <= pass);
        let mut rounds = 0;
        for span in [part, Span::ALL] {
            while look(span).more {
                rounds += 1;
                prop_assert!(rounds < 1000, "it does not end");
            }
        }
        // What happened at the same time on several CPUs has no order.
        prop_assert!(seen.is_sorted_by_key(|(time, _)| *time));
        seen.sort();
        prop_assert!(seen == wanted);
    }
}
