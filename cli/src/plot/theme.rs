// SPDX-License-Identifier: GPL-2.0

//! Colours. The hues are those of Okabe and Ito. People with any kind of colour blindness can tell them apart.

use super::class::Class;
use clap::ValueEnum;

/// How many shades a scale of colours has.
pub(super) const SHADES: usize = 7;

/// On what the picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Theme {
    /// On white
    Light,
    /// On a dark background
    Dark,
}

/// A colour: red, green, blue.
type Colour = (u8, u8, u8);

/// What a shade stands for: one class, or several together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hue {
    /// Nearly all is of this class.
    Of(Class),
    /// More than one class.
    Mixed,
}

impl Theme {
    /// The colour of the background.
    pub(super) const fn background(self) -> &'static str {
        match self {
            Self::Light => "#ffffff",
            Self::Dark => "#0d1117",
        }
    }

    /// The colour of headings and lines.
    pub(super) const fn ink(self) -> &'static str {
        match self {
            Self::Light => "#1f2328",
            Self::Dark => "#f0f6fc",
        }
    }

    /// The colour of other texts.
    pub(super) const fn muted(self) -> &'static str {
        match self {
            Self::Light => "#57606a",
            Self::Dark => "#9da7b3",
        }
    }

    /// The colour of the grid.
    pub(super) const fn grid(self) -> &'static str {
        match self {
            Self::Light => "#e4e8ec",
            Self::Dark => "#252c36",
        }
    }

    /// The colour for lost events.
    pub(super) const fn lost(self) -> &'static str {
        match self {
            Self::Light => "#d1242f",
            Self::Dark => "#ff6b6b",
        }
    }

    /// The colour for matches.
    pub(super) const fn found(self) -> &'static str {
        "#f0e442"
    }

    /// Three colours of a scale, from little to much.
    const fn stops(self, hue: Hue) -> [Colour; 3] {
        match (self, hue) {
            (Self::Light, Hue::Of(Class::Read)) => [(158, 202, 235), (0, 114, 178), (4, 32, 66)],
            (Self::Light, Hue::Of(Class::Write)) => [(252, 196, 150), (213, 94, 0), (84, 26, 0)],
            (Self::Light, Hue::Of(Class::Discard)) => {
                [(240, 211, 228), (204, 121, 167), (74, 18, 57)]
            }
            (Self::Light, Hue::Of(Class::Flush)) => [(150, 216, 194), (0, 158, 115), (2, 60, 44)],
            (Self::Light, Hue::Of(Class::Other) | Hue::Mixed) => {
                [(200, 200, 200), (84, 84, 84), (25, 25, 25)]
            }
            (Self::Dark, Hue::Of(Class::Read)) => [(20, 66, 107), (58, 152, 222), (208, 234, 255)],
            (Self::Dark, Hue::Of(Class::Write)) => [(104, 48, 8), (240, 128, 40), (255, 230, 200)],
            (Self::Dark, Hue::Of(Class::Discard)) => {
                [(70, 32, 60), (214, 110, 178), (255, 220, 242)]
            }
            (Self::Dark, Hue::Of(Class::Flush)) => [(12, 78, 58), (64, 208, 160), (200, 248, 230)],
            (Self::Dark, Hue::Of(Class::Other) | Hue::Mixed) => {
                [(66, 71, 78), (196, 202, 210), (250, 250, 250)]
            }
        }
    }

    /// The colour of a class in lines and in the legend.
    pub(super) fn colour(self, class: Class) -> String {
        let [_, middle, _] = self.stops(Hue::Of(class));
        hex(middle)
    }

    /// The colour of cells that only say that there is something of a class.
    pub(super) fn flat(self, class: Class) -> String {
        self.shade(Hue::Of(class), 1)
    }

    /// A shade, from 0 (little) to `SHADES - 1`.
    pub(super) fn shade(self, hue: Hue, shade: usize) -> String {
        let [low, middle, high] = self.stops(hue);
        let place = 2.0 * shade.min(SHADES - 1) as f64 / (SHADES - 1) as f64;
        match place <= 1.0 {
            true => hex(between(low, middle, place)),
            false => hex(between(middle, high, place - 1.0)),
        }
    }
}

fn between(from: Colour, to: Colour, place: f64) -> Colour {
    let part = |from: u8, to: u8| {
        let value = f64::from(from) + (f64::from(to) - f64::from(from)) * place;
        value.round().clamp(0.0, 255.0) as u8
    };
    (part(from.0, to.0), part(from.1, to.1), part(from.2, to.2))
}

fn hex((red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a colour looks like to people without one kind of cones (Machado, Oliveira and Fernandes, 2009).
    const SEEN: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ];

    fn product(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(vector).map(|(one, other)| one * other).sum())
    }

    /// The place in the space CIELAB, where distances are as large as they look.
    fn lab((red, green, blue): Colour, seen: [[f64; 3]; 3]) -> [f64; 3] {
        let linear = [red, green, blue].map(|part| match f64::from(part) / 255.0 {
            part if part <= 0.04045 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        });
        let light = product(seen, linear).map(|part| part.clamp(0.0, 1.0));
        let xyz = product(
            [
                [0.4339, 0.3762, 0.1899],
                [0.2126, 0.7152, 0.0722],
                [0.0177, 0.1095, 0.8728],
            ],
            light,
        );
        let [x, y, z] = xyz.map(|part| match part > 0.008_856 {
            true => part.cbrt(),
            false => 7.787 * part + 16.0 / 116.0,
        });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn everyone_can_tell_the_classes_apart() {
        for theme in [Theme::Light, Theme::Dark] {
            for seen in SEEN {
                let place = |class: Class| lab(theme.stops(Hue::Of(class))[1], seen);
                for one in Class::ALL {
                    for other in Class::ALL.into_iter().filter(|other| *other != one) {
                        let parts = place(one).into_iter().zip(place(other));
                        let distance = parts
                            .map(|(one, other)| (one - other).powi(2))
                            .sum::<f64>()
                            .sqrt();
                        assert!(distance > 14.0, "{theme:?} {one:?} {other:?} {distance}");
                    }
                }
            }
        }
    }
}
