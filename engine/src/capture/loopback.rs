//! Thread: audio sounds, collector listens. How late our output comes back in our input: four quiet clicks, and where they are in
//! what was recorded.
//!
//! A click is a short sweep from 800 Hz to 5 kHz, which a matched filter finds far below what the ear notices, through
//! loudspeaker and microphone as well as through a cable. Four of them at uneven distances: what is not ours does not
//! repeat like that, and what is averages the noise away.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "frames of a recording of some seconds")]

use super::history::History;
use crate::error::{Error, Result};
use crate::time::{Frames, SampleRate, Seconds};
use std::f64::consts::TAU;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Length of a click.
const CLICK_SECONDS: f64 = 0.02;
/// Where its sweep begins and ends, in hertz.
const SWEEP_HZ: (f64, f64) = (800.0, 5_000.0);
/// Its peak: -20 dBFS.
const CLICK_PEAK: f64 = 0.1;
/// When the clicks sound, from the first on. Further apart than the longest delay.
const CLICKS_AT: [f64; 4] = [0.0, 0.71, 1.47, 2.29];
/// The longest delay that is found.
pub const LONGEST_DELAY: Seconds = Seconds(0.6);
/// When the audio thread has not sounded anything for so long, the host does not play.
const PATIENCE: Seconds = Seconds(10.0);
/// What comes back softer than this is silence, in dBFS of the whole recording.
const SILENCE_DBFS: f32 = -100.0;
/// How far the found click must rise above everything else the filter lets through.
const ABOVE_NOISE: f32 = 8.0;
/// Nearer than this to the found click, it is the click itself.
const SAME_CLICK: Seconds = Seconds(0.003);
/// An echo that strong could be taken for the click.
const LOUDEST_ECHO: f32 = 0.6;
/// Of the single clicks so many must be there, each at least half as strong as they are on average.
const LEAST_CLICKS: usize = 3;

/// A delay that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredOffset {
    /// From the output block to the input block, exact to the frame: the input offset.
    pub offset: Seconds,
    /// 0 to 1: how clearly the click stands out from the loudest thing beside it.
    pub confidence: f32,
}

/// One click at a rate.
fn click(rate: SampleRate) -> Vec<f32> {
    let frames = (CLICK_SECONDS * rate.hz()).round() as usize;
    let sample = |frame: usize| {
        let share = (frame as f64 + 0.5) / frames as f64;
        let seconds = share * CLICK_SECONDS;
        let phase = SWEEP_HZ.0 * seconds + (SWEEP_HZ.1 - SWEEP_HZ.0) * seconds * share / 2.0;
        let window = 0.5 - 0.5 * (TAU * share).cos();
        (CLICK_PEAK * window * (TAU * phase).sin()) as f32
    };
    (0..frames).map(sample).collect()
}

fn starts(rate: SampleRate) -> [u64; CLICKS_AT.len()] {
    CLICKS_AT.map(|seconds| (seconds * rate.hz()).round() as u64)
}

/// Frames from the first click until the last one must be back.
fn whole_frames(rate: SampleRate) -> u64 {
    ((CLICKS_AT[CLICKS_AT.len() - 1] + CLICK_SECONDS + LONGEST_DELAY.0) * rate.hz()).ceil() as u64
}

/// What the collector and the audio thread tell each other of a measurement.
#[derive(Debug, Default)]
pub(super) struct ClickLine {
    /// Measurements ordered so far.
    ordered: AtomicU32,
    /// Of these, the one that was sounded last.
    sounded: AtomicU32,
    /// The record frame at which it was.
    at: AtomicU64,
}

impl ClickLine {
    /// Orders the clicks. Thread: collector.
    pub fn order(&self) {
        self.ordered.fetch_add(1, Ordering::Relaxed);
    }

    /// The record frame of the first click, once the audio thread began to sound what was ordered last. Thread: collector.
    pub fn sounded_at(&self) -> Option<u64> {
        let sounded = self.sounded.load(Ordering::Acquire);
        (sounded == self.ordered.load(Ordering::Relaxed)).then(|| self.at.load(Ordering::Relaxed))
    }
}

/// Thread: audio. Adds the clicks to the output once they are ordered.
#[derive(Debug)]
pub(super) struct Clicker {
    click: Box<[f32]>,
    starts: [u64; CLICKS_AT.len()],
    seen: u32,
    /// The record frame of the first click, while they sound.
    sounding_from: Option<u64>,
}

impl Clicker {
    pub fn new(rate: SampleRate) -> Self {
        Self { click: click(rate).into(), starts: starts(rate), seen: 0, sounding_from: None }
    }

    /// Adds what belongs into the output block that begins at a record frame.
    ///
    /// # Realtime safety
    /// Never allocates or waits.
    pub fn sound<C: AsMut<[f32]>>(&mut self, line: &ClickLine, block_at: u64, output: &mut [C]) {
        let ordered = line.ordered.load(Ordering::Relaxed);
        if ordered != self.seen {
            self.seen = ordered;
            self.sounding_from = Some(block_at);
            line.at.store(block_at, Ordering::Relaxed);
            line.sounded.store(ordered, Ordering::Release);
        }
        let Some(from) = self.sounding_from else { return };
        let frames = output.iter_mut().map(|channel| channel.as_mut().len()).min().unwrap_or(0) as u64;
        let (begin, end) = (block_at - from, block_at - from + frames);
        for &start in &self.starts {
            let (first, last) = (start.max(begin), (start + self.click.len() as u64).min(end));
            if first >= last {
                continue;
            }
            let piece = &self.click[(first - start) as usize..(last - start) as usize];
            for channel in output.iter_mut() {
                let there = &mut channel.as_mut()[(first - begin) as usize..(last - begin) as usize];
                there.iter_mut().zip(piece).for_each(|(sample, click)| *sample += click);
            }
        }
        if begin > self.starts[CLICKS_AT.len() - 1] + self.click.len() as u64 {
            self.sounding_from = None;
        }
    }
}

/// A measurement that was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measurement {
    ordered_at: u64,
}

impl Measurement {
    pub fn ordered(at: u64) -> Self {
        Self { ordered_at: at }
    }
}

/// What came of a measurement, once that can be said.
pub(super) fn measured(
    history: &History,
    measurement: Measurement,
    sounded_at: Option<u64>,
) -> Option<Result<MeasuredOffset>> {
    let rate = history.rate();
    let Some(at) = sounded_at else {
        let waited = history.end().saturating_sub(measurement.ordered_at);
        let in_vain = waited > PATIENCE.frames(rate).0.unsigned_abs();
        return in_vain.then_some(Err(Error::Loopback { reason: "the host does not let Cantus sound anything now" }));
    };
    let end = at + whole_frames(rate);
    (history.end() >= end).then(|| {
        let channels = history.read(at, end);
        let energy = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
        // Of two channels the louder: added, they could cancel each other.
        let loudest = channels.iter().max_by(|a, b| energy(a).total_cmp(&energy(b)));
        find(loudest.map_or(&[], Vec::as_slice), rate)
    })
}

/// Finds the clicks in what was recorded from the first one's output frame on, 2.9 seconds of it.
///
/// # Errors
/// [`Error::Loopback`] for silence, for a recording without our clicks, and for one with echoes as strong as the clicks.
pub fn find(recorded: &[f32], rate: SampleRate) -> Result<MeasuredOffset> {
    let (click, starts) = (click(rate), starts(rate));
    let lags = LONGEST_DELAY.frames(rate).index().unwrap_or(0);
    let refuse = |reason| Err(Error::Loopback { reason });
    let window = |start: u64| recorded.get(start as usize..start as usize + lags + click.len());
    let Some(windows) = starts.iter().map(|&start| window(start)).collect::<Option<Vec<_>>>() else {
        return refuse("the recording was cut off");
    };
    let mean: Vec<f32> = (0..lags + click.len())
        .map(|frame| windows.iter().map(|window| window[frame]).sum::<f32>() / windows.len() as f32)
        .collect();
    let energy = recorded.iter().map(|sample| sample * sample).sum::<f32>() / recorded.len().max(1) as f32;
    if !energy.is_finite() || 10.0 * energy.max(1e-20).log10() < SILENCE_DBFS {
        return refuse("nothing came back. Connect an output to the input, or turn up loudspeaker and microphone");
    }
    let correlation: Vec<f32> = mean.windows(click.len()).take(lags).map(|heard| dot(heard, &click)).collect();
    let strongest = (0..correlation.len()).max_by(|&a, &b| correlation[a].abs().total_cmp(&correlation[b].abs()));
    let Some(lag) = strongest else { return refuse("the recording was cut off") };
    let peak = correlation[lag];
    let near = SAME_CLICK.frames(rate).index().unwrap_or(0);
    let others = || correlation.iter().enumerate().filter(|(at, _)| at.abs_diff(lag) > near).map(|(_, value)| value);
    let noise = (others().map(|value| value * value).sum::<f32>() / others().count().max(1) as f32).sqrt();
    let beside = others().fold(0.0_f32, |most, value| most.max(value.abs()));
    let there = windows.iter().filter(|window| dot(&window[lag..], &click) / peak > 0.5).count();
    if peak.abs() < ABOVE_NOISE * noise || there < LEAST_CLICKS {
        return refuse("the clicks could not be heard in what came back. Stop the song, and turn other sounds down");
    }
    if beside > LOUDEST_ECHO * peak.abs() {
        return refuse("the clicks came back more than once. Turn off the input's monitoring, or any echo on the way");
    }
    Ok(MeasuredOffset { offset: Frames::from(lag).seconds(rate), confidence: 1.0 - beside / peak.abs() })
}

fn dot(heard: &[f32], click: &[f32]) -> f32 {
    heard.iter().zip(click).map(|(heard, click)| heard * click).sum()
}
