//! The sheet of a rendition, decoded again.

use super::picture::{count_near, decoded};
use crate::rendition::demo::{STYLES, rendition};
use cantus_engine::export::sheet::sheet;
use cantus_engine::generation::score::Role;
use cantus_engine::rendition::Rendition;

const LEAD: [i32; 3] = [0xff, 0xb4, 0x54];
const PARTS: [i32; 3] = [0x5f, 0xa0, 0xff];

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
        assert!(count_near(&with_one_less, PARTS) < count_near(&bytes, PARTS), "{style}: its notes stayed");
    }
}

#[test]
fn without_a_lead_or_without_notes_it_is_still_a_sheet() {
    let mut alone = rendition(STYLES[0]).clone();
    let score = alone.score.as_mut().expect("a score");
    score.tracks.retain(|track| track.role != Role::Lead);
    assert!(count_near(&drawn(&alone), LEAD) < count_near(&drawn(rendition(STYLES[0])), LEAD) / 4);
    alone.score.as_mut().expect("a score").tracks.clear();
    alone.score.as_mut().expect("a score").chords.clear();
    alone.mix.channels.iter_mut().for_each(|channel| channel.truncate(100));
    assert!(decoded(&drawn(&alone)).1 > 400);
    alone.score = None;
    assert_eq!(sheet(&alone).expect("no failure"), None, "music made as audio has no notes");
}
