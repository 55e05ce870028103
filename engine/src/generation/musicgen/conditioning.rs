//! Thread: worker. The melody as the language model hears it: twelve numbers a frame, 7.8125 frames a second.
//!
//! The model was trained on the loudest pitch class of each frame of a recording. Here the frames come from a recording in just that
//! way, or from corrected notes, or from chords, where several classes sound at once (as in MusicGen-Chord).
//! Source: audiocraft `896ec7c` (`ChromaStemConditioner`).

use crate::analysis::Note;
use crate::analysis::chroma::{HOP, N_FFT, RATE, chroma_in};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::resample::resample_in;
use crate::time::Seconds;
use std::f64::consts::TAU;

/// Pitch classes, C first.
pub const CLASSES: usize = 12;
/// Frames the published models hear: those of 30 s. `chroma_length` in `config.json`.
pub const CHROMA_LENGTH: usize = 235;
/// No more of a recording is listened to.
pub const LONGEST: Seconds = Seconds(30.0);

/// One frame: how much each pitch class sounds, 0 or 1 in training.
pub type Frame = [f32; CLASSES];

/// Chords sound from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChordSpan {
    /// Start, from the start of the melody.
    pub start: Seconds,
    /// End.
    pub end: Seconds,
    /// The pitch classes that sound, C first.
    pub classes: [bool; CLASSES],
}

/// Where the melody is taken from.
#[derive(Debug, Clone, Copy)]
pub enum MelodySource<'a> {
    /// Nowhere: the model is free.
    None,
    /// From a recording, as the reference does.
    Audio(&'a AudioBuffer),
    /// From corrected notes of a melody of some length.
    Notes(&'a [Note], Seconds),
    /// From the chords over a melody of some length.
    Chords(&'a [ChordSpan], Seconds),
}

impl MelodySource<'_> {
    /// For music up to 30 s: the melody itself, which is repeated frame by frame when the music is longer.
    ///
    /// # Errors
    /// As [`Melody::of_audio`].
    pub fn whole(self, context: &JobContext) -> Result<Melody> {
        match self {
            Self::None => Ok(Melody::none()),
            Self::Audio(audio) => Melody::of_audio(audio, context),
            Self::Notes(notes, length) => Ok(Melody::of_notes(notes, length)),
            Self::Chords(chords, length) => Ok(Melody::of_chords(chords, length)),
        }
    }

    /// For music beyond 30 s, which is made in windows: the 30 s of the melody from `start` on, the melody itself repeated without
    /// a gap as often as it takes.
    ///
    /// # Errors
    /// As [`Melody::of_audio`].
    pub fn window(self, start: Seconds, context: &JobContext) -> Result<Melody> {
        match self {
            Self::Audio(audio) if audio.frames() > 0 => {
                let audio = resample_in(&AudioBuffer::mono(audio.rate, clean_mono(audio)), RATE, context)?.to_mono();
                let from = start.frames(RATE).index().unwrap_or(0) % audio.len().max(1);
                let heard = audio.iter().copied().cycle().skip(from).take(LONGEST.frames(RATE).index().unwrap_or(0));
                Melody::of_audio(&AudioBuffer::mono(RATE, heard.collect()), context)
            }
            Self::Notes(notes, length) if length.0 > 0.0 => {
                let moved = |note: &Note, by: Seconds| Note {
                    onset: note.onset + by,
                    offset: note.offset + by,
                    ..note.clone()
                };
                Ok(Melody::of_notes(&repeated(notes, length, start, moved), LONGEST))
            }
            Self::Chords(chords, length) if length.0 > 0.0 => {
                let moved = |chord: &ChordSpan, by: Seconds| ChordSpan {
                    start: chord.start + by,
                    end: chord.end + by,
                    ..*chord
                };
                Ok(Melody::of_chords(&repeated(chords, length, start, moved), LONGEST))
            }
            _ => Ok(Melody::none()),
        }
    }
}

/// The spans of the repetitions of a melody of `length` that lie in the 30 s from `start` on, counted from there.
fn repeated<T>(spans: &[T], length: Seconds, start: Seconds, moved: impl Fn(&T, Seconds) -> T) -> Vec<T> {
    // A melody shorter than a frame is the same class all along, however often it is repeated.
    let length = length.0.max(HOP as f64 / RATE.hz());
    let into = start.0.max(0.0) % length;
    let times = ((into + LONGEST.0) / length).ceil() as usize;
    // One more before the first, whose last note the first frame's window still hears.
    let shifts = (0..=times).map(|time| Seconds((time as f64 - 1.0) * length - into));
    shifts.flat_map(|by| spans.iter().map(move |span| (span, by))).map(|(span, by)| moved(span, by)).collect()
}

/// The average of the channels; non-finite samples count as silence.
fn clean_mono(audio: &AudioBuffer) -> Vec<f32> {
    audio.to_mono().into_iter().map(|sample| if sample.is_finite() { sample } else { 0.0 }).collect()
}

/// What the model is to follow, frame by frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Melody {
    frames: Vec<Frame>,
}

impl Melody {
    /// No melody. It is not silence to the model but the first class in every frame: that is what it was shown in training when the
    /// melody was left out.
    pub fn none() -> Self {
        Self { frames: vec![one_hot(0)] }
    }

    /// The loudest class of each frame of a recording, the first of equals, as the reference hears it: the average of the channels, at
    /// 32 kHz, the first 30 s, short ones in the middle of half a second of silence. Non-finite samples count as silence. Nothing is no
    /// melody.
    ///
    /// # Errors
    /// [`crate::Error::OutOfRange`] for a rate outside 8 to 192 kHz; [`crate::Error::Cancelled`].
    pub fn of_audio(audio: &AudioBuffer, context: &JobContext) -> Result<Self> {
        let mut mono = AudioBuffer::mono(audio.rate, clean_mono(audio));
        // What lies beyond the part that is heard only costs time; a second more keeps the filter's edge out of it.
        let enough = (LONGEST + Seconds(1.0)).frames(audio.rate).index().unwrap_or(usize::MAX);
        mono.channels.iter_mut().for_each(|channel| channel.truncate(enough));
        let mono = resample_in(&mono, RATE, context)?.to_mono();
        let heard = mono.len().min(LONGEST.frames(RATE).index().unwrap_or(0));
        let chroma = chroma_in(&mono[..heard], context)?;
        Ok(Self::of_classes(chroma.argmax.iter().copied()))
    }

    /// The classes of corrected notes over `length`: what [`Self::of_audio`] would hear if the notes were sung clean, all as loud.
    ///
    /// A frame has the class that sounds most of the extractor's window around it; where none does, it is class 0, as silence is to
    /// the reference.
    pub fn of_notes(notes: &[Note], length: Seconds) -> Self {
        let before = (N_FFT as f64 / RATE.hz() - length.0.max(0.0)).max(0.0) / 2.0;
        let classes = (0..frames_of(length)).map(|frame| {
            let centre = (frame * HOP) as f64 / RATE.hz() - before;
            let mut energy = [0.0_f64; CLASSES];
            for note in notes {
                energy[usize::from(note.key) % CLASSES] += window_energy(note.onset.0 - centre, note.offset.0 - centre);
            }
            (0..CLASSES).fold(0, |best, class| if energy[class] > energy[best] { class } else { best }) as u8
        });
        Self::of_classes(classes)
    }

    /// All classes of the chords that sound at each frame over `length`; none where no chord does. Of two chords at once both sound.
    pub fn of_chords(chords: &[ChordSpan], length: Seconds) -> Self {
        let mut frames = vec![[0.0; CLASSES]; frames_of(length)];
        let nearest = |time: Seconds| (time.0.max(0.0) * RATE.hz() / HOP as f64).round() as usize;
        for chord in chords {
            let (start, end) = (nearest(chord.start).min(frames.len()), nearest(chord.end).min(frames.len()));
            for frame in frames.get_mut(start..end).unwrap_or_default() {
                for (value, sounds) in frame.iter_mut().zip(chord.classes) {
                    *value = if sounds { 1.0 } else { *value };
                }
            }
        }
        Self { frames }
    }

    fn of_classes(classes: impl Iterator<Item = u8>) -> Self {
        let frames: Vec<Frame> = classes.map(|class| one_hot(usize::from(class))).collect();
        if frames.is_empty() { Self::none() } else { Self { frames } }
    }

    /// The frames, at least one.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Exactly `length` frames: repeated from the start as often as it takes, then cut, as the reference does.
    pub fn fitted(&self, length: usize) -> Vec<Frame> {
        self.frames.iter().copied().cycle().take(length).collect()
    }
}

/// Frames the extractor has for audio of a length, the cut to [`LONGEST`] included.
fn frames_of(length: Seconds) -> usize {
    let samples = Seconds(length.0.clamp(0.0, LONGEST.0)).frames(RATE).index().unwrap_or(0);
    1 + samples.max(N_FFT) / HOP
}

fn one_hot(class: usize) -> Frame {
    std::array::from_fn(|index| if index == class % CLASSES { 1.0 } else { 0.0 })
}

/// The share of the extractor's window that lies between two times in seconds from its middle, by energy: the squared Hann window,
/// whose integral has a closed form.
fn window_energy(from: f64, to: f64) -> f64 {
    let window = N_FFT as f64 / RATE.hz();
    let until = |time: f64| {
        let turn = time.clamp(-0.5 * window, 0.5 * window) / window;
        // ∫ (½ + ½ cos 2πt)² dt, as a share of the whole.
        turn + (2.0 * (TAU * turn).sin() + 0.25 * (2.0 * TAU * turn).sin()) / (1.5 * TAU)
    };
    if to > from { until(to) - until(from) } else { 0.0 }
}
