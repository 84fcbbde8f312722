// SPDX-License-Identifier: GPL-2.0

//! From SVG to PNG.

use super::text::{
    BOLD,
    REGULAR, //
};
use png::{
    BitDepth,
    ColorType,
    Compression,
    Encoder,
    FilterType, //
};
use resvg::{
    tiny_skia::{
        Pixmap,
        Transform, //
    },
    usvg::{
        Options,
        Tree, //
    },
};

/// The picture in pixels, as a file. `Err` says why there is none.
pub(super) fn png(svg: &str) -> Result<Vec<u8>, String> {
    let mut options = Options::default();
    for font in [REGULAR, BOLD] {
        options.fontdb_mut().load_font_data(font.to_vec());
    }
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("it is too large")?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());

    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, size.width(), size.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Best);
    // Large areas have one colour, so nothing is gained by differences of pixels.
    encoder.set_filter(FilterType::NoFilter);
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    // The background is opaque, so all pixels are.
    let colours: Vec<u8> = pixels
        .pixels()
        .iter()
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    writer
        .write_image_data(&colours)
        .map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(file)
}
