//! Thread: any. How loud parts are as written, and the gains that make a band of them. Computed from the notes alone, so that the gain of a part
//! does not depend on what other parts sound like, or whether they are heard at all.
//!
//! The scale: a part's level is that of an ideal instrument, whose key at velocity 100 sounds at 0 dB for as long as it is written. The renderer
//! brings real instruments to the same level.

use super::{Role, Score, ScoreNote, Track};
use crate::gating::gated_mean;
use crate::time::{Beats, SongGrid};
use serde::{Deserialize, Serialize};

/// Integrated loudness of a whole band at the session level.
pub const SESSION_LUFS: f32 = -18.0;
/// Where the lead stands over everything else together, in LU: before the style's own wish is heard, and how far that is followed.
const LEAD_LU: [f32; 2] = [1.7, 2.2];
/// What measured bands were softer than the sum of their parts' powers, in dB.
const TOGETHER_DB: f32 = 0.2;
/// Most the lead is moved for that, in dB.
const LEAD_MOST_DB: f32 = 12.0;
/// What is so much softer than the loudest moments counts for nothing: the absolute gate, as a power.
const SILENT: f64 = 1e-6;
/// The steps that loudness is gated in.
const STEP_SECONDS: f64 = 0.1;
/// Shorter notes still sound so long.
const SHORTEST_SECONDS: f64 = 0.15;
/// What is struck or plucked loses its energy in this time.
const STRUCK_SECONDS: f64 = 0.6;

/// What is settled for the whole band, with every part the style plays, muted ones too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// Gain of every part, in dB on the scale of written levels.
    pub band_db: f32,
    /// Gain of the lead on top of it.
    pub lead_db: f32,
    /// Where the lead has its weight, in Hz: the parts that play chords leave some room there. 0 without a lead.
    pub lead_hz: f32,
    /// The part whose sound carries the crackle of the style's record, if it has one.
    pub crackle: Option<Role>,
    /// Where a kick is struck, in beats from the start of the grid: what ducks under it does so even when the drums are muted.
    pub kicks: Vec<f64>,
}

impl Balance {
    /// The balance of a score that has all its parts.
    pub fn of(score: &Score) -> Self {
        let powers: Vec<Vec<f64>> =
            score.tracks.iter().map(|track| written_power(track, &score.grid, score.length)).collect();
        let steps = powers.iter().map(Vec::len).max().unwrap_or(0);
        let together = |lead: bool, gain: f64| -> Vec<f64> {
            let mut sum = vec![0.0; steps];
            for (track, power) in score.tracks.iter().zip(&powers) {
                if (track.role == Role::Lead) == lead {
                    sum.iter_mut().zip(power).for_each(|(sum, power)| *sum += gain * power);
                }
            }
            sum
        };
        let backing = together(false, 1.0);
        let db = |steps: &[f64]| gated_mean(steps, SILENT).map(|mean| 10.0 * mean.log10() as f32);
        let lead_db = match (db(&together(true, 1.0)), db(&backing)) {
            (Some(lead), Some(backing)) => {
                let over = lead - backing;
                (over.clamp(LEAD_LU[0], LEAD_LU[1]) - over).clamp(-LEAD_MOST_DB, LEAD_MOST_DB)
            }
            _ => 0.0,
        };
        let mut whole = together(true, 10.0_f64.powf(f64::from(lead_db) / 10.0));
        whole.iter_mut().zip(&backing).for_each(|(sum, power)| *sum += power);
        let crackle = [Role::Drums, Role::Percussion, Role::Chords, Role::Pad, Role::Bass, Role::Lead];
        Self {
            band_db: db(&whole).map_or(0.0, |band| SESSION_LUFS - band + TOGETHER_DB),
            lead_db,
            lead_hz: lead_hz(score),
            kicks: kicks(score),
            crackle: crackle.into_iter().find(|role| score.tracks.iter().any(|track| track.role == *role)),
        }
    }
}

impl Score {
    /// What was settled for the whole band, or what follows from the parts there are.
    pub fn settled_balance(&self) -> Balance {
        self.balance.clone().unwrap_or_else(|| Balance::of(self))
    }
}

/// Power of a part as written, in steps of 100 ms from the start of the grid; its gain is in it.
pub fn written_power(track: &Track, grid: &SongGrid, length: Beats) -> Vec<f64> {
    let seconds = |beat: Beats| grid.tempo.seconds_between(grid.start, beat).0;
    let end = seconds(grid.start + length);
    if !end.is_finite() || end <= 0.0 {
        return Vec::new();
    }
    // The ring of the last notes counts, too.
    let steps = (end / STEP_SECONDS).ceil().min(1e6) as usize + 10;
    let mut power = vec![0.0; steps];
    let gain_db = if track.gain_db.is_finite() { track.gain_db.clamp(-60.0, 24.0) } else { 0.0 };
    let decay = decay_seconds(track);
    for note in &track.notes {
        let (from, to) = (seconds(note.start).max(0.0), seconds(note.start + note.length));
        if !from.is_finite() || !to.is_finite() || from >= end || note.velocity == 0 {
            continue;
        }
        let held = if track.preset.is_kit() { SHORTEST_SECONDS } else { (to - from).max(SHORTEST_SECONDS) };
        let level_db = f64::from(gain_db) + written_db(note, track);
        add(&mut power, from, from + held, 10.0_f64.powf(level_db / 10.0), decay);
    }
    power
}

/// Level of one note at its stroke, in dB.
fn written_db(note: &ScoreNote, track: &Track) -> f64 {
    let velocity_db = 40.0 * (f64::from(note.velocity.min(127)) / 100.0).log10();
    let points = note.expression_db.iter().map(|point| f64::from(point.1)).filter(|db| db.is_finite());
    let (sum, count) = points.fold((0.0, 0_u32), |(sum, count), db| (sum + db.clamp(-60.0, 24.0), count + 1));
    let expression_db = if count == 0 { 0.0 } else { sum / f64::from(count) };
    let voice_db = if track.preset.is_kit() { stroke_db(note.key) } else { 0.0 };
    velocity_db + expression_db + voice_db
}

/// How loud the voices of a kit are against its snare, by their keys in General MIDI.
fn stroke_db(key: u8) -> f64 {
    match key {
        35 | 36 | 38 | 40 => 0.0,
        37 | 39 => -3.0,
        41 | 43 | 45 | 47 | 48 | 50 => -2.0,
        49 | 52 | 55 | 57 => -4.0,
        42 | 44 => -9.0,
        46 => -7.0,
        51 | 53 | 59 => -5.0,
        69 | 70 | 82 => -12.0,
        _ => -6.0,
    }
}

/// The time in which a struck or plucked key loses its energy although it is held, in seconds; `None` for what sounds on.
fn decay_seconds(track: &Track) -> Option<f64> {
    if track.preset.bank >= super::Preset::OSCILLATORS {
        return None;
    }
    match track.preset.program {
        // Damped by the hand, or of wood.
        28 => Some(0.12),
        12 | 13 | 45 => Some(0.25),
        105..=108 | 112..=117 => Some(0.4),
        0..=11 | 14 | 15 | 24..=27 | 29..=39 | 46 | 47 | 104 => Some(STRUCK_SECONDS),
        _ => None,
    }
}

/// Adds a note's power to the steps it sounds in.
fn add(power: &mut [f64], from: f64, to: f64, level: f64, decay: Option<f64>) {
    let last = ((to / STEP_SECONDS).ceil() as usize).min(power.len());
    for (step, sum) in power.iter_mut().enumerate().take(last).skip((from / STEP_SECONDS) as usize) {
        let begin = (step as f64 * STEP_SECONDS).max(from);
        let end = ((step + 1) as f64 * STEP_SECONDS).min(to);
        let share = ((end - begin) / STEP_SECONDS).max(0.0);
        let left = decay.map_or(1.0, |seconds| (-(begin - from) / seconds).exp());
        *sum += level * share * left;
    }
}

/// Where the lead has its weight: the middle of its keys, by length.
fn lead_hz(score: &Score) -> f32 {
    let Some(lead) = score.tracks.iter().find(|track| track.role == Role::Lead) else { return 0.0 };
    let mut keys: Vec<(u8, f64)> = lead
        .notes
        .iter()
        .filter(|note| note.length.0.is_finite() && note.length.0 > 0.0)
        .map(|note| (note.key.min(127), note.length.0))
        .collect();
    keys.sort_by_key(|&(key, _)| key);
    let half = keys.iter().map(|(_, length)| length).sum::<f64>() / 2.0;
    let mut passed = 0.0;
    let middle = keys.iter().find(|(_, length)| {
        passed += length;
        passed >= half
    });
    middle.map_or(0.0, |&(key, _)| crate::time::MidiNote(f32::from(key)).hz().0)
}

fn kicks(score: &Score) -> Vec<f64> {
    let kits = score.tracks.iter().filter(|track| track.role == Role::Drums && track.preset.is_kit());
    let strokes = kits.flat_map(|kit| &kit.notes).filter(|note| matches!(note.key, 35 | 36) && note.velocity > 0);
    let mut kicks: Vec<f64> =
        strokes.map(|note| (note.start - score.grid.start).0).filter(|beats| beats.is_finite()).collect();
    kicks.sort_by(f64::total_cmp);
    kicks
}
