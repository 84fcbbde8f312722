// SPDX-License-Identifier: GPL-2.0

use super::{
    axis::Axis,
    latency::BINS,
    *, //
};
use crate::{
    recording::{
        row::{
            Event,
            Request, //
        },
        writer::Writer, //
    },
    shapes::Shape,
};
use imgrement_core::record::Op;
use proptest::prelude::*;

const LOOK: Look = Look {
    pixels: (1000, 700),
    theme: Theme::Light,
};

/// The picture of a recording, and whether the recording is whole.
fn draw(recording: &[u8], png: bool) -> (Result<Vec<u8>, Failure>, Result<(), Failure>) {
    let mut reader = Reader::new(recording, false).unwrap();
    let wish = Wish {
        device: Some("imgrement-sdb"),
        period: Period::default(),
        title: None,
        look: LOOK,
        png,
    };
    let picture = picture(&mut reader, &wish, |_| ());
    (picture, reader.finish())
}

fn recording(shape: Shape, rows: u64) -> Vec<u8> {
    shape.write(Vec::new(), rows, 1).unwrap()
}

/// A picture is compared with the one in the repository. After a change on purpose, look at it, and then run the test
/// with GOLDEN=write.
fn compare(name: &str, recording: &[u8]) {
    let (picture, whole) = draw(recording, false);
    let picture = String::from_utf8(picture.unwrap()).unwrap();
    assert!(whole.is_ok());
    let file = format!("{}/src/plot/golden/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GOLDEN").is_some() {
        std::fs::write(&file, &picture).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap();
    for (line, (found, wanted)) in picture.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "{file}, line {}", line + 1);
    }
    assert_eq!(picture.len(), wanted.len());
}

#[test]
fn few_requests_are_drawn_one_by_one() {
    compare("few", &recording(Shape::Everything, 300));
}

#[test]
fn many_requests_are_drawn_as_heat_maps() {
    compare("many", &recording(Shape::Fsync, 4000));
}

#[test]
fn a_png_has_the_same_picture() {
    let bytes = draw(&recording(Shape::Fsync, 4000), true).0.unwrap();
    let decoder = ::png::Decoder::new(bytes.as_slice());
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size()];
    let about = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((about.width, about.height), LOOK.pixels);
    let count = |colour: [u8; 3]| pixels.chunks(3).filter(|pixel| **pixel == colour).count();
    // The background, the legend for writes and flushes, and letters.
    assert!((300_000..680_000).contains(&count([255, 255, 255])));
    assert!(count([213, 94, 0]) > 80);
    assert!(count([0, 158, 115]) > 80);
    assert!(count([0x1f, 0x23, 0x28]) > 500);
}

#[test]
fn a_picture_is_small_however_much_is_in_it() {
    for shape in [Shape::Random, Shape::Mixed] {
        let svg = draw(&recording(shape, 200_000), false).0.unwrap();
        assert!(svg.len() < 400_000, "{}", svg.len());
    }
}

#[test]
fn what_is_whole_is_drawn() {
    let mut bytes = recording(Shape::Random, 100_000);
    bytes.truncate(bytes.len() / 2);
    let (picture, whole) = draw(&bytes, false);
    let picture = String::from_utf8(picture.unwrap()).unwrap();
    assert!(picture.contains("The recording is not whole."));
    assert!(whole.is_err());
}

#[test]
fn a_device_must_be_chosen_if_there_are_several() {
    let bytes = recording(Shape::Everything, 300);
    for (device, wanted) in [
        (None, "several devices"),
        (Some("sdq"), "the recording has no device sdq"),
    ] {
        let mut reader = Reader::new(bytes.as_slice(), false).unwrap();
        let wish = Wish {
            device,
            period: Period::default(),
            title: None,
            look: LOOK,
            png: false,
        };
        let failure = picture(&mut reader, &wish, |_| ()).unwrap_err();
        assert!(failure.to_string().contains(wanted), "{failure}");
    }
}

#[test]
fn a_recording_without_requests_has_no_picture() {
    let writer = Writer::new(Vec::new(), &Shape::Random.head()).unwrap();
    let failure = draw(&writer.finish().unwrap(), false).0.unwrap_err();
    assert!(failure.to_string().contains("nothing to show"), "{failure}");
}

/// A request that a property makes up.
#[derive(Clone, Copy, Debug)]
struct Made {
    time: i64,
    op: Op,
    sector: u64,
    bytes: u32,
    latency: Option<u64>,
}

/// A number of any magnitude, so that bins of each width occur.
fn any_size(bits: u32) -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..bits).prop_map(|(number, bits)| number & ((1 << bits) - 1))
}

fn made() -> impl Strategy<Value = Made> {
    let op = prop::sample::select(Op::ALL.to_vec());
    let latency = prop::option::of(any_size(40));
    (
        any_size(44),
        any::<bool>(),
        op,
        any_size(40),
        any_size(24),
        latency,
    )
        .prop_map(|(time, before, op, sector, bytes, latency)| {
            let time = i64::try_from(time).unwrap();
            Made {
                // Rows need not be in order, and some began before the recording.
                time: if before { -time / 16 } else { time },
                op,
                sector,
                bytes: u32::try_from(bytes).unwrap(),
                latency,
            }
        })
}

/// The bin of a value, by the axis at the end.
fn bin(axis: &Axis, value: i64) -> usize {
    usize::try_from((value - axis.start(0)).div_euclid(axis.width())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// What is counted while bins grow is what is counted in the bins of the end.
    #[test]
    fn bins_have_what_belongs_to_them(requests in prop::collection::vec(made(), 1..60)) {
        let window = Window { origin: Some(0), from: None, to: None };
        let mut data = Data::new(window);
        for one in &requests {
            data.add(&Row {
                time: one.time,
                device: Some(0),
                event: Event::Request(Request {
                    id: 1,
                    op: one.op,
                    flags: 0,
                    sector: one.sector,
                    bytes: one.bytes,
                    errno: Some(0),
                    latency: one.latency,
                    command: "",
                    begin: None,
                }),
            });
        }
        let (times, places) = (data.time.bins(), data.place.bins());
        let width = data.time.width();
        for class in class::Class::ALL {
            let mut map = vec![0; if class.has_place() { times * places } else { 0 }];
            let mut latencies = vec![0; times * BINS];
            let (mut bytes, mut ended) = (vec![0; times], vec![0; times]);
            for one in requests.iter().filter(|one| class::Class::of(one.op) == class) {
                let begin = bin(&data.time, one.time);
                let latency = i64::try_from(one.latency.unwrap_or(0)).unwrap();
                let end = bin(&data.time, one.time + latency);
                bytes[end] += u64::from(one.bytes);
                ended[end] += 1;
                if let Some(latency) = one.latency {
                    latencies[begin * BINS + latency::index(latency)] += 1;
                }
                let sectors = i64::from(one.bytes.div_ceil(512));
                let first = i64::try_from(one.sector).unwrap();
                if class.has_place() {
                    // Bin by bin. Those at the left may begin below 0.
                    for place in 0..places {
                        let low = data.place.start(place);
                        let high = low + data.place.width();
                        let covered = (first + sectors).min(high) - first.max(low);
                        map[begin * places + place] += u64::try_from(covered).unwrap_or(0);
                    }
                }
            }
            prop_assert!(map == *data.map.get(class), "map of {class:?}");
            prop_assert!(latencies == *data.latency.get(class), "latencies of {class:?}");
            prop_assert_eq!(&bytes, data.bytes.get(class));
            prop_assert_eq!(&ended, data.ended.get(class));
        }
        let depths: Vec<u64> = (0..times).map(|index| {
            let low = data.time.start(index);
            let spent = requests.iter().map(|one| {
                let end = one.time + i64::try_from(one.latency.unwrap_or(0)).unwrap();
                end.min(low + width) - one.time.max(low)
            });
            spent.map(|spent| u64::try_from(spent).unwrap_or(0)).sum()
        }).collect();
        prop_assert_eq!(depths, data.depth.sums(width));
    }

    /// Groups have all bins in use, each once.
    #[test]
    fn groups_cover_what_is_used(
        values in prop::collection::vec((any_size(50), any::<bool>()), 1..20),
        most in 1..400_usize,
    ) {
        let signed = |(size, below): &(u64, bool)| {
            let size = i64::try_from(*size).unwrap();
            if *below { -size } else { size }
        };
        let values: Vec<i64> = values.iter().map(signed).collect();
        let mut axis = Axis::new(512, 3);
        for value in &values {
            axis.fit(*value, *value);
        }
        let groups = axis.groups(most);
        prop_assert!((1..=most.max(2)).contains(&groups.len));
        for value in values {
            prop_assert!((groups.start..groups.end()).contains(&value));
            let group = usize::try_from((value - groups.start) / groups.width).unwrap();
            prop_assert_eq!(groups.of(axis.index(value)), group);
        }
    }
}

/// Numbers that no disk has do no harm.
#[test]
fn extreme_numbers_do_no_harm() {
    let mut writer = Writer::new(Vec::new(), &Shape::Random.head()).unwrap();
    for time in [i64::MIN, -1, 0, 1, i64::MAX] {
        for sector in [0, u64::MAX] {
            for latency in [None, Some(0), Some(u64::MAX)] {
                let event = Event::Request(Request {
                    id: 1,
                    op: Op::Write,
                    flags: u32::MAX,
                    sector,
                    bytes: u32::MAX,
                    errno: Some(u32::MAX),
                    latency,
                    command: "",
                    begin: None,
                });
                let row = Row {
                    time,
                    device: Some(0),
                    event,
                };
                writer.add(&row, None, None).unwrap();
            }
        }
        let event = Event::Mark("%zz<&");
        writer
            .add(
                &Row {
                    time,
                    device: None,
                    event,
                },
                None,
                None,
            )
            .unwrap();
        let events = Some(u64::MAX);
        let event = Event::Lost { cpu: None, events };
        writer
            .add(
                &Row {
                    time,
                    device: None,
                    event,
                },
                None,
                None,
            )
            .unwrap();
    }
    let bytes = writer.finish().unwrap();
    assert!(draw(&bytes, false).0.is_ok());
    assert!(draw(&bytes, true).0.is_ok());
}
