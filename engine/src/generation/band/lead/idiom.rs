//! Thread: worker. Idioms: which liberties a player of a style takes with a tune, and how often.
//!
//! The style file decides: the shelf it stands on and its words name the idiom, its swing and its blue notes colour it.

use crate::generation::style::{Style, SwingUnit};

/// How often a player takes a liberty at full freedom, each 0 to 1 a place where it is possible.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Idiom {
    /// Plays a note early.
    pub anticipate: f32,
    /// Plays a note late.
    pub delay: f32,
    /// How early or late, in beats; swung where the style swings.
    pub shift_beats: f64,
    /// Lies behind the beat all the time, in milliseconds.
    pub behind_ms: f32,
    /// A short note from below or above.
    pub grace: f32,
    /// Scale tones between the ends of a leap.
    pub passing: f32,
    /// A chromatic step into a note.
    pub approach: f32,
    /// The notes above and below before a note.
    pub enclosure: f32,
    /// The upper neighbour on the beat, resolving late.
    pub appoggiatura: f32,
    /// A quick upper neighbour and back.
    pub mordent: f32,
    /// A turn in the middle of a long note.
    pub turn: f32,
    /// A long note struck again.
    pub again: f32,
    /// A slide into a note from below.
    pub slide: f32,
    /// A fall off the last note of a phrase.
    pub fall: f32,
    /// An answer in a rest.
    pub fill: f32,
    /// Blue thirds and fifths bent up from below.
    pub blue: f32,
    /// The style swings its eighths.
    pub swung: bool,
}

const PLAIN: Idiom = Idiom {
    anticipate: 0.2,
    delay: 0.1,
    shift_beats: 0.25,
    behind_ms: 0.0,
    grace: 0.25,
    passing: 0.35,
    approach: 0.0,
    enclosure: 0.0,
    appoggiatura: 0.08,
    mordent: 0.1,
    turn: 0.1,
    again: 0.2,
    slide: 0.2,
    fall: 0.2,
    fill: 0.7,
    blue: 0.0,
    swung: false,
};

/// Words of a shelf, a name or a prompt word that mean an idiom; the first that fits counts.
const IDIOMS: [(&[&str], Idiom); 8] = [
    (
        &["reggae", "dub", "ska", "caribbean"],
        Idiom {
            anticipate: 0.08,
            delay: 0.22,
            behind_ms: 28.0,
            grace: 0.2,
            passing: 0.12,
            mordent: 0.0,
            turn: 0.0,
            appoggiatura: 0.0,
            again: 0.25,
            slide: 0.3,
            fall: 0.35,
            fill: 0.55,
            ..PLAIN
        },
    ),
    (
        &["blues", "rock", "metal", "punk", "grunge"],
        Idiom { grace: 0.2, slide: 0.35, blue: 0.9, fall: 0.3, appoggiatura: 0.0, delay: 0.2, approach: 0.08, ..PLAIN },
    ),
    (
        &["orchestral", "classical", "cinematic", "film", "chamber", "strings", "waltz", "epic"],
        Idiom {
            anticipate: 0.04,
            delay: 0.06,
            grace: 0.15,
            passing: 0.55,
            appoggiatura: 0.3,
            mordent: 0.1,
            turn: 0.3,
            again: 0.0,
            slide: 0.05,
            fall: 0.0,
            fill: 0.6,
            ..PLAIN
        },
    ),
    (
        &["jazz", "swing", "bebop", "big band"],
        Idiom {
            anticipate: 0.35,
            delay: 0.15,
            shift_beats: 0.5,
            grace: 0.2,
            passing: 0.3,
            approach: 0.25,
            enclosure: 0.3,
            mordent: 0.1,
            turn: 0.15,
            appoggiatura: 0.0,
            fall: 0.4,
            fill: 0.8,
            blue: 0.15,
            ..PLAIN
        },
    ),
    (
        &["latin", "bossa", "bossa nova", "samba", "salsa", "brazil"],
        Idiom { anticipate: 0.45, delay: 0.08, shift_beats: 0.5, approach: 0.1, grace: 0.2, again: 0.3, ..PLAIN },
    ),
    (
        &["folk", "country", "celtic", "acoustic", "bluegrass"],
        Idiom {
            anticipate: 0.1,
            delay: 0.06,
            grace: 0.5,
            mordent: 0.35,
            passing: 0.35,
            slide: 0.25,
            fall: 0.05,
            ..PLAIN
        },
    ),
    (
        &["soul", "gospel", "r&b", "rnb", "funk"],
        Idiom { anticipate: 0.3, delay: 0.2, grace: 0.35, slide: 0.35, turn: 0.2, fall: 0.3, blue: 0.4, ..PLAIN },
    ),
    (
        &["hip hop", "hip-hop", "lo-fi", "lofi", "chill", "trap"],
        Idiom { behind_ms: 18.0, anticipate: 0.12, delay: 0.2, passing: 0.2, mordent: 0.05, fill: 0.5, ..PLAIN },
    ),
];

impl Idiom {
    /// A style's, in an ensemble in which a counter-line answers the tune or none does.
    pub fn of(style: &Style, answered: bool) -> Self {
        // The name says most, then the shelf, then the words a prompt may use.
        let said = [&style.name, &style.category].into_iter().chain(&style.words).map(|word| word.to_lowercase());
        let named = said.filter(|word| !word.is_empty()).find_map(|said| {
            let fits = |word: &&str| said == **word || said.split([' ', '-', '/', '&']).any(|part| part == *word);
            IDIOMS.iter().find(|(words, _)| words.iter().any(&fits)).map(|(_, idiom)| *idiom)
        });
        let mut idiom = named.unwrap_or(PLAIN);
        idiom.swung = style.feel.swing > 0.56 && style.feel.swing_unit == SwingUnit::Eighth;
        // Two answers at once are none, and what is chromatic or out of time leaves a second line no room.
        if answered {
            idiom.fill = 0.0;
            idiom.approach = 0.0;
            idiom.enclosure = 0.0;
            idiom.anticipate = 0.0;
            idiom.delay *= 0.5;
        }
        if style.harmony.blue {
            idiom.blue = idiom.blue.max(0.6);
        }
        idiom
    }
}
