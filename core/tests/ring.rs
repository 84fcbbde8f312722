// SPDX-License-Identifier: GPL-2.0

//! Pages of trace buffers, written as the kernel does, and then damaged.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::ring::{
    layout::{
        event_number,
        Field,
        Layout, //
    },
    page::{
        Lost,
        Page, //
    },
};
use proptest::prelude::*;

const HEADER_PAGE: &str = "\
\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
";

const HEADER_EVENT: &str = "\
# compressed entry header
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits

\tpadding     : type == 29
\ttime_extend : type == 30
\ttime_stamp : type == 31
\tdata max type_len  == 28
";

const FORMAT: &str = "\
name: match
ID: 1234
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

\tfield:dev_t dev;\toffset:8;\tsize:4;\tsigned:0;
\tfield:u64 id;\toffset:16;\tsize:8;\tsigned:0;
\tfield:char command[16];\toffset:24;\tsize:16;\tsigned:0;
\tfield:__data_loc char[] pattern;\toffset:40;\tsize:4;\tsigned:0;

print fmt: \"field:u64 no;\"
";

fn layout() -> Layout {
    Layout::read(HEADER_PAGE, HEADER_EVENT).unwrap()
}

/// An entry of a page.
#[derive(Clone, Debug)]
enum Entry {
    /// An event: the time since the entry before it, and its words.
    Event(u32, Vec<u32>),
    /// Time passes.
    Extend(u64),
    /// Something was discarded.
    Padding(u8),
}

fn entry() -> impl Strategy<Value = Entry> {
    let delta = 0_u32..1 << 27;
    prop_oneof![
        4 => (delta, prop::collection::vec(any::<u32>(), 1..40)).prop_map(|(time, words)| Entry::Event(time, words)),
        1 => (0_u64..1 << 59).prop_map(Entry::Extend),
        1 => (1_u8..20).prop_map(Entry::Padding),
    ]
}

/// The time and the bytes of each event.
type Events = Vec<(u64, Vec<u8>)>;

/// The bytes of a page, and its events: the time and bytes of each, and where it ends in the data.
fn page(begin: u64, entries: &[Entry], lost: Option<Lost>) -> (Vec<u8>, Events, Vec<usize>) {
    let (mut data, mut events, mut ends, mut time) = (Vec::new(), Vec::new(), Vec::new(), begin);
    let word = |data: &mut Vec<u8>, word: u32| data.extend(word.to_ne_bytes());
    for entry in entries {
        match entry {
            Entry::Event(delta, words) => {
                let length = u32::try_from(words.len()).unwrap();
                if length <= 28 {
                    word(&mut data, delta << 5 | length);
                } else {
                    word(&mut data, delta << 5);
                    word(&mut data, length * 4 + 4);
                }
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
                data.extend(&bytes);
                time = time.wrapping_add(u64::from(*delta));
                events.push((time, bytes));
                ends.push(data.len());
            }
            Entry::Extend(delta) => {
                word(
                    &mut data,
                    u32::try_from(delta & ((1 << 27) - 1)).unwrap() << 5 | 30,
                );
                word(&mut data, u32::try_from(delta >> 27).unwrap());
                time = time.wrapping_add(*delta);
            }
            Entry::Padding(words) => {
                word(&mut data, 1 << 5 | 29);
                word(&mut data, u32::from(*words) * 4);
                data.extend(vec![0xa5; (usize::from(*words) - 1) * 4]);
            }
        }
    }
    let mut commit = u64::try_from(data.len()).unwrap();
    match lost {
        None => {}
        Some(Lost::Unknown) => commit |= 1 << 31,
        Some(Lost::Known(number)) => {
            commit |= 3 << 30;
            data.extend(number.to_ne_bytes());
        }
    }
    let page = [begin.to_ne_bytes().as_slice(), &commit.to_ne_bytes(), &data].concat();
    (page, events, ends)
}

fn lost() -> impl Strategy<Value = Option<Lost>> {
    prop_oneof![
        Just(None),
        Just(Some(Lost::Unknown)),
        any::<u64>().prop_map(|number| Some(Lost::Known(number))),
    ]
}

proptest! {
    /// What was written is read.
    #[test]
    fn pages_are_read(begin: u64, entries in prop::collection::vec(entry(), 0..40), lost in lost()) {
        let (bytes, events, _) = page(begin, &entries, lost);
        let page = Page::new(&layout(), &bytes).unwrap();
        prop_assert_eq!(page.lost(), lost);
        let read: Vec<_> = page.map(|event| (event.time, event.bytes.to_vec())).collect();
        prop_assert_eq!(read, events);
    }

    /// Whatever is flipped or cut off: reading ends, and what comes before it is still read.
    #[test]
    fn damaged_pages_are_read_up_to_the_damage(
        entries in prop::collection::vec(entry(), 1..40),
        at: prop::sample::Index,
        bits in 1_u8..,
        cut: bool,
    ) {
        let (mut bytes, events, ends) = page(0, &entries, None);
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= bits;
        }
        let read = Page::new(&layout(), &bytes).into_iter().flatten().take(bytes.len() + 1);
        let read: Vec<_> = read.map(|event| (event.time, event.bytes.to_vec())).collect();
        prop_assert!(read.len() <= bytes.len());
        if !cut && at >= 16 {
            let before = ends.iter().filter(|end| *end + 16 <= at).count();
            prop_assert_eq!(&read[..before], &events[..before]);
        }
    }

    /// Any bytes are read without a panic or an endless loop, also by any description.
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[ -~\n\t]{0,200}") {
        for layout in [Some(layout()), Layout::read(&text, HEADER_EVENT)].into_iter().flatten() {
            let events = Page::new(&layout, &bytes).into_iter().flatten().count();
            prop_assert!(events <= bytes.len());
        }
        let _ = Field::find(&text, "data").and_then(|field| field.text(&bytes));
        let _ = event_number(&text);
    }

    /// The place of a text may be anything.
    #[test]
    fn any_event_is_read(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for name in ["common_type", "dev", "id", "command", "pattern"] {
            let field = Field::find(FORMAT, name).unwrap();
            let text = field.text(&bytes);
            prop_assert!(text.is_none_or(|text| text.len() <= bytes.len() && !text.contains(&0)));
            let _ = field.number(&bytes);
        }
    }
}

#[test]
fn descriptions_are_read() {
    assert_eq!(layout().page_size(), 4096);
    assert_eq!(event_number(FORMAT), Some(1234));
    assert_eq!(Field::find(FORMAT, "no"), None);
    let field = |offset, size, located| {
        Some(Field {
            offset,
            size,
            located,
        })
    };
    assert_eq!(Field::find(FORMAT, "id"), field(16, 8, false));
    assert_eq!(Field::find(FORMAT, "command"), field(24, 16, false));
    assert_eq!(Field::find(FORMAT, "pattern"), field(40, 4, true));
    assert_eq!(
        Layout::read(HEADER_PAGE, &HEADER_EVENT.replace("27 bits", "28 bits")),
        None
    );

    let mut event = vec![0; 48];
    event[16] = 7;
    event[24..28].copy_from_slice(b"dd\0x");
    event[40..44].copy_from_slice(&(4_u32 << 16 | 44).to_ne_bytes());
    event[44..48].copy_from_slice(b"DAM\0");
    let text = |name| Field::find(FORMAT, name).and_then(|field| field.text(&event));
    assert_eq!(
        Field::find(FORMAT, "id").and_then(|field| field.number(&event)),
        Some(7)
    );
    assert_eq!(text("command"), Some(b"dd".as_slice()));
    assert_eq!(text("pattern"), Some(b"DAM".as_slice()));
}
