//! Thread: worker. What the polyphonic ear makes of a take: its texture, and melody and harmony where there are several voices.

use super::texture::Together;
use super::{HOP, LOWEST_KEY, PolyNote, Posteriors, RATE, beginnings, posteriors, texture, top_voice};
use crate::analysis::notes::{LOUDNESS_EXPONENT, Melody};
use crate::analysis::{Chroma, F0Frame, Note, Texture, TextureEstimate, chroma, f0, notes, predominant, separation};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::resample::resample_in;
use crate::time::{Hz, Seconds};

/// Lowest level of a level curve.
const LEVEL_FLOOR_DB: f32 = -40.0;

/// A take as the polyphonic ear hears it.
pub struct Hearing {
    /// The network's answers.
    pub posteriors: Posteriors,
    /// All notes.
    pub notes: Vec<PolyNote>,
    /// One voice, chords or a mix.
    pub texture: TextureEstimate,
    /// Of a mix only.
    mix: Option<Mix>,
}

/// What else is known of a mix.
struct Mix {
    /// The leading pitch.
    lead: Vec<F0Frame>,
    /// What is neither drums nor bass, at [`separation::RATE`].
    rest: Vec<f32>,
}

/// The melody of a take with several voices.
pub struct Heard {
    /// Pitch frames of the melody.
    pub frames: Vec<F0Frame>,
    /// The melody.
    pub melody: Melody,
    /// The other notes of played chords, in order of their onsets; they overlap.
    pub harmony: Vec<Note>,
    /// Of a mix: the chroma without drums and bass.
    pub chroma_without_drums_and_bass: Option<Chroma>,
}

impl Hearing {
    /// Listens to mono audio of finite samples; `mono_16k` is the same at the pitch tracker's rate.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`]; [`crate::Error::OutOfRange`] for a sample rate outside 8 to 192 kHz.
    pub fn of(mono: &AudioBuffer, mono_16k: &[f32], context: &JobContext) -> Result<Self> {
        let posteriors = posteriors(&resample_in(mono, RATE, context)?.to_mono(), context)?;
        let notes = super::notes(&posteriors);
        let together = Together::of(&posteriors, &notes);
        if !together.is_several() {
            return Ok(Self { posteriors, notes, texture: texture::one_voice(together), mix: None });
        }
        let mono_32k = resample_in(mono, separation::RATE, context)?.to_mono();
        let stems = separation::separate(&mono_32k, |seconds| texture::bass_hz(&notes, seconds), context)?;
        let lead = predominant::track(mono_16k, &posteriors, context)?;
        let texture = texture::several_voices(together, stems.struck_share, texture::movement_cents(&lead));
        let is_mix = texture.texture == Texture::Mix;
        Ok(Self { posteriors, notes, texture, mix: is_mix.then_some(Mix { lead, rest: stems.rest }) })
    }

    /// The melody, when there are several voices; of one voice `None`: the pitch tracker alone knows better. `mono_16k` is the
    /// take at the tracker's rate.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub fn melody(&self, mono_16k: &[f32], context: &JobContext) -> Result<Option<Heard>> {
        match (self.texture.texture, &self.mix) {
            (Texture::OneVoice, _) => Ok(None),
            (_, None) => Ok(Some(self.of_chords(mono_16k.len() / f0::HOP))),
            (_, Some(Mix { lead, rest })) => {
                let alone = separation::lead(mono_16k, lead, context)?;
                let mut frames = lead.clone();
                let mut melody = notes::notes(&mut frames, &alone, context)?;
                beginnings::refine(&mut melody.notes, &self.posteriors);
                let chroma = Some(chroma::chroma_in(rest, context)?);
                Ok(Some(Heard { frames, melody, harmony: Vec::new(), chroma_without_drums_and_bass: chroma }))
            }
        }
    }

    fn of_chords(&self, frames: usize) -> Heard {
        let line = top_voice::top_voice(&self.notes);
        let (mut weight, mut sum) = (f32::MIN_POSITIVE, 0.0);
        for note in &self.notes {
            weight += note.confidence;
            sum += note.confidence * (note.pitch.0 - f32::from(note.key));
        }
        let tuning = sum / weight;
        let loudest = self.notes.iter().fold(f32::MIN, |loudest, note| loudest.max(note.level_db));
        let whole = |index: &usize| self.note(&self.notes[*index], tuning, loudest);
        let mut melody: Vec<Note> = line.iter().map(whole).collect();
        for index in 1..melody.len() {
            let next = melody[index].onset;
            melody[index - 1].end_by(next);
        }
        let harmony = (0..self.notes.len()).filter(|index| !line.contains(index)).map(|index| whole(&index)).collect();
        Heard {
            frames: frames_of(&melody, frames),
            melody: Melody { notes: melody, tuning_cents: 100.0 * tuning },
            harmony,
            chroma_without_drums_and_bass: None,
        }
    }

    fn note(&self, found: &PolyNote, tuning: f32, loudest_db: f32) -> Note {
        let frame = |seconds: f64| (seconds * RATE.hz() / HOP as f64).round().max(0.0) as usize;
        let key = usize::from(found.key - LOWEST_KEY);
        let inside = frame(found.onset.0)..frame(found.offset.0).min(self.posteriors.frames());
        let levels: Vec<f32> = self.posteriors.level_db[inside.clone()].iter().map(|frame| frame[key]).collect();
        let top = levels.iter().fold(f32::MIN, |top, level| top.max(*level));
        let curve = inside.zip(levels).map(|(frame, level)| {
            ((Posteriors::time(frame) - found.onset.0).max(0.0) as f32, (level - top).max(LEVEL_FLOOR_DB))
        });
        let mut level_db: Vec<(f32, f32)> = curve.collect();
        level_db.dedup_by_key(|point| point.0);
        Note {
            onset: found.onset,
            offset: found.offset,
            sung: found.pitch,
            key: found.key,
            loudness: 10.0_f32.powf((found.level_db - loudest_db) / 20.0).powf(LOUDNESS_EXPONENT).clamp(0.0, 1.0),
            confidence: found.confidence,
            bend: vec![(0.0, found.pitch.0 - f32::from(found.key) - tuning)],
            level_db: if level_db.is_empty() { vec![(0.0, 0.0)] } else { level_db },
        }
    }
}

/// Pitch frames as the tracker would have given them for a melody.
fn frames_of(melody: &[Note], count: usize) -> Vec<F0Frame> {
    let mut notes = melody.iter().peekable();
    (0..count)
        .map(|frame| {
            let time = (frame * f0::HOP) as f64 / f0::RATE.hz();
            while notes.next_if(|note| note.offset.0 <= time).is_some() {}
            let note = notes.peek();
            let Hz(hz) = note.or(melody.last().as_ref()).map_or(Hz(440.0), |note| note.sung.hz());
            let sounding = note.filter(|note| note.onset.0 <= time);
            let confidence = sounding.map_or(0.0, |note| note.confidence);
            F0Frame { time: Seconds(time), hz, confidence, voiced: sounding.is_some() }
        })
        .collect()
}
