//! Every state looks as it did when somebody last looked at it. `UPDATE_GOLDEN=1` takes the pictures over that are drawn now.

use super::screens::raster::Picture;
use super::screens::states::{State, draw_all};
use egui::Color32;
use std::path::PathBuf;
use tiny_skia::Pixmap;

/// Channels that differ by more than this are other, of 255: fonts are drawn the same everywhere, rounding is not.
const STEP: u8 = 24;
/// Share of the pixels that may be other, in thousandths.
const MOST_OTHER: usize = 4;
/// All pictures together, in bytes.
const MOST_BYTES: u64 = 1_500_000;

/// From a PNG file.
fn decode(png: &[u8]) -> Picture {
    let pixmap = Pixmap::decode_png(png).unwrap();
    let pixels = pixmap.data().chunks_exact(4).map(|pixel| Color32::from_rgb(pixel[0], pixel[1], pixel[2]));
    Picture { width: pixmap.width() as usize, height: pixmap.height() as usize, pixels: pixels.collect() }
}

/// Half as wide and high, each pixel the mean of four.
fn halved(picture: &Picture) -> Picture {
    let (width, height) = (picture.width / 2, picture.height / 2);
    let mut pixels = Vec::with_capacity(width * height);
    for row in 0..height {
        for column in 0..width {
            let at = |x: usize, y: usize| picture.pixels[(row * 2 + y) * picture.width + column * 2 + x].to_array();
            let four = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
            let mean = |channel: usize| (four.iter().map(|pixel| u32::from(pixel[channel])).sum::<u32>() / 4) as u8;
            pixels.push(Color32::from_rgb(mean(0), mean(1), mean(2)));
        }
    }
    Picture { width, height, pixels }
}

fn folder() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/screens").into()
}

/// Pixels that are other, or all of them when the size is.
fn other(a: &Picture, b: &Picture) -> usize {
    if (a.width, a.height) != (b.width, b.height) {
        return a.pixels.len();
    }
    let differs =
        |(a, b): (&Color32, &Color32)| a.to_array().iter().zip(b.to_array()).any(|(a, b)| a.abs_diff(b) > STEP);
    a.pixels.iter().zip(&b.pixels).filter(|pair| differs(*pair)).count()
}

fn too_much(a: &Picture, b: &Picture) -> bool {
    other(a, b) * 1_000 > MOST_OTHER * a.pixels.len()
}

/// As it would look if everything stood a few pixels to the right.
fn shifted(picture: &Picture) -> Picture {
    let mut shifted = picture.clone();
    for row in shifted.pixels.chunks_mut(picture.width) {
        row.rotate_right(3);
    }
    shifted
}

#[test]
fn every_state_looks_as_it_did() {
    let _turn = crate::turn();
    let states = draw_all();
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    std::fs::create_dir_all(folder()).unwrap();
    let mut strange = Vec::new();
    for State { name, picture } in &states {
        let file = folder().join(format!("{name}.png"));
        let small = halved(picture);
        if update {
            std::fs::write(&file, small.encode().unwrap()).unwrap();
            continue;
        }
        let known = decode(&std::fs::read(&file).unwrap_or_else(|error| panic!("{name}: {error}")));
        assert!(too_much(&shifted(&small), &known), "{name}: a shifted window would pass");
        if too_much(&small, &known) {
            let drawn = std::env::temp_dir().join(format!("cantus-{name}.png"));
            std::fs::write(&drawn, small.encode().unwrap()).unwrap();
            strange.push(format!("{name}: {} pixels are other, see {}", other(&small, &known), drawn.display()));
        }
    }
    assert!(strange.is_empty(), "{}\nUPDATE_GOLDEN=1 takes them over once they were looked at.", strange.join("\n"));
    let files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap()).collect();
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < MOST_BYTES, "{bytes} bytes of pictures");
    assert_eq!(files.len(), states.len(), "a picture belongs to no state any more");
}
