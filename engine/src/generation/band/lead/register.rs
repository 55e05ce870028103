//! Thread: worker. The octave of a tune on an instrument: whole where it fits, folded so that every leap keeps its direction where not.

use super::super::melody::MelodyNote;

/// Octaves looked at, either way.
const MOST_OCTAVES: i32 = 6;
/// What a leap in the wrong direction costs, against an octave's distance from where the whole tune would lie.
const WRONG_WAY: f64 = 400.0;
/// What an octave added to or taken from a leap costs, within a phrase and over a breath.
const OTHER_LEAP: [f64; 2] = [16.0, 5.0];
/// Rests of so many beats are breaths.
const BREATH: f64 = 0.6;
/// What a beat an octave away from the tune's own place costs.
const ASTRAY: f64 = 1.0;

/// Semitones, a multiple of 12, that bring a melody onto an instrument's playable keys, and as well into the part's register as
/// that allows.
pub fn octave_fit(melody: &[MelodyNote], register: (u8, u8), keys: (u8, u8)) -> i32 {
    let (low, high) = (i32::from(register.0), i32::from(register.1));
    let cost = |shift: i32| {
        let (mut unplayable, mut outside, mut sum, mut weight) = (0.0, 0.0, 0.0, 0.0);
        for note in melody {
            let key = i32::from(note.key) + shift;
            let beats = (note.end - note.start).clamp(0.25, 4.0);
            if !(i32::from(keys.0)..=i32::from(keys.1)).contains(&key) {
                unplayable += beats;
            }
            outside += beats * f64::from((low - key).max(key - high).max(0));
            sum += beats * f64::from(key);
            weight += beats;
        }
        let centre = f64::from(low + high) / 2.0;
        // A note that cannot be played leaps by an octave, which changes the tune: worse than any register.
        let broken = if unplayable > 0.0 { 50.0 + 100.0 * unplayable / weight } else { 0.0 };
        broken + 4.0 * outside / weight + 0.35 * (sum / weight - centre).abs() + 0.05 * f64::from(shift.abs())
    };
    let mut best = (0, f64::INFINITY);
    for octave in -MOST_OCTAVES..=MOST_OCTAVES {
        let cost = cost(octave * 12);
        if cost < best.1 {
            best = (octave * 12, cost);
        }
    }
    best.0
}

/// The keys on which an instrument plays a melody that is to lie `shift` semitones (a multiple of 12) away.
///
/// Where all of it is playable there, it moves as a whole. Else each note gets an octave of its own: the cheapest way through
/// the playable ones in which leaps keep their direction, then their size, then their place.
pub fn folded(melody: &[MelodyNote], shift: i32, keys: (u8, u8)) -> Vec<u8> {
    let (low, high) = (i32::from(keys.0), i32::from(keys.1));
    let moved: Vec<i32> = melody.iter().map(|note| i32::from(note.key) + shift).collect();
    if moved.iter().all(|key| (low..=high).contains(key)) {
        return moved.iter().map(|&key| key.clamp(0, 127) as u8).collect();
    }
    let places = |key: i32| -> Vec<i32> {
        let inside = (-MOST_OCTAVES..=MOST_OCTAVES).map(|octave| key + 12 * octave);
        let inside: Vec<i32> = inside.filter(|key| (low..=high).contains(key)).collect();
        // An instrument of less than an octave lacks some classes altogether.
        if inside.is_empty() { vec![key.clamp(low, high)] } else { inside }
    };
    let astray = |index: usize, key: i32| {
        let beats = (melody[index].end - melody[index].start).clamp(0.25, 4.0);
        ASTRAY * beats * f64::from((key - moved[index]).abs()) / 12.0
    };
    let mut columns: Vec<Vec<(i32, f64, usize)>> = Vec::with_capacity(moved.len());
    for (index, &key) in moved.iter().enumerate() {
        let column = places(key).into_iter().map(|place| {
            let own = astray(index, place);
            let Some(before) = columns.last() else { return (place, own, 0) };
            let leap = key - moved[index - 1];
            let breathes = melody[index].start - melody[index - 1].end >= BREATH;
            let other_leap = OTHER_LEAP[usize::from(breathes)];
            let mut best = (0, f64::INFINITY);
            for (from, &(other, cost, _)) in before.iter().enumerate() {
                let played = place - other;
                let wrong = if played.signum() == leap.signum() { 0.0 } else { WRONG_WAY };
                let total = cost + wrong + other_leap * f64::from((played - leap).abs()) / 12.0;
                if total < best.1 {
                    best = (from, total);
                }
            }
            (place, own + best.1, best.0)
        });
        let column = column.collect();
        columns.push(column);
    }
    let cheapest = |column: &[(i32, f64, usize)]| {
        column.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map_or(0, |(index, _)| index)
    };
    let mut at = columns.last().map_or(0, |column| cheapest(column));
    let mut played = vec![0; moved.len()];
    for index in (0..moved.len()).rev() {
        let (place, _, from) = columns[index][at];
        played[index] = place.clamp(0, 127) as u8;
        at = from;
    }
    played
}
