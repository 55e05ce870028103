//! The shelf: single files for dragging. Names for people, nothing written over, and what they say of themselves.

use super::chunks::{Chunks, chunks, marks};
use crate::rendition::scores::band;
use crate::rendition::{read_wav, rendered};
use cantus_engine::Error;
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::export::shelf::{Wanted, put, stage};
use cantus_engine::generation::score::{ChordSpan, Role, SectionMark};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::Rendition;
use cantus_engine::time::{Beats, Bpm};
use midly::{MetaMessage, MidiMessage, Smf, TrackEventKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const RATE: u32 = 22_050;
const MINOR: Option<Key> = Some(Key { tonic: 9, mode: Mode::Minor });

/// Two bars in the third bar of a song, with sections and chords.
fn made() -> &'static Rendition {
    static MADE: OnceLock<Rendition> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut score = band();
        score.length = Beats(8.0);
        score.key = MINOR;
        score.grid.start = Beats(8.0);
        score.grid.start_seconds = Beats(8.0).seconds(Bpm(100.0));
        for note in score.tracks.iter_mut().flat_map(|track| &mut track.notes) {
            note.start = note.start + Beats(8.0);
        }
        let chord = |start: f64, symbol: &str| ChordSpan {
            start: Beats(start),
            length: Beats(4.0),
            symbol: symbol.to_owned(),
            root: 9,
            tones: vec![9, 0, 4],
            bass: None,
            locked: false,
        };
        score.sections = vec![SectionMark { start: Beats(8.0), name: "A".to_owned() }];
        score.chords = vec![chord(8.0, "Am"), chord(12.0, "Dm7/G")];
        Rendition { name: "Jazz 3".to_owned(), ..rendered(&score, RATE) }
    })
}

fn shelved(folder: &Path, rendition: &Rendition, wanted: Wanted) -> cantus_engine::Result<Vec<PathBuf>> {
    put(folder, stage(folder, rendition, MINOR, wanted, &JobContext::detached())?)
}

/// The names below a folder, without the hidden part.
fn visible(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

fn hidden(folder: &Path) -> usize {
    std::fs::read_dir(folder.join(".unnamed")).map_or(0, Iterator::count)
}

#[test]
fn what_is_wanted_is_written_under_names_for_people() {
    let folder = tempfile::tempdir().expect("folder");
    let rows = [
        (Wanted::Mix, vec!["Cantus Jazz 100bpm Am 3.wav"]),
        (Wanted::Stem(Role::Bass), vec!["04 Bass – Jazz 100 Am v3.wav"]),
        (Wanted::Midi, vec!["Cantus Jazz 100bpm Am 3.mid"]),
        (Wanted::MidiPart(Role::Drums), vec!["05 Drums – Jazz 100 Am v3.mid"]),
    ];
    for (wanted, expected) in &rows {
        let paths = shelved(folder.path(), made(), *wanted).expect("files");
        let expected: Vec<PathBuf> = expected.iter().map(|name| folder.path().join(name)).collect();
        assert_eq!(paths, expected, "{wanted:?}");
        assert!(paths.iter().all(|path| path.exists()));
    }
    let all = shelved(folder.path(), made(), Wanted::Everything).expect("files");
    assert_eq!(all.len(), 2 + made().stems.len());
    assert!(all.iter().all(|path| path.parent().expect("a folder").ends_with("Cantus Jazz 100bpm Am 3")));
    assert_eq!(visible(folder.path()).len(), 1 + rows.len());
    assert_eq!(hidden(folder.path()), 0, "nothing is left without a name");
    // Wet stems add up to the mix as it plays.
    let planes: Vec<Vec<Vec<i32>>> = all[..all.len() - 1].iter().map(|path| read_wav(path).1).collect();
    let sum = |frame: usize| planes[1..].iter().map(|stem| stem[0][frame]).sum::<i32>();
    assert!((0..planes[0][0].len()).all(|frame| planes[0][0][frame] == sum(frame)));
}

#[test]
fn a_part_that_is_not_there_is_a_sentence() {
    let folder = tempfile::tempdir().expect("folder");
    for wanted in [Wanted::Stem(Role::Counter), Wanted::MidiPart(Role::Counter)] {
        let error = shelved(folder.path(), made(), wanted).expect_err("no such part");
        assert!(matches!(error, Error::OutOfRange { .. }) && error.to_string().contains("counter"), "{error}");
    }
    assert_eq!(visible(folder.path()), [""; 0]);
}

#[test]
fn nothing_is_ever_written_over_and_the_same_is_used_again() {
    let folder = tempfile::tempdir().expect("folder");
    let first = shelved(folder.path(), made(), Wanted::Mix).expect("a file");
    let again = shelved(folder.path(), made(), Wanted::Mix).expect("a file");
    assert_eq!(first, again);
    let mut other = made().clone();
    other.stems.clear();
    other.mix.channels[0][100] = 0.25;
    let second = shelved(folder.path(), &other, Wanted::Mix).expect("a file");
    assert_eq!(second, [folder.path().join("Cantus Jazz 100bpm Am 3 (2).wav")]);
    // Somebody's own file, of the same length, is in the way of the third name.
    let own = folder.path().join("Cantus Jazz 100bpm Am 3 (3).wav");
    let bytes = std::fs::read(&first[0]).expect("bytes");
    std::fs::write(&own, vec![7; bytes.len()]).expect("a file");
    other.mix.channels[0][100] = 0.5;
    let third = shelved(folder.path(), &other, Wanted::Mix).expect("a file");
    assert_eq!(third, [folder.path().join("Cantus Jazz 100bpm Am 3 (4).wav")]);
    assert_eq!(std::fs::read(&first[0]).expect("bytes"), bytes, "the first file is what it was");
    assert_eq!(std::fs::read(own).expect("bytes"), vec![7; bytes.len()]);
    assert_eq!(shelved(folder.path(), &other, Wanted::Mix).expect("a file"), third);
    assert_eq!(visible(folder.path()).len(), 4);
}

#[test]
fn what_nobody_asked_for_leaves_no_trace() {
    let folder = tempfile::tempdir().expect("folder");
    let staged = stage(folder.path(), made(), None, Wanted::Mix, &JobContext::detached()).expect("staged");
    assert_eq!((hidden(folder.path()), visible(folder.path()).len()), (1, 0));
    drop(staged);
    assert_eq!(hidden(folder.path()), 0);
    // A folder that has gone meanwhile is a sentence; one that cannot be made, too.
    let staged = stage(folder.path(), made(), None, Wanted::Midi, &JobContext::detached()).expect("staged");
    std::fs::remove_dir_all(folder.path()).expect("gone");
    let error = put(folder.path(), staged).expect_err("nothing to name");
    assert!(error.to_string().starts_with("Cannot write "), "{error}");
    assert_eq!(visible(folder.path()), [""; 0], "no empty file stays");
    let blocked = folder.path().join("a file");
    std::fs::write(&blocked, b"in the way").expect("a file");
    assert!(shelved(&blocked, made(), Wanted::Mix).expect_err("a file").to_string().starts_with("Cannot "));
}

#[test]
fn names_with_everything_in_them_are_taken() {
    let folder = tempfile::tempdir().expect("folder");
    for name in ["AC/DC: \"loud\"? 2", "..", "CON", "jazz\0\n\t3", &"ß".repeat(400), "🎷 9", "a\\b|c*d<e>"] {
        let named = Rendition { name: name.to_owned(), ..made().clone() };
        for wanted in [Wanted::Mix, Wanted::MidiPart(Role::Lead)] {
            let path = shelved(folder.path(), &named, wanted).expect("a file").remove(0);
            assert_eq!(path.parent(), Some(folder.path()), "{name:?} stays in the folder");
            assert!(path.file_name().expect("a name").len() <= 150, "{path:?}");
        }
    }
}

/// What is wrong with a file's chunks, as far as a rendition says what must be in them.
fn faults(found: &Chunks, rendition: &Rendition) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let word = |id: &[u8; 4], at: usize| -> u32 {
        let bytes = found.get(id).and_then(|body| body.get(at..at + 4)).expect("a word");
        u32::from_le_bytes(bytes.try_into().expect("four bytes"))
    };
    let bext = found.get(b"bext").expect("bext");
    let reference = u64::from(word(b"bext", 338)) | u64::from(word(b"bext", 342)) << 32;
    let history = String::from_utf8_lossy(&bext[602..]).into_owned();
    let frames = rendition.region.0 as u32;
    let mut must = |holds: bool, what: &'static str| {
        if !holds {
            faults.push(what)
        }
    };
    must(bext.starts_with(b"Jazz 3\0"), "description");
    must(bext[256..].starts_with(b"Cantus\0"), "originator");
    must(reference == (8.0_f64 * 0.6 * f64::from(RATE)).round() as u64, "song position");
    must(history == format!("A=PCM,F={RATE},W=24,M=stereo,T=Cantus\r\n"), "coding history");
    must(f32::from_bits(word(b"acid", 20)) == 100.0 && word(b"acid", 12) == 8, "tempo");
    must(word(b"acid", 0) & 1 == 0, "a loop");
    must(
        word(b"smpl", 8) == 1_000_000_000_u32.div_euclid(RATE) || word(b"smpl", 8).abs_diff(1_000_000_000 / RATE) <= 1,
        "sample period",
    );
    must((word(b"smpl", 28), word(b"smpl", 44), word(b"smpl", 48)) == (1, 0, frames - 1), "loop");
    let bar = (2.4 * f64::from(RATE)) as u32;
    let expected = [(0, "Section A"), (0, "Am"), (bar, "Dm7/G")];
    must(marks(found) == expected.map(|(frame, name)| (frame, name.to_owned())), "marks");
    faults
}

#[test]
fn a_file_says_where_it_belongs_and_opens_everywhere() {
    let folder = tempfile::tempdir().expect("folder");
    let path = shelved(folder.path(), made(), Wanted::Mix).expect("a file").remove(0);
    let bytes = std::fs::read(&path).expect("bytes");
    let found = chunks(&bytes);
    assert_eq!(faults(&found, made()), [""; 0]);
    // Every fault is seen.
    let spoiled = |id: &[u8; 4], at: usize| {
        let mut changed = found.clone();
        changed.change(id, at);
        faults(&changed, made())
    };
    let rows: [(&[u8; 4], usize, &str); 9] = [
        (b"bext", 2, "description"),
        (b"bext", 256, "originator"),
        (b"bext", 338, "song position"),
        (b"bext", 606, "coding history"),
        (b"acid", 22, "tempo"),
        (b"acid", 0, "a loop"),
        (b"smpl", 48, "loop"),
        (b"cue ", 8, "marks"),
        (b"LIST", 20, "marks"),
    ];
    for (id, at, expected) in rows {
        assert_eq!(spoiled(id, at), [expected], "{} {at}", String::from_utf8_lossy(id));
    }
    // Two readers of other families: hound, and symphonia in our own.
    let (rate, planes) = read_wav(&path);
    assert_eq!((rate, planes[0].len() as i64), (RATE, made().region.0));
    let audio = cantus_engine::capture::file::read_audio(&path).expect("our own reader");
    assert!(audio.channels[0].iter().zip(&planes[0]).all(|(float, whole)| *float == *whole as f32 / 8_388_608.0));
    // The same rendition is the same file, to the bit.
    let staged = stage(folder.path(), made(), MINOR, Wanted::Mix, &JobContext::detached()).expect("staged");
    let other = tempfile::tempdir().expect("folder");
    drop(staged);
    assert_eq!(std::fs::read(&shelved(other.path(), made(), Wanted::Mix).expect("a file")[0]).expect("bytes"), bytes);
}

#[test]
fn what_rings_out_is_no_loop() {
    let mut score = made().score.clone().expect("a score");
    score.ending = cantus_engine::generation::direction::Ending::Final;
    let folder = tempfile::tempdir().expect("folder");
    let path = shelved(folder.path(), &rendered(&score, RATE), Wanted::Mix).expect("a file").remove(0);
    let found = chunks(&std::fs::read(path).expect("bytes"));
    assert!(found.get(b"smpl").is_none() && found.get(b"acid").expect("acid")[0] & 1 == 1);
    assert_eq!(marks(&found).len(), 3);
}

#[test]
fn one_part_as_midi_has_tempo_key_metre_name_and_program() {
    let folder = tempfile::tempdir().expect("folder");
    let path = shelved(folder.path(), made(), Wanted::MidiPart(Role::Bass)).expect("a file").remove(0);
    let whole = shelved(folder.path(), made(), Wanted::Midi).expect("a file").remove(0);
    let (bytes, all) = (std::fs::read(path).expect("bytes"), std::fs::read(whole).expect("bytes"));
    let (one, all) = (Smf::parse(&bytes).expect("MIDI"), Smf::parse(&all).expect("MIDI"));
    assert_eq!((one.tracks.len(), all.tracks.len()), (2, 1 + made().stems.len()));
    assert_eq!(one.tracks[0], all.tracks[0], "tempo, metre, key, chords and sections come along");
    assert!(all.tracks.contains(&one.tracks[1]), "and the part is what it is in the whole file");
    let has = |track: usize, what: fn(&TrackEventKind) -> bool| one.tracks[track].iter().any(|event| what(&event.kind));
    let meta: [fn(&TrackEventKind) -> bool; 4] = [
        |kind| matches!(kind, TrackEventKind::Meta(MetaMessage::Tempo(tempo)) if tempo.as_int() == 600_000),
        |kind| matches!(kind, TrackEventKind::Meta(MetaMessage::TimeSignature(4, 2, ..))),
        |kind| matches!(kind, TrackEventKind::Meta(MetaMessage::KeySignature(0, true))),
        |kind| matches!(kind, TrackEventKind::Meta(MetaMessage::TrackName(b"Jazz 3"))),
    ];
    assert!(meta.into_iter().all(|what| has(0, what)));
    assert!(has(1, |kind| matches!(kind, TrackEventKind::Meta(MetaMessage::TrackName(_)))));
    assert!(has(1, |kind| matches!(kind, TrackEventKind::Midi { message: MidiMessage::ProgramChange { .. }, .. })));
}
