//! Doubts: what is sung gets none, and everything else a sentence that says what it is and a confidence that is low.

use super::edits::heard;
use super::hum::{TUNE, hum, noise};
use super::robustness::check_sane;
use super::{analysis_of, data};
use cantus_engine::analysis::doubts::{Evidence, judge};
use cantus_engine::analysis::edit::{Edits, MelodyEdit, NoteId, Selection};
use cantus_engine::analysis::{Note, f0, notes};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::file::read_audio;
use cantus_engine::job_context::JobContext;
use cantus_engine::resample::resample;
use cantus_engine::time::{Bpm, Metre, MidiNote, SampleRate, SongGrid};
use std::f64::consts::TAU;

const RATE: SampleRate = SampleRate(44_100);

/// Samples from a function of time in seconds.
fn sound(seconds: f64, rate: SampleRate, value: impl Fn(f64) -> f64) -> AudioBuffer {
    let samples = (0..(seconds * rate.hz()) as usize).map(|frame| value(frame as f64 / rate.hz()) as f32).collect();
    AudioBuffer::mono(rate, samples)
}

fn tone(hz: f64, rate: SampleRate) -> AudioBuffer {
    sound(3.0, rate, |time| 0.5 * (TAU * hz * time).sin())
}

/// Kick, snare and hi-hat at 120 beats a minute.
fn drums() -> AudioBuffer {
    let hiss = noise(5 * RATE.0 as usize, 1.0, 31);
    sound(5.0, RATE, |time| {
        let hiss = f64::from(hiss[(time * RATE.hz()) as usize]);
        let (beat, since) = ((time * 2.0) as u64, time % 0.5);
        let kick = (TAU * (50.0 * since + 3.3 * (1.0 - (-30.0 * since).exp()))).sin() * (-12.0 * since).exp();
        let snare = 0.7 * hiss * (-20.0 * since).exp() + 0.3 * (TAU * 190.0 * since).sin() * (-25.0 * since).exp();
        0.5 * (if beat % 2 == 0 { kick } else { snare }) + 0.1 * hiss * (-80.0 * (time % 0.25)).exp()
    })
}

fn stereo(left: AudioBuffer, change: impl Fn(f32) -> f32) -> AudioBuffer {
    let right = left.channels[0].iter().map(|sample| change(*sample)).collect();
    AudioBuffer { rate: left.rate, channels: vec![left.channels[0].clone(), right] }
}

fn changed(audio: AudioBuffer, change: impl Fn(usize, f32) -> f32) -> AudioBuffer {
    let samples = audio.channels[0].iter().enumerate().map(|(frame, sample)| change(frame, *sample)).collect();
    AudioBuffer::mono(audio.rate, samples)
}

fn octave_doubts(doubts: &[String]) -> Vec<&String> {
    doubts.iter().filter(|doubt| doubt.contains(" may be an octave ")).collect()
}

#[test]
fn every_input_gets_a_confidence_and_a_sentence() {
    let tune = || hum(&TUNE, 0.0, 0.5, RATE);
    let hiss = |peak: f32| noise(tune().frames(), peak, 9);
    let (loud_hiss, soft_hiss) = (hiss(0.35), hiss(0.01));
    let speech = read_audio(&data("speech.flac")).expect("speech");
    let ours = |name: &str| read_audio(&data(name)).expect(name);
    let mains =
        sound(4.0, RATE, |time| (1..6).map(|k| 0.02 / f64::from(k) * (TAU * 50.0 * f64::from(k) * time).sin()).sum());
    let sure = 0.75..=1.0;
    let low = 0.0..=0.45;
    let none = 0.0..=0.0;
    // What, the recording, the confidence, the number of notes, and words among its doubts; "-" for none at all.
    let rows = [
        ("a hum", tune(), &sure, 8, "-"),
        ("a hum, 8 kHz", hum(&TUNE, 0.0, 0.5, SampleRate(8_000)), &sure, 8, "-"),
        ("a hum, 192 kHz", hum(&TUNE, 0.0, 0.5, SampleRate(192_000)), &sure, 8, "-"),
        ("a hum in some noise", changed(tune(), |frame, sample| sample + soft_hiss[frame]), &sure, 8, "-"),
        ("a singer", ours("real_vocadito_1.flac"), &sure, 0, "Outside Bb major lie E3"),
        ("a noisy hum", changed(tune(), |frame, sample| sample + loud_hiss[frame]), &(0.5..=1.0), 8, "There is noise"),
        ("a clipped hum", changed(tune(), |_, sample| (sample * 9.0).clamp(-1.0, 1.0)), &sure, 8, "clipped"),
        ("a hum with an offset", changed(tune(), |_, sample| sample + 0.3), &sure, 8, "constant offset (DC, +0.30)"),
        (
            "a hum with NaN",
            changed(tune(), |frame, s| if frame % 9_973 == 0 { f32::NAN } else { s }),
            &sure,
            8,
            "damaged",
        ),
        ("a very soft hum", hum(&TUNE, 0.0, 0.001, RATE), &sure, 8, "very quiet (peak -6"),
        ("opposite phase", stereo(tune(), |sample| -sample), &sure, 8, "opposite phase"),
        ("nearly opposite phase", stereo(tune(), |sample| -0.8 * sample), &sure, 8, "opposite phase"),
        ("one side only", stereo(tune(), |_| 0.0), &sure, 8, "-"),
        ("both sides", stereo(tune(), |sample| sample), &sure, 8, "-"),
        ("speech", speech, &low, 0, "sounds like speech"),
        ("drums", drums(), &low, 0, "drums"),
        ("mains", mains, &low, 1, "50 Hz tone"),
        ("white noise", AudioBuffer::mono(RATE, noise(100_000, 0.5, 2)), &none, 0, "only noise"),
        ("silence", AudioBuffer::silent(RATE, 2, 100_000), &none, 0, "the recording is silent"),
        ("a constant", sound(2.0, RATE, |_| 0.4), &none, 0, "only a constant level (DC)"),
        ("clicks", sound(3.0, RATE, |time| f64::from(time % 0.5 < 2e-5)), &none, 0, "only clicks or drum hits"),
        ("1 Hz", tone(1.0, RATE), &none, 0, "too low for a melody"),
        ("30 Hz", tone(30.0, RATE), &none, 0, "too low for a melody"),
        ("6 kHz", tone(6_000.0, RATE), &none, 0, "only a tone at 6000 Hz, too high"),
        ("20 kHz", tone(20_000.0, RATE), &none, 0, "only a tone at 200"),
        ("0.1 s of noise", AudioBuffer::mono(RATE, noise(4_410, 0.5, 3)), &none, 0, "only noise"),
        ("20 ms of a tone", sound(0.02, RATE, |time| 0.5 * (TAU * 300.0 * time).sin()), &none, 0, "too short (20 ms)"),
        ("one sample", AudioBuffer::mono(RATE, vec![0.5]), &none, 0, "too short"),
        ("nothing", AudioBuffer::mono(RATE, Vec::new()), &none, 0, "silent"),
        ("only infinity", AudioBuffer::mono(RATE, vec![f32::INFINITY; 9_000]), &none, 0, "damaged"),
    ];
    for (what, audio, confidence, notes, words) in rows {
        let analysis = analysis_of(audio);
        check_sane(&analysis, what);
        println!(
            "{what:24} {:.2} {:3} notes  {}",
            analysis.confidence,
            analysis.notes.len(),
            analysis.doubts.join(" ")
        );
        assert!(confidence.contains(&analysis.confidence), "{what}: {}, {:?}", analysis.confidence, analysis.doubts);
        assert!(notes == 0 || analysis.notes.len() == notes, "{what}: {} notes", analysis.notes.len());
        let said = if words == "-" { analysis.doubts.is_empty() } else { analysis.doubts.join(" ").contains(words) };
        assert!(said, "{what}: {:?}", analysis.doubts);
        assert!(analysis.doubts.iter().all(|doubt| doubt.ends_with('.') && doubt.len() < 200), "{:?}", analysis.doubts);
    }
}

/// A recording of the test data, with its notes claimed so many semitones off from one moment to another.
fn claim(name: &str, (from, to): (f64, f64), semitones: f32) -> Vec<String> {
    let audio = resample(&read_audio(&data(name)).expect(name), f0::RATE).expect("resampled").to_mono();
    let context = JobContext::detached();
    let mut frames = f0::track(&audio, &context).expect("tracked");
    let melody = notes::notes(&mut frames, &audio, &context).expect("notes");
    let off = |note: &Note| if (from..to).contains(&note.onset.0) { semitones } else { 0.0 };
    let claimed = |note: Note| Note { sung: MidiNote(note.sung.0 + off(&note)), ..note };
    let notes: Vec<Note> = melody.notes.into_iter().map(claimed).collect();
    let grid = SongGrid::at_origin(Bpm(120.0), Metre::default());
    let evidence = Evidence { frames: &frames, notes: &notes, mono_16k: &audio, grid: &grid, on_grid: false };
    judge(&evidence).doubts
}

#[test]
fn a_phrase_in_the_wrong_octave_is_doubted_and_one_in_the_right_octave_is_not() {
    for name in ["dev_hum_01.flac", "dev_hum_35.flac", "real_vocadito_1.flac"] {
        let all = (0.0, 99.0);
        assert!(octave_doubts(&claim(name, all, 0.0)).is_empty(), "{name}");
        for (semitones, way) in [(12.0, "lower"), (-12.0, "higher")] {
            let doubts = claim(name, all, semitones);
            let found = octave_doubts(&doubts);
            assert!(!found.is_empty() && found.iter().all(|doubt| doubt.contains(way)), "{name}: {doubts:?}");
        }
    }
    // Of several phrases only the wrong one is named.
    let doubts = claim("real_vocadito_1.flac", (0.0, 2.0), 12.0);
    let found = octave_doubts(&doubts);
    assert_eq!(found.len(), 1, "{doubts:?}");
    assert!(found[0].starts_with("The first phrase (0.") && found[0].contains("lower"), "{found:?}");
}

#[test]
fn a_correction_settles_its_doubt() {
    let heard = heard();
    let doubtful = |doubt: &str| {
        let mut analysis = heard.clone();
        analysis.doubts = vec![doubt.to_owned(), "The recording is clipped.".to_owned()];
        analysis
    };
    let octave = MelodyEdit::Octave { notes: Selection::Notes(vec![NoteId::heard(0)]), octaves: -1 };
    let louder = MelodyEdit::Loudness { notes: Selection::All, loudness: 0.5 };
    let left = |doubt: &str, edit: &MelodyEdit| {
        Edits(vec![edit.clone()]).apply(&doubtful(doubt)).expect("possible").analysis.doubts.len()
    };
    // The tune is one phrase.
    let whole = "The melody may be an octave lower: compare it with what you sang.";
    let other = "The second phrase (bar 3) may be an octave lower: compare it with what you sang.";
    assert_eq!([left(whole, &octave), left(whole, &louder), left(other, &octave)], [1, 2, 2]);

    let mut empty = heard.clone();
    empty.notes.clear();
    empty.doubts = vec!["No pitch found: only noise.".to_owned()];
    let onset = cantus_engine::time::Seconds(1.0);
    let add = MelodyEdit::Add { onset, offset: onset + onset, key: 60, loudness: 1.0 };
    let added = Edits(vec![add]).apply(&empty).expect("possible").analysis;
    assert_eq!((added.notes.len(), added.doubts.len(), added.confidence), (1, 0, 1.0));
}
