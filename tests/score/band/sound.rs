//! Thread: main. What a rendering sounds like, measured on its audio alone.

use super::fit::Sung;
use super::spectrum::{band, powers};
use cantus_engine::analysis::Chroma;
use cantus_engine::analysis::chroma::chroma_of;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::Rendition;
use cantus_engine::time::{Beats, SampleRate};
use ebur128::{EbuR128, Mode};

/// The rate everything is rendered and measured at.
pub const RATE: SampleRate = SampleRate(44_100);
/// Seconds between two chroma frames.
const HOP_SECONDS: f64 = 4_096.0 / 32_000.0;
/// Octave bands that a melody may lie in, in Hz.
const OCTAVES: [f64; 7] = [88.0, 177.0, 354.0, 707.0, 1_414.0, 2_828.0, 5_657.0];
/// A band counts for the lead when it holds this much of its strongest band, in decibels.
const COUNTS_DB: f64 = -12.0;

/// What was measured on one rendering.
#[derive(Debug, Clone, Default)]
pub struct Sound {
    pub lufs: f64,
    pub true_peak_dbtp: f64,
    /// Largest difference between the stems' sum and the mix, against full scale.
    pub null_db: f64,
    pub dc_db: f64,
    /// Share of the melody's frames whose loudest pitch class is right: lead stem, sine of the same notes, mix.
    pub lead_chroma: f64,
    pub sine_chroma: f64,
    pub mix_chroma: f64,
    pub lead_over_backing_lu: f64,
    /// How far the backing stands over the lead in the worst of the lead's own octave bands, over its notes.
    pub masked_db: f64,
    /// Place of its own melody among all, by the mix alone; 1 is first.
    pub rank: usize,
    pub faults: Vec<String>,
}

/// Listens to a rendition.
pub fn listen(rendition: &Rendition, score: &Score, melody: &[Sung], all: &[Vec<Sung>], own: usize) -> Sound {
    let mut sound = Sound::default();
    let rate = rendition.rate();
    let region = score.grid.frame_of(score.grid.start + score.length, rate).index().unwrap_or(0);
    let mix = &rendition.mix;
    let samples = || mix.channels.iter().flatten();
    if rendition.region.index() != Some(region) || mix.frames() < region {
        sound.faults.push(format!("{} frames for a region of {region}", mix.frames()));
    }
    for (name, audio) in rendition.stems.iter().map(|stem| (stem.role.name(), &stem.audio)).chain([("mix", mix)]) {
        let faulty = audio.channels.iter().flatten().any(|sample| !sample.is_finite() || sample.abs() >= 1.0);
        if faulty {
            sound.faults.push(format!("{name} clips or is not finite"));
        }
    }
    if samples().all(|sample| *sample == 0.0) {
        sound.faults.push("silence".to_owned());
    }
    (sound.lufs, sound.true_peak_dbtp) = loudness(mix);
    sound.null_db = null_db(rendition);
    sound.dc_db = mix
        .channels
        .iter()
        .map(|channel| {
            let mean = channel.iter().map(|sample| f64::from(*sample)).sum::<f64>() / channel.len().max(1) as f64;
            20.0 * mean.abs().max(1e-9).log10()
        })
        .fold(f64::NEG_INFINITY, f64::max);
    let seconds = |beat: f64| score.grid.frame_of(Beats(beat), rate).seconds(rate).0;
    let timed = |notes: &[Sung]| -> Vec<(f64, f64, u8)> {
        notes.iter().map(|note| (seconds(note.start).max(0.0), seconds(note.end), note.key)).collect()
    };
    let notes = timed(melody);
    let context = JobContext::detached();
    let Ok(chroma) = chroma_of(mix, &context) else { return sound };
    sound.mix_chroma = agreement(&chroma, &notes);
    let mut scores: Vec<(f64, usize)> =
        all.iter().enumerate().map(|(index, notes)| (likeness(&chroma, &timed(notes)), index)).collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    sound.rank = 1 + scores.iter().position(|(_, index)| *index == own).unwrap_or(all.len());
    let Some(lead) = rendition.stems.iter().find(|stem| stem.role == Role::Lead) else { return sound };
    if let (Ok(lead), Ok(sine)) = (chroma_of(&lead.audio, &context), chroma_of(&sine(&notes, mix.frames()), &context)) {
        sound.lead_chroma = agreement(&lead, &notes);
        sound.sine_chroma = agreement(&sine, &notes);
    }
    let mut backing = AudioBuffer::silent(rate, 2, mix.frames());
    for stem in rendition.stems.iter().filter(|stem| stem.role != Role::Lead) {
        backing.add(&stem.audio, cantus_engine::time::Frames(0));
    }
    sound.lead_over_backing_lu = loudness(&lead.audio).0 - loudness(&backing).0;
    sound.masked_db = masked_db(&lead.audio, &backing, &notes);
    sound
}

/// Integrated loudness and true peak.
pub fn loudness(audio: &AudioBuffer) -> (f64, f64) {
    let channels = audio.channels.len() as u32;
    let Ok(mut meter) = EbuR128::new(channels, audio.rate.0, Mode::I | Mode::TRUE_PEAK) else { return (-70.0, 0.0) };
    let planes: Vec<&[f32]> = audio.channels.iter().map(Vec::as_slice).collect();
    if meter.add_frames_planar_f32(&planes).is_err() {
        return (-70.0, 0.0);
    }
    let peak = (0..channels).filter_map(|channel| meter.true_peak(channel).ok()).fold(1e-6, f64::max);
    (meter.loudness_global().unwrap_or(-70.0).max(-70.0), 20.0 * peak.log10())
}

fn null_db(rendition: &Rendition) -> f64 {
    let mut worst = 0.0_f64;
    for (channel, mix) in rendition.mix.channels.iter().enumerate() {
        for (frame, sample) in mix.iter().enumerate() {
            let sum: f64 = rendition
                .stems
                .iter()
                .map(|stem| f64::from(stem.audio.channels[channel].get(frame).copied().unwrap_or(0.0)))
                .sum();
            worst = worst.max((sum - f64::from(*sample)).abs());
        }
    }
    20.0 * worst.max(1e-9).log10()
}

/// Share of frames inside notes whose loudest class is the note's.
fn agreement(chroma: &Chroma, notes: &[(f64, f64, u8)]) -> f64 {
    let (mut agree, mut frames) = (0, 0);
    for (frame, loudest) in chroma.argmax.iter().enumerate() {
        if let Some(class) = sounding(notes, frame) {
            frames += 1;
            agree += usize::from(*loudest == class);
        }
    }
    f64::from(agree as u32) / f64::from((frames as u32).max(1))
}

/// Mean energy of the notes' classes over the frames, less what any class has on average; rests count against a melody that
/// is longer or shorter than the sound.
fn likeness(chroma: &Chroma, notes: &[(f64, f64, u8)]) -> f64 {
    let mut sum = 0.0;
    for (frame, classes) in chroma.frames.iter().enumerate() {
        if let Some(class) = sounding(notes, frame) {
            let mean = classes.iter().sum::<f32>() / 12.0;
            sum += f64::from(classes[usize::from(class)] - mean);
        }
    }
    sum / chroma.frames.len().max(1) as f64
}

fn sounding(notes: &[(f64, f64, u8)], frame: usize) -> Option<u8> {
    let centre = frame as f64 * HOP_SECONDS;
    notes.iter().find(|(onset, end, _)| (*onset..*end).contains(&centre)).map(|(.., key)| key % 12)
}

/// The notes as plain sines.
fn sine(notes: &[(f64, f64, u8)], frames: usize) -> AudioBuffer {
    let mut samples = vec![0.0_f32; frames];
    for (onset, end, key) in notes {
        let hz = 440.0 * 2.0_f64.powf((f64::from(*key) - 69.0) / 12.0);
        let (from, to) = ((onset * RATE.hz()) as usize, ((end * RATE.hz()) as usize).min(frames));
        let length = to.saturating_sub(from);
        for (frame, sample) in samples.iter_mut().skip(from).take(length).enumerate() {
            let edge = (frame.min(length - frame) as f32 / 200.0).min(1.0);
            let time = frame as f64 / RATE.hz();
            *sample += 0.3 * edge * (std::f64::consts::TAU * hz * time).sin() as f32;
        }
    }
    AudioBuffer::mono(RATE, samples)
}

/// How far the backing stands over the lead in the worst of the bands that make the lead, over its notes, in decibels.
fn masked_db(lead: &AudioBuffer, backing: &AudioBuffer, notes: &[(f64, f64, u8)]) -> f64 {
    let rate = lead.rate.hz();
    let energies = |audio: &AudioBuffer| -> Vec<f64> {
        let mut sums = vec![0.0; OCTAVES.len()];
        for (index, lines) in powers(&audio.to_mono()).iter().enumerate() {
            let at = (index as f64 + 1.0) * super::spectrum::WINDOW as f64 / 2.0 / rate;
            if notes.iter().any(|(onset, end, _)| (*onset..*end).contains(&at)) {
                for (sum, centre) in sums.iter_mut().zip(OCTAVES) {
                    *sum += band(lines, rate, centre / std::f64::consts::SQRT_2, centre * std::f64::consts::SQRT_2);
                }
            }
        }
        sums
    };
    let (lead, backing) = (energies(lead), energies(backing));
    let strongest = lead.iter().copied().fold(1e-20, f64::max);
    let over = |(lead, backing): (&f64, &f64)| 10.0 * (backing.max(1e-20) / lead.max(1e-20)).log10();
    let counts = |lead: f64| 10.0 * (lead / strongest).max(1e-20).log10() >= COUNTS_DB;
    lead.iter().zip(&backing).filter(|(lead, _)| counts(**lead)).map(over).fold(f64::NEG_INFINITY, f64::max)
}
