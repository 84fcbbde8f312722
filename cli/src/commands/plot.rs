// SPDX-License-Identifier: GPL-2.0

//! `imgrement plot`.

use crate::{
    failure::Failure,
    new_file::{
        cannot_write,
        may_write,
        NewFile, //
    },
    period::Period,
    plot::{
        picture,
        Look,
        Theme,
        Wish, //
    },
    progress::Progress,
    recording::reader::Reader,
};
use clap::Args;
use std::{
    io::Write,
    path::PathBuf, //
};

/// Draw a picture of a recording
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement plot untar.rec -o untar.svg
  imgrement plot untar.rec -o untar.png --width 1920 --height 1080
  imgrement plot untar.rec -o start.svg --from 200ms --to 2.5s
  imgrement plot untar.rec -o untar.png --title 'Untar on ext4' --theme dark

From above: where on the disk requests are, throughput, requests per second, latency, and requests in flight, over one
axis of time. docs/command.md says how to read them.")]
pub(crate) struct Plot {
    /// The recording
    file: PathBuf,

    /// The picture: a name that ends in .svg or .png
    #[arg(short, long, value_name = "PICTURE")]
    output: PathBuf,

    /// Replace a file that exists
    #[arg(long)]
    overwrite: bool,

    /// The device, if the recording has several
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    #[command(flatten)]
    period: Period,

    /// The width in pixels. Texts and lines grow with it
    #[arg(long, value_name = "PIXELS", default_value_t = 1600, value_parser = clap::value_parser!(u32).range(400..=8000))]
    width: u32,

    /// The height in pixels. A higher picture has higher panels
    #[arg(long, value_name = "PIXELS", default_value_t = 1400, value_parser = clap::value_parser!(u32).range(300..=8000))]
    height: u32,

    /// The colours
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    theme: Theme,

    /// The title. By default, the command that was recorded
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

impl Plot {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let ending = self.output.extension().and_then(|ending| ending.to_str());
        let png = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => false,
            Some("png") => true,
            Some(_) | None => {
                return Err(Failure::usage(format_args!(
                    "cannot draw {}: a picture's name must end in .svg or .png",
                    self.output.display()
                )))
            }
        };
        self.period.check()?;
        // Before the recording is read, which may take long.
        may_write(&self.output, self.overwrite)?;
        let wish = Wish {
            device: self.device.as_deref(),
            period: self.period,
            title: self.title.as_deref(),
            look: Look {
                pixels: (self.width, self.height),
                theme: self.theme,
            },
            png,
        };
        let mut reader = Reader::open(&self.file)?;
        let mut progress = Progress::new(&self.file);
        let picture = picture(&mut reader, &wish, |place| progress.at(place))?;
        drop(progress);
        let mut new = NewFile::open(&self.output, self.overwrite)?;
        new.write_all(&picture)
            .map_err(|error| cannot_write(&self.output, &error))?;
        new.keep()?;
        reader.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::shapes::Shape;
    use std::{
        fs,
        path::Path, //
    };

    fn plot(file: &Path, output: &Path, overwrite: bool) -> Result<(), Failure> {
        Plot {
            file: file.to_owned(),
            output: output.to_owned(),
            overwrite,
            device: None,
            period: Period::default(),
            width: 600,
            height: 500,
            theme: Theme::Dark,
            title: None,
        }
        .run()
    }

    #[test]
    fn the_picture_is_written_even_if_the_recording_was_cut() {
        let folder = std::env::temp_dir().join(format!("imgrement-plot-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, output) = (folder.join("a.svg"), folder.join("b.SVG"));
        let mut recording = Shape::Random.write(Vec::new(), 40_000, 1).unwrap();
        fs::write(&file, &recording).unwrap();
        fs::write(&output, "another").unwrap();
        let refused = plot(&file, &output, false);
        let kept = fs::read_to_string(&output).unwrap();
        let whole = plot(&file, &output, true);
        let picture = fs::read_to_string(&output).unwrap();

        recording.truncate(recording.len() - 1);
        fs::write(&file, &recording).unwrap();
        let cut = plot(&file, &output, true);
        let smaller = fs::read_to_string(&output).unwrap();
        let itself = plot(&file, &file, true);
        let intact = fs::read(&file).unwrap() == recording;
        let unknown = plot(&file, &folder.join("a.jpg"), false);
        fs::remove_dir_all(&folder).unwrap();

        assert!(refused.unwrap_err().to_string().contains("exists already"));
        assert_eq!(kept, "another");
        assert!(whole.is_ok() && picture.starts_with("<svg"));
        assert!(cut.unwrap_err().to_string().contains("not whole"));
        assert!(smaller.starts_with("<svg") && smaller != picture);
        assert!(itself.unwrap_err().to_string().contains("is in use"));
        assert!(intact);
        let unknown = unknown.unwrap_err().to_string();
        assert!(unknown.ends_with("must end in .svg or .png"), "{unknown}");
    }
}
