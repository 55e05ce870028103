//! The melody as the model hears it: from a recording, from notes, from chords, and from nothing.

use super::reference;
use candle_core::Tensor;
use cantus_engine::Error;
use cantus_engine::analysis::Note;
use cantus_engine::analysis::chroma::chroma;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::musicgen::conditioning::{
    CHROMA_LENGTH, CLASSES, ChordSpan, Frame, Melody, MelodySource,
};
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::time::{MidiNote, SampleRate, Seconds};
use std::f32::consts::TAU;
use std::sync::Arc;

const RATE: SampleRate = SampleRate(32_000);

fn signal(tensor: &Tensor) -> Vec<f32> {
    let samples: Vec<i16> = tensor.to_vec1().unwrap();
    samples.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect()
}

fn frames(tensor: &Tensor) -> Vec<Frame> {
    let flat: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
    flat.as_chunks::<CLASSES>().0.to_vec()
}

fn heard(samples: Vec<f32>) -> Melody {
    Melody::of_audio(&AudioBuffer::mono(RATE, samples), &JobContext::detached()).unwrap()
}

/// The class of each frame, `None` unless it is one alone.
fn classes(melody: &Melody) -> Vec<Option<usize>> {
    let class = |frame: &Frame| {
        let alone = frame.iter().filter(|&&value| value == 1.0).count() == 1 && frame.iter().sum::<f32>() == 1.0;
        frame.iter().position(|&value| value == 1.0).filter(|_| alone)
    };
    melody.frames().iter().map(class).collect()
}

fn note(onset: f64, offset: f64, key: u8) -> Note {
    Note {
        onset: Seconds(onset),
        offset: Seconds(offset),
        sung: MidiNote(f32::from(key)),
        key,
        loudness: 1.0,
        confidence: 1.0,
        bend: Vec::new(),
        level_db: Vec::new(),
    }
}

/// Notes as sine tones with two overtones.
fn sung(notes: &[Note], seconds: f64) -> Vec<f32> {
    let mut samples = vec![0.0; (seconds * RATE.hz()) as usize];
    for note in notes {
        let hz = MidiNote(f32::from(note.key)).hz().0;
        let from = (note.onset.0 * RATE.hz()) as usize;
        let to = ((note.offset.0 * RATE.hz()) as usize).min(samples.len());
        for (at, sample) in samples[from..to].iter_mut().enumerate() {
            let turn = hz * at as f32 / 32_000.0;
            *sample += [0.5, 0.2, 0.1]
                .iter()
                .zip(1..)
                .map(|(level, n)| level * (TAU * (n as f32 * turn).fract()).sin())
                .sum::<f32>();
        }
    }
    samples
}

fn scale() -> Vec<Note> {
    let keys = [60, 62, 64, 65, 67, 69, 71, 72, 70, 66, 63, 61];
    keys.iter().zip(0..).map(|(&key, at)| note(f64::from(at) * 0.6, f64::from(at) * 0.6 + 0.55, key)).collect()
}

#[test]
fn a_recording_is_heard_as_by_the_reference() {
    let reference = reference("mono");
    for name in ["a", "b"] {
        let samples = signal(&reference[&format!("chroma.{name}.wav_i16")]);
        let soft: Vec<f32> = reference[&format!("chroma.{name}.soft")].flatten_all().unwrap().to_vec1().unwrap();
        let extracted = chroma(&samples);
        let worst =
            extracted.frames.iter().flatten().zip(&soft).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst <= 1e-5, "signal {name}: soft chroma is off by {worst}");
        let expected = frames(&reference[&format!("chroma.{name}.onehot")]);
        assert_eq!(heard(samples.clone()).frames(), expected, "signal {name}");
        // Broken on purpose: a tone higher must not pass.
        let higher: Vec<f32> = (0..samples.len()).map(|at| samples[(at * 9 / 8) % samples.len()]).collect();
        assert_ne!(heard(higher).frames(), expected, "signal {name}");
    }
}

#[test]
fn channels_and_rates_make_no_difference() {
    let mono = sung(&scale(), 7.2);
    let expected = heard(mono.clone());
    let context = JobContext::detached();
    let louder: Vec<f32> = mono.iter().map(|sample| sample * 1.5).collect();
    let softer: Vec<f32> = mono.iter().map(|sample| sample * 0.5).collect();
    let stereo = AudioBuffer { rate: RATE, channels: vec![louder, softer] };
    assert_eq!(Melody::of_audio(&stereo, &context).unwrap(), expected);
    for rate in [44_100, 48_000] {
        let other =
            cantus_engine::resample::resample(&AudioBuffer::mono(RATE, mono.clone()), SampleRate(rate)).unwrap();
        let melody = Melody::of_audio(&other, &context).unwrap();
        let same = melody.frames().iter().zip(expected.frames()).filter(|(a, b)| a == b).count();
        // A frame between two notes may go either way.
        assert!(same + 2 >= expected.frames().len(), "{same} of {} frames at {rate} Hz", expected.frames().len());
    }
}

#[test]
fn no_melody_is_the_first_class() {
    let first: Frame = std::array::from_fn(|class| f32::from(u8::from(class == 0)));
    assert_eq!(Melody::none().fitted(CHROMA_LENGTH), vec![first; CHROMA_LENGTH]);
    for silence in [vec![], vec![0.0; 100], vec![0.0; 50_000], vec![f32::NAN; 50_000]] {
        assert_eq!(heard(silence).fitted(CHROMA_LENGTH), vec![first; CHROMA_LENGTH]);
    }
    let context = JobContext::detached();
    for source in [MelodySource::None, MelodySource::Notes(&[], Seconds(0.0)), MelodySource::Notes(&[], Seconds(5.0))] {
        assert_eq!(source.whole(&context).unwrap().fitted(9), vec![first; 9]);
        assert_eq!(source.window(Seconds(18.0), &context).unwrap().fitted(9), vec![first; 9]);
    }
}

#[test]
fn melodies_are_repeated_whole_and_cut() {
    let melody = Melody::of_notes(&[note(0.0, 0.5, 64), note(0.5, 1.0, 67)], Seconds(1.0));
    let period = melody.frames().len();
    let fitted = melody.fitted(CHROMA_LENGTH);
    assert_eq!(fitted.len(), CHROMA_LENGTH);
    for (at, frame) in fitted.iter().enumerate() {
        assert_eq!(frame, &melody.frames()[at % period], "frame {at}");
    }
    assert_eq!(melody.fitted(3), melody.frames()[..3]);
    // 30 s are 235 frames, and what comes after is not heard.
    assert_eq!(heard(vec![0.1; 960_000]).frames().len(), CHROMA_LENGTH);
    assert_eq!(heard(vec![0.1; 2_000_000]).frames().len(), CHROMA_LENGTH);
    assert_eq!(Melody::of_notes(&[], Seconds(77.0)).frames().len(), CHROMA_LENGTH);
}

/// A clean recording of notes and the notes themselves say the same, but for frames between two notes.
#[test]
fn notes_are_heard_as_their_recording() {
    let notes = scale();
    let (of_notes, of_audio) = (Melody::of_notes(&notes, Seconds(7.2)), heard(sung(&notes, 7.2)));
    assert_eq!(of_notes.frames().len(), of_audio.frames().len());
    let same = of_notes.frames().iter().zip(of_audio.frames()).filter(|(a, b)| a == b).count();
    assert!(same * 10 >= of_audio.frames().len() * 9, "only {same} of {} frames", of_audio.frames().len());
    assert!(classes(&of_notes).iter().all(Option::is_some), "every frame has one class");

    // Broken on purpose: notes a semitone higher say something else.
    let higher: Vec<Note> = notes.iter().map(|note| Note { key: note.key + 1, ..note.clone() }).collect();
    let other = Melody::of_notes(&higher, Seconds(7.2));
    let same = other.frames().iter().zip(of_audio.frames()).filter(|(a, b)| a == b).count();
    assert!(same * 2 < of_audio.frames().len());
}

#[test]
fn rests_longer_than_the_window_are_silence() {
    let melody = Melody::of_notes(&[note(0.0, 1.0, 67), note(3.0, 4.0, 69)], Seconds(4.0));
    let classes = classes(&melody);
    assert_eq!(classes[0], Some(7));
    assert_eq!(classes[16], Some(0), "in the middle of two seconds without a note");
    assert_eq!(classes[30], Some(9));
}

#[test]
fn chords_sound_together() {
    let chord = |start: f64, end: f64, classes: &[usize]| ChordSpan {
        start: Seconds(start),
        end: Seconds(end),
        classes: std::array::from_fn(|class| classes.contains(&class)),
    };
    let melody = Melody::of_chords(&[chord(0.0, 1.0, &[0, 4, 7]), chord(2.0, 3.0, &[9, 0, 4])], Seconds(3.0));
    let sounding =
        |frame: usize| -> Vec<usize> { (0..CLASSES).filter(|&class| melody.frames()[frame][class] == 1.0).collect() };
    assert_eq!(sounding(0), [0, 4, 7]);
    assert_eq!(sounding(7), [0, 4, 7], "until 1 s, which is nearest to frame 8");
    assert!(sounding(8).is_empty() && sounding(15).is_empty());
    assert_eq!(sounding(16), [0, 4, 9]);
    for bad in [chord(2.0, 1.0, &[1]), chord(f64::NAN, 1e12, &[1]), chord(-5.0, -1.0, &[1])] {
        assert_eq!(Melody::of_chords(&[bad], Seconds(3.0)).frames().len(), melody.frames().len());
    }
}

/// Windows of long pieces go on where the melody is at that time, at the sample, not at the frame.
#[test]
fn windows_go_on_in_the_melody() {
    let context = JobContext::detached();
    let notes = scale();
    let samples = sung(&notes, 7.2);
    let audio = AudioBuffer::mono(RATE, samples.clone());
    let start = Seconds(18.0);
    let of_audio = MelodySource::Audio(&audio).window(start, &context).unwrap();
    let from = 18 * 32_000;
    let unrolled: Vec<f32> = (0..960_000).map(|at| samples[(from + at) % samples.len()]).collect();
    assert_eq!(of_audio, heard(unrolled));

    let of_notes = MelodySource::Notes(&notes, Seconds(7.2)).window(start, &context).unwrap();
    let same = of_notes.frames().iter().zip(of_audio.frames()).filter(|(a, b)| a == b).count();
    assert_eq!(of_notes.frames().len(), CHROMA_LENGTH);
    assert!(same * 10 >= CHROMA_LENGTH * 9, "only {same} of {CHROMA_LENGTH} frames");

    let chord = ChordSpan { start: Seconds(0.0), end: Seconds(2.0), classes: std::array::from_fn(|class| class == 5) };
    let of_chords = MelodySource::Chords(&[chord], Seconds(4.0)).window(start, &context).unwrap();
    // 18 s are four and a half times round: two seconds of rest, then two of the chord.
    let sounds: Vec<bool> = of_chords.frames().iter().map(|frame| frame[5] == 1.0).collect();
    assert!(!sounds[8] && sounds[24] && !sounds[40] && sounds[56] && !sounds[72]);
}

#[test]
fn strange_lengths_and_notes_do_no_harm() {
    let notes = [note(f64::NAN, f64::NAN, 60), note(-3.0, 1e9, 127), note(2.0, 1.0, 61)];
    for length in [0.0, -1.0, 1e-9, 0.1, 31.0, 1e12, f64::NAN, f64::INFINITY] {
        for source in [MelodySource::Notes(&notes, Seconds(length)), MelodySource::Chords(&[], Seconds(length))] {
            for melody in [source.whole(&JobContext::detached()), source.window(Seconds(18.0), &JobContext::detached())]
            {
                let frames = melody.unwrap().fitted(CHROMA_LENGTH);
                assert!(frames.iter().flatten().all(|value| value.is_finite()), "length {length}");
            }
        }
    }
}

#[test]
fn a_cancelled_job_stops_listening() {
    let cancel = CancelToken::default();
    let context = JobContext::new(cancel.clone(), Arc::new(|_| ()));
    cancel.cancel();
    let audio = AudioBuffer::mono(RATE, vec![0.1; 64_000]);
    assert_eq!(Melody::of_audio(&audio, &context), Err(Error::Cancelled));
}
