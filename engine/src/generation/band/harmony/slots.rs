//! Thread: worker. Slots: the stretches of a score that hold one chord each, cut on the groups of the metre and where the song's own
//! chords begin and end.

use super::Task;
use super::keys::Region;
use crate::generation::band::bars::Bars;
use crate::generation::band::melody::MelodyNote;
use crate::generation::song::{SongChord, SongContext, division};
use crate::generation::style::Style;

/// Shorter stretches than this hold no chord of their own, in beats.
const SHORTEST: f64 = 0.24;

/// A stretch that holds one chord.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Start, in song beats.
    pub start: f64,
    /// End, in song beats.
    pub end: f64,
    /// Index of its bar.
    pub bar: usize,
    /// Number of its bar within the phrase.
    pub in_phrase: usize,
    /// Its place among the chords of its bar, from 0.
    pub place: usize,
    /// It begins in the latter half of its bar.
    pub late: bool,
    /// Last of a phrase.
    pub ends_phrase: bool,
    /// Index of the key in force.
    pub region: usize,
    /// Index of the song's own chord.
    pub locked: Option<usize>,
}

/// Chords a bar that are asked for, and whether the musician asked.
pub fn density(task: &Task<'_>) -> (f32, bool) {
    match task.direction.chords_per_bar {
        Some(wished) if wished.is_finite() => (wished.clamp(0.25, 4.0), true),
        _ => (task.style.harmony.chords_per_bar, false),
    }
}

/// The borders of one bar's slots, in beats from its line.
fn divisions(bars: &Bars, style: &Style, density: f32, asked: bool) -> Vec<f64> {
    let chords = if asked || density > 2.0 {
        division::chords_for(bars.metre, density)
    } else if style.harmony.slots_per_bar == 2 && crate::generation::style::steps::counts(bars.metre) != 3 {
        // Bars of three counts change chord in the middle only when somebody asks for it.
        2
    } else {
        1
    };
    division::starts(bars.metre, chords)
}

/// The song's own chords that lie in the score, as song positions: start, end, index.
fn placed(song: &SongContext, bars: &Bars) -> Vec<(f64, f64, usize)> {
    let usable = |chord: &SongChord| {
        chord.start.0.is_finite() && chord.length.0.is_finite() && chord.length.0 > 0.0 && !chord.tones.is_empty()
    };
    let first_bar = bars.bars.iter().find(|bar| !bar.pickup).map_or(bars.start, |bar| bar.line);
    let origin = song.start.map(|start| start.0).filter(|start| start.is_finite()).unwrap_or(first_bar);
    let repeats = song.repeats_after.map(|beats| beats.0).filter(|beats| beats.is_finite() && *beats >= 0.5);
    let mut placed = Vec::new();
    // A sheet that begins with the tune has nothing to say about its pickup.
    let earliest = if song.start.is_some() { bars.start } else { first_bar };
    let passes = match repeats {
        Some(every) => {
            let from = ((earliest - origin) / every).floor();
            let to = ((bars.end - origin) / every).ceil();
            (0..((to - from).clamp(0.0, 8192.0)) as usize).map(|pass| origin + (from + pass as f64) * every).collect()
        }
        None => vec![origin],
    };
    for pass in passes {
        for (index, chord) in song.chords.iter().enumerate().filter(|(_, chord)| usable(chord)) {
            let start = pass + chord.start.0;
            let end = start + repeats.map_or(chord.length.0, |every| chord.length.0.min(every));
            if end > earliest + 1e-6 && start < bars.end - 1e-6 {
                placed.push((start.max(earliest), end.min(bars.end), index));
            }
        }
    }
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for index in 1..placed.len() {
        placed[index - 1].1 = placed[index - 1].1.min(placed[index].0);
    }
    placed.retain(|(start, end, _)| end - start > SHORTEST);
    placed
}

/// Cuts the score into slots.
pub fn slots(task: &Task<'_>, regions: &[Region]) -> Vec<Slot> {
    let bars = task.bars;
    let (density, asked) = density(task);
    let divisions = divisions(bars, task.style, density, asked);
    let held = if density <= 0.3 {
        4
    } else if density <= 0.6 {
        2
    } else {
        1
    };
    let placed = placed(task.song, bars);
    let mut slots: Vec<Slot> = Vec::new();
    for (index, bar) in bars.bars.iter().enumerate() {
        let mut borders = vec![bar.from, bar.to];
        let locked_at = |position: f64| {
            placed.iter().find(|(start, end, _)| *start <= position && position < *end).map(|(.., index)| *index)
        };
        for (start, end, _) in &placed {
            borders.extend([*start, *end]);
        }
        if !bar.pickup {
            let lines = divisions.iter().map(|place| bar.line + place);
            borders.extend(lines.filter(|line| locked_at(*line).is_none()));
        }
        borders.retain(|border| (bar.from - 1e-9..=bar.to + 1e-9).contains(border));
        borders.sort_by(f64::total_cmp);
        let mut kept: Vec<f64> = vec![bar.from];
        for border in borders {
            if border - kept[kept.len() - 1] > SHORTEST && bar.to - border > SHORTEST {
                kept.push(border);
            }
        }
        kept.push(bar.to);
        let last = kept.len() - 2;
        for (place, pair) in kept.windows(2).enumerate() {
            let (start, end) = (pair[0], pair[1]);
            let middle = (start + end) / 2.0;
            let slot = Slot {
                start,
                end,
                bar: index,
                in_phrase: bar.in_phrase,
                place,
                late: start - bar.line > 0.45 * bars.bar_beats,
                ends_phrase: bar.ends_phrase && place == last,
                region: regions.iter().rposition(|region| region.start <= start + 1e-6).unwrap_or(0),
                locked: locked_at(middle),
            };
            // Chords that are to last for bars go on over bar lines within their phrase.
            let joins = held > 1 && slot.locked.is_none() && bar.in_phrase % held != 0 && !bar.pickup;
            match slots.last_mut() {
                Some(before)
                    if joins
                        && place == 0
                        && before.locked.is_none()
                        && before.region == slot.region
                        && !before.ends_phrase
                        && !bars.bars[before.bar].pickup
                        && bars.bars[before.bar].phrase == bar.phrase =>
                {
                    before.end = slot.end;
                    before.ends_phrase = slot.ends_phrase;
                }
                _ => slots.push(slot),
            }
        }
    }
    slots
}

/// Cuts a slot in two because no chord suits all of it: at a bar line, else where one of its long notes begins or ends. False when
/// there is no such place.
pub fn split(slots: &mut Vec<Slot>, index: usize, bars: &Bars, melody: &[MelodyNote]) -> bool {
    let slot = slots[index].clone();
    let middle = (slot.start + slot.end) / 2.0;
    let inside = |place: &f64| *place > slot.start + SHORTEST && *place < slot.end - SHORTEST;
    let nearest = |places: Vec<f64>| {
        places.into_iter().filter(inside).min_by(|a, b| (a - middle).abs().total_cmp(&(b - middle).abs()))
    };
    let lines = bars.bars.iter().map(|bar| bar.line).collect();
    let in_slot = |note: &&MelodyNote| note.end > slot.start && note.meant < slot.end;
    let border = nearest(lines).or_else(|| {
        let long = melody.iter().filter(in_slot).filter(|note| super::fit::is_long(note));
        nearest(long.flat_map(|note| [note.meant, note.end]).collect())
    });
    let Some(border) = border else { return false };
    let bar = bars.at(border);
    let first_in_bar = (border - bars.bars[bar].from).abs() < 1e-6;
    let latter = Slot {
        start: border,
        bar,
        in_phrase: bars.bars[bar].in_phrase,
        place: if first_in_bar { 0 } else { slot.place + 1 },
        late: border - bars.bars[bar].line > 0.45 * bars.bar_beats,
        ..slot
    };
    slots[index].end = border;
    slots[index].ends_phrase = false;
    slots.insert(index + 1, latter);
    true
}
