// SPDX-License-Identifier: GPL-2.0

//! Workloads of known shape: rows for recordings that no kernel made. With them, tests know what is in a recording, and
//! measurements can have as many rows as they want. The same shape, number of rows and seed give the same rows.
//!
//! Each request takes 80 µs, 1 µs for each 4 KiB, and a random time with a mean of 20 µs, whose distribution is
//! exponential. As many requests are in flight as the shape says: when one completes, the next begins.

use crate::recording::{
    head::{
        Device,
        Head,
        VERSION, //
    },
    row::{
        Begin,
        Delta,
        Event,
        Match,
        Request,
        Row, //
    },
    writer::Writer,
};
use clap::ValueEnum;
use imgrement_core::record::{
    Flags,
    Op, //
};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{
        self,
        Write, //
    }, //
};

/// The size of the disk, in sectors of 512 bytes: 64 GiB.
pub const SECTORS: u64 = 128 << 20;

/// When the first request begins, in nanoseconds since 1970.
pub const BEGAN: i64 = 1_700_000_000_000_000_000;

/// What the segment and the match of [`Shape::Everything`] say.
const DELTA: Delta = Delta {
    length: 4096,
    offset: 0,
    sector: 0,
    hits: 1,
};

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Reads of 128 KiB, each where the one before ended; one at a time
    Sequential,
    /// Reads and writes (70 : 30) of 4 KiB, anywhere; 32 at once
    Random,
    /// Writes of 4 KiB to 1,048,576 places. The place of rank K has a share of ln(1 + 1/K) / 13.86; 8 at once
    Zipf,
    /// Reads and writes (50 : 50) of 4, 8, 16, 64, 256 and 1024 KiB in equal parts, anywhere; 16 at once
    Mixed,
    /// One after another: three writes of 4 KiB, and a flush that takes 2 ms more
    Fsync,
    /// Random reads of 4 KiB; 256 at once
    Deep,
    /// Each kind of row, and requests with and without each field, on two devices; 4 at once
    Everything,
}

impl Shape {
    /// How many requests are in flight.
    pub const fn depth(self) -> u32 {
        match self {
            Self::Sequential | Self::Fsync => 1,
            Self::Random => 32,
            Self::Zipf => 8,
            Self::Mixed => 16,
            Self::Deep => 256,
            Self::Everything => 4,
        }
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// The head of its recordings.
    pub fn head(self) -> Head {
        let device = |index: u32| Device {
            name: format!(
                "imgrement-sd{}",
                char::from(b'b'.saturating_add(index as u8))
            ),
            number: format!("253:{index}"),
            disk: format!("sd{}", char::from(b'b'.saturating_add(index as u8))),
            disk_number: format!("8:{}", 16 + 16 * index),
            offset: 0,
            sectors: SECTORS,
            block_size: 512,
            table: format!("0 {SECTORS} imgrement 8:{} 0", 16 + 16 * index),
        };
        let devices = match self {
            Self::Everything => 2,
            Self::Sequential
            | Self::Random
            | Self::Zipf
            | Self::Mixed
            | Self::Fsync
            | Self::Deep => 1,
        };
        Head {
            version: VERSION,
            made_by: concat!("imgrement-generate ", env!("CARGO_PKG_VERSION")).to_owned(),
            host: "generated".to_owned(),
            kernel: "none".to_owned(),
            cpus: 4,
            began: BEGAN,
            clock_offset: BEGAN,
            command: vec!["generate".to_owned(), self.name()],
            devices: (0..devices).map(device).collect(),
        }
    }

    /// Writes a whole recording of so many rows.
    pub fn write<W: Write>(self, file: W, rows: u64, seed: u64) -> io::Result<W> {
        let mut writer = Writer::new(file, &self.head())?;
        let mut workload = Workload::new(self, seed);
        for _ in 0..rows {
            workload.add_to(&mut writer)?;
        }
        writer.finish()
    }
}

/// The rows of a workload, one after another, without an end.
#[derive(Debug)]
pub struct Workload {
    shape: Shape,
    random: Random,
    /// When the requests in flight complete, in nanoseconds since the beginning.
    in_flight: BinaryHeap<Reverse<u64>>,
    /// How many rows there were.
    rows: u64,
    /// Where the last sequential request ended.
    next: u64,
}

impl Workload {
    /// The rows of a shape.
    pub fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            random: Random(seed),
            in_flight: (0..shape.depth()).map(|_| Reverse(0)).collect(),
            rows: 0,
            next: 0,
        }
    }

    /// Adds the next row to a recording.
    pub fn add_to<W: Write>(&mut self, writer: &mut Writer<W>) -> io::Result<()> {
        let row = self.next_row();
        if self.shape != Shape::Everything {
            return writer.add(&row, None, None);
        }
        let sector = match &row.event {
            Event::Request(request) => request.sector,
            Event::Mark(_) | Event::Table { .. } | Event::Lost { .. } => {
                return writer.add(&row, None, None)
            }
        };
        let deltas = [Delta { sector, ..DELTA }];
        let matches = [Match {
            pattern: "BEGIN%20RSA",
            place: "page",
            sector,
            byte: 17,
        }];
        // One list, both, none, empty ones.
        match self.rows % 4 {
            0 => writer.add(&row, Some(&deltas), Some(&matches)),
            1 => writer.add(&row, Some(&deltas), None),
            2 => writer.add(&row, Some(&[]), Some(&[])),
            _ => writer.add(&row, None, None),
        }
    }

    /// The next row.
    pub fn next_row(&mut self) -> Row<'static> {
        let began = self.in_flight.peek().map_or(0, |Reverse(end)| *end);
        let time = BEGAN.saturating_add_unsigned(began);
        self.rows += 1;
        if self.shape == Shape::Everything {
            let event = match self.rows % 50 {
                10 => Some((Some(0), Event::Mark("half%20way"))),
                20 => Some((
                    Some(1),
                    Event::Table {
                        reason: "changed",
                        line: "0 134217728 imgrement 8:32 0 2 log off",
                    },
                )),
                30 => Some((
                    None,
                    Event::Lost {
                        cpu: Some(1),
                        events: Some(7),
                    },
                )),
                40 => Some((
                    None,
                    Event::Lost {
                        cpu: None,
                        events: None,
                    },
                )),
                _ => None,
            };
            if let Some((device, event)) = event {
                return Row {
                    time,
                    device,
                    event,
                };
            }
        }
        let mut request = self.request();
        let random = (-self.random.unit().ln() * 20_000.0) as u64;
        let flush = 2_000_000 * u64::from(request.op == Op::Flush);
        let latency = 80_000 + u64::from(request.bytes) * 1000 / 4096 + random + flush;
        request.latency = Some(latency);
        self.in_flight.pop();
        self.in_flight.push(Reverse(began.saturating_add(latency)));
        let mut device = 0;
        if self.shape == Shape::Everything {
            device = u8::from(self.rows % 3 == 0);
            match self.rows % 11 {
                // It failed.
                1 => request.errno = Some(5),
                // Its end was not seen.
                2 => (request.errno, request.latency) = (None, None),
                // Nor was its beginning.
                3 => (request.begin, request.latency, request.id) = (None, None, 0),
                4 => request.begin = None,
                _ => {}
            }
        }
        Row {
            time,
            device: Some(device),
            event: Event::Request(request),
        }
    }

    /// The next request.
    fn request(&mut self) -> Request<'static> {
        /// A place for this many bytes, at a multiple of 4 KiB.
        fn anywhere(random: &mut Random, bytes: u32) -> u64 {
            random.below((SECTORS - u64::from(bytes / 512)) / 8) * 8
        }
        const BLOCK: u32 = 4096;
        const PLACES: u64 = 1 << 20;
        let write = |share| match share {
            true => Op::Write,
            false => Op::Read,
        };
        let random = &mut self.random;
        let (op, sector, bytes) = match self.shape {
            Shape::Sequential => {
                let sector = self.next % SECTORS;
                self.next += 256;
                (Op::Read, sector, 128 << 10)
            }
            Shape::Random => (write(random.below(10) < 3), anywhere(random, BLOCK), BLOCK),
            Shape::Zipf => {
                // P(rank <= k) = ln(k + 1) / ln(PLACES + 1). The factor is odd, so each rank has a place of its own.
                let rank = ((PLACES + 1) as f64).powf(random.unit()) as u64;
                let place = rank.wrapping_sub(1).wrapping_mul(0x9e37_79b1) % PLACES;
                (Op::Write, place * 8, BLOCK)
            }
            Shape::Mixed => {
                let shift = [2, 3, 4, 6, 8, 10];
                let size = random.below(6) as usize;
                let bytes = 1024 << shift.get(size).copied().unwrap_or(2);
                (write(random.below(2) == 0), anywhere(random, bytes), bytes)
            }
            Shape::Fsync if self.rows % 4 == 0 => (Op::Flush, 0, 0),
            Shape::Fsync => (Op::Write, anywhere(random, BLOCK), BLOCK),
            Shape::Deep => (Op::Read, anywhere(random, BLOCK), BLOCK),
            Shape::Everything => {
                let op = usize::try_from(self.rows).unwrap_or(0) % Op::ALL.len();
                let op = Op::ALL.get(op).copied().unwrap_or(Op::Other);
                (op, anywhere(random, BLOCK), BLOCK)
            }
        };
        let cpu = self.rows % 4;
        Request {
            id: (cpu << 48) + self.rows / 4 + 1,
            op,
            flags: Flags::SYNC.bits() * u32::from(op == Op::Write),
            sector,
            bytes,
            errno: Some(0),
            latency: None,
            command: match self.shape == Shape::Everything && cpu == 0 {
                true => "kworker/u8:1",
                false => "generate",
            },
            begin: Some(Begin {
                cpu: cpu as u32,
                pid: 1000 + cpu as u32,
                cgroup: 1,
                segments: bytes.div_ceil(BLOCK),
                ..Begin::default()
            }),
        }
    }
}

/// Random numbers: splitmix64.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A number above 0, up to 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::recording::reader::Reader;
    use std::collections::HashMap;

    /// The requests of a recording: device, sector, and when it began and ended.
    fn requests(shape: Shape, rows: u64) -> Vec<(Request<'static>, i64)> {
        let mut workload = Workload::new(shape, 1);
        (0..rows)
            .filter_map(|_| {
                let row = workload.next_row();
                match row.event {
                    Event::Request(request) => Some((request, row.time)),
                    Event::Mark(_) | Event::Table { .. } | Event::Lost { .. } => None,
                }
            })
            .collect()
    }

    #[test]
    fn as_many_are_in_flight_as_was_said() {
        for shape in [Shape::Sequential, Shape::Random, Shape::Deep, Shape::Mixed] {
            let requests = requests(shape, 5000);
            let times: Vec<_> = requests.iter().map(|(_, time)| *time).collect();
            assert!(times.is_sorted(), "{shape:?}");
            for (_, time) in requests.iter().skip(1000).step_by(97) {
                let open = requests.iter().filter(|(request, began)| {
                    let end = began + i64::try_from(request.latency.unwrap()).unwrap();
                    began <= time && end > *time
                });
                assert_eq!(open.count(), shape.depth() as usize, "{shape:?}");
            }
        }
    }

    #[test]
    fn zipf_is_zipf() {
        let mut ranks: HashMap<u64, u32> = HashMap::new();
        for (request, _) in requests(Shape::Zipf, 100_000) {
            *ranks.entry(request.sector).or_default() += 1;
        }
        let mut counts: Vec<_> = ranks.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        // ln 2 / ln(2^20 + 1) = 5 % of them go to the first place, ln 1.5 / ln(2^20 + 1) = 2.9 % to the second.
        assert!((4800..5200).contains(&counts[0]), "{}", counts[0]);
        assert!((2750..3100).contains(&counts[1]), "{}", counts[1]);
    }

    #[test]
    fn each_shape_makes_a_whole_recording() {
        for shape in Shape::value_variants() {
            let bytes = shape.write(Vec::new(), 3000, 7).unwrap();
            assert_eq!(bytes, shape.write(Vec::new(), 3000, 7).unwrap());
            let mut reader = Reader::new(bytes.as_slice(), false).unwrap();
            let (mut rows, mut workload) = (0, Workload::new(*shape, 7));
            while let Some(batch) = reader.next_batch().unwrap() {
                for row in batch.rows() {
                    assert_eq!(row, workload.next_row());
                    rows += 1;
                }
            }
            assert_eq!((rows, reader.head()), (3000, &shape.head()));
            assert!(reader.finish().is_ok());
        }
    }
}
