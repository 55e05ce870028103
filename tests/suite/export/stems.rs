//! Stems as files: names for people, one length, one place in the song, dry or wet, as a loop or ringing out.

use crate::rendition::scores::band;
use crate::rendition::{read_wav, rendered};
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::export::names::{is_stem_name, stem_name};
use cantus_engine::export::{FileLevel, Files, write_rendition};
use cantus_engine::generation::direction::Ending;
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::Rendition;
use cantus_engine::time::{Beats, Bpm, TempoMap};
use std::path::{Path, PathBuf};

/// Two bars that begin with an upbeat, in the third bar of a song.
fn upbeat(ending: Ending) -> Score {
    let mut score = band();
    score.length = Beats(8.0);
    score.ending = ending;
    score.grid.start = Beats(11.0);
    score.grid.start_seconds = Beats(11.0).seconds(Bpm(100.0));
    for note in score.tracks.iter_mut().flat_map(|track| &mut track.notes) {
        note.start = note.start + Beats(11.0);
    }
    score
}

fn sounds(folder: &Path, rendition: &Rendition, files: &Files) -> Vec<PathBuf> {
    let written = write_rendition(folder, rendition, files, &JobContext::detached()).expect("files");
    written.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "wav")).collect()
}

/// Song position in frames and whether it is a loop, as a WAV says.
fn label(path: &Path) -> (u64, bool) {
    let bytes = std::fs::read(path).expect("bytes");
    let chunk = |id: &[u8]| bytes.windows(4).position(|four| four == id).expect("a chunk") + 8;
    let (bext, acid) = (chunk(b"bext"), chunk(b"acid"));
    let position = u64::from_le_bytes(bytes[bext + 338..bext + 346].try_into().expect("eight bytes"));
    (position, bytes[acid] & 1 == 0)
}

/// What is wrong with files that belong together: each must be as long as the first, and begin where it does.
fn faults(paths: &[PathBuf], position: u64) -> Vec<String> {
    let length = |path: &Path| read_wav(path).1[0].len();
    let first = length(&paths[0]);
    let faulty = paths.iter().filter(|path| length(path) != first || label(path).0 != position);
    faulty.map(|path| path.display().to_string()).collect()
}

#[test]
fn all_files_begin_and_end_together() {
    for ending in [Ending::Loop, Ending::Final] {
        let rendition = rendered(&upbeat(ending), 44_100);
        let folder = tempfile::tempdir().expect("folder");
        let paths = sounds(folder.path(), &rendition, &Files::default());
        assert_eq!(paths.len(), 2 + rendition.stems.len());
        let position = (11.0 * 0.6 * 44_100.0) as u64;
        assert_eq!(faults(&paths, position), [""; 0], "{ending:?}");
        assert_eq!(faults(&paths, position + 1).len(), paths.len(), "another place is seen");
        let (_, planes) = read_wav(&paths[0]);
        let bars = 8 * 26_460;
        match ending {
            Ending::Loop => assert_eq!(planes[0].len(), bars),
            Ending::Final => assert!(planes[0].len() > bars + 4_410, "its tail is missing"),
        }
        assert!(paths.iter().all(|path| label(path).1 == (ending == Ending::Loop)), "{ending:?}");
    }
}

#[test]
fn session_files_are_the_sum_of_their_stems_and_dry_ones_are_not() {
    let rendition = rendered(&upbeat(Ending::Loop), 44_100);
    for dry in [false, true] {
        let folder = tempfile::tempdir().expect("folder");
        let files = Files { level: FileLevel::Session, dry, ..Files::default() };
        let paths = sounds(folder.path(), &rendition, &files);
        let planes: Vec<Vec<Vec<i32>>> = paths.iter().map(|path| read_wav(path).1).collect();
        let (mix, stems) = (&planes[0], &planes[2..]);
        let adds_up = (0..2).all(|side| {
            (0..mix[side].len())
                .all(|frame| mix[side][frame] == stems.iter().map(|stem| stem[side][frame]).sum::<i32>())
        });
        assert_eq!(adds_up, !dry);
        assert_eq!(planes[0], planes[1], "the mix at the session level is the pre-master");
    }
}

#[test]
fn stems_are_named_for_people() {
    let mut rendition = rendered(&upbeat(Ending::Loop), 8_000);
    let minor = Some(Key { tonic: 9, mode: Mode::Minor });
    let mut named = |name: &str, tempo: f64, index: usize, role, key| {
        rendition.name = name.into();
        rendition.grid.tempo = TempoMap::constant(Bpm(tempo));
        stem_name(index, role, &rendition, key)
    };
    assert_eq!(named("Reggae 2", 100.0, 2, Role::Bass, minor), "03 Bass – Reggae 100 Am v2");
    assert_eq!(named("Swing Trio 11", 93.456, 0, Role::Lead, None), "01 Lead – Swing Trio 93.46 v11");
    assert_eq!(named("a/b:c", 120.0, 7, Role::Colour, minor), "08 Colour – a-b-c 120 Am");
    assert_eq!(named("  ", 120.0, 0, Role::Drums, None), "01 Drums – 120");
    assert!(named(&"ü".repeat(300), 100.0, 0, Role::Lead, minor).len() <= 120);
}

#[test]
fn only_our_own_stems_are_replaced() {
    let ours = ["03 Bass – Reggae 100 Am v2.wav", "01-lead.wav", "12 Percussion – x.wav"];
    let others = ["03 Bass - mine.wav", "3 Bass – a.wav", "03 Basso – a.wav", "03 Bass – a.aiff", "Bass.wav", "é", ""];
    assert!(ours.into_iter().all(is_stem_name) && !others.into_iter().any(is_stem_name));
    let folder = tempfile::tempdir().expect("folder");
    let stems = folder.path().join("stems");
    std::fs::create_dir_all(&stems).expect("a folder");
    for name in [ours[0], ours[1], others[0]] {
        std::fs::write(stems.join(name), b"old").expect("a file");
    }
    sounds(folder.path(), &rendered(&upbeat(Ending::Loop), 8_000), &Files::default());
    assert!(!stems.join(ours[0]).exists() && !stems.join(ours[1]).exists());
    assert_eq!(std::fs::read(stems.join(others[0])).expect("the file"), b"old");
}
