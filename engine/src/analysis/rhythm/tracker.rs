//! Thread: worker. Follows the beat of a melody: which place of which bar each note begins on, at a tempo that may breathe.
//!
//! A hypothesis is a metre, a place in the bar, and a Kalman filter over the time of the last onset and the length of a beat. Every
//! note extends every hypothesis to the places it may have been meant for; of those that agree on what matters for the future only
//! the likeliest lives on, and only the likely ones at all. (A. T. Cemgil and B. Kappen, "Monte Carlo methods for tempo tracking
//! and rhythm quantization", 2003, with a beam in place of the particles.)

use super::pattern::{Pattern, TICKS};

/// A note as the tracker sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Onset {
    /// Seconds.
    pub time: f64,
    /// What its loudness and pitch say for the bar line, another beat, and between beats, in nats.
    pub accent: [f64; 3],
    /// Chance that there is such a note, 0 to 1.
    pub certainty: f64,
    /// Seconds from the end of the note before; negative when they overlap.
    pub rest: f64,
}

/// One way to hear the melody.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Index of the pattern.
    pub pattern: usize,
    /// Ticks of each note from the bar line at or before the first note; `None` for one that was left out.
    pub ticks: Vec<Option<u32>>,
    /// Seconds of a beat, at the end.
    pub beat: f64,
    /// Likelihood, in nats.
    pub score: f64,
}

/// Lengths of a beat that are considered at first, in seconds, and the ratio of one to the next.
const SHORTEST_BEAT: f64 = 0.27;
const LONGEST_BEAT: f64 = 1.3;
const BEAT_STEP: f64 = 1.035;
/// How widely tempos scatter around the usual one, in nats of ratio.
const TEMPO_SPREAD: f64 = 0.185;
/// How exactly onsets are sung and heard, in seconds.
const ONSET_SPREAD: f64 = 0.022;
/// Share of onsets that lie anywhere, and the width of anywhere.
const STRAY: f64 = 0.05;
const STRAY_WIDTH: f64 = 0.25;
/// How much a beat changes over one beat, as a ratio, in a steady hum and in a free one; and what it costs to be free, in nats.
const BREATHING: [(f64, f64); 2] = [(0.008, 0.0), (0.025, 5.0)];
/// How far the singer strays from a beat over one beat, in seconds, and comes not back.
const SLIPPING: f64 = 0.004;
/// What it costs to leave a note out, in nats, when it is certain and when it is not.
const LEAVE_OUT: f64 = 5.0;
const LEAVE_OUT_UNSURE: f64 = 2.5;
/// Silence of more than this many beats is a rest and not the end of a short note.
const REST: f64 = 0.75;
/// Hypotheses further than this behind the best are given up; and the most that live.
const BEHIND: f64 = 14.0;
const MOST: usize = 1_200;

#[derive(Debug, Clone, Copy)]
struct Hypothesis {
    pattern: usize,
    /// Ticks from the bar line at or before the first note.
    at: u32,
    /// Filtered seconds of the onset, and of a beat.
    time: f64,
    beat: f64,
    /// Their variances and covariance.
    var_time: f64,
    var_beat: f64,
    covar: f64,
    score: f64,
    /// Index of its last note's entry in the trail.
    trail: u32,
    /// Its last note is not in the trail yet.
    fresh: bool,
}

/// Where a hypothesis came from.
struct Step {
    before: u32,
    note: u32,
    ticks: u32,
}

const START: u32 = u32::MAX;

/// The readings of a melody that differ in metre, place or tempo, in no order. Empty without notes.
pub fn readings(onsets: &[Onset], patterns: &[Pattern]) -> Vec<Reading> {
    BREATHING.into_iter().flat_map(|(breathing, cost)| read(onsets, patterns, breathing, cost)).collect()
}

fn read(onsets: &[Onset], patterns: &[Pattern], breathing: f64, cost: f64) -> Vec<Reading> {
    let Some(first) = onsets.first() else { return Vec::new() };
    let mut trail: Vec<Step> = Vec::new();
    let mut alive = begin(first, patterns);
    remember(&mut alive, 0, &mut trail);
    for (note, onset) in onsets.iter().enumerate().skip(1) {
        let mut next: Vec<Hypothesis> = Vec::with_capacity(alive.len() * 4);
        for hypothesis in &alive {
            extend(hypothesis, onset, patterns, breathing, &mut next);
        }
        alive = survivors(next, onset.time, patterns);
        remember(&mut alive, note, &mut trail);
    }
    alive
        .iter()
        .map(|hypothesis| {
            let mut ticks = vec![None; onsets.len()];
            let mut at = hypothesis.trail;
            while at != START {
                let step = &trail[at as usize];
                ticks[step.note as usize] = Some(step.ticks);
                at = step.before;
            }
            Reading { pattern: hypothesis.pattern, ticks, beat: hypothesis.beat, score: hypothesis.score - cost }
        })
        .collect()
}

/// Enters the last note of those that live into the trail: the many that died are not worth remembering.
fn remember(alive: &mut [Hypothesis], note: usize, trail: &mut Vec<Step>) {
    for hypothesis in alive.iter_mut().filter(|hypothesis| hypothesis.fresh) {
        trail.push(Step { before: hypothesis.trail, note: note as u32, ticks: hypothesis.at });
        hypothesis.trail = trail.len() as u32 - 1;
        hypothesis.fresh = false;
    }
}

fn begin(first: &Onset, patterns: &[Pattern]) -> Vec<Hypothesis> {
    let count = ((LONGEST_BEAT / SHORTEST_BEAT).ln() / BEAT_STEP.ln()).floor() as i32;
    let mut alive = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        for &at in &pattern.places {
            for step in 0..=count {
                let beat = SHORTEST_BEAT * BEAT_STEP.powi(step);
                let off = (60.0 / beat / pattern.usual).ln() / TEMPO_SPREAD;
                alive.push(Hypothesis {
                    pattern: index,
                    at,
                    time: first.time,
                    beat,
                    var_time: ONSET_SPREAD * ONSET_SPREAD,
                    var_beat: (0.5 * (BEAT_STEP - 1.0) * beat).powi(2),
                    covar: 0.0,
                    score: pattern.prior + pattern.begins(at) - 0.5 * off * off + first.accent[pattern.rank(at)],
                    trail: START,
                    fresh: true,
                });
            }
        }
    }
    alive
}

fn extend(from: &Hypothesis, onset: &Onset, patterns: &[Pattern], breathing: f64, next: &mut Vec<Hypothesis>) {
    let pattern = &patterns[from.pattern];
    let left_out = LEAVE_OUT_UNSURE + (LEAVE_OUT - LEAVE_OUT_UNSURE) * onset.certainty;
    next.push(Hypothesis { score: from.score - left_out, ..*from });
    let elapsed = onset.time - from.time;
    let beats = elapsed / from.beat;
    // Furthest a note is looked for, in beats: what the filter does not know, and a stray onset's width.
    let unsure = 3.0 * (from.var_time + from.var_beat * beats * beats).sqrt() / from.beat + 0.1 + 0.02 * beats;
    let tick = f64::from(TICKS);
    let low = (((beats - unsure) * tick).ceil()).max(1.0);
    let high = ((beats + unsure) * tick).floor();
    if low > high || !high.is_finite() || high > 1e6 {
        return;
    }
    for ahead in low as u32..=high as u32 {
        let at = from.at + ahead;
        let rest = onset.rest / from.beat;
        let silent = if rest > REST { f64::from(at) - rest * tick } else { f64::from(at) };
        let follows = pattern.follows(from.at, silent.max(0.0) as u32, at);
        if !follows.is_finite() {
            continue;
        }
        let span = f64::from(ahead) / tick;
        // Predict.
        let breath = (breathing * from.beat).powi(2) * span;
        let slip = SLIPPING * SLIPPING * span;
        let time = from.time + span * from.beat;
        let var_time =
            from.var_time + 2.0 * span * from.covar + span * span * from.var_beat + breath * span * span / 3.0 + slip;
        let covar = from.covar + span * from.var_beat + breath * span / 2.0;
        let var_beat = from.var_beat + breath;
        // Compare.
        let spread = var_time + ONSET_SPREAD * ONSET_SPREAD;
        let off = onset.time - time;
        let meant = (1.0 - STRAY) * (-0.5 * off * off / spread).exp() / (std::f64::consts::TAU * spread).sqrt();
        let astray = if off.abs() < STRAY_WIDTH / 2.0 { STRAY / STRAY_WIDTH } else { 0.0 };
        let likelihood = meant + astray;
        if likelihood <= 0.0 {
            continue;
        }
        // Correct, as far as the onset was meant.
        let trust = meant / likelihood;
        let (gain_time, gain_beat) = (trust * var_time / spread, trust * covar / spread);
        let accent = onset.accent[pattern.rank(at)];
        next.push(Hypothesis {
            pattern: from.pattern,
            at,
            time: time + gain_time * off,
            beat: (from.beat + gain_beat * off).clamp(0.15, 2.5),
            var_time: (1.0 - gain_time) * var_time,
            var_beat: var_beat - gain_beat * covar,
            covar: (1.0 - gain_time) * covar,
            score: from.score + follows + likelihood.ln() + accent,
            trail: from.trail,
            fresh: true,
        });
    }
}

/// Of hypotheses with one future the likeliest, of all the likely ones; likeliest first.
fn survivors(mut next: Vec<Hypothesis>, now: f64, patterns: &[Pattern]) -> Vec<Hypothesis> {
    next.sort_by(|a, b| b.score.total_cmp(&a.score));
    let Some(best) = next.first().map(|best| best.score) else { return next };
    let mut kept: Vec<Hypothesis> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for hypothesis in next {
        if hypothesis.score < best - BEHIND || kept.len() >= MOST {
            break;
        }
        let beat = (hypothesis.beat.ln() / 0.03).round() as i32;
        let place = hypothesis.at % patterns[hypothesis.pattern].bar;
        let when = ((hypothesis.time - now) / 0.04).round() as i64;
        if seen.insert((hypothesis.pattern, place, beat, when)) {
            kept.push(hypothesis);
        }
    }
    kept
}
