//! Sound files: every kind that is read, and the sentence for every kind that is not.

use super::data;
use cantus_engine::Error;
use cantus_engine::analysis::analyse;
use cantus_engine::capture::file::{read_audio, read_take};
use cantus_engine::capture::take::TakeSource;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// WAV format tags.
const INTEGER: u16 = 1;
const FLOAT: u16 = 3;

/// A WAV file byte by byte, so that the reader is not checked against a writer of its own family.
fn wav(tag: u16, bits: u16, channels: u16, rate: u32, data: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }
}

#[test]
fn every_sample_format_of_wav() {
    let folder = Folder::new();
    // The value one half, in each format.
    let rows: [(u16, u16, Vec<u8>); 6] = [
        (INTEGER, 8, vec![192]),
        (INTEGER, 16, 0x4000_i16.to_le_bytes().into()),
        (INTEGER, 24, vec![0, 0, 0x40]),
        (INTEGER, 32, 0x4000_0000_i32.to_le_bytes().into()),
        (FLOAT, 32, 0.5_f32.to_le_bytes().into()),
        (FLOAT, 64, 0.5_f64.to_le_bytes().into()),
    ];
    for (tag, bits, half) in rows {
        let path = folder.file("half.wav", &wav(tag, bits, 1, 22_050, &half.repeat(500)));
        let audio = read_audio(&path).expect("audio");
        assert_eq!((audio.rate, audio.channels.len(), audio.frames()), (SampleRate(22_050), 1, 500), "{bits} bits");
        assert!(audio.channels[0].iter().all(|&sample| sample == 0.5), "{bits} bits: {}", audio.channels[0][0]);
    }
}

#[test]
fn compressed_files_sound_like_the_tone_they_hold() {
    for name in ["tone.flac", "tone.mp3", "tone.ogg"] {
        let audio = read_audio(&data(name)).expect(name);
        assert_eq!((audio.rate, audio.channels.len()), (SampleRate(44_100), 2), "{name}");
        let seconds = audio.length().seconds(audio.rate).0;
        assert!((seconds - 1.0).abs() < 0.06, "{name} is {seconds} s long");
        for (channel, peak) in audio.channels.iter().zip([0.25, 0.125_f32]) {
            let loudest = channel[4_000..40_000].iter().fold(0.0_f32, |top, sample| top.max(sample.abs()));
            assert!((loudest / peak - 1.0).abs() < 0.05, "{name} peaks at {loudest} instead of {peak}");
        }
        let take = read_take(&data(name), Some(Bpm(120.0)), Metre::default()).expect(name);
        let analysis = analyse(&take, &JobContext::detached()).expect(name);
        assert_eq!(analysis.notes.iter().map(|note| note.key).collect::<Vec<_>>(), [69], "{name}");
    }
}

#[test]
fn many_channels_fold_into_two_and_damage_becomes_silence() {
    let folder = Folder::new();
    let frame: Vec<u8> = [1.0_f32, 0.0, f32::NAN, 1.0].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let audio = read_audio(&folder.file("four.wav", &wav(FLOAT, 32, 4, 48_000, &frame.repeat(64)))).expect("audio");
    let (left, right) = (audio.channels[0][10], audio.channels[1][10]);
    assert_eq!(audio.channels.len(), 2);
    assert!(left > right && right > 0.0 && left <= 1.0, "left {left}, right {right}");
}

/// The path, and a word its sentence must hold.
fn check_refused(path: &Path, word: &str) {
    let error = read_audio(path).expect_err("refused");
    let sentence = error.to_string();
    assert!(sentence.contains(word), "{} says: {sentence}", path.display());
    assert!(!sentence.contains('\n') && sentence.len() < 300, "{sentence}");
}

#[test]
fn what_is_no_sound_is_refused_in_words() {
    let folder = Folder::new();
    check_refused(&folder.0.path().join("missing.wav"), "Cannot read");
    check_refused(folder.0.path(), "folder");
    check_refused(&folder.file("empty.wav", b""), "it is empty");
    check_refused(
        &folder.file("text.wav", b"Dear diary, today I hummed.\n".repeat(200).as_slice()),
        "not a sound file",
    );
    check_refused(&folder.file("zeros.mp3", &[0; 4096]), "not a sound file");
    check_refused(&folder.file("header.wav", &wav(INTEGER, 16, 1, 44_100, &[])[..30]), "not a sound file");
    let empty = folder.file("silent.wav", &wav(INTEGER, 16, 1, 44_100, &[]));
    assert_eq!(read_audio(&empty), Err(Error::EmptyTake));

    let whole = wav(INTEGER, 16, 1, 44_100, &[0; 88_200]);
    assert!(read_audio(&folder.file("whole.wav", &whole)).is_ok());
    check_refused(&folder.file("cut.wav", &whole[..50_000]), "cut off");
    let flac = std::fs::read(data("tone.flac")).expect("data");
    check_refused(&folder.file("cut.flac", &flac[..flac.len() / 2]), "cut off");
}

#[test]
fn damaged_files_never_panic() {
    let folder = Folder::new();
    for name in ["tone.flac", "tone.mp3", "tone.ogg"] {
        let whole = std::fs::read(data(name)).expect("data");
        for step in 1..40 {
            let mut bytes = whole.clone();
            for at in (step * 37..bytes.len()).step_by(step * 211) {
                bytes[at] ^= 0x5a;
            }
            let path = folder.file(name, &bytes[..whole.len() * step / 40]);
            if let Ok(audio) = read_audio(&path) {
                assert!(audio.channels.iter().flatten().all(|sample| sample.is_finite()), "{name}, step {step}");
            }
        }
    }
}

#[test]
fn a_take_is_whole_bars() {
    let folder = Folder::new();
    let seconds = |seconds: f64| wav(INTEGER, 16, 1, 8_000, &vec![0; (seconds * 8_000.0) as usize * 2]);
    let waltz = Metre { numerator: 3, denominator: 4 };
    // Seconds of audio, tempo, metre, beats of the take.
    let rows = [
        (4.0, Some(120.0), Metre::default(), 8.0),
        (4.1, Some(120.0), Metre::default(), 12.0),
        (0.01, Some(60.0), waltz, 3.0),
        (3.0, None, waltz, 6.0),
    ];
    for (length, tempo, metre, beats) in rows {
        let path = folder.file("take.wav", &seconds(length));
        let take = read_take(&path, tempo.map(Bpm), metre).expect("a take");
        assert_eq!(
            (take.source, take.on_grid, take.length),
            (TakeSource::File, tempo.is_some(), Beats(beats)),
            "{length} s"
        );
        assert_eq!(take.audio.length(), take.grid.frame_of(take.length, take.audio.rate), "{length} s");
    }
    let path = folder.file("take.wav", &seconds(1.0));
    for (tempo, metre) in [(f64::NAN, waltz), (0.0, waltz), (120.0, Metre { numerator: 0, denominator: 4 })] {
        assert!(matches!(read_take(&path, Some(Bpm(tempo)), metre), Err(Error::OutOfRange { .. })), "{tempo}");
    }
}
