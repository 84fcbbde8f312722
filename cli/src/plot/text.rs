// SPDX-License-Identifier: GPL-2.0

//! Texts in the picture: how wide they are, and what fits. The fonts are in the program, so PNGs look the same on each
//! machine. A reader of an SVG may have other fonts, so the layout leaves some space.

use ttf_parser::Face;

/// Inter, a free font: `fonts/OFL.txt`.
pub(super) const REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.otf");
/// The same, for headings.
pub(super) const BOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.otf");

/// Fonts that are about as wide, for machines without the first.
pub(super) const FAMILY: &str =
    "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

/// How much wider a text may be in another font.
const SLACK: f64 = 1.06;

/// How wide texts are.
pub(super) struct Measure(Option<Face<'static>>);

impl Measure {
    pub(super) fn new() -> Self {
        Self(Face::parse(BOLD, 0).ok())
    }

    /// How wide a text is at most, roughly.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        let letter = |letter: char| {
            let face = self.0.as_ref()?;
            let advance = face.glyph_hor_advance(face.glyph_index(letter)?)?;
            Some(f64::from(advance) / f64::from(face.units_per_em()))
        };
        // A letter that the font lacks is as wide as it is high.
        let width: f64 = text.chars().map(|one| letter(one).unwrap_or(1.0)).sum();
        width * size * SLACK
    }

    /// The text, or as much of its beginning as is at most so wide.
    pub(super) fn fit(&self, text: &str, size: f64, width: f64) -> String {
        if self.width(text, size) <= width {
            return text.to_owned();
        }
        let mut short = text.to_owned();
        while short.pop().is_some() {
            let shown = format!("{}…", short.trim_end());
            if self.width(&shown, size) <= width {
                return shown;
            }
        }
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_where_they_do_not_fit() {
        let measure = Measure::new();
        assert!((30.0..90.0).contains(&measure.width("imgrement", 12.0)));
        assert_eq!(measure.fit("imgrement", 12.0, 100.0), "imgrement");
        assert_eq!(measure.fit("imgrement plots", 12.0, 82.0), "imgrement…");
        assert_eq!(measure.fit("imgrement", 12.0, 1.0), "");
    }
}
