//! Files and folders: WAV facts, whole or not at all, names that every system takes.

use crate::rendition::scores::band;
use crate::rendition::{read_wav, rendered};
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::export::names::{exports_folder, file_safe, folder_name};
use cantus_engine::export::{FileLevel, Files, write_file, write_rendition};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::Rendition;
use cantus_engine::time::{Beats, Bpm};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn made() -> &'static Rendition {
    static MADE: OnceLock<Rendition> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut score = band();
        score.length = Beats(8.0);
        rendered(&score, 44_100)
    })
}

/// Every file under a folder, as paths from it.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files_under(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn written_to(folder: &Path, rendition: &Rendition) -> cantus_engine::Result<Vec<PathBuf>> {
    write_rendition(folder, rendition, &Files::default(), &JobContext::detached())
}

#[test]
fn a_rendition_becomes_a_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().join("deep").join("inside");
    let mut written = written_to(&target, made()).expect("files");
    assert_eq!(written[0], target.join("mix.wav"));
    // Twice: an export replaces an older one.
    written_to(&target, made()).expect("files again");
    written.sort();
    assert_eq!(files_under(folder.path()), written, "nothing else may be left behind");
    let names: Vec<String> = written
        .iter()
        .map(|path| path.strip_prefix(&target).expect("inside").to_string_lossy().replace('\\', "/"))
        .collect();
    let expected = [
        "mix.wav",
        "premaster.wav",
        "rendition.mid",
        "stems/01 Lead – Test 100 v1.wav",
        "stems/02 Chords – Test 100 v1.wav",
        "stems/03 Pad – Test 100 v1.wav",
        "stems/04 Bass – Test 100 v1.wav",
        "stems/05 Drums – Test 100 v1.wav",
        "stems/06 Colour – Test 100 v1.wav",
    ];
    assert_eq!(names, expected);
}

#[test]
fn only_a_mix_is_a_folder_too() {
    let folder = tempfile::tempdir().expect("folder");
    let bare = Rendition { stems: vec![], score: None, ..made().clone() };
    assert_eq!(written_to(folder.path(), &bare).expect("files"), [folder.path().join("mix.wav")]);
}

#[test]
fn a_wav_holds_the_mix_to_the_bit_and_its_place_in_the_song() {
    let folder = tempfile::tempdir().expect("folder");
    // Without a score nothing says that it leads back to its start, so that its tail stays where it is.
    let mut placed = Rendition { score: None, stems: vec![], ..made().clone() };
    placed.grid.start_seconds = Beats(64.0).seconds(Bpm(100.0));
    let files = Files { level: FileLevel::Session, ..Files::default() };
    write_rendition(folder.path(), &placed, &files, &JobContext::detached()).expect("files");
    let path = folder.path().join("mix.wav");
    let (rate, planes) = read_wav(&path);
    assert_eq!((rate, planes.len(), planes[0].len()), (44_100, 2, placed.mix.frames()));
    for (plane, channel) in planes.iter().zip(&placed.mix.channels) {
        assert!(plane.iter().zip(channel).all(|(whole, sample)| *whole as f32 / 8_388_608.0 == *sample));
    }
    let bytes = std::fs::read(&path).expect("bytes");
    let at = bytes.windows(4).position(|four| four == b"bext").expect("a bext chunk");
    let reference = u64::from_le_bytes(bytes[at + 8 + 338..at + 8 + 346].try_into().expect("eight bytes"));
    assert_eq!(reference, (64.0 * 0.6 * 44_100.0) as u64);
    let size = u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes"));
    assert_eq!(size as usize + 8, bytes.len());
    // And the reader that takes dropped files reads it as well.
    let audio = cantus_engine::capture::file::read_audio(&path).expect("our own reader");
    assert_eq!(audio, placed.mix);
}

#[test]
fn a_folder_that_cannot_be_made_is_a_sentence() {
    let folder = tempfile::tempdir().expect("folder");
    let blocked = folder.path().join("a file");
    std::fs::write(&blocked, b"in the way").expect("a file");
    let error = written_to(&blocked.join("exports"), made()).expect_err("a file is in the way");
    let sentence = error.to_string();
    assert!(sentence.starts_with("Cannot create ") && sentence.contains("exports"), "{sentence}");
    let error = write_file(folder.path(), b"a folder is in the way").expect_err("a folder");
    assert!(error.to_string().starts_with("Cannot write "), "{error}");
    assert_eq!(files_under(folder.path()), [blocked], "a failed write leaves nothing behind");
}

#[test]
fn writing_replaces_whole_files() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("new").join("file.bin");
    write_file(&path, &[1; 100_000]).expect("first");
    write_file(&path, b"second").expect("second");
    assert_eq!(std::fs::read(&path).expect("bytes"), b"second");
    assert_eq!(files_under(folder.path()), [path]);
}

#[test]
fn folders_are_named_for_people() {
    let named = |name: &str, tempo: f64| {
        let mut rendition = Rendition { name: name.into(), stems: vec![], ..made().clone() };
        rendition.grid.tempo = cantus_engine::time::TempoMap::constant(Bpm(tempo));
        rendition
    };
    let minor = Some(Key { tonic: 9, mode: Mode::Minor });
    let major = Some(Key { tonic: 3, mode: Mode::Major });
    let rows = [
        (folder_name(&named("Jazz 1", 100.0), minor), "Cantus Jazz 1 100bpm Am"),
        (folder_name(&named("Reggae 12", 93.5), major), "Cantus Reggae 12 93.5bpm Eb"),
        (folder_name(&named("Jazz 1", 120.0), None), "Cantus Jazz 1 120bpm"),
        (folder_name(&named("a/b: \"c\"? ", 120.0), None), "Cantus a-b- -c-- 120bpm"),
    ];
    for (name, expected) in rows {
        assert_eq!(name, expected);
    }
    let long = folder_name(&named(&"ü".repeat(500), 100.0), minor);
    assert!(long.len() <= 150 && long.ends_with("100bpm Am"), "{long}");
}

#[test]
fn no_system_refuses_a_name() {
    for (name, expected) in
        [("CON", "CON_"), ("lpt1.wav", "lpt1.wav_"), ("...", "Cantus"), ("", "Cantus"), ("a\nb", "a b"), ("x.", "x")]
    {
        assert_eq!(file_safe(name), expected, "{name:?}");
    }
}

#[test]
fn exports_have_a_place() {
    let folder = exports_folder();
    assert!(folder.is_absolute(), "{folder:?}");
    match std::env::var_os("CANTUS_DATA_DIR").filter(|value| !value.is_empty()) {
        Some(data) => assert_eq!(folder, PathBuf::from(data).join("exports")),
        None => assert!(folder.ends_with("Cantus"), "{folder:?}"),
    }
}
