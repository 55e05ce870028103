//! Prompts, and the band that is told so.

use super::style::{checked, request, tune};
use super::{Target, answer, check_sentence};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::direction::Direction;
use cantus_engine::generation::prompt::resolve;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;

pub const TARGET: Target =
    Target { name: "prompt", open, seeds, mutate: mutated, most_bytes: 1 << 12, needs_bundle: false };

const WORDS: [&str; 64] = [
    "jazz",
    "reggae",
    "orchestral",
    "lo-fi",
    "drum and bass",
    "d'n'b",
    "bossa nova",
    "rock 'n' roll",
    "waltz",
    "8-bit",
    "no",
    "without",
    "but",
    "not",
    "and",
    "with",
    "only",
    "just",
    "instead of",
    "lead",
    "cello",
    "violin",
    "piano",
    "no drums",
    "drums",
    "bass",
    "trumpet",
    "choir",
    "sax",
    "808",
    "strings",
    "guitar",
    "dark",
    "gentle",
    "slow",
    "fast",
    "very",
    "more",
    "less",
    "swing",
    "straight",
    "half time",
    "double time",
    "third",
    "octave up",
    "ending",
    "open ending",
    "16 bars",
    "2 chords per bar",
    "pedal",
    "keine Trommeln",
    "sans batterie",
    "sin bajo",
    "traurig",
    "90 bpm",
    "120",
    "sad",
    "happy",
    "epic",
    "loud",
    "quiet",
    "improvised",
    "solo",
    "plays the melody",
];

fn open() -> super::Run {
    let library = StyleLibrary::builtin().unwrap();
    let tune = tune();
    let mut count = 0_u64;
    Box::new(move |input| {
        let prompt = String::from_utf8_lossy(input);
        count += 1;
        match resolve(&prompt, &library) {
            Ok(resolved) => {
                assert!(library.get(&resolved.style).is_some(), "a style that is not there: {}", resolved.style);
                let direction = resolved.direct(&Direction::default());
                let moods = direction.moods;
                let all = [moods.energy, moods.complexity, moods.brightness, moods.swing, moods.humanise, moods.reverb];
                assert!(all.iter().all(|mood| (-1.0..=1.0).contains(mood)), "{moods:?}");
                let mut said = format!("{} {:?} {}", resolved.style, resolved.wishes, resolved.ignored.len().min(4));
                // The band takes a thousand times as long as the reading.
                if count.is_multiple_of(8) {
                    match arrange(&request(&tune, &prompt, 1, Direction::default()), &library, &JobContext::detached())
                    {
                        Ok(score) => said.push_str(&checked(&score)),
                        Err(error) => said.push_str(&error.to_string()),
                    }
                }
                answer(&said)
            }
            Err(error) => check_sentence_of_prompt(&error),
        }
    })
}

/// It quotes the prompt, which may be long.
fn check_sentence_of_prompt(error: &cantus_engine::Error) -> u64 {
    if error.to_string().len() < 1_500 { check_sentence(error) } else { 1 }
}

fn seeds() -> Vec<Vec<u8>> {
    let rows = [
        "reggae",
        "jazz with a cello lead, no drums",
        "dark slow ambient, very gentle, without bass",
        "keine Trommeln, Klavier",
        "rock und salsa, open ending, half time",
        "16 bars of trap with 808 and choir, lead an octave up",
        "",
        "🎵 à la française",
    ];
    rows.iter().map(|row| row.as_bytes().to_vec()).collect()
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    if draw.once_in(4) {
        let words: Vec<&str> = (0..1 + draw.below(12)).map(|_| draw.of(&WORDS)).collect();
        return words.join([" ", ", ", "-", "\n"][draw.below(4)]).into_bytes();
    }
    mutate::text(input, &WORDS, draw)
}
