// SPDX-License-Identifier: GPL-2.0

//! Colours. The hues are those of Okabe and Ito, which people with any kind of colour blindness tell apart.

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
                [(240, 211, 228), (190, 98, 152), (74, 18, 57)]
            }
            (Self::Light, Hue::Of(Class::Flush)) => [(150, 216, 194), (0, 158, 115), (2, 60, 44)],
            (Self::Light, Hue::Of(Class::Other) | Hue::Mixed) => {
                [(200, 200, 200), (115, 115, 115), (25, 25, 25)]
            }
            (Self::Dark, Hue::Of(Class::Read)) => [(20, 66, 107), (58, 152, 222), (208, 234, 255)],
            (Self::Dark, Hue::Of(Class::Write)) => [(104, 48, 8), (240, 128, 40), (255, 230, 200)],
            (Self::Dark, Hue::Of(Class::Discard)) => {
                [(70, 32, 60), (208, 116, 176), (255, 220, 242)]
            }
            (Self::Dark, Hue::Of(Class::Flush)) => [(12, 78, 58), (30, 180, 136), (200, 248, 230)],
            (Self::Dark, Hue::Of(Class::Other) | Hue::Mixed) => {
                [(66, 71, 78), (150, 156, 164), (250, 250, 250)]
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
