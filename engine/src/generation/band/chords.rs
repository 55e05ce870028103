//! Thread: worker. Comping: voiced chords in a rhythm, strummed where the part strums.

use super::bars::Bar;
use super::harmony::Chord;
use super::melody::{lowest_between, sounding};
use super::sheet::{PlacedStep, Sheet, note, written};
use super::voicing::{VoicingRule, voice};
use crate::generation::score::ScoreNote;
use crate::generation::style::{Part, Voicing};

/// Beats a muted stroke sounds.
const MUTED: f64 = 0.09;
/// Semitones by which seeds may lie higher or lower.
const LEAN: f32 = 7.0;

/// The keys of every chord of the score for a part, each close to the one before.
pub fn voicings(sheet: &Sheet<'_>, part: &Part) -> Vec<Vec<u8>> {
    let rule = VoicingRule {
        kind: part.voicing,
        voices: part.voices,
        register: part.register,
        scale: &sheet.harmony.scale,
        richness: sheet.mood.complexity,
        // Two pianists do not begin in the same inversion.
        lean: LEAN * (sheet.luck(part, "lean", sheet.bars.start) - 0.6),
    };
    let mut keys: Vec<Vec<u8>> = Vec::with_capacity(sheet.harmony.chords.len());
    for chord in &sheet.harmony.chords {
        let before = keys.last().map_or(&[][..], Vec::as_slice);
        keys.push(voice(chord, rule, before, lowest_between(sheet.tune, chord.start, chord.end)));
    }
    keys
}

/// Chords in the part's rhythm, fewer and softer where the tune is busy or the singer breathes.
pub fn comp(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let keys = voicings(sheet, part);
    let mut notes = Vec::new();
    for (index, bar) in sheet.grooving(part) {
        let busy = sheet.is_busy(bar);
        for step in sheet.steps(&plan, index, None) {
            // A part that anticipates is a free comper, who listens and lays out; a groove part keeps its strokes.
            let lays_out = sheet.luck(part, "lay out", step.written) < 0.4;
            if (busy && (step.symbol == 'o' || (part.anticipate && lays_out))) || sheet.leaves_out(part, step, bar) {
                continue;
            }
            if part.anticipate && step.symbol != 'X' && lays_out && sheet.breathes(step.written) {
                continue;
            }
            let softer = if busy { 0.88 } else { 1.0 };
            strike(sheet, part, (bar, step), &keys, softer, &mut notes);
        }
        added(sheet, part, bar, &keys, &mut notes);
    }
    if let Some(bar) = sheet.closing(part) {
        last_chord(sheet, part, bar, &keys, &mut notes);
    }
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0).then(a.key.cmp(&b.key)));
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

/// One stroke.
fn strike(
    sheet: &Sheet<'_>,
    part: &Part,
    (bar, step): (&Bar, PlacedStep<'_>),
    keys: &[Vec<u8>],
    softer: f32,
    notes: &mut Vec<ScoreNote>,
) {
    let velocity = (f32::from(sheet.velocity(step.symbol, bar)) * softer) as u8;
    let mut index = chord_at(sheet, part, step.start);
    if step.symbol == 'm' {
        stroke(sheet, part, 'm', (step.start, step.start + MUTED, step.written), (&keys[index], velocity), notes);
        return;
    }
    let mut at = step.start;
    let end = step.start + (step.end - step.start) * f64::from(part.gate);
    let mut on_paper = step.written;
    // A chord held into a change is struck again there with the new one.
    while at < end - 0.03 {
        let until = end.min(sheet.harmony.chords[index].end);
        stroke(sheet, part, step.symbol, (at, until, on_paper), (&keys[index], velocity), notes);
        at = until;
        on_paper = until;
        if end - at < 0.2 || index + 1 >= keys.len() {
            break;
        }
        index += 1;
    }
}

/// The notes of one stroke, from its first string to its last.
fn stroke(
    sheet: &Sheet<'_>,
    part: &Part,
    symbol: char,
    (from, to, on_paper): (f64, f64, f64),
    (keys, velocity): (&[u8], u8),
    notes: &mut Vec<ScoreNote>,
) {
    let strings = keys.len().max(2) - 1;
    let upwards = symbol == 'u';
    let spread = sheet.groove.beats(part.strum_ms) * if symbol == 'm' { 0.35 } else { 1.0 };
    // What lies before the tune's own key in its octave would only thicken it.
    let sung: Vec<u8> = sounding(sheet.tune, from, to).iter().map(|note| note.key).collect();
    let thins = keys.len() > 2 && part.voicing != Voicing::Power;
    // An upstroke catches the higher strings only.
    let lowest = if upwards && keys.len() > 3 { 1 } else { 0 };
    let doubled = keys.iter().filter(|key| sung.contains(key)).count();
    for (string, key) in keys.iter().enumerate().skip(lowest) {
        if thins && sung.contains(key) && doubled < keys.len() - 1 {
            continue;
        }
        let order = if upwards { strings.saturating_sub(string) } else { string };
        let late = spread * order as f64 / strings as f64;
        let start = (from + late).min(to - 0.02).max(from);
        notes.push(written(note(start, to, *key, velocity), on_paper));
    }
}

/// Soft strokes between the written ones, where complexity asks for them.
fn added(sheet: &Sheet<'_>, part: &Part, bar: &Bar, keys: &[Vec<u8>], notes: &mut Vec<ScoreNote>) {
    let share = 0.4 * sheet.mood.adds() * if sheet.is_busy(bar) { 0.4 } else { 1.0 };
    if share <= 0.0 || part.every > 1 {
        return;
    }
    let half = sheet.count_beats() / 2.0;
    let within = |note: &ScoreNote| note.written.map_or(note.start.0, |at| at.0);
    let taken: Vec<f64> = notes.iter().rev().map(within).take_while(|at| *at > bar.from - 1.0).collect();
    let places = ((bar.to - bar.line) / half + 1e-3).floor() as usize;
    for place in (1..places).step_by(2) {
        let on_paper = bar.line + place as f64 * half;
        let at = bar.line + sheet.groove.swung(place as f64 * half / sheet.scale());
        let free = taken.iter().all(|other| (other - on_paper).abs() > 0.8 * half);
        if on_paper < bar.from || !free || sheet.luck(part, "added", on_paper) >= share {
            continue;
        }
        let index = chord_at(sheet, part, at);
        let end = (at + half * f64::from(part.gate).min(0.6)).min(bar.to);
        let velocity = sheet.velocity('o', bar);
        stroke(sheet, part, 'o', (at, end, on_paper), (&keys[index], velocity), notes);
    }
}

/// The last chord of a piece that comes to an end: one stroke of everybody.
fn last_chord(sheet: &Sheet<'_>, part: &Part, bar: &Bar, keys: &[Vec<u8>], notes: &mut Vec<ScoreNote>) {
    let index = sheet.harmony.index_at(bar.from + 0.01);
    let end = sheet.last_chord_end(bar);
    stroke(sheet, part, 'X', (bar.from, end, bar.from), (&keys[index], sheet.velocity('X', bar)), notes);
}

/// The chord a step belongs to: a stroke just before a change is already the next one, for parts that anticipate.
pub fn chord_at(sheet: &Sheet<'_>, part: &Part, at: f64) -> usize {
    let index = sheet.harmony.index_at(at);
    let chord: &Chord = &sheet.harmony.chords[index];
    let near = chord.end - at < 0.55 * sheet.bars.count_beats.min(1.0);
    if part.anticipate && near && index + 1 < sheet.harmony.chords.len() { index + 1 } else { index }
}
