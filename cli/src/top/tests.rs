// SPDX-License-Identifier: GPL-2.0

//! Figures against a slow oracle, which keeps all requests; and screens against what they are to look like.

use super::{
    batch,
    figures::{
        Figures,
        Watched, //
    },
    keys::keys,
    screen,
    view::{
        Filter,
        Page,
        View,
        Wish, //
    },
    window::{
        Command,
        Completion,
        Totals,
        Window,
        RANGE, //
    },
};
use imgrement_core::record::Op;
use proptest::prelude::*;
use ratatui::{
    backend::TestBackend,
    Terminal, //
};
use std::{
    collections::BTreeMap,
    env,
    fs,
    sync::OnceLock, //
};

const MS: u64 = 1_000_000;

/// 20 devices, which take a while to make.
static MANY: OnceLock<(Totals, Vec<Watched>)> = OnceLock::new();

fn command(name: &str) -> Command {
    let mut command = [0; 16];
    command[..name.len()].copy_from_slice(name.as_bytes());
    command
}

fn watched(names: &[&str]) -> Vec<Watched> {
    let watched = |name: &&str| Watched {
        name: (*name).into(),
        ..Watched::default()
    };
    names.iter().map(watched).collect()
}

fn completions() -> impl Strategy<Value = Vec<Completion>> {
    let op = prop::sample::select(vec![Op::Read, Op::Write, Op::Flush, Op::ZoneFinish]);
    let one = (
        0..3000_u64,
        0..3_u16,
        op,
        0..20_u64,
        0..5_u64,
        any::<bool>(),
        0..4000_u64,
        0..3_u8,
    );
    let completion =
        one.prop_map(
            |(time, device, op, sector, pages, failed, latency, task)| Completion {
                time: 5000 + time,
                device,
                op,
                sector: sector * 1000,
                bytes: pages * 4096,
                failed,
                latency: Some(latency).filter(|latency| *latency > 0),
                command: command(&format!("task{task}")),
            },
        );
    prop::collection::vec(completion, 0..200)
}

/// What a request belongs to in each list.
type Oracle = BTreeMap<(&'static str, String), (u64, u64)>;

fn oracle(completions: &[Completion], names: &[Watched], filter: &Filter) -> Oracle {
    let mut sums = Oracle::new();
    for completion in completions {
        let name = &names[usize::from(completion.device)].name;
        let op = completion.op;
        if !name.contains(&filter.text) || filter.op.is_some_and(|wanted| wanted != op) {
            continue;
        }
        let task = String::from_utf8(completion.command.to_vec()).unwrap();
        let range = completion.sector / RANGE * RANGE;
        let mut add = |list, key: String| {
            let sum = sums.entry((list, key)).or_default();
            sum.0 += 1;
            sum.1 += completion.bytes;
        };
        add("op", crate::recording::row::op_name(op).into());
        add("device", name.clone());
        add("task", task.trim_end_matches('\0').into());
        if completion.bytes > 0 {
            add("range", format!("{name} {range}"));
        }
    }
    sums
}

fn lists(figures: &Figures) -> Oracle {
    let mut sums = Oracle::new();
    let mut add = |list, key: String, requests: f64, bytes: f64| {
        let whole = |number: f64| (number * figures.seconds).round() as u64;
        // A device without requests has a row.
        if requests > 0.0 {
            sums.insert((list, key), (whole(requests), whole(bytes)));
        }
    };
    for row in &figures.ops {
        add("op", row.name.clone(), row.requests, row.bytes);
    }
    for row in &figures.devices {
        add("device", row.name.clone(), row.requests, row.bytes);
    }
    for part in &figures.commands {
        add("task", part.name.clone(), part.requests, part.bytes);
    }
    for part in &figures.ranges {
        add(
            "range",
            format!("{} {}", part.device, part.sector),
            part.requests,
            part.bytes,
        );
    }
    sums
}

proptest! {
    #[test]
    fn figures_are_those_of_an_oracle(
        mut completions in completions(),
        slice in 1..700_u64,
        number in 1..6_u64,
        text in prop::sample::select(vec!["", "a", "none"]),
        op in prop::option::of(prop::sample::select(vec![Op::Read, Op::Flush])),
        late in 0..200_u64,
    ) {
        // Events of different CPUs come in any order, but not much too late: at most by a slice.
        let late = late.min(slice);
        completions.sort_by_key(|completion| completion.time + (completion.time * 7919 % (late + 1)));
        let names = watched(&["a", "ba", "c"]);
        let view = View {
            filter: Filter { op, text: text.into() },
            ..View::default()
        };
        let mut window = Window::new(5000, slice, number);
        let mut read = Vec::new();
        for completion in &completions {
            window.completed(completion);
            read.push(*completion);
            let newest = read.iter().map(|completion| completion.time).max().unwrap();
            let totals = window.totals(newest);
            // The whole slices before the one of the newest.
            let end = (newest - 5000) / slice;
            let (from, to) = (5000 + end.saturating_sub(number) * slice, 5000 + end * slice);
            let inside: Vec<_> = read.iter().copied().filter(|one| (from..to).contains(&one.time)).collect();
            let figures = Figures::new(&totals, &names, &view);
            prop_assert_eq!(lists(&figures), oracle(&inside, &names, &view.filter));

            let wanted = |one: &&Completion| {
                names[usize::from(one.device)].name.contains(text) && op.is_none_or(|op| one.op == op)
            };
            let latencies: Vec<_> = inside.iter().filter(wanted).filter_map(|one| one.latency).collect();
            let depth: f64 = figures.devices.iter().map(|row| row.depth).sum();
            let exact = latencies.iter().sum::<u64>() as f64 / 1e9;
            prop_assert!((depth * figures.seconds - exact).abs() < 1e-12, "{depth} for {exact}");
            let worst = figures.ops.iter().map(|row| row.latency.max).max().unwrap_or(0);
            prop_assert_eq!(worst, latencies.iter().copied().max().unwrap_or(0));
            let failed: u64 = figures.devices.iter().map(|row| row.failed).sum();
            prop_assert_eq!(failed, inside.iter().filter(wanted).filter(|one| one.failed).count() as u64);
        }
    }

    #[test]
    fn any_screen_can_be_drawn(
        width in 0..250_u16,
        height in 0..80_u16,
        pressed in prop::collection::vec(prop::sample::select(b"s?ro/ \t\x1b[Bkxq".to_vec()), 0..12),
    ) {
        let mut view = View::default();
        for key in keys(&pressed) {
            prop_assert!(matches!(view.key(key), Wish::Draw | Wish::Quit));
        }
        let (totals, names) = MANY.get_or_init(|| model(20));
        draw(width, height, totals, names, &view);
    }
}

/// What there is to see in the golden screens: some devices with some load, of which the last has failures.
fn model(devices: u16) -> (Totals, Vec<Watched>) {
    let mut window = Window::new(0, 250 * MS, 4);
    let mut names = Vec::new();
    for device in 0..devices {
        names.push(Watched {
            name: format!(
                "imgrement-sd{}",
                char::from(b'b' + u8::try_from(device).unwrap())
            ),
            in_flight: Some(u64::from(device)),
            removed: false,
        });
        for request in 0..1000 * (u64::from(device) + 1) {
            let (op, bytes, task) = match request % 10 {
                0..=5 => (Op::Read, 4096 << (request % 4), "postgres"),
                6..=8 => (Op::Write, 8192, "kworker/u8:2"),
                _ => (Op::Flush, 0, "jbd2/dm-0-8"),
            };
            window.completed(&Completion {
                time: request * MS / (u64::from(device) + 1),
                device,
                op,
                sector: request * request % 50 * RANGE + request % 1000,
                bytes,
                failed: device == 2 && request % 500 == 0,
                latency: Some(80_000 + request * request % 7_000 * 1000),
                command: command(task),
            });
            if request % 100 == 0 {
                window.found(request * MS / 10, device, b"DAMN");
            }
        }
    }
    window.found(10 * MS, 0, b"BEGIN%20RSA");
    (window.totals(1000 * MS), names)
}

/// The screen as text.
fn draw(width: u16, height: u16, totals: &Totals, names: &[Watched], view: &View) -> String {
    let figures = Figures::new(totals, names, view);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| screen::draw(frame.buffer_mut(), &figures, view, true))
        .unwrap();
    let mut text = String::new();
    for y in 0..height {
        let line: String = (0..width)
            .map(|x| terminal.backend().buffer()[(x, y)].symbol())
            .collect();
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Compares with the file in `screens/`, and writes it if `UPDATE_SCREENS` is set.
fn expect(name: &str, text: &str) {
    let path = format!("{}/src/top/screens/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if env::var_os("UPDATE_SCREENS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let wanted = fs::read_to_string(&path).unwrap();
    assert!(text == wanted, "{name} is not as in {path}:\n{text}");
}

/// The view after these keys.
fn view(pressed: &[u8]) -> View {
    let mut view = View::default();
    for key in keys(pressed) {
        assert_eq!(view.key(key), Wish::Draw);
    }
    view
}

#[test]
fn screens_are_as_they_are_to_look() {
    let (totals, names) = model(2);
    for (width, height) in [(80, 24), (20, 10), (200, 60), (20, 5)] {
        let text = draw(width, height, &totals, &names, &View::default());
        expect(&format!("{width}x{height}"), &text);
    }
    let (totals, names) = MANY.get_or_init(|| model(20));
    for (name, pressed) in [
        ("many", b"".as_slice()),
        ("bytes", b"s"),
        ("write", b"o o"),
        ("filter", b"/sdd\r"),
        ("typing", b"/sd"),
        ("devices", b"\t\t\x1b[B"),
        ("help", b"?"),
    ] {
        expect(name, &draw(80, 24, totals, names, &view(pressed)));
    }
}

#[test]
fn text_is_as_it_is_to_look() {
    let (totals, names) = model(2);
    let figures = Figures::new(&totals, &names, &View::default());
    expect("batch", &batch::text(&figures, "2026-11-27 10:31:34 UTC"));
}

#[test]
fn lost_events_are_said_on_any_screen() {
    let mut window = Window::new(0, MS, 1);
    window.lost(MS / 2, 12);
    window.lost(0, 0);
    let names = watched(&["a"]);
    let said = |time, width| draw(width, 5, &window.totals(time), &names, &View::default());
    assert!(
        said(MS, 50).starts_with("0 requests/s  12 events lost, 12 so far  1 device\n"),
        "{}",
        said(MS, 50)
    );
    assert!(said(3 * MS, 50).starts_with("0 requests/s  0 events lost, 12 so far  1 device\n"));
}

#[test]
fn removed_devices_go_with_their_figures() {
    let (totals, mut names) = model(2);
    names[1].removed = true;
    let shown = |totals: &_| {
        let figures = Figures::new(totals, &names, &View::default());
        let rows = figures.devices.iter();
        rows.map(|row| (row.name.clone(), row.removed))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        shown(&totals),
        [
            ("imgrement-sdc".into(), true),
            ("imgrement-sdb".into(), false)
        ]
    );
    assert_eq!(
        shown(&Default::default()),
        [("imgrement-sdb".into(), false)]
    );
}

#[test]
fn keys_change_the_view() {
    assert!(view(b" ").paused && !view(b"  ").paused);
    assert_eq!(view(b"/ab\x7fc\rs").filter.text, "ac");
    assert_eq!(view(b"/q\x1b").filter, Filter::default());
    assert_eq!(view(b"oo").filter.op, Some(Op::Write));
    assert_eq!(view(b"oooooo").filter.op, None);
    assert_eq!(view(b"?x").page, Page::All);
    for (pressed, wish) in [(b'q', Wish::Quit), (3, Wish::Quit), (26, Wish::Suspend)] {
        assert_eq!(View::default().key(keys(&[pressed])[0]), wish);
        // Ctrl-C and Ctrl-Z also while text is typed.
        let mut typing = view(b"/");
        assert_eq!(
            typing.key(keys(&[pressed])[0]),
            if pressed == b'q' { Wish::Draw } else { wish }
        );
    }
}
