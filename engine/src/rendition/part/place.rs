//! Thread: worker. Where the notes of a part lie, how a line is joined, and what cuts off what.

use crate::generation::score::{Preset, Role, ScoreNote, Track};
use crate::rendition::sampler::Sampler;
use crate::rendition::sampler::voice::Touch;
use crate::time::{Beats, SampleRate, SongGrid};

/// Notes of a line that leave no more than this between them are played as one breath.
const TOUCHING_SECONDS: f64 = 0.03;
/// How long a note of a line takes to make room for the next one, when joined to it and when its ring is damped by it; and how
/// much of that lies before the next one starts, so that neither of the two reaches far into the other's time.
const OVERLAP_SECONDS: f64 = 0.045;
const DAMP_SECONDS: f64 = 0.08;
const ROOM_BEFORE_SECONDS: f64 = 0.02;
/// A slur's crossfade, its middle on the new note, and how much of the new sound's attack is not played again.
const SLUR_SECONDS: f64 = 0.024;
const SLUR_SKIP_SECONDS: f32 = 0.08;
/// How fast a choked cymbal stops.
const CHOKE_SECONDS: f64 = 0.012;
/// Softens a sample that does not begin at zero. Drums are left as sharp as they are.
const START_FADE_SECONDS: f64 = 0.0005;
/// Kits whose strokes alternate between two recordings, so that repeats do not sound like a machine gun.
const JAZZ_KIT: u8 = 32;
const JAZZ_KIT_ALTERNATE: u8 = 33;

/// How a note's end is faded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Where it begins, in frames of the region.
    pub at: i64,
    /// Over how many frames.
    pub frames: i64,
    /// As the other half of a slur: the two sum to one power.
    pub is_slur: bool,
}

/// A note with its place in frames of the region.
#[derive(Debug, Clone)]
pub struct Placed<'a> {
    /// As written.
    pub note: &'a ScoreNote,
    /// Its first frame.
    pub start: i64,
    /// Where its key is let go.
    pub end: i64,
    /// Its sound: a kit's strokes may alternate.
    pub preset: Preset,
    /// Which of the strokes of its key it is.
    pub stroke: usize,
    /// Slurred to the note before.
    pub is_slurred: bool,
    /// Frames it takes to fade in.
    pub soften: usize,
    /// Where the sound is faded out.
    pub cut: Option<Cut>,
}

impl Placed<'_> {
    /// How the stroke differs from the plain one: repeats do not sound like a machine gun, a slur skips the attack.
    pub fn touch(&self, role: Role) -> Touch {
        if self.is_slurred {
            return Touch { skip_seconds: SLUR_SKIP_SECONDS, ..Touch::default() };
        }
        // A lead keeps the tuning that the tune wants.
        let (cents, gain_db) = match (role, self.stroke % TOUCHES) {
            (Role::Lead, _) | (_, 0) => (0.0, 0.0),
            (_, 1) if self.preset.is_kit() => (5.0, -0.5),
            (_, _) if self.preset.is_kit() => (-4.0, 0.25),
            (_, 1) => (1.5, -0.3),
            _ => (-1.5, 0.2),
        };
        Touch { cents, gain_db, ..Touch::default() }
    }
}

/// Different strokes of one key, one after another.
pub const TOUCHES: usize = 3;

/// The notes of a track that sound within the region, by start.
pub fn place<'a>(track: &'a Track, grid: &SongGrid, rate: SampleRate, region: i64) -> Vec<Placed<'a>> {
    let is_kit = track.preset.is_kit();
    let soften = if is_kit { 0 } else { (START_FADE_SECONDS * rate.hz()) as usize };
    let mut placed: Vec<Placed> = track
        .notes
        .iter()
        .filter(|note| note.start.0.is_finite() && note.length.0.is_finite() && note.velocity > 0)
        .map(|note| Placed {
            note,
            start: grid.frame_of(note.start, rate).0.max(0),
            end: grid.frame_of(note.start + note.length, rate).0,
            preset: track.preset,
            stroke: 0,
            is_slurred: false,
            soften,
            cut: None,
        })
        .filter(|one| one.start < region && one.end > 0)
        .collect();
    sort(&mut placed);
    let mut strokes = [0_usize; 128];
    for one in &mut placed {
        let key = usize::from(one.note.key.min(127));
        one.stroke = strokes[key];
        strokes[key] += 1;
        let has_two_takes =
            one.preset == (Preset { bank: 128, program: JAZZ_KIT }) && matches!(key, 35 | 36 | 38 | 40 | 42);
        if has_two_takes {
            if one.stroke % 2 == 1 {
                one.preset.program = JAZZ_KIT_ALTERNATE;
            }
            one.stroke /= 2;
        }
    }
    placed
}

/// Puts notes in the order they are struck.
pub fn sort(placed: &mut [Placed]) {
    placed.sort_by_key(|one| (one.start, one.note.key));
}

/// Marks the notes of a line that are slurred to the one before: those that touch it at another key, on what is bowed or blown.
pub fn slur(placed: &mut [Placed], rate: SampleRate) {
    let frames = |seconds: f64| (seconds * rate.hz()) as i64;
    for index in 1..placed.len() {
        let (head, tail) = placed.split_at_mut(index);
        let (before, this) = (&head[index - 1], &mut tail[0]);
        let touches = this.start > before.start + frames(2.0 * SLUR_SECONDS)
            && before.end >= this.start - frames(TOUCHING_SECONDS);
        if touches && before.note.key != this.note.key && is_bowed_or_blown(this.preset) {
            this.is_slurred = true;
            this.start = (this.start - frames(SLUR_SECONDS) / 2).max(0);
            this.soften = frames(SLUR_SECONDS) as usize;
        }
    }
}

/// Sounds that a breath or a bow carries from note to note.
pub fn is_bowed_or_blown(preset: Preset) -> bool {
    matches!(preset, Preset { bank: 0 | 20, program: 21 | 22 | 40..=43 | 48..=54 | 56..=79 })
}

/// Each stroke of a choke group ends what the group still rings.
pub fn choke(placed: &mut [Placed], sampler: &Sampler, rate: SampleRate) {
    let frames = (CHOKE_SECONDS * rate.hz()) as i64;
    let mut next: std::collections::BTreeMap<i32, i64> = std::collections::BTreeMap::new();
    for one in placed.iter_mut().rev() {
        let Some(group) = sampler.choke_group(one.preset, one.note.key, one.note.velocity) else { continue };
        // Two strokes on one frame are one stroke.
        if let Some(&at) = next.get(&group)
            && at > one.start
        {
            one.cut = Some(Cut { at, frames, is_slur: false });
        }
        next.insert(group, one.start);
    }
}

/// Joins a line: a note that touches the next one sounds a little into it, one that still rings is damped by it.
pub fn join(placed: &mut [Placed], rate: SampleRate) {
    let frames = |seconds: f64| (seconds * rate.hz()) as i64;
    let cut = |at, seconds| Some(Cut { at, frames: frames(seconds), is_slur: false });
    for index in 0..placed.len().saturating_sub(1) {
        let (head, tail) = placed.split_at_mut(index + 1);
        let (this, next) = (&mut head[index], &tail[0]);
        // Two notes struck together are a chord, not a line.
        if next.start <= this.start {
            continue;
        }
        if next.is_slurred {
            this.end = next.start + frames(SLUR_SECONDS);
            this.cut = Some(Cut { at: next.start, frames: frames(SLUR_SECONDS), is_slur: true });
        } else if this.end < next.start - frames(TOUCHING_SECONDS) {
            this.cut = cut(next.start - frames(ROOM_BEFORE_SECONDS), DAMP_SECONDS);
        } else if this.note.key == next.note.key {
            // The same key again must be heard as a new stroke.
            this.end = next.start;
            this.cut = cut(next.start - frames(0.004), 0.012);
        } else {
            this.end = next.start + frames(OVERLAP_SECONDS);
            this.cut = cut(next.start - frames(ROOM_BEFORE_SECONDS), OVERLAP_SECONDS);
        }
    }
}

/// A curve in beats as one in frames from the note's first frame, made safe: finite, in order, within ± `limit`.
pub fn curve(
    points: &[(f32, f32)],
    note: Beats,
    start: i64,
    grid: &SongGrid,
    rate: SampleRate,
    limit: f32,
) -> Vec<(f64, f32)> {
    let mut frames: Vec<(f64, f32)> = points
        .iter()
        .filter(|(at, value)| at.is_finite() && value.is_finite())
        .map(|&(at, value)| {
            let frame = grid.frame_of(note + Beats(f64::from(at)), rate).0 - start;
            (frame as f64, value.clamp(-limit, limit))
        })
        .collect();
    frames.sort_by(|a, b| a.0.total_cmp(&b.0));
    frames
}

/// Where a key lies within an instrument that is wider than a point, to be added to the part's pan: a kit as the audience sees
/// it, low keys left and high ones right of what plays chords. The samples themselves are mono.
pub fn place_in_instrument(track: &Track, key: u8) -> f32 {
    if track.preset.is_kit() {
        return match key {
            42 | 44 | 46 => 0.3,
            41 | 43 => -0.4,
            45 | 47 => -0.1,
            48 | 50 => 0.25,
            49 | 55 => 0.45,
            51..=53 | 57 | 59 => -0.4,
            37..=40 => 0.05,
            54 | 69 | 70 | 82 => 0.35,
            56 | 60..=68 => -0.25,
            _ => 0.0,
        };
    }
    match track.role {
        Role::Chords | Role::Pad | Role::Colour => 0.4 * ((f32::from(key) - 62.0) / 24.0).clamp(-1.0, 1.0),
        _ => 0.0,
    }
}
