//! Thread: worker. A track becomes audio: every note on its exact frame, lines joined, hats choked.

use super::biquad::Biquad;
use super::clarity::{Needs, clarified, needs_of, probe_seconds};
use super::levels::evening_gain_db;
use super::synth::{NotePlayer, NoteShape, StereoSound, line_at};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::{Preset, Role, ScoreNote, Track};
use crate::job_context::JobContext;
use crate::time::{Beats, SampleRate, SongGrid};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Notes of a line that leave no more than this between them are played as one breath.
const TOUCHING_SECONDS: f64 = 0.03;
/// How long a note of a line takes to make room for the next one, when joined to it and when its ring is damped by it; and how
/// much of that lies before the next one starts, so that neither of the two reaches far into the other's time.
const OVERLAP_SECONDS: f64 = 0.045;
const DAMP_SECONDS: f64 = 0.08;
const ROOM_BEFORE_SECONDS: f64 = 0.02;
/// How fast a choked cymbal stops.
const CHOKE_SECONDS: f64 = 0.012;
/// Softens a sample that does not begin at zero. Drums are left as sharp as they are.
const START_FADE_SECONDS: f64 = 0.0005;
/// What no instrument of the set sounds below: some samples carry an offset.
const LOWEST_HZ: f64 = 22.0;
/// Kits whose strokes alternate between two recordings, so that repeats do not sound like a machine gun.
const JAZZ_KIT: u8 = 32;
const JAZZ_KIT_ALTERNATE: u8 = 33;

/// A note with its place in frames of the region.
struct Placed<'a> {
    note: &'a ScoreNote,
    start: i64,
    end: i64,
    preset: Preset,
    /// Where the sound is faded out, and over how many frames.
    cut: Option<(i64, i64)>,
}

/// Plays a track: stereo, `frames` long, frame 0 at `grid.start`; pan and gain applied, no room.
///
/// Notes that begin before the region (a pickup played early) begin at frame 0; notes at or after `region` frames are left
/// out. `played` is called after each note.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::OutOfRange`] for an impossible rate.
pub fn render_part(
    track: &Track,
    grid: &SongGrid,
    rate: SampleRate,
    region: i64,
    frames: usize,
    context: &JobContext,
    played: &dyn Fn() -> Result<()>,
) -> Result<AudioBuffer> {
    let sampled = Track { preset: sampled(track.preset), ..track.clone() };
    let track = &sampled;
    let mut player = NotePlayer::new(rate)?;
    let mut placed = place(track, grid, rate, region);
    let carries = track.role == Role::Lead && !track.preset.is_kit();
    let mut known_needs = BTreeMap::new();
    if carries {
        for one in &mut placed {
            let needs = needs_of_note(&mut player, &mut known_needs, one.shape(None), rate, context)?;
            one.start = (one.start - (needs.early_seconds * rate.hz()) as i64).max(0);
        }
    }
    if track.preset.is_kit() {
        choke(&mut placed, &player, rate);
    } else if matches!(track.role, Role::Lead | Role::Counter | Role::Bass) {
        join(&mut placed, rate);
    }
    let mut out = StereoSound { left: vec![0.0; frames], right: vec![0.0; frames] };
    let gain = db(evening_gain_db(track.preset)? + finite(track.gain_db).clamp(-60.0, 24.0));
    for one in &placed {
        let held = u64::try_from(one.end - one.start).unwrap_or(0).max(1);
        let one_shot = one.preset.is_kit() && !player.loops(one.preset, one.note.key, one.note.velocity);
        let shape = one.shape((!one_shot).then_some(held));
        let bend = curve(&one.note.bend, one.note.start, one.start, grid, rate, 24.0);
        let mut sound = player.play(shape, &bend, context)?;
        let mut gain_db = curve(&one.note.expression_db, one.note.start, one.start, grid, rate, 60.0);
        if carries {
            let needs = needs_of_note(&mut player, &mut known_needs, shape, rate, context)?;
            if !needs.cuts.is_empty() {
                sound = Arc::new(clarified(&sound, &needs.cuts, rate, context)?);
            }
            // What dies away has no swells written.
            if gain_db.is_empty() {
                gain_db = needs.sustain(rate);
            }
        }
        let soften = if one.preset.is_kit() { 0.0 } else { START_FADE_SECONDS * rate.hz() };
        let place = finite(track.pan) + place_in_instrument(track, one.note.key);
        add(&mut out, &sound, one, &gain_db, sides(place, gain), soften as usize);
        played()?;
    }
    for channel in [&mut out.left, &mut out.right] {
        Biquad::high_pass(LOWEST_HZ, rate).filter(channel, context)?;
    }
    Ok(AudioBuffer { rate, channels: vec![out.left, out.right] })
}

/// The sample that stands in for a synthetic sound.
fn sampled(preset: Preset) -> Preset {
    match (preset.bank, preset.program) {
        (Preset::OSCILLATOR_KITS, _) => Preset { bank: 128, program: 25 },
        (Preset::OSCILLATORS, 0..=9) => Preset { bank: 0, program: 38 },
        (Preset::OSCILLATORS, 10..=19) => Preset { bank: 0, program: 81 },
        (Preset::OSCILLATORS, _) => Preset { bank: 0, program: 89 },
        _ => preset,
    }
}

impl Placed<'_> {
    fn shape(&self, held: Option<u64>) -> NoteShape {
        NoteShape { preset: self.preset, key: self.note.key.min(127), velocity: self.note.velocity, held }
    }
}

/// What [`needs_of`] says of a note's key, asked once a key and shade of loudness.
fn needs_of_note<'a>(
    player: &mut NotePlayer,
    known: &'a mut BTreeMap<(u8, u8), Needs>,
    note: NoteShape,
    rate: SampleRate,
    context: &JobContext,
) -> Result<&'a Needs> {
    // Recorded dynamics differ in timbre; sixteen velocities more or less do not.
    let velocity = note.velocity / 16 * 16 + 8;
    Ok(match known.entry((note.key, velocity)) {
        Entry::Occupied(needs) => needs.into_mut(),
        Entry::Vacant(place) => {
            let held = Some((probe_seconds() * rate.hz()) as u64);
            let straight = player.play(NoteShape { velocity, held, ..note }, &[], context)?;
            place.insert(needs_of(note.key, &straight, rate)?)
        }
    })
}

fn place<'a>(track: &'a Track, grid: &SongGrid, rate: SampleRate, region: i64) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed> = track
        .notes
        .iter()
        .filter(|note| note.start.0.is_finite() && note.length.0.is_finite() && note.velocity > 0)
        .map(|note| Placed {
            note,
            start: grid.frame_of(note.start, rate).0.max(0),
            end: grid.frame_of(note.start + note.length, rate).0,
            preset: track.preset,
            cut: None,
        })
        .filter(|one| one.start < region && one.end > 0)
        .collect();
    placed.sort_by_key(|one| (one.start, one.note.key));
    if track.preset == (Preset { bank: 128, program: JAZZ_KIT }) {
        let mut strokes = [0_u32; 128];
        for one in &mut placed {
            let key = usize::from(one.note.key.min(127));
            if matches!(key, 35 | 36 | 38 | 40 | 42) {
                if strokes[key] % 2 == 1 {
                    one.preset.program = JAZZ_KIT_ALTERNATE;
                }
                strokes[key] += 1;
            }
        }
    }
    placed
}

/// Each stroke of a choke group ends what the group still rings.
fn choke(placed: &mut [Placed], player: &NotePlayer, rate: SampleRate) {
    let fade = (CHOKE_SECONDS * rate.hz()) as i64;
    let groups: Vec<Option<i32>> =
        placed.iter().map(|one| player.choke_group(one.preset, one.note.key, one.note.velocity)).collect();
    for index in 0..placed.len() {
        let Some(group) = groups[index] else { continue };
        let next = (index + 1..placed.len()).find(|&later| groups[later] == Some(group));
        if let Some(next) = next {
            placed[index].cut = Some((placed[next].start, fade));
        }
    }
}

/// Joins a line: a note that touches the next one sounds a little into it, one that still rings is damped by it.
fn join(placed: &mut [Placed], rate: SampleRate) {
    let frames = |seconds: f64| (seconds * rate.hz()) as i64;
    for index in 0..placed.len().saturating_sub(1) {
        let (head, tail) = placed.split_at_mut(index + 1);
        let (this, next) = (&mut head[index], &tail[0]);
        // Two notes struck together are a chord, not a line.
        if next.start <= this.start {
            continue;
        }
        if this.end < next.start - frames(TOUCHING_SECONDS) {
            this.cut = Some((next.start - frames(ROOM_BEFORE_SECONDS), frames(DAMP_SECONDS)));
        } else if this.note.key == next.note.key {
            // The same key again must be heard as a new stroke.
            this.end = next.start;
            this.cut = Some((next.start - frames(0.004), frames(0.012)));
        } else {
            this.end = next.start + frames(OVERLAP_SECONDS);
            this.cut = Some((next.start - frames(ROOM_BEFORE_SECONDS), frames(OVERLAP_SECONDS)));
        }
    }
}

/// A curve in beats as one in frames from the note's first frame, made safe: finite, in order, within ± `limit`.
fn curve(
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
fn place_in_instrument(track: &Track, key: u8) -> f32 {
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

/// Gains of left and right for a place from -1 to 1: equal power, unity in the middle.
fn sides(place: f32, gain: f32) -> [f32; 2] {
    let angle = (place.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
    [std::f32::consts::SQRT_2 * angle.cos() * gain, std::f32::consts::SQRT_2 * angle.sin() * gain]
}

fn add(
    out: &mut StereoSound,
    sound: &StereoSound,
    one: &Placed,
    gain_db: &[(f64, f32)],
    [to_left, to_right]: [f32; 2],
    soften: usize,
) {
    let start = usize::try_from(one.start).unwrap_or(0);
    if start >= out.left.len() {
        return;
    }
    let mut length = sound.left.len().min(out.left.len() - start);
    let (cut, fade) = one.cut.map_or((usize::MAX, 1), |(at, fade)| {
        let at = usize::try_from(at - one.start).unwrap_or(0);
        (at, usize::try_from(fade).unwrap_or(1).max(1))
    });
    length = length.min(cut.saturating_add(fade));
    // A gain every few frames with straight lines between is smooth to the ear and cheap.
    const STEP: usize = 32;
    let shape = |frame: usize| -> f32 {
        let mut gain = if gain_db.is_empty() { 1.0 } else { db(line_at(gain_db, frame as f64)) };
        if frame > cut {
            let share = ((frame - cut) as f32 / fade as f32).min(1.0);
            gain *= 0.5 + 0.5 * (std::f32::consts::PI * share).cos();
        }
        gain
    };
    let flat = gain_db.is_empty();
    let mut from = 0;
    while from < length {
        let to = (from + STEP).min(length);
        let (first, last) = if flat && to <= cut { (1.0, 1.0) } else { (shape(from), shape(to)) };
        let slope = (last - first) / (to - from) as f32;
        let target = start + from..start + to;
        let left = out.left[target.clone()].iter_mut().zip(&sound.left[from..to]);
        let right = out.right[target].iter_mut().zip(&sound.right[from..to]);
        for (index, ((left, add_left), (right, add_right))) in left.zip(right).enumerate() {
            let mut gain = first + slope * index as f32;
            if from + index < soften {
                gain *= (from + index + 1) as f32 / (soften + 1) as f32;
            }
            *left += add_left * gain * to_left;
            *right += add_right * gain * to_right;
        }
        from = to;
    }
}

fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}

/// Decibels as a factor.
pub(super) fn db(decibels: f32) -> f32 {
    10.0_f32.powf(decibels / 20.0)
}
