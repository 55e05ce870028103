//! The sheet of a rendition, decoded again.

use super::picture::decoded;
use crate::rendition::demo::{STYLES, rendition};
use cantus_engine::export::sheet::sheet;
use cantus_engine::generation::score::Role;
use cantus_engine::rendition::Rendition;
use tiny_skia::Pixmap;

/// Height of the spectrogram and what is below it, whose colours are those of the notes.
const SOUND: u32 = 290;

/// Pixels of the lead's orange and of the parts' blue, in any shade, above the spectrogram.
fn inked(bytes: &[u8]) -> (usize, usize) {
    let pixels = Pixmap::decode_png(bytes).expect("a PNG");
    let above = (pixels.width() * (pixels.height() - SOUND)) as usize;
    let count = |is: fn(i32, i32) -> bool| {
        let shades = pixels.pixels()[..above].iter().map(|pixel| (i32::from(pixel.red()), i32::from(pixel.blue())));
        shades.filter(|(red, blue)| is(*red, *blue)).count()
    };
    (count(|red, blue| red > blue + 50), count(|red, blue| blue > red + 50))
}

fn drawn(rendition: &Rendition) -> Vec<u8> {
    sheet(rendition).expect("a picture").expect("notes to draw")
}

#[test]
fn every_part_has_a_lane() {
    for style in STYLES {
        let whole = rendition(style);
        let bytes = drawn(whole);
        let (_, height, colours) = decoded(&bytes);
        assert!(colours > 100, "{style}: only {colours} colours");
        assert_eq!(bytes, drawn(whole), "same values, same sheet");
        let mut fewer = whole.clone();
        let score = fewer.score.as_mut().expect("a score");
        let gone = score.tracks.pop().expect("a part");
        let with_one_less = drawn(&fewer);
        assert!(decoded(&with_one_less).1 < height, "{style}: the lane of the {} stayed", gone.role.name());
        assert!(inked(&with_one_less).1 < inked(&bytes).1, "{style}: its notes stayed");
    }
}

#[test]
fn without_a_lead_or_without_notes_it_is_still_a_sheet() {
    let mut alone = rendition(STYLES[0]).clone();
    let score = alone.score.as_mut().expect("a score");
    score.tracks.retain(|track| track.role != Role::Lead);
    let (lead, parts) = inked(&drawn(&alone));
    let (known_lead, known_parts) = inked(&drawn(rendition(STYLES[0])));
    assert!(lead < known_lead / 4, "{lead} of {known_lead} pixels of the lead are left");
    assert!(parts > known_parts / 2, "{parts} of {known_parts} pixels of the parts are left");
    alone.score.as_mut().expect("a score").tracks.clear();
    alone.score.as_mut().expect("a score").chords.clear();
    alone.mix.channels.iter_mut().for_each(|channel| channel.truncate(100));
    assert!(decoded(&drawn(&alone)).1 > 400);
    alone.score = None;
    assert_eq!(sheet(&alone).expect("no failure"), None, "music made as audio has no notes");
}
