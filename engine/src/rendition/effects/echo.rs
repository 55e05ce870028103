//! Thread: worker. The echo: repeats in time with the song, from side to side, each darker than the one before.
//!
//! It is linear and depends on nothing but the song, so the sum of the parts' echoes is the echo of their sum.

use super::filter::{OnePole, Section, Tuning};
use super::modulation::curve_through;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::Delay;
use crate::job_context::JobContext;
use crate::time::{Beats, Frames, SampleRate, SongGrid};

/// Frames a step: the delay is looked up once a step, and is longer than one at every rate and tempo.
const STEP: usize = 32;
const CHECK_STEPS: usize = crate::rendition::passes::CHECK_EVERY / STEP;
/// Repeats lose what is below this, so that they do not pile up under the bass.
const LOW_CUT_HZ: f32 = 110.0;
/// How much of a repeat is also heard on the other side.
const ACROSS: f32 = 0.22;

/// One side's line: what was written, and the filters on its way out.
struct Line {
    ring: Vec<f32>,
    dark: Section,
    low_cut: OnePole,
}

impl Line {
    fn new(frames: usize, rate: SampleRate) -> Self {
        let ring = vec![0.0; frames.next_power_of_two()];
        Self { ring, dark: Section::default(), low_cut: OnePole::at(LOW_CUT_HZ, rate) }
    }

    /// What was written `delay` frames before frame `at`, filtered.
    fn read(&mut self, at: usize, delay: f64, tuning: &Tuning) -> f32 {
        let whole = delay.ceil();
        let share = (whole - delay) as f32;
        let mask = self.ring.len() - 1;
        // Frame numbers wrap as the ring does.
        let first = at.wrapping_sub(whole as usize);
        let sample = |offset: usize| self.ring[first.wrapping_add(offset) & mask];
        let four = [self.ring[first.wrapping_sub(1) & mask], sample(0), sample(1), sample(2)];
        let dark = self.dark.step(curve_through(four, share), tuning).low;
        dark - self.low_cut.low(dark)
    }

    fn write(&mut self, at: usize, sample: f32) {
        let mask = self.ring.len() - 1;
        self.ring[at & mask] = sample;
    }
}

/// Frames back to what is heard again at a frame.
fn delay_frames(frame: usize, beats: Beats, grid: &SongGrid, rate: SampleRate) -> f64 {
    let beat = grid.beat_at(Frames::from(frame).seconds(rate));
    grid.exact_frame_of(beat, rate) - grid.exact_frame_of(beat - beats, rate)
}

/// Adds the echo of `send` times the audio onto the audio itself, which begins at the grid's start; repeats ring on to its end.
/// Stereo only; other layouts are left alone.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn add_echo(
    audio: &mut AudioBuffer,
    delay: &Delay,
    send: f32,
    grid: &SongGrid,
    context: &JobContext,
) -> Result<()> {
    super::clean(audio);
    let send = super::share(send);
    let level_db = if delay.level_db.is_finite() { delay.level_db.clamp(-80.0, 12.0) } else { -80.0 };
    if send <= 0.0 || level_db <= -79.0 {
        return Ok(());
    }
    let rate = audio.rate;
    let wet = send * crate::rendition::part::db(level_db);
    let feedback = if delay.feedback.is_finite() { delay.feedback.clamp(0.0, 0.9) } else { 0.0 };
    let beats = Beats(if delay.beats.is_finite() { f64::from(delay.beats.clamp(0.0625, 8.0)) } else { 1.0 });
    let dark_hz = if delay.high_cut_hz.is_finite() { delay.high_cut_hz.clamp(200.0, 20_000.0) } else { 4_000.0 };
    let tuning = Tuning::new(dark_hz, 0.6, rate);
    let [left, right] = audio.channels.as_mut_slice() else { return Ok(()) };
    let slowest = grid.tempo.points().iter().map(|point| point.tempo.0).fold(f64::INFINITY, f64::min).max(1.0);
    let longest = beats.0 * 60.0 / slowest * rate.hz();
    let frames = left.len();
    // What is further back than the start is silence: a longer ring would hold nothing.
    let ring = longest.min(frames as f64) as usize + 2 * STEP;
    let (mut near, mut far) = (Line::new(ring, rate), Line::new(ring, rate));
    let back = |frame: usize| delay_frames(frame, beats, grid, rate).clamp(2.0 * STEP as f64 / 8.0, ring as f64 - 4.0);
    let mut first = back(0);
    for (index, from) in (0..frames).step_by(STEP).enumerate() {
        if index % CHECK_STEPS == 0 {
            context.check()?;
        }
        let until = (from + STEP).min(frames);
        let last = back(from + STEP);
        let step = (last - first) / STEP as f64;
        for at in from..until {
            let delay = first + step * (at - from) as f64;
            let one = near.read(at, delay, &tuning);
            let other = far.read(at, delay, &tuning);
            let sent = 0.5 * wet * (left[at] + right[at]);
            near.write(at, sent + feedback * other);
            far.write(at, feedback * one);
            left[at] += one + ACROSS * other;
            right[at] += other + ACROSS * one;
        }
        near.dark.rest();
        far.dark.rest();
        first = last;
    }
    Ok(())
}
