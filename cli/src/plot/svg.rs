// SPDX-License-Identifier: GPL-2.0

//! Writes SVG: the few shapes that a picture needs.

use super::text::FAMILY;
use std::fmt::Write as _;

/// Where a text is, relative to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

impl Anchor {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A picture.
pub(super) struct Svg(String);

impl Svg {
    /// An empty picture of `width` by `height` units, shown as so many pixels.
    pub(super) fn new(width: f64, height: f64, pixels: (u32, u32), about: &str) -> Self {
        let mut svg = Self(String::new());
        svg.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" \
             font-family=\"{FAMILY}\">\n<title>{}</title>\n",
            pixels.0,
            pixels.1,
            Short(width),
            Short(height),
            Xml(about)
        ));
        svg
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.0.write_fmt(text);
    }

    /// A rectangle.
    pub(super) fn rectangle(&mut self, [x, y, width, height]: [f64; 4], fill: &str, opacity: f64) {
        self.put(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"{}/>\n",
            Short(x),
            Short(y),
            Short(width),
            Short(height),
            Opacity("fill-opacity", opacity)
        ));
    }

    /// A line. `dashes` are the lengths of its dashes and gaps; empty for none.
    pub(super) fn line(
        &mut self,
        [x, y, to_x, to_y]: [f64; 4],
        stroke: &str,
        width: f64,
        dashes: &str,
    ) {
        let dashes = match dashes.is_empty() {
            true => String::new(),
            false => format!(" stroke-dasharray=\"{dashes}\""),
        };
        self.put(format_args!(
            "<path d=\"M{} {}L{} {}\" stroke=\"{stroke}\" stroke-width=\"{}\"{dashes}/>\n",
            Short(x),
            Short(y),
            Short(to_x),
            Short(to_y),
            Short(width)
        ));
    }

    /// A path, with the attributes that say how to draw it.
    pub(super) fn path(&mut self, path: &str, attributes: &str) {
        if !path.is_empty() {
            self.put(format_args!("<path d=\"{path}\" {attributes}/>\n"));
        }
    }

    /// Begins a group with these attributes.
    pub(super) fn group(&mut self, attributes: &str) {
        self.put(format_args!("<g {attributes}>\n"));
    }

    /// Ends a group.
    pub(super) fn end_group(&mut self) {
        self.put(format_args!("</g>\n"));
    }

    /// A text. `style` is more attributes, with a space before each.
    pub(super) fn text(
        &mut self,
        (x, y): (f64, f64),
        text: &str,
        size: f64,
        fill: &str,
        anchor: Anchor,
        style: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => String::new(),
            Anchor::Middle | Anchor::End => format!(" text-anchor=\"{}\"", anchor.name()),
        };
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{fill}\"{anchor}{style}>{}</text>\n",
            Short(x),
            Short(y),
            Short(size),
            Xml(text)
        ));
    }

    /// The text of the file.
    pub(super) fn finish(mut self) -> String {
        self.put(format_args!("</svg>\n"));
        self.0
    }
}

/// A number with at most two decimals.
pub(super) struct Short(pub(super) f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.2}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(match text {
            "-0" => "0",
            _ => text,
        })
    }
}

/// An attribute that is left out if it is 1.
struct Opacity(&'static str, f64);

impl std::fmt::Display for Opacity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1 < 1.0 {
            true => write!(f, " {}=\"{}\"", self.0, Short(self.1)),
            false => Ok(()),
        }
    }
}

/// A text in XML. What XML cannot have is shown as a replacement.
struct Xml<'a>(&'a str);

impl std::fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                _ if letter.is_control() => f.write_char('\u{fffd}')?,
                _ => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_the_file() {
        let mut svg = Svg::new(10.0, 5.5, (10, 6), "a<b");
        svg.text(
            (1.0, 2.125),
            "</text>&\u{1}\u{ffff}]]>",
            12.0,
            "#000",
            Anchor::End,
            "",
        );
        let text = svg.finish();
        assert!(text.contains("<title>a&lt;b</title>"));
        assert!(text.contains(
            "<text x=\"1\" y=\"2.12\" font-size=\"12\" fill=\"#000\" text-anchor=\"end\">\
             &lt;/text&gt;&amp;\u{fffd}\u{fffd}]]&gt;</text>"
        ));
    }

    #[test]
    fn numbers_are_short() {
        let short = [1.0, 1.5, 0.001, -0.001, 1234.567].map(|number| Short(number).to_string());
        assert_eq!(short, ["1", "1.5", "0", "0", "1234.57"]);
    }
}
