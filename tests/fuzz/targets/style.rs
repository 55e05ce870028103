//! Style files, and the band that plays by them.

use super::{Target, answer, check_sentence};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::analysis::rhythm::Rhythm;
use cantus_engine::analysis::{Analysis, Key, KeyEstimate, Mode, Note};
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::direction::Direction;
use cantus_engine::generation::score::Score;
use cantus_engine::generation::song::SongContext;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Beats, Bpm, Metre, MidiNote, Seconds, SongGrid};

pub const TARGET: Target =
    Target { name: "style", open, seeds, mutate: mutated, most_bytes: 1 << 15, needs_bundle: false };

/// Words of style files.
const WORDS: [&str; 60] = [
    "lead",
    "counter",
    "chords",
    "pad",
    "bass",
    "drums",
    "percussion",
    "colour",
    "melody",
    "4/4",
    "3/4",
    "6/8",
    "7/8",
    "1/4",
    "15/16",
    "0/4",
    "V7",
    "I",
    "bVI",
    "viio7",
    "#ivo",
    "IVmaj7/3",
    "i",
    "x",
    "0:0",
    "0:73",
    "128:0",
    "synth:lead",
    "true",
    "false",
    "[[parts]]",
    "[feel]",
    "[form]",
    "[harmony.minor]",
    "a b",
    "x...x...",
    "X-.o",
    "1 2 3 4",
    "1.1 2.3",
    "C2",
    "G#9",
    "eighths",
    "sixteenths",
    "final",
    "open",
    "held",
    "drop2",
    "close",
    "shell",
    "\"\"\"",
    "[",
    "]",
    "{ chord = \"I\", weight = 0 }",
    "weight = -1",
    "tempo = [40, 40]",
    "energy = []",
    "preset",
    "rule",
    "patterns",
    "facts",
];

fn open() -> super::Run {
    let builtin = StyleLibrary::builtin().unwrap();
    let tune = tune();
    Box::new(move |input| {
        let text = String::from_utf8_lossy(input);
        let mut library = builtin.clone();
        if let Err(error) = library.add_text("mine.toml", &text) {
            return check_sentence(&error);
        }
        // The user's own styles come first.
        let style = library.list()[0].clone();
        let mut said = format!("{:?} {:?}", style.parts.len(), style.metres);
        for seed in 0..2 {
            let request = request(&tune, &style.name, seed, Direction::default());
            match arrange(&request, &library, &JobContext::detached()) {
                Ok(score) => said.push_str(&checked(&score)),
                Err(error) => said.push_str(&check_sentence(&error).to_string()),
            }
        }
        answer(&said)
    })
}

/// What a score must be, whatever it was made from.
pub fn checked(score: &Score) -> String {
    assert!(score.length.0.is_finite() && score.length.0 >= 0.0 && score.grid.is_sane(), "a score of no length");
    // What is no number is written as null, which is no score.
    let text = serde_json::to_string(score).unwrap();
    let back: Score = serde_json::from_str(&text).expect("a score holds a number that is none");
    assert!(back == *score, "a score that does not come back");
    format!("{} parts", score.tracks.len())
}

/// Two bars of notes.
pub fn tune() -> Analysis {
    let grid = SongGrid::at_origin(Bpm(110.0), Metre::default());
    let note = |(index, key): (usize, u8)| Note {
        onset: Beats(index as f64).seconds(Bpm(110.0)),
        offset: Beats(index as f64 + 0.9).seconds(Bpm(110.0)),
        sung: MidiNote(f32::from(key)),
        key,
        loudness: 0.7,
        confidence: 0.9,
        bend: vec![(0.0, 0.0), (0.2, 0.1)],
        level_db: vec![(0.0, -3.0), (0.3, -6.0)],
    };
    let notes: Vec<Note> = [64, 64, 65, 67, 67, 65, 64, 62].into_iter().enumerate().map(note).collect();
    assert!(notes[7].offset < Seconds(5.0));
    Analysis {
        length: Beats(8.0),
        notes,
        rhythm: Rhythm::default(),
        key: KeyEstimate::of(Key { tonic: 0, mode: Mode::Major }, 0.9),
        level_dbfs: -20.0,
        confidence: 0.9,
        tempo_confidence: 1.0,
        ..Analysis::unheard(grid)
    }
}

/// A wish for an arrangement.
pub fn request(analysis: &Analysis, prompt: &str, seed: u64, direction: Direction) -> Request {
    let recipe = Recipe {
        engine: EngineKind::Band,
        prompt: prompt.to_owned(),
        seed,
        freedom: 0.3,
        timing: Timing::default(),
        direction,
        song: SongContext::default(),
        engine_version: 1,
    };
    Request { analysis: analysis.clone(), recipe }
}

fn seeds() -> Vec<Vec<u8>> {
    let names = ["orchestral", "jazz", "bossa", "dnb", "trap", "metal", "waltz", "chiptune", "ambient", "salsa"];
    names.iter().map(|name| StyleLibrary::builtin_text(name).expect("a built-in style").as_bytes().to_vec()).collect()
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    if draw.once_in(5) {
        // Two styles' lines, mixed where tables begin.
        let other = seeds().swap_remove(draw.below(10));
        let (one, other) = (String::from_utf8_lossy(input), String::from_utf8_lossy(&other).into_owned());
        let (ours, theirs): (Vec<&str>, Vec<&str>) = (one.split("\n[").collect(), other.split("\n[").collect());
        let cut = draw.below(ours.len() + 1);
        let from = draw.below(theirs.len());
        return [&ours[..cut], &theirs[from..]].concat().join("\n[").into_bytes();
    }
    mutate::text(input, &WORDS, draw)
}
