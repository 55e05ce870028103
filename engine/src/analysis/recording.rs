//! Thread: worker. A recording made ready to listen to: one clean channel, and what is wrong with the take in words.

use crate::audio::AudioBuffer;
use realfft::RealFftPlanner;
use std::f32::consts::TAU;

/// A sample at least this large was cut off by a converter or a limiter; a take with this many in a row is distorted.
const CLIPPED: f32 = 0.999;
const CLIPPED_RUN: usize = 4;
/// A float file may hold values that overflow when added or squared; full scale is 1.
const FULLEST: f32 = 64.0;
/// Channels whose difference has this many times the power of their sum cancel each other when they are mixed.
const OPPOSITE: f64 = 4.0;
/// A mean of the samples beyond this is worth a word when it is also this share of their root mean square.
const OFFSET: f64 = 0.03;
const OFFSET_SHARE: f64 = 0.2;
/// A recording of which this share is offset is nothing else.
const MOSTLY: f64 = 0.98;
/// A recording that peaks under this (-56 dBFS) holds more noise of its input than voice.
const QUIET_PEAK: f32 = 0.0016;
/// Seconds under which nobody can say what a sound is.
const SHORTEST: f64 = 0.1;
/// Melodies lie between these frequencies.
const LOWEST_HZ: f64 = 46.875;
const HIGHEST_HZ: f64 = 2_093.75;
/// A single tone holds this share of the power around its line.
const TONE: f32 = 0.7;
/// Blocks of this many seconds, and how much louder than most the loudest is when a take is but clicks: 30 dB.
const BLOCK_SECONDS: f64 = 0.01;
const CLICKS: f64 = 1_000.0;

/// One channel to listen to.
pub(super) struct Recording {
    /// Finite samples at the take's own rate.
    pub mono: AudioBuffer,
    /// What is wrong with the take, in sentences.
    pub doubts: Vec<String>,
    /// What was taken off every sample.
    offset: f64,
}

impl Recording {
    /// Mixes the channels, or takes their difference when they would cancel; silences what is no number.
    pub fn of(audio: &AudioBuffer) -> Self {
        let mut doubts = Vec::new();
        let damaged = audio.channels.iter().flatten().filter(|sample| !sample.is_finite()).count();
        if damaged > 0 {
            doubts.push(format!("{damaged} damaged samples were silenced."));
        }
        if audio.channels.iter().any(|channel| is_clipped(channel)) {
            doubts.push("The recording is clipped: it was too loud for the input. The pitch may suffer.".into());
        }
        let signs: &[f32] = if cancels(audio) { &[1.0, -1.0] } else { &[] };
        if !signs.is_empty() {
            doubts.push(
                "The two channels are in opposite phase and cancel in mono: the difference was listened to. Check the \
                 polarity of a cable or a plugin."
                    .into(),
            );
        }
        let frames = audio.channels.iter().map(Vec::len).max().unwrap_or(0);
        let gain = 1.0 / audio.channels.len().max(1) as f32;
        let mut mono = vec![0.0; frames];
        for (index, channel) in audio.channels.iter().enumerate() {
            let gain = gain * signs.get(index).copied().unwrap_or(1.0);
            mono.iter_mut().zip(channel).for_each(|(sum, sample)| *sum += clean(*sample) * gain);
        }
        let recording = Self { mono: AudioBuffer::mono(audio.rate, mono), doubts, offset: 0.0 };
        recording.levelled()
    }

    /// Takes an offset off, which would pass for loudness, and tells of it and of a low level.
    fn levelled(mut self) -> Self {
        let samples = self.sounding();
        let (mean, rms, peak) = (mean(samples), rms(samples), self.mono.peak());
        let end = samples.len();
        let enough = end as f64 >= SHORTEST * self.mono.rate.hz();
        if enough && mean.abs() > OFFSET && mean.abs() > OFFSET_SHARE * rms {
            self.doubts.push(format!("The recording has a constant offset (DC, {mean:+.2}): the input may be faulty."));
            self.offset = mean;
            self.mono.channels[0][..end].iter_mut().for_each(|sample| *sample -= mean as f32);
        }
        if (super::f0::SILENT_PEAK..QUIET_PEAK).contains(&peak) {
            let db = 20.0 * peak.log10();
            self.doubts
                .push(format!("The recording is very quiet (peak {db:.0} dBFS): come closer or turn the input up."));
        }
        self
    }

    /// What it is that has no pitch, as the end of a sentence.
    pub fn why_no_pitch(&self) -> String {
        let samples = self.sounding();
        if self.offset != 0.0 && rms(samples) < (1.0 - MOSTLY) * self.offset.abs() {
            return "only a constant level (DC), no sound".into();
        }
        if self.mono.peak() < super::f0::SILENT_PEAK {
            return "the recording is silent".into();
        }
        if (samples.len() as f64) < SHORTEST * self.mono.rate.hz() {
            return format!("the recording is too short ({:.0} ms)", samples.len() as f64 * 1e3 / self.mono.rate.hz());
        }
        let mut blocks: Vec<f64> = self.blocks().collect();
        blocks.sort_by(f64::total_cmp);
        let loudest = blocks.last().copied().unwrap_or(0.0);
        if loudest > CLICKS * blocks.get(blocks.len() / 2).copied().unwrap_or(0.0) {
            return "only clicks or drum hits".into();
        }
        match self.tone_hz() {
            Some(hz) if hz < LOWEST_HZ => format!("only sound below {LOWEST_HZ:.0} Hz, too low for a melody"),
            Some(hz) if hz > HIGHEST_HZ => format!("only a tone at {hz:.0} Hz, too high for a melody"),
            _ => "only noise".into(),
        }
    }

    /// The samples without the silence that fills a take up to whole bars.
    fn sounding(&self) -> &[f32] {
        let samples = &self.mono.channels[0];
        let end = samples.iter().rposition(|sample| *sample != 0.0).map_or(0, |last| last + 1);
        &samples[..end]
    }

    /// Mean power of each block.
    fn blocks(&self) -> impl Iterator<Item = f64> {
        let length = ((self.mono.rate.hz() * BLOCK_SECONDS) as usize).max(1);
        self.sounding().chunks(length).map(|block| rms(block).powi(2))
    }

    /// The frequency that holds most of the power in the middle of the recording, if one does.
    fn tone_hz(&self) -> Option<f64> {
        const LENGTH: usize = 32_768;
        let samples = self.sounding();
        let start = samples.len().saturating_sub(LENGTH) / 2;
        let middle = &samples[start..samples.len().min(start + LENGTH)];
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(LENGTH);
        let (mut input, mut lines) = (transform.make_input_vec(), transform.make_output_vec());
        for (index, (value, sample)) in input.iter_mut().zip(middle).enumerate() {
            *value = sample * (0.5 - 0.5 * (TAU * (index as f32 + 0.5) / middle.len() as f32).cos());
        }
        transform.process(&mut input, &mut lines).ok()?;
        let power: Vec<f32> = lines.iter().map(|line| line.norm_sqr()).collect();
        let top = (0..power.len()).max_by(|&a, &b| power[a].total_cmp(&power[b]))?;
        // A short take is widened by its window.
        let reach = 3 * LENGTH / middle.len().max(1) + 1;
        let around: f32 = power[top.saturating_sub(reach)..(top + reach + 1).min(power.len())].iter().sum();
        let is_tone = around > TONE * power.iter().sum::<f32>();
        is_tone.then(|| top as f64 * self.mono.rate.hz() / LENGTH as f64)
    }
}

fn clean(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-FULLEST, FULLEST) } else { 0.0 }
}

fn is_clipped(channel: &[f32]) -> bool {
    let mut run = 0;
    channel.iter().any(|sample| {
        run = if sample.is_finite() && sample.abs() >= CLIPPED { run + 1 } else { 0 };
        run >= CLIPPED_RUN
    })
}

/// Whether two channels are each other's opposite for the most part.
fn cancels(audio: &AudioBuffer) -> bool {
    let [left, right] = audio.channels.as_slice() else { return false };
    let (mut sum, mut difference) = (0.0_f64, 0.0_f64);
    for (left, right) in left.iter().zip(right) {
        let (left, right) = (f64::from(clean(*left)), f64::from(clean(*right)));
        sum += (left + right) * (left + right);
        difference += (left - right) * (left - right);
    }
    difference > OPPOSITE * sum
}

fn mean(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / samples.len().max(1) as f64
}

fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}
