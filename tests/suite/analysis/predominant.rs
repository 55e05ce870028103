//! Takes with several voices: what kind they are, and the melody in them.

use super::band::{self, CHORDS, TUNE, Tone};
use super::{analysis_of, data, hum};
use cantus_engine::Error;
use cantus_engine::analysis::polyphony::{self, posteriors};
use cantus_engine::analysis::{Analysis, F0Frame, Texture, f0, predominant};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::file::read_audio;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::resample::resample;
use cantus_engine::time::{Hz, SampleRate};
use std::sync::Arc;

const RATE: SampleRate = SampleRate(44_100);

/// Share of the tune's time in which a track is within half a semitone, not counting the edges of notes.
fn followed(track: &[F0Frame]) -> f32 {
    let inside = track.iter().filter_map(|frame| {
        let time = frame.time.0;
        let note = TUNE.iter().find(|note| (note.0 + 0.05..note.0 + note.1 - 0.05).contains(&time))?;
        Some((f64::from(Hz(frame.hz).note().0) - note.2).abs() < 0.5)
    });
    inside.clone().filter(|&right| right).count() as f32 / inside.count() as f32
}

#[test]
fn a_voice_is_followed_through_a_mix() {
    let mix = band::mix(RATE, 0.04);
    let at = |rate: SampleRate| resample(&mix, rate).expect("resampled").to_mono();
    let context = JobContext::detached();
    let heard = posteriors(&at(polyphony::RATE), &context).expect("answers");
    let track = predominant::track(&at(f0::RATE), &heard, &context).expect("a track");
    let share = followed(&track);
    assert!(share > 0.95, "followed in {share} of the time");

    // Broken on purpose: the tracker of one voice must get lost, or the mix would be no mix.
    let alone = followed(&f0::track(&at(f0::RATE), &context).expect("a track"));
    assert!(alone < 0.85, "the tracker of one voice follows in {alone} of the time");
}

#[test]
fn a_cancelled_job_stops_following() {
    let cancel = CancelToken::default();
    cancel.cancel();
    let context = JobContext::new(cancel, Arc::new(|_| ()));
    let nothing = polyphony::Posteriors::default();
    assert_eq!(predominant::track(&[0.1; 50_000], &nothing, &context), Err(Error::Cancelled));
}

/// The melody has the tune's keys in order, each within 70 ms of its time.
fn check_melody(analysis: &Analysis, what: &str) {
    let heard: Vec<(f64, u8)> = analysis.notes.iter().map(|note| (note.onset.0, note.key)).collect();
    assert_eq!(heard.len(), TUNE.len(), "{what}: {heard:?}");
    for (&(onset, key), &(true_onset, _, note)) in heard.iter().zip(&TUNE) {
        assert!(f64::from(key) == note && (onset - true_onset).abs() < 0.07, "{what}: {heard:?}");
    }
    assert!(analysis.notes.windows(2).all(|pair| pair[0].offset <= pair[1].onset), "{what}: notes overlap");
    for note in analysis.notes.iter().chain(&analysis.harmony) {
        let length = (note.offset - note.onset).0 as f32;
        for curve in [&note.bend, &note.level_db] {
            assert!(
                !curve.is_empty() && curve.iter().all(|point| (0.0..=length + 0.02).contains(&point.0)),
                "{note:?}"
            );
            assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0), "{what}: {curve:?}");
        }
    }
}

#[test]
fn a_mix_gives_its_melody_and_a_chroma_of_the_rest() {
    let analysis = analysis_of(band::mix(RATE, 0.08));
    assert_eq!(analysis.texture.texture, Texture::Mix, "{}", analysis.texture.evidence);
    check_melody(&analysis, "a mix");
    let without = analysis.chroma_without_drums_and_bass.expect("a chroma of the rest");
    assert_eq!(without.frames.len(), analysis.chroma.frames.len());
    assert_ne!(without.argmax, analysis.chroma.argmax, "the bass was in it and is still");
}

#[test]
fn chords_give_their_top_voice_and_the_rest_as_harmony() {
    let mut audio = band::silence(RATE);
    band::tones(&mut audio, &TUNE, Tone::Struck, 0.1);
    band::chords(&mut audio, 0.05);
    let analysis = analysis_of(audio);
    assert_eq!(analysis.texture.texture, Texture::Chords, "{}", analysis.texture.evidence);
    check_melody(&analysis, "chords");
    for (second, chord) in CHORDS.iter().enumerate() {
        let at = 0.25 + second as f64;
        let mut keys: Vec<f64> = analysis
            .harmony
            .iter()
            .filter(|note| (note.onset.0 - at).abs() < 0.06)
            .map(|note| f64::from(note.key))
            .collect();
        keys.sort_by(f64::total_cmp);
        assert_eq!(keys, chord, "harmony at {at} s");
    }
    assert!(analysis.chroma_without_drums_and_bass.is_none());
}

/// A melody must never suffer from the ear for many voices.
#[test]
fn one_voice_is_one_voice() {
    let check = |audio: AudioBuffer, what: &str| {
        let analysis = analysis_of(audio);
        let texture = analysis.texture;
        assert!(texture.texture == Texture::OneVoice && texture.confidence > 0.5, "{what}: {texture:?}");
        assert!(analysis.harmony.is_empty() && analysis.chroma_without_drums_and_bass.is_none());
        assert!(texture.evidence.contains("One voice"), "{}", texture.evidence);
    };
    for name in ["dev_hum_01", "dev_hum_14", "dev_hum_35", "dev_ins_00_flute", "real_vocadito_1"] {
        check(read_audio(&data(&format!("{name}.flac"))).expect("audio"), name);
    }
    let mut struck = band::silence(RATE);
    band::tones(&mut struck, &TUNE, Tone::Struck, 0.1);
    check(struck, "a tune on a keyboard");
    check(AudioBuffer::mono(RATE, hum::noise(100_000, 0.2, 3)), "noise");
    check(AudioBuffer::mono(RATE, vec![0.0; 44_100]), "silence");
}

/// Projects saved before there was harmony still open.
#[test]
fn an_analysis_without_the_new_fields_is_read() {
    let analysis = analysis_of(band::silence(RATE));
    let mut value = serde_json::to_value(&analysis).expect("JSON");
    let fields = value.as_object_mut().expect("an object");
    for name in ["harmony", "texture", "chroma_without_drums_and_bass"] {
        assert!(fields.remove(name).is_some(), "{name} is not saved");
    }
    let old: Analysis = serde_json::from_value(value).expect("an old analysis");
    assert!(old.harmony.is_empty() && old.texture.texture == Texture::OneVoice);
}
