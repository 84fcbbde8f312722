// SPDX-License-Identifier: GPL-2.0

//! `imgrement plot`.

use crate::{
    failure::Failure,
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
    fs,
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

    /// The picture: a name that ends in .svg or .png. A file of this name is replaced
    #[arg(short, long, value_name = "PICTURE")]
    output: PathBuf,

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
        fs::write(&self.output, picture).map_err(|error| {
            Failure::new(format_args!(
                "cannot write {}: {error}",
                self.output.display()
            ))
        })?;
        reader.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::shapes::Shape;

    fn plot(file: PathBuf, output: PathBuf) -> Plot {
        Plot {
            file,
            output,
            device: None,
            period: Period::default(),
            width: 600,
            height: 500,
            theme: Theme::Dark,
            title: None,
        }
    }

    #[test]
    fn the_picture_is_written_even_if_the_recording_was_cut() {
        let folder = std::env::temp_dir().join(format!("imgrement-plot-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, output) = (folder.join("a"), folder.join("a.SVG"));
        let mut recording = Shape::Random.write(Vec::new(), 40_000, 1).unwrap();
        fs::write(&file, &recording).unwrap();
        fs::write(&output, "another").unwrap();
        let whole = plot(file.clone(), output.clone()).run();
        let picture = fs::read_to_string(&output).unwrap();

        recording.truncate(recording.len() - 1);
        fs::write(&file, &recording).unwrap();
        let cut = plot(file.clone(), output.clone()).run();
        let smaller = fs::read_to_string(&output).unwrap();
        let refused = plot(file, folder.join("a.jpg")).run();
        fs::remove_dir_all(&folder).unwrap();

        assert!(whole.is_ok() && picture.starts_with("<svg"));
        assert!(cut.unwrap_err().to_string().contains("not whole"));
        assert!(smaller.starts_with("<svg") && smaller != picture);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.ends_with("must end in .svg or .png"), "{refused}");
    }
}
