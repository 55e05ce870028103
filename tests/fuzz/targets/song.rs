//! What is typed about the song: chords, single symbols, rhythms.

use super::{Target, answer, check_sentence};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::generation::song::sheet;
use cantus_engine::generation::song::symbol::ChordSymbol;
use cantus_engine::generation::style::chord::RomanChord;
use cantus_engine::generation::style::{facts, steps};
use cantus_engine::time::Metre;

pub const TARGET: Target =
    Target { name: "song", open, seeds, mutate: mutated, most_bytes: 1 << 12, needs_bundle: false };

const WORDS: [&str; 48] = [
    "|",
    "||",
    "|:",
    ":|",
    "%",
    "x2",
    "x999",
    "(x3)",
    "/",
    "-",
    "N.C.",
    "C",
    "Dm7",
    "F#m7b5",
    "Bbmaj7#11",
    "E♭",
    "G7sus4",
    "A/C#",
    "C/B",
    "Cdim7",
    "Caug",
    "C6/9",
    "C13",
    "Cadd9",
    "H",
    "Do",
    "C5",
    "C(b9)",
    "Csus",
    "CmMaj7",
    "Co7",
    "C+",
    "Cø",
    "CΔ",
    "V7/V",
    "bVII",
    "x..x",
    "X-.o",
    "1.3",
    "2 4",
    "[",
    "]",
    "{",
    "4*",
    "~",
    "1/4",
    "Abm",
    "B##",
];

fn open() -> super::Run {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let mut said = 0;
        for metre in [Metre::default(), Metre { numerator: 7, denominator: 8 }, Metre { numerator: 3, denominator: 4 }]
        {
            said ^= match sheet::parse(&text, metre) {
                Ok(read) => {
                    assert!(read.length.0.is_finite() && read.length.0 >= 0.0);
                    let inside = |chord: &cantus_engine::generation::song::SongChord| {
                        chord.start.0 >= 0.0 && chord.start.0 <= read.length.0 && !chord.tones.is_empty()
                    };
                    assert!(read.chords.iter().all(inside), "a chord that cannot be");
                    // What is written can be read again.
                    let key = Key { tonic: 3, mode: Mode::Minor };
                    let written = sheet::write(&read.chords, read.length, metre, key);
                    if let Err(error) = sheet::parse(&written, metre) {
                        assert!(read.chords.is_empty() || error.to_string().contains("most"), "{written:?}: {error}");
                    }
                    (read.chords.len().min(16) as u64) << 32
                }
                Err(error) => check_sentence(&error),
            };
            said = said.rotate_left(5);
            let _ = facts::places(&text, metre);
            let _ = steps::parse(&text, metre, "xXo-.~");
        }
        for word in text.split_whitespace().take(40) {
            if let Ok(symbol) = ChordSymbol::parse(word) {
                assert!(symbol.tones().iter().all(|tone| *tone < 128), "{word}");
            }
            match RomanChord::parse(word) {
                Ok(chord) => {
                    let tones: Vec<u8> = (0..12).flat_map(|tonic| chord.tones(tonic)).collect();
                    said ^= answer(&format!("{:?}", tones.len()));
                    let _ = (chord.symbol(11, true), chord.name_in(Key { tonic: 11, mode: Mode::Major }));
                }
                Err(reason) => said ^= answer(&reason),
            }
        }
        said
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let rows = [
        "C | Am7 | F G7 | C",
        "|: Dm7b5 / G7b9 / | Cm6 % :| x3\nFmaj7#11 Bb13 | N.C. | A/C# -",
        "I vi7 IV V7/V bVII viio7 #ivo IVmaj7/3",
        "x...x... X-.o x~~. 1.3 2 4",
        "",
    ];
    rows.iter().map(|row| row.as_bytes().to_vec()).collect()
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    if draw.once_in(4) {
        let words: Vec<&str> = (0..1 + draw.below(16)).map(|_| draw.of(&WORDS)).collect();
        return words.join([" ", "", "|", "\n"][draw.below(4)]).into_bytes();
    }
    mutate::text(input, &WORDS, draw)
}
