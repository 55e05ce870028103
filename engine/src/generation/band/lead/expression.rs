//! Thread: worker. Expression: the singer's dynamics, glides and vibrato, on an instrument and within its taste.
//!
//! Loudness is mapped by rank: the take's own distribution is spread over the range the instrument speaks in, so that a shy take
//! still breathes and a shouted one does not saturate. Glides are kept near the ends of notes, short; between them a note stays
//! on its key.

use crate::analysis::Note;
use crate::generation::score::Preset;
use crate::polyline::value_at;

/// Share of the singer's bends that the instrument follows.
const BEND_SHARE: f32 = 0.7;
/// Furthest a note's inner part may lie from its key, in semitones: its chroma stays the sung one.
const MOST_BEND_INSIDE: f32 = 0.3;
/// Furthest a scoop or a fall may reach, and the part of a note that it may take: a share, and seconds at most.
const MOST_BEND_AT_EDGES: f32 = 1.0;
const EDGE_SHARE: f32 = 0.2;
const EDGE_SECONDS: f32 = 0.07;
/// Half-widths of the smoothing windows, in seconds.
const SMOOTH_BEND_SECONDS: f32 = 0.03;
const SMOOTH_LEVEL_SECONDS: f32 = 0.05;
/// Velocity of the take's median, and how far the softest and the loudest lie apart.
const MIDDLE_VELOCITY: f32 = 92.0;
const VELOCITIES: f32 = 46.0;
/// Spread of loudness, from the tenth to the ninetieth percentile, that uses all of them.
const FULL_SPREAD: f32 = 0.35;
/// Shares of the take's time that lie below a level, and the decibels an instrument plays there.
const SWELLS_DB: [(f32, f32); 6] = [(0.0, -12.0), (0.05, -9.0), (0.25, -5.0), (0.5, -2.5), (0.75, -1.0), (0.95, 0.0)];
/// A swell is never deeper than the sung one by more than this factor: a steady voice stays steady.
const DEEPEST_SHARE: f32 = 0.9;
/// Sung swings of pitch from which on a note has its own vibrato, in semitones from centre to crest.
const OWN_VIBRATO: f32 = 0.12;
/// A vibrato begins so long after the note, or after that share of it, and takes as long to grow.
const VIBRATO_DELAY_SECONDS: f32 = 0.3;
const VIBRATO_DELAY_SHARE: f32 = 0.35;
const VIBRATO_GROWTH_SECONDS: f32 = 0.35;
/// Shorter notes get none.
const VIBRATO_NOTE_SECONDS: f32 = 0.7;
const VIBRATO_HZ: f32 = 5.3;

/// How loud a take's notes and their inner parts are, as distributions.
#[derive(Debug, Clone, PartialEq)]
pub struct Dynamics {
    /// Loudness of each note, and the time of all up to it, by loudness.
    notes: Vec<(f32, f32)>,
    /// Levels inside the notes in decibels, sorted.
    levels: Vec<f32>,
}

impl Dynamics {
    /// Those of a take.
    pub fn of(notes: &[Note]) -> Self {
        let time = |note: &Note| ((note.offset.0 - note.onset.0) as f32).clamp(0.05, 4.0);
        let sane = notes.iter().filter(|note| note.loudness.is_finite() && note.offset.0 > note.onset.0);
        let mut sorted: Vec<(f32, f32)> = sane.map(|note| (note.loudness.clamp(0.0, 1.0), time(note))).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut passed = 0.0;
        for note in &mut sorted {
            passed += note.1;
            note.1 = passed;
        }
        let inside =
            notes.iter().flat_map(|note| note.level_db.iter().filter(|(at, level)| *at > 0.08 && level.is_finite()));
        let mut levels: Vec<f32> = inside.map(|(_, level)| level.min(0.0)).collect();
        levels.sort_by(f32::total_cmp);
        Self { notes: sorted, levels }
    }

    /// Share of the take's time that is softer than a loudness, half of what is equal counted.
    fn rank(&self, loudness: f32) -> f32 {
        let upto = |loudness: f32| {
            let after = self.notes.partition_point(|note| note.0 <= loudness);
            after.checked_sub(1).map_or(0.0, |last| self.notes[last].1)
        };
        let total = self.notes.last().map_or(0.0, |last| last.1);
        if total > 0.0 { (upto(loudness - 1e-4) + upto(loudness + 1e-4)) / 2.0 / total } else { 0.5 }
    }

    fn at_rank(&self, rank: f32) -> f32 {
        let total = self.notes.last().map_or(0.0, |last| last.1);
        let at = self.notes.partition_point(|note| note.1 < rank * total);
        self.notes.get(at).map_or(0.5, |note| note.0)
    }

    /// The velocity of a note of a loudness, before the band's energy.
    pub fn velocity(&self, loudness: f32) -> f32 {
        let spread = (self.at_rank(0.9) - self.at_rank(0.1)) / FULL_SPREAD;
        // Half by rank, half by amount: two levels close to each other are not torn apart.
        let middle = self.at_rank(0.5);
        let amount = ((loudness - middle) / FULL_SPREAD.max(1e-3)).clamp(-0.5, 0.5);
        let rank = (self.rank(loudness) - 0.5) * spread.clamp(0.0, 1.0);
        MIDDLE_VELOCITY + VELOCITIES * 0.5 * (rank + amount)
    }

    /// Decibels an instrument plays where the voice has a level inside its note.
    fn swell(&self, level: f32) -> f32 {
        let below = self.levels.partition_point(|other| *other < level) as f32;
        let upto = self.levels.partition_point(|other| *other <= level) as f32;
        let rank = (below + upto) / 2.0 / (self.levels.len() as f32).max(1.0);
        value_at(&SWELLS_DB, rank).max(DEEPEST_SHARE * level.min(0.0)).max(SWELLS_DB[0].1)
    }
}

fn smooth(points: &[(f32, f32)], half_width: f32) -> Vec<(f32, f32)> {
    let finite: Vec<(f32, f32)> = points.iter().copied().filter(|(t, v)| t.is_finite() && v.is_finite()).collect();
    let mut first = 0;
    let mut smoothed = Vec::with_capacity(finite.len());
    for &(time, _) in &finite {
        while finite[first].0 < time - half_width {
            first += 1;
        }
        let (mut sum, mut weight) = (0.0, 0.0);
        for &(other, value) in finite[first..].iter().take_while(|(other, _)| *other <= time + half_width) {
            let share = 1.0 - 0.9 * (other - time).abs() / half_width;
            sum += share * value;
            weight += share;
        }
        smoothed.push((time, sum / weight));
    }
    smoothed
}

/// The singer's glides and vibrato around the key, in beats and semitones, with a vibrato of the instrument's own where the
/// voice holds a long note straight. `beats_after` turns seconds after the onset into beats.
pub fn bend_curve(note: &Note, preset: Preset, beats_after: impl Fn(f32) -> f32) -> Vec<(f32, f32)> {
    let duration = (note.offset.0 - note.onset.0) as f32;
    let smoothed = smooth(&note.bend, SMOOTH_BEND_SECONDS);
    let mut inner: Vec<f32> = smoothed
        .iter()
        .filter(|(time, _)| (0.25 * duration..=0.75 * duration).contains(time))
        .map(|(_, semitones)| *semitones)
        .collect();
    inner.sort_by(f32::total_cmp);
    // The key is right already, so what the inner part lies off on average is intonation, not expression.
    let centre = inner.get(inner.len() / 2).copied().unwrap_or(0.0);
    let sung: Vec<(f32, f32)> = smoothed
        .into_iter()
        .filter(|(time, _)| (0.0..=duration).contains(time))
        .map(|(time, semitones)| {
            let reach = (EDGE_SHARE * duration).clamp(1e-3, EDGE_SECONDS);
            let edge = (1.0 - time.min(duration - time) / reach).clamp(0.0, 1.0);
            let most = MOST_BEND_INSIDE + (MOST_BEND_AT_EDGES - MOST_BEND_INSIDE) * edge;
            (time, (BEND_SHARE * (semitones - centre)).clamp(-most, most))
        })
        .collect();
    let depth = vibrato_depth(preset);
    let curve = if depth > 0.0 && duration >= VIBRATO_NOTE_SECONDS && !has_vibrato(&sung, duration) {
        with_vibrato(&sung, duration, depth)
    } else {
        sung
    };
    let thinned = thin(curve.into_iter().map(|(time, semitones)| (beats_after(time), semitones)), 0.02);
    if thinned.iter().all(|(_, semitones)| semitones.abs() < 0.03) { Vec::new() } else { thinned }
}

/// Whether a voice swings around its pitch in the later part of a note.
fn has_vibrato(curve: &[(f32, f32)], duration: f32) -> bool {
    let slow = smooth(curve, 0.15);
    let later = curve.iter().zip(&slow).filter(|((time, _), _)| (0.25 * duration..0.9 * duration).contains(time));
    let (mut sum, mut count) = (0.0, 0.0_f32);
    for ((_, fast), (_, slow)) in later {
        sum += (fast - slow).powi(2);
        count += 1.0;
    }
    // A sine's crest is the square root of two over its root mean square.
    count > 0.0 && (2.0 * sum / count).sqrt() > OWN_VIBRATO
}

/// A curve with a delayed vibrato on it.
pub fn with_vibrato(curve: &[(f32, f32)], duration: f32, depth: f32) -> Vec<(f32, f32)> {
    let delay = VIBRATO_DELAY_SECONDS.max(VIBRATO_DELAY_SHARE * duration);
    let step = 1.0 / (VIBRATO_HZ * 10.0);
    let mut with: Vec<(f32, f32)> = curve.iter().copied().filter(|(time, _)| *time < delay).collect();
    if with.is_empty() {
        with.push((0.0, 0.0));
    }
    let mut time = delay;
    while time <= duration {
        let growth = ((time - delay) / VIBRATO_GROWTH_SECONDS).min(1.0);
        let wave = (std::f32::consts::TAU * VIBRATO_HZ * (time - delay)).sin();
        with.push((time, value_at(curve, time) + depth * growth * wave));
        time += step;
    }
    with
}

/// Crest of the vibrato that players of an instrument put on long notes, in semitones; 0 where they play straight, or where the
/// recorded sound already has one.
pub fn vibrato_depth(preset: Preset) -> f32 {
    match (preset.bank, preset.program) {
        (Preset::OSCILLATORS, 10..=19) => 0.16,
        (0, 40 | 42) => 0.2,
        (0, 29 | 30) => 0.2,
        (0, 24..=27) => 0.08,
        (0, 56 | 59 | 68 | 73 | 78) => 0.13,
        (0, 57 | 22 | 52) => 0.1,
        (0, 80 | 81) => 0.15,
        _ => 0.0,
    }
}

/// The singer's dynamics inside the note, in beats and decibels.
pub fn swell_curve(note: &Note, dynamics: &Dynamics, beats_after: impl Fn(f32) -> f32) -> Vec<(f32, f32)> {
    let duration = (note.offset.0 - note.onset.0) as f32;
    let smoothed = smooth(&note.level_db, SMOOTH_LEVEL_SECONDS);
    let curve = smoothed.into_iter().filter(|(time, _)| (0.0..=duration).contains(time)).map(|(time, level)| {
        // Voices start softly before the pitch settles; an instrument's own attack already does that.
        let softest = if time < 0.08 { -3.0 } else { SWELLS_DB[0].1 };
        (beats_after(time), dynamics.swell(level).clamp(softest, 0.0))
    });
    let thinned = thin(curve, 0.3);
    if thinned.iter().all(|(_, level)| *level > -0.5) { Vec::new() } else { thinned }
}

/// Leaves out points that lie on the line between their neighbours within a tolerance. Ends stay.
fn thin(points: impl Iterator<Item = (f32, f32)>, tolerance: f32) -> Vec<(f32, f32)> {
    let mut kept: Vec<(f32, f32)> = Vec::new();
    for point in points {
        if let [.., before, middle] = kept[..] {
            let span = point.0 - before.0;
            let on_line = before.1 + (point.1 - before.1) * (middle.0 - before.0) / span.max(1e-6);
            // A long straight stretch keeps a point a beat, so that small errors cannot pile up.
            if (on_line - middle.1).abs() < tolerance && span < 1.0 {
                kept.pop();
            }
        }
        if kept.last().is_none_or(|last| point.0 > last.0) {
            kept.push(point);
        }
    }
    kept
}
