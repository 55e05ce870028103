//! Thread: worker. Which part of a MIDI file is the melody: by its name, by sounding one note at a time, by lying high.

use super::Reason;
use super::parts::Part;

/// Words in the name of a part that is the melody, and of one that is not.
const MELODY_WORDS: [&str; 16] = [
    "melod",
    "lead",
    "vocal",
    "vox",
    "voice",
    "sing",
    "solo",
    "tune",
    "theme",
    "soprano",
    "cantus",
    "right hand",
    "upper",
    "treble",
    "gesang",
    "chant",
];
const OTHER_WORDS: [&str; 15] = [
    "bass",
    "drum",
    "perc",
    "pad",
    "chord",
    "accomp",
    "harmon",
    "rhythm",
    "backing",
    "left hand",
    "lower",
    "comp",
    "kick",
    "snare",
    "arp",
];
/// What the programs of General MIDI are, eight of each.
const FAMILIES: [&str; 16] = [
    "piano",
    "bells",
    "organ",
    "guitar",
    "bass",
    "strings",
    "ensemble",
    "brass",
    "reed",
    "pipe",
    "synth lead",
    "synth pad",
    "synth effects",
    "folk",
    "percussion",
    "sound effects",
];
/// How much a family is the melody's.
const FAMILY_WEIGHTS: [f64; 16] =
    [0.0, 0.0, 0.0, 0.0, -2.0, 0.0, -0.3, 0.2, 0.4, 0.4, 0.5, -0.8, -1.0, 0.1, -3.0, -3.0];
/// A part counts as one voice when this share of its time is.
const ONE_VOICE: f64 = 0.9;
/// Parts that are listed by name.
const MOST_LISTED: usize = 8;

/// What is known of a part.
struct Traits {
    named: f64,
    /// Share of its sounding time with a single note.
    single: f64,
    /// Mean key.
    height: f64,
    velocity: f64,
    /// Ticks in which it sounds.
    sounding: f64,
}

/// Takes the wanted part (from 1), or the likeliest. Tells in `remarks` which and why when there was a choice.
pub(super) fn choose(parts: &[Part], wanted: Option<usize>, remarks: &mut Vec<String>) -> Result<Part, Reason> {
    if parts.is_empty() {
        return Err("there is no note in it but drums, if any".into());
    }
    let traits: Vec<Traits> = parts.iter().map(traits).collect();
    let index = match wanted {
        Some(number) => number
            .checked_sub(1)
            .filter(|index| *index < parts.len())
            .ok_or_else(|| format!("it has no part {number}; there are {}", listed(parts, None)))?,
        None => best(parts, &traits),
    };
    if parts.len() > 1 {
        let why = if wanted.is_some() { "as asked for".to_owned() } else { reasons(&traits, index) };
        let chosen = label(parts, index);
        remarks.push(format!(
            "The melody was taken from part {chosen} ({why}). Other parts: {}.",
            listed(parts, Some(index))
        ));
    }
    Ok(parts[index].clone())
}

fn traits(part: &Part) -> Traits {
    let name = part.name.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let named = f64::from(u8::from(says(&MELODY_WORDS))) - f64::from(u8::from(says(&OTHER_WORDS)));
    let (mut single, mut sounding) = (0.0, 0.0);
    // Starts and ends in order; between two of them the number of notes is constant.
    let mut edges: Vec<(u64, i32)> = part.notes.iter().flat_map(|note| [(note.on, 1), (note.off, -1)]).collect();
    edges.sort_unstable();
    let mut voices = 0;
    for pair in edges.windows(2) {
        voices += pair[0].1;
        let span = (pair[1].0 - pair[0].0) as f64;
        sounding += if voices > 0 { span } else { 0.0 };
        single += if voices == 1 { span } else { 0.0 };
    }
    let count = part.notes.len() as f64;
    let mean = |value: fn(&super::parts::PartNote) -> u8| {
        part.notes.iter().map(|note| f64::from(value(note))).sum::<f64>() / count
    };
    Traits {
        named,
        single: single / f64::max(sounding, 1.0),
        height: mean(|note| note.key),
        velocity: mean(|note| note.velocity),
        sounding,
    }
}

/// Index of the part that is most like a melody; of equals the first.
fn best(parts: &[Part], traits: &[Traits]) -> usize {
    let range = |value: fn(&Traits) -> f64| {
        let (low, high) =
            traits.iter().map(value).fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        move |one: &Traits| (value(one) - low) / (high - low).max(1e-9)
    };
    let (high, loud) = (range(|one| one.height), range(|one| one.velocity));
    let longest = traits.iter().fold(1.0_f64, |longest, one| longest.max(one.sounding));
    let score = |index: usize| {
        let (part, one) = (&parts[index], &traits[index]);
        let family = part.program.map_or(0.0, |program| FAMILY_WEIGHTS[usize::from(program / 8).min(15)]);
        let few = if part.notes.len() < 4 { -2.0 } else { 0.0 };
        let deep = if one.height < 45.0 { -1.0 } else { 0.0 };
        3.0 * one.named
            + family
            + 2.0 * one.single
            + 1.5 * high(one)
            + 0.5 * loud(one)
            + one.sounding / longest
            + few
            + deep
    };
    (0..parts.len()).rev().max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(0)
}

fn reasons(traits: &[Traits], index: usize) -> String {
    let one = &traits[index];
    let highest = traits.iter().all(|other| other.height <= one.height);
    let said = [
        (one.named > 0.0, "its name says so"),
        (one.single >= ONE_VOICE, "one note at a time"),
        (highest, "it lies highest"),
    ];
    let said: Vec<&str> = said.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words).collect();
    if said.is_empty() { "the likeliest of them".to_owned() } else { said.join(", ") }
}

/// Number and name of a part: `2 "Flute"`.
fn label(parts: &[Part], index: usize) -> String {
    let part = &parts[index];
    let family = part.program.map(|program| FAMILIES[usize::from(program / 8).min(15)]);
    let name = match (part.name.as_str(), family) {
        ("", Some(family)) => family.to_owned(),
        ("", None) => format!("channel {}", part.channel + 1),
        // Several channels of one track share its name.
        (name, family) if parts.iter().filter(|other| other.name == name).count() > 1 => {
            format!("{name}, {}", family.map_or_else(|| format!("channel {}", part.channel + 1), str::to_owned))
        }
        (name, _) => name.to_owned(),
    };
    format!("{} \"{name}\"", index + 1)
}

fn listed(parts: &[Part], without: Option<usize>) -> String {
    let others: Vec<usize> = (0..parts.len()).filter(|index| Some(*index) != without).collect();
    let named: Vec<String> = others.iter().take(MOST_LISTED).map(|&index| label(parts, index)).collect();
    let more = others.len().saturating_sub(MOST_LISTED);
    if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") }
}
