//! Thread: worker. What speaks for a bar once all notes lie in it: melodies repeat themselves from bar to bar and from phrase to
//! phrase, and come to rest on a strong place.

use super::pattern::{Pattern, TICKS};
use super::tracker::Reading;

/// A note as this file sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sounding {
    /// MIDI key.
    pub key: u8,
    /// Seconds.
    pub onset: f64,
    /// Seconds.
    pub length: f64,
}

/// Bars that the pattern counts for, when a melody shows where its own notes begin.
const PATTERN_BARS: f64 = 5.0;
/// How much of what is gained so counts: places of one bar are not independent.
const PATTERN_TRUST: f64 = 0.6;
/// Chance that a note in a repeated stretch has the pitch of the one it repeats, and otherwise.
const COPIED: f64 = 0.85;
const BY_CHANCE: f64 = 0.17;
/// Chance that a repeated stretch begins, and that it ends, with a note.
const COPY_BEGINS: f64 = 0.06;
const COPY_ENDS: f64 = 0.08;
/// How far apart repetitions are looked for, in bars.
const LAGS: [u32; 4] = [1, 2, 4, 8];
/// How much a repetition counts.
const COPY_TRUST: f64 = 0.7;
/// What a long last note on the bar line, on another beat, or between beats adds.
const RESTS: [f64; 3] = [0.7, 0.1, -1.2];

/// Evidence for a reading beyond its own score, in nats.
pub fn evidence(reading: &Reading, pattern: &Pattern, notes: &[Sounding]) -> f64 {
    let placed: Vec<(u32, Sounding)> =
        reading.ticks.iter().zip(notes).filter_map(|(tick, note)| Some(((*tick)?, *note))).collect();
    if placed.len() < 2 {
        return 0.0;
    }
    PATTERN_TRUST * habit(&placed, pattern) + COPY_TRUST * repetition(&placed, pattern) + rest(&placed, pattern)
}

/// How much better the places of earlier notes foretell those of later ones than the pattern alone does.
fn habit(placed: &[(u32, Sounding)], pattern: &Pattern) -> f64 {
    let bar = pattern.bar;
    let mut seen = vec![(0.0, 0.0); bar as usize];
    let mut gain = 0.0;
    let mut next = 0;
    let (first, last) = (placed[0].0, placed[placed.len() - 1].0);
    for start in (0..=last / bar).map(|index| index * bar) {
        for &place in &pattern.places {
            let tick = start + place;
            if tick <= first || tick > last {
                continue;
            }
            while next < placed.len() && placed[next].0 < tick {
                next += 1;
            }
            let begins = next < placed.len() && placed[next].0 == tick;
            let usual = pattern.chance(place);
            let (hits, count): (f64, f64) = seen[place as usize];
            let known = (PATTERN_BARS * usual + hits) / (PATTERN_BARS + count);
            gain += if begins { (known / usual).ln() } else { ((1.0 - known) / (1.0 - usual)).ln() };
            seen[place as usize] = (hits + f64::from(u8::from(begins)), count + 1.0);
        }
    }
    gain
}

/// How much better the melody is explained as repeating itself a whole number of bars later: a two-state chain, copying or not.
fn repetition(placed: &[(u32, Sounding)], pattern: &Pattern) -> f64 {
    let gain = |bars: u32| {
        let lag = bars * pattern.bar;
        let (mut copying, mut free) = (COPY_BEGINS, 1.0 - COPY_BEGINS);
        let mut total = 0.0;
        let mut before = 0;
        for (tick, note) in placed {
            let Some(source) = tick.checked_sub(lag).filter(|source| *source >= placed[0].0) else { continue };
            while before < placed.len() && placed[before].0 < source {
                before += 1;
            }
            let same = placed.get(before).is_some_and(|(at, other)| *at == source && other.key == note.key);
            let (if_copied, if_free) = if same { (COPIED, BY_CHANCE) } else { (1.0 - COPIED, 1.0 - BY_CHANCE) };
            let begun = (1.0 - COPY_ENDS) * copying + COPY_BEGINS * free;
            let ended = COPY_ENDS * copying + (1.0 - COPY_BEGINS) * free;
            let (a, b) = (begun * if_copied, ended * if_free);
            total += ((a + b) / if_free).ln();
            (copying, free) = (a / (a + b), b / (a + b));
        }
        total
    };
    LAGS.into_iter().map(gain).fold(0.0, f64::max)
}

/// Whether the melody ends where a melody ends.
fn rest(placed: &[(u32, Sounding)], pattern: &Pattern) -> f64 {
    let mut lengths: Vec<f64> = placed.iter().map(|(_, note)| note.length).collect();
    lengths.sort_by(f64::total_cmp);
    let middle = lengths[lengths.len() / 2];
    let (tick, last) = placed[placed.len() - 1];
    if last.length < 1.3 * middle {
        return 0.0;
    }
    match tick % pattern.bar {
        0 => RESTS[0],
        within if within.is_multiple_of(TICKS) => RESTS[1],
        _ => RESTS[2],
    }
}
