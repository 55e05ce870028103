//! Tunes to arrange: public-domain melodies typed by hand, odd ones, random ones, and the notes of the melody test set.

use cantus_engine::analysis::rhythm::Rhythm;
use cantus_engine::analysis::{Analysis, Chroma, Key, KeyEstimate, Mode, Note};
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::time::{Beats, Bpm, Metre, MidiNote, Seconds, SongGrid, TempoMap};

/// A tune as an analysis would hear it.
pub struct Tune {
    pub name: String,
    pub analysis: Analysis,
    /// Whether it is a melody a musician would call tonal, so that chords can be expected to fit it.
    pub tonal: bool,
}

/// `c4:1 d#4:.5 r:1`: note and length in beats, a missing length repeats the one before, `r` is a rest.
pub fn parse(text: &str) -> Vec<(Option<u8>, f64)> {
    let mut length = 1.0;
    let words = text.split_whitespace().filter(|word| *word != "|");
    words
        .map(|word| {
            let (note, beats) = word.split_once(':').unwrap_or((word, ""));
            if !beats.is_empty() {
                length = beats.parse().unwrap();
            }
            if note == "r" {
                return (None, length);
            }
            let mut letters = note.chars();
            let step = match letters.next().unwrap() {
                'c' => 0,
                'd' => 2,
                'e' => 4,
                'f' => 5,
                'g' => 7,
                'a' => 9,
                'b' => 11,
                other => panic!("no note {other}"),
            };
            let rest = letters.as_str();
            let (shift, octave) = match rest.as_bytes()[0] {
                b'#' => (1, &rest[1..]),
                b'b' => (-1, &rest[1..]),
                _ => (0, rest),
            };
            let key = 12 * (octave.parse::<i32>().unwrap() + 1) + step + shift;
            (Some(u8::try_from(key).unwrap()), length)
        })
        .collect()
}

/// An analysis of notes given in beats: onset, end, key.
pub fn analysis(notes: &[(f64, f64, u8)], grid: SongGrid, length: f64, key: Key) -> Analysis {
    let tempo = grid.tempo.tempo_at(grid.start);
    let notes = notes
        .iter()
        .enumerate()
        .map(|(index, &(onset, end, key))| {
            let seconds = Beats(end - onset).seconds(tempo).0 as f32;
            let times = (0..=(seconds / 0.016) as usize).map(|frame| frame as f32 * 0.016);
            Note {
                onset: Beats(onset).seconds(tempo),
                offset: Beats(end).seconds(tempo),
                sung: MidiNote(f32::from(key) + 0.1),
                key,
                loudness: 0.6 + 0.4 * ((index * 7) % 5) as f32 / 4.0,
                confidence: 0.9,
                // A scoop of a semitone, then a vibrato of 60 cents around 15 cents sharp.
                bend: times
                    .clone()
                    .map(|t| (t, 0.15 - 1.0 * (-t / 0.03).exp() + 0.3 * (t * 34.0).sin() * (t / 0.3).min(1.0)))
                    .collect(),
                level_db: times.map(|t| (t, -20.0 * (-t / 0.02).exp() - 6.0 * (t / seconds.max(0.05)))).collect(),
            }
        })
        .collect();
    Analysis {
        tempo_confidence: 1.0,
        rhythm: Rhythm::default(),
        length: Beats(length),
        f0: Vec::new(),
        notes,
        chroma: Chroma::default(),
        harmony: Vec::new(),
        texture: Default::default(),
        chroma_without_drums_and_bass: None,
        key: KeyEstimate::of(key, 0.8),
        tuning_cents: 0.0,
        level_dbfs: -20.0,
        confidence: 0.9,
        doubts: Vec::new(),
        grid,
    }
}

pub fn grid(start: f64, tempo: f64, metre: (u8, u8)) -> SongGrid {
    let tempo = Bpm(tempo);
    SongGrid {
        start: Beats(start),
        start_seconds: Beats(start).seconds(tempo),
        tempo: TempoMap::constant(tempo),
        metre: Metre { numerator: metre.0, denominator: metre.1 },
    }
}

/// A typed tune from the first bar of a region of whole bars.
pub fn tune(name: &str, text: &str, place: SongGrid, key: Key, tonal: bool) -> Tune {
    let bar = place.metre.bar().0;
    let mut at = 0.0;
    let mut notes = Vec::new();
    for (note, length) in parse(text) {
        if let Some(note) = note {
            notes.push((at, at + length * 0.93, note));
        }
        at += length;
    }
    let length = (at / bar - 1e-6).ceil() * bar;
    Tune { name: name.to_owned(), analysis: analysis(&notes, place, length, key), tonal }
}

pub fn major(tonic: u8) -> Key {
    Key { tonic, mode: Mode::Major }
}

pub fn minor(tonic: u8) -> Key {
    Key { tonic, mode: Mode::Minor }
}

pub const ODE: &str = "e4:1 e4 f4 g4 | g4 f4 e4 d4 | c4 c4 d4 e4 | e4:1.5 d4:.5 d4:2 | e4:1 e4 f4 g4 | g4 f4 e4 d4 | c4 c4 d4 e4 | d4:1.5 c4:.5 c4:2";

/// Every tune the arranger is held to.
pub fn all() -> Vec<Tune> {
    let mut tunes = vec![
        tune("ode to joy", ODE, grid(0.0, 110.0, (4, 4)), major(0), true),
        tune(
            "twinkle",
            "c4:1 c4 g4 g4 | a4 a4 g4:2 | f4:1 f4 e4 e4 | d4 d4 c4:2 | g4:1 g4 f4 f4 | e4 e4 d4:2 | g4:1 g4 f4 f4 | e4 e4 d4:2",
            grid(32.0, 76.0, (4, 4)),
            major(0),
            true,
        ),
        tune(
            "largo",
            "e4:1.5 g4:.5 g4:2 e4:1.5 d4:.5 c4:2 d4:1.5 e4:.5 g4:1.5 e4:.5 d4:4",
            grid(16.0, 60.0, (4, 4)),
            major(0),
            true,
        ),
        tune(
            "saints",
            "r:1 f4:1 a4 bb4 c5:4 r:1 f4:1 a4 bb4 c5:4 r:1 f4:1 a4 bb4 c5:2 a4 f4 a4 g4:4",
            grid(0.0, 160.0, (4, 4)),
            major(5),
            true,
        ),
        tune(
            "amazing grace",
            "r:2 g4:1 c5:2 e5:.5 c5:.5 e5:2 d5:1 c5:2 a4:1 g4:2 g4:1 c5:2 e5:.5 c5:.5 e5:2 d5:1 g5:3 g5:3",
            grid(0.0, 84.0, (3, 4)),
            major(0),
            true,
        ),
        tune(
            "mountain king",
            "a3:.5 b3 c4 d4 e4 c4 e4:1 d#4:.5 b3 d#4:1 d4:.5 bb3 d4:1 a3:.5 b3 c4 d4 e4 c4 e4 a4 g4 e4 c4 e4 g4:2",
            grid(8.0, 130.0, (4, 4)),
            minor(9),
            true,
        ),
        tune(
            "drunken sailor",
            "a4:.5 a4:.25 a4:.25 a4:.5 a4:.25 a4:.25 a4:.5 d4 f4 a4 | g4:.5 g4:.25 g4:.25 g4:.5 g4:.25 g4:.25 g4:.5 c4 e4 g4 | a4:.5 a4:.25 a4:.25 a4:.5 a4:.25 a4:.25 a4:.5 b4 c5 d5 | c5 a4 g4 e4 d4:1 d4",
            grid(0.0, 100.0, (4, 4)),
            minor(2),
            true,
        ),
        tune(
            "greensleeves",
            "r:2 a4:1 c5:2 d5:1 e5:1.5 f#5:.5 e5:1 | d5:2 b4:1 g4:1.5 a4:.5 b4:1 | c5:2 a4:1 a4:1.5 g#4:.5 a4:1 | b4:2 g#4:1 e4:2",
            grid(0.0, 100.0, (3, 4)),
            minor(9),
            true,
        ),
        tune(
            "six eight",
            "g4:1.5 e4:1 d4:.5 c4:1.5 e4:1.5 | g4:1 a4:.5 g4:1 e4:.5 d4:3 | e4:1 f4:.5 g4:1 a4:.5 g4:1.5 e4:1.5 | d4:1 e4:.5 d4:1 b3:.5 c4:3",
            grid(0.0, 90.0, (6, 8)),
            major(0),
            true,
        ),
        tune(
            "flat key",
            "eb4:1 g4 bb4 eb5 | d5 c5 bb4:2 | ab4:1 g4 f4 eb4 | f4 bb3 eb4:2",
            grid(4.0, 95.0, (4, 4)),
            major(3),
            true,
        ),
        tune(
            "chromatic",
            "c4:.5 c#4 d4 d#4 e4 f4 f#4 g4 | g#4 a4 bb4 b4 c5:2 | b4:.5 bb4 a4 g#4 g4 f#4 f4 e4 | eb4 d4 c#4 c4 c4:2",
            grid(0.0, 120.0, (4, 4)),
            major(0),
            false,
        ),
        tune(
            "octaves",
            "c4:1 c5 r:.5 g4:1 g3 r:.5 | e4:1 e5 c3 c4 | c6:1 c3 a4 a2",
            grid(0.0, 120.0, (4, 4)),
            major(0),
            false,
        ),
        tune(
            "five four",
            "c4:1 e4 g4 a4 g4 | f4 a4 c5:2 a4:1 | g4:1 f4 e4 d4 c4",
            grid(0.0, 120.0, (5, 4)),
            major(0),
            true,
        ),
        tune("seven eight", "c4:.5 d4 e4:1 g4:.5 e4 d4 | c4:1 e4:.5 g4:1 e4", grid(0.0, 120.0, (7, 8)), major(0), true),
        tune("two four", "g4:.5 g4 a4 b4 | c5:1 g4 | e4:.5 f4 g4 e4 | d4:2", grid(0.0, 112.0, (2, 4)), major(0), true),
        tune("one note", "a4:4", grid(0.0, 100.0, (4, 4)), minor(9), true),
        tune("one bar", "c4:.5 e4 g4 e4 c5:2", grid(0.0, 90.0, (4, 4)), major(0), true),
        tune("far up", "c6:1 e6 g6 c7 | b6 g6 e6 d6", grid(0.0, 120.0, (4, 4)), major(0), true),
        tune("far down", "c2:1 e2 g2 c3 | b2 g2 e2 d2", grid(0.0, 120.0, (4, 4)), major(0), true),
    ];
    // A take that starts in the middle of a bar and is not whole bars long: its first bar is a pickup.
    let mut off_bar =
        tune("off the bar", "g4:1 c5:2 e5:1 d5 c5:2 a4:2 g4:1 f4:2", grid(7.0, 100.0, (4, 4)), major(0), true);
    off_bar.analysis.length = Beats(13.0);
    tunes.push(off_bar);
    // A take that was stopped a little late.
    let mut ragged = tune("stopped late", "c4:1 e4 g4 e4 | f4 a4 g4:2", grid(0.0, 100.0, (4, 4)), major(0), true);
    ragged.analysis.length = Beats(8.7);
    tunes.push(ragged);
    // A wrong key estimate with the right one among the alternatives.
    let mut wrong_key = tune("wrong key", ODE, grid(0.0, 110.0, (4, 4)), minor(1), true);
    wrong_key.analysis.key.confidence = 0.35;
    wrong_key.analysis.key.alternatives = vec![(major(0), 0.3), (minor(9), 0.1)];
    tunes.push(wrong_key);
    tunes.extend((0..6).map(random));
    tunes
}

/// A line without a plan: leaps, rests, loose timing, sometimes outside any key.
fn random(seed: u64) -> Tune {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let metre = [(4, 4), (3, 4), (6, 8)][next(3) as usize];
    let place = grid(next(8) as f64 * 12.0, 60.0 + next(140) as f64, metre);
    let bar = place.metre.bar().0;
    let length = bar * (1 + next(12)) as f64;
    let scale = [0, 2, 4, 5, 7, 9, 11, 12, 14, 16];
    let mut notes = Vec::new();
    let mut at = next(100) as f64 / 50.0;
    while at < length - 0.1 {
        let long = [0.25, 0.5, 0.5, 1.0, 1.0, 2.0][next(6) as usize];
        let outside = if next(10) == 0 { 1 } else { 0 };
        let loose = (next(100) as f64 - 50.0) / 1000.0;
        if next(8) > 0 {
            notes.push((at + loose, at + loose + long * 0.9, 55 + scale[next(10) as usize] + outside));
        }
        at += long;
    }
    notes.push((length - 0.09, length + 0.4, 60));
    notes.retain(|note| note.0 >= 0.0);
    Tune { name: format!("random {seed}"), analysis: analysis(&notes, place, length, major(7)), tonal: false }
}

/// The true notes of the melody test set: public-domain tunes and studies at odd tempi, in 4/4. Seconds, seconds, MIDI key.
pub fn sung() -> Vec<Tune> {
    let rows: serde_json::Value = serde_json::from_str(include_str!("../../data/sung_melodies.json")).unwrap();
    let tune = |row: &serde_json::Value| {
        let tempo = row["bpm"].as_f64().unwrap();
        let note = |note: &serde_json::Value| {
            let beats = |index: usize| Seconds(note[index].as_f64().unwrap()).beats(Bpm(tempo)).0;
            (beats(0), beats(1), note[2].as_u64().unwrap() as u8)
        };
        let notes: Vec<(f64, f64, u8)> = row["notes"].as_array().unwrap().iter().map(note).collect();
        let length = (notes.last().unwrap().1 / 4.0).ceil() * 4.0;
        Tune {
            name: row["name"].as_str().unwrap().to_owned(),
            analysis: analysis(&notes, grid(0.0, tempo, (4, 4)), length, guess_key(&notes)),
            tonal: !matches!(row["tune"].as_str(), Some("random" | "octaves")),
        }
    };
    rows.as_array().unwrap().iter().map(tune).collect()
}

/// The key whose profile (Krumhansl and Kessler 1982) correlates best with the notes' durations.
fn guess_key(notes: &[(f64, f64, u8)]) -> Key {
    const MAJOR: [f64; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
    const MINOR: [f64; 12] = [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
    let mut heard = [0.0; 12];
    for &(onset, end, key) in notes {
        heard[usize::from(key % 12)] += end - onset;
    }
    let mean = |values: &[f64; 12]| values.iter().sum::<f64>() / 12.0;
    let mut best = (f64::NEG_INFINITY, major(0));
    for tonic in 0..12u8 {
        for (profile, key) in [(MAJOR, major(tonic)), (MINOR, minor(tonic))] {
            let (mut product, mut square) = (0.0, 0.0);
            for step in 0..12 {
                let part = profile[step] - mean(&profile);
                product += part * (heard[(step + usize::from(tonic)) % 12] - mean(&heard));
                square += part * part;
            }
            let score = product / f64::sqrt(square);
            if score > best.0 {
                best = (score, key);
            }
        }
    }
    best.1
}

pub fn request(analysis: &Analysis, prompt: &str, seed: u64, freedom: f32) -> Request {
    Request {
        analysis: analysis.clone(),
        recipe: Recipe {
            engine: EngineKind::Band,
            prompt: prompt.to_owned(),
            seed,
            freedom,
            timing: Timing::AsSung,
            direction: Default::default(),
            song: Default::default(),
            engine_version: 1,
        },
    }
}
