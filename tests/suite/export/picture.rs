//! The picture of a take and its renditions, decoded again.

use crate::rendition::demo::{STYLES, hum, rendition};
use crate::rendition::scores::{request_for, score};
use cantus_engine::analysis::{Analysis, Chroma};
use cantus_engine::export::picture::picture;
use cantus_engine::rendition::Rendition;
use cantus_engine::time::Beats;
use std::collections::BTreeSet;
use tiny_skia::Pixmap;

/// Width, height and the number of different colours.
pub fn decoded(bytes: &[u8]) -> (u32, u32, usize) {
    let pixels = Pixmap::decode_png(bytes).expect("a PNG");
    let colours: BTreeSet<u32> =
        pixels.pixels().iter().map(|pixel| u32::from_be_bytes([pixel.red(), pixel.green(), pixel.blue(), 0])).collect();
    (pixels.width(), pixels.height(), colours.len())
}

/// Pixels within a few shades of a colour.
fn count_near(bytes: &[u8], colour: [i32; 3]) -> usize {
    let pixels = Pixmap::decode_png(bytes).expect("a PNG");
    let near = |pixel: &&tiny_skia::PremultipliedColorU8| {
        let channels = [pixel.red(), pixel.green(), pixel.blue()];
        channels.iter().zip(colour).all(|(channel, wanted)| (i32::from(*channel) - wanted).abs() < 12)
    };
    pixels.pixels().iter().filter(near).count()
}

#[test]
fn the_demo_is_a_picture_with_everything_in_it() {
    let renditions: Vec<&Rendition> = STYLES.iter().map(|style| rendition(style)).collect();
    let bytes = picture(hum(), &renditions).expect("a picture");
    let (width, height, colours) = decoded(&bytes);
    assert!(width >= 1_200 && height > 900, "{width} x {height}");
    assert!(colours > 200, "only {colours} colours");
    let alone = picture(hum(), &[]).expect("a picture");
    assert!(decoded(&alone).1 + 3 * 100 < height, "each rendition has its own panel");
    // The pitch line is in both, the lead's waveform only where there is a lead.
    for (what, colour, least) in [("pitch line", [0x5c, 0xe1, 0xe6], 2_000), ("lead", [0xff, 0x8a, 0x5c], 20_000)] {
        assert!(count_near(&bytes, colour) > least, "{what}: {}", count_near(&bytes, colour));
    }
    assert!(count_near(&alone, [0xff, 0x8a, 0x5c]) < 1_000);
    assert_eq!(bytes, picture(hum(), &renditions).expect("a picture"), "same values, same picture");
}

#[test]
fn a_picture_of_nothing_is_a_picture() {
    let blank = score(120.0, 4.0, vec![]);
    let empty = Analysis { chroma: Chroma::default(), ..request_for(&blank).analysis };
    let rows = [
        ("empty", empty.clone()),
        ("no length", Analysis { length: Beats(0.0), ..empty.clone() }),
        ("not a number", Analysis { length: Beats(f64::NAN), tuning_cents: f32::NAN, ..empty.clone() }),
        ("a long song", Analysis { length: Beats(40_000.0), ..empty }),
    ];
    for (what, analysis) in rows {
        let (width, _, colours) = decoded(&picture(&analysis, &[]).expect(what));
        assert!(width >= 1_200 && colours > 5, "{what}");
    }
}

#[test]
fn a_long_take_has_rows_and_what_is_doubtful_is_said_and_shown() {
    let plain = hum().clone();
    let height = |analysis: &Analysis| decoded(&picture(analysis, &[]).expect("a picture")).1;
    let one_row = height(&plain);
    // Forty bars are five rows of eight.
    let long = Analysis { length: Beats(160.0), ..plain.clone() };
    assert!(height(&long) > 5 * 300, "{}", height(&long));
    assert!(height(&Analysis { length: Beats(1e5), ..plain.clone() }) < 9_000, "no viewer opens more");

    let mut doubted = plain.clone();
    doubted.doubts = vec!["The second phrase may be an octave lower: ".to_owned() + &"compare it ".repeat(12)];
    assert!(height(&doubted) > one_row + 40, "a long doubt takes two lines");
    doubted.notes.iter_mut().for_each(|note| note.confidence = 0.2);
    let red = |analysis: &Analysis| count_near(&picture(analysis, &[]).expect("a picture"), [0xff, 0x5c, 0x5c]);
    assert!(red(&plain) == 0 && red(&doubted) > 4_000, "{}", red(&doubted));
}
