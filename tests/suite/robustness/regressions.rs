//! What the attacks found, each by its name.

use cantus_engine::Error;
use cantus_engine::capture::file::read_take;
use cantus_engine::capture::spool;
use cantus_engine::time::Metre;
use std::path::PathBuf;

/// A file with a name, in a folder of its own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// An 8-bit mono WAV file of a rate.
fn wav(rate: u32) -> Vec<u8> {
    let mut out = b"RIFF\x4C\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    out.extend(rate.to_le_bytes());
    out.extend(rate.to_le_bytes());
    out.extend([1, 0, 8, 0]);
    out.extend(b"data\x28\0\0\0");
    out.extend([0x90; 40]);
    out
}

#[test]
fn a_wav_file_that_names_an_absurd_rate_is_refused_and_takes_no_memory() {
    // A bar of silence at this rate was 17 GB, and the host ended for lack of memory.
    for rate in [1_445_134_336, u32::MAX, 999, 1] {
        let (_folder, path) = file("hum.wav", &wav(rate));
        let error = read_take(&path, None, Metre::default()).unwrap_err();
        let says = format!("{rate} samples");
        assert!(matches!(&error, Error::UnreadableAudio { reason, .. } if reason.contains(&says)), "{error}");
    }
    for rate in [8_000, 22_050, 384_000] {
        let (_folder, path) = file("hum.wav", &wav(rate));
        assert_eq!(read_take(&path, None, Metre::default()).unwrap().audio.rate.0, rate);
    }
}

#[test]
fn a_midi_file_whose_first_note_lies_beyond_every_song_is_refused() {
    // It became a take that a project was saved with, and the project could not be opened again.
    let mut track = vec![0, 0xFF, 0x51, 3, 0xFF, 0xFF, 0xFF];
    track.extend([0xFF, 0xFF, 0xFF, 0x7F, 0x90, 60, 90, 0x60, 0x80, 60, 0, 0, 0xFF, 0x2F, 0]);
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(track);
    let (_folder, path) = file("far.mid", &bytes);
    let error = read_take(&path, None, Metre::default()).unwrap_err();
    assert!(matches!(&error, Error::UnreadableMidi { reason, .. } if reason.contains("no song")), "{error}");
}

#[test]
fn a_recovered_take_holds_numbers_only_and_lies_where_a_song_is() {
    // Corpus files of the attack on spools: samples that are no numbers, and a start of 1e283 seconds.
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/spool"));
    let mut recovered = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (folder, _) = file("1-1-1.spool", &std::fs::read(entry.path()).unwrap());
        for found in spool::recover(folder.path()) {
            recovered += 1;
            assert!(found.take.audio.channels.iter().flatten().all(|sample| sample.is_finite()));
            assert!(found.take.grid.is_sane() && found.take.length.0.is_finite());
        }
    }
    assert!(recovered > 0, "the corpus holds takes that can be recovered");
}
