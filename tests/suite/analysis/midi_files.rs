//! MIDI files as takes: the grid, the melody among the parts, and the sentence for every file that cannot be used.

use cantus_engine::Error;
use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::capture::file::{read_part, read_take};
use cantus_engine::capture::take::Take;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Beats, Bpm, Metre};
use std::path::PathBuf;
use tempfile::TempDir;

/// Ticks of a beat in these files.
const BEAT: u32 = 96;

/// A file byte by byte, so that the reader is not checked against a writer of its own family.
pub(crate) fn file(format: u16, division: u16, tracks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MThd\0\0\0\x06".to_vec();
    for word in [format, tracks.len() as u16, division] {
        bytes.extend(word.to_be_bytes());
    }
    for track in tracks {
        bytes.extend(b"MTrk");
        bytes.extend((track.len() as u32).to_be_bytes());
        bytes.extend(track);
    }
    bytes
}

fn ticks(mut value: u32) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    while value >= 0x80 {
        value >>= 7;
        bytes.insert(0, (value & 0x7f) as u8 | 0x80);
    }
    bytes
}

/// A track being written.
#[derive(Default)]
pub(crate) struct Track(Vec<u8>);

impl Track {
    pub(crate) fn raw(mut self, delta: u32, bytes: &[u8]) -> Self {
        self.0.extend(ticks(delta));
        self.0.extend(bytes);
        self
    }

    pub(crate) fn named(self, name: &str) -> Self {
        let bytes = [&[0xff, 0x03, name.len() as u8], name.as_bytes()].concat();
        self.raw(0, &bytes)
    }

    pub(crate) fn tempo(self, delta: u32, bpm: f64) -> Self {
        let micros = ((60e6 / bpm).round() as u32).to_be_bytes();
        self.raw(delta, &[0xff, 0x51, 3, micros[1], micros[2], micros[3]])
    }

    fn metre(self, numerator: u8, power: u8) -> Self {
        self.raw(0, &[0xff, 0x58, 4, numerator, power, 24, 8])
    }

    /// Keys of a beat each, nine tenths long, after a rest of so many ticks.
    pub(crate) fn tune(mut self, channel: u8, rest: u32, keys: &[u8], velocity: u8) -> Self {
        let mut before = rest;
        for key in keys {
            self = self.raw(before, &[0x90 | channel, *key, velocity]).raw(BEAT * 9 / 10, &[0x80 | channel, *key, 0]);
            before = BEAT - BEAT * 9 / 10;
        }
        self
    }

    pub(crate) fn end(self) -> Vec<u8> {
        self.raw(0, &[0xff, 0x2f, 0]).0
    }
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

    fn take(&self, bytes: &[u8]) -> Take {
        read_take(&self.file("tune.mid", bytes), None, Metre::default()).expect("a take")
    }
}

fn analysis(take: &Take) -> Analysis {
    analyse(take, &JobContext::detached()).expect("an analysis")
}

fn keys(analysis: &Analysis) -> Vec<u8> {
    analysis.notes.iter().map(|note| note.key).collect()
}

const TUNE: [u8; 6] = [67, 69, 71, 72, 71, 67];

#[test]
fn a_file_lies_on_its_own_grid() {
    let folder = Folder::new();
    // A waltz whose tempo halves after three beats.
    let conductor = Track::default().metre(3, 2).tempo(0, 120.0).tempo(3 * BEAT, 60.0).end();
    let bytes = file(1, BEAT as u16, &[conductor, Track::default().named("Tune").tune(0, 0, &TUNE, 80).end()]);
    let take = folder.take(&bytes);
    assert_eq!((take.on_grid, take.length, take.grid.metre.numerator), (true, Beats(6.0), 3));
    let heard = analysis(&take);
    assert_eq!(keys(&heard), TUNE);
    assert_eq!((heard.tempo_confidence, heard.tempo().0, heard.confidence), (1.0, 120.0, 1.0));
    for (index, note) in heard.notes.iter().enumerate() {
        let beat = index as f64;
        assert!((heard.beat_at(note.onset).0 - beat).abs() < 1e-6, "note {index}");
        let seconds = if beat <= 3.0 { beat * 0.5 } else { 1.5 + (beat - 3.0) };
        assert!((note.onset.0 - seconds).abs() < 1e-6, "note {index} at {}", note.onset.0);
    }
    assert_eq!(take.audio.length(), take.grid.frame_of(take.length, take.audio.rate));
    // Another tempo keeps the beats.
    let path = folder.file("tune.mid", &bytes);
    let slow = read_take(&path, Some(Bpm(80.0)), Metre::default()).expect("a take");
    let slow = analysis(&slow);
    assert_eq!((slow.tempo().0, slow.grid.tempo.points().len()), (80.0, 1));
    assert!((slow.beat_at(slow.notes[4].onset).0 - 4.0).abs() < 1e-6);
    assert!((slow.notes[4].onset.0 - 3.0).abs() < 1e-6);
}

#[test]
fn empty_bars_are_left_out_and_the_take_lies_where_the_song_has_it() {
    let folder = Folder::new();
    let take = folder.take(&file(0, BEAT as u16, &[Track::default().tune(0, 9 * BEAT, &TUNE, 80).end()]));
    assert_eq!((take.grid.start, take.grid.start_seconds.0), (Beats(8.0), 4.0));
    assert!(take.remarks.iter().any(|remark| remark.contains("2 empty bars")), "{:?}", take.remarks);
    let heard = analysis(&take);
    assert!((heard.beat_at(heard.notes[0].onset).0 - 9.0).abs() < 1e-6);
    assert!((heard.notes[0].onset.0 - 0.5).abs() < 1e-6);
}

#[test]
fn the_ways_a_note_can_be_written() {
    let folder = Folder::new();
    let on = [0x90, 60, 80];
    // Running status, and a start of velocity 0 as the end.
    let running = Track::default().raw(0, &on).raw(BEAT, &[60, 0]).raw(0, &[62, 80]).raw(BEAT, &[62, 0]).end();
    // No end at all: each lasts until the next, the last four beats.
    let endless = Track::default().raw(0, &on).raw(BEAT, &[62, 80]).raw(BEAT, &[64, 80]).raw(20 * BEAT, &[0xb0, 7, 1]);
    // The same key again while it sounds.
    let again = Track::default().raw(0, &on).raw(BEAT, &on).raw(BEAT, &[0x80, 60, 0]).end();
    // The pedal holds nothing.
    let pedal =
        Track::default().raw(0, &[0xb0, 64, 127]).raw(0, &on).raw(BEAT, &[0x80, 60, 0]).raw(BEAT, &[0xb0, 64, 0]).end();
    // What, the track, and start and end of each note in beats.
    let rows = [
        ("running status", running, vec![(0.0, 1.0), (1.0, 2.0)]),
        ("no ends", endless.end(), vec![(0.0, 1.0), (1.0, 2.0), (2.0, 6.0)]),
        ("struck again", again, vec![(0.0, 1.0), (1.0, 2.0)]),
        ("pedal", pedal, vec![(0.0, 1.0)]),
    ];
    for (what, track, expected) in rows {
        let heard = analysis(&folder.take(&file(0, BEAT as u16, &[track])));
        let round = |time| (heard.beat_at(time).0 * 1e6).round() / 1e6;
        let found: Vec<_> = heard.notes.iter().map(|note| (round(note.onset), round(note.offset))).collect();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn film_time_has_seconds_and_a_guessed_tempo() {
    let folder = Folder::new();
    // 25 frames of 40 ticks: a tick is a millisecond.
    let mut track = Track::default();
    for key in [60, 62, 64, 65, 67, 69, 71, 72] {
        track = track.raw(100, &[0x90, key, 80]).raw(400, &[0x80, key, 0]);
    }
    let take = folder.take(&file(0, 0xe728, &[track.end()]));
    assert!(!take.on_grid);
    let heard = analysis(&take);
    let onsets: Vec<f64> = heard.notes.iter().map(|note| (note.onset.0 * 1e3).round()).collect();
    assert_eq!(onsets, [100.0, 600.0, 1100.0, 1600.0, 2100.0, 2600.0, 3100.0, 3600.0]);
    assert!(heard.tempo_confidence < 1.0);
}

#[test]
fn the_melody_is_found_among_the_parts_and_the_others_are_named() {
    let low: Vec<u8> = TUNE.map(|key| key - 36).into();
    let chord = |mut track: Track| {
        for _ in 0..6 {
            track = track.raw(0, &[0x90, 60, 90]).raw(0, &[64, 90]).raw(0, &[67, 90]);
            track = track.raw(BEAT, &[60, 0]).raw(0, &[64, 0]).raw(0, &[67, 0]);
        }
        track.end()
    };
    let bass = || Track::default().named("Bass").tune(0, 0, &low, 100).end();
    let plain = |name: &str, keys: &[u8]| Track::default().named(name).tune(1, 0, keys, 80).end();
    let drums = Track::default().named("Melody drums").tune(9, 0, &[36; 40], 127).end();
    let high: Vec<u8> = TUNE.map(|key| key + 12).into();
    let channels = Track::default().raw(0, &[0xc0, 33]).raw(0, &[0xc1, 73]).tune(0, 0, &low, 100).tune(1, 0, &TUNE, 80);
    // What, the tracks, part of the reason, and a part that is named as another.
    type Row<'a> = (&'a str, u16, Vec<Vec<u8>>, &'a str, &'a str);
    let rows: Vec<Row> = vec![
        (
            "by its voice",
            1,
            vec![bass(), chord(Track::default().named("Keys")), plain("", &TUNE)],
            "one note at a time",
            "\"Keys\"",
        ),
        (
            "by its name",
            1,
            vec![plain("Counter", &high), plain("Lead vocal", &TUNE), bass()],
            "its name says so",
            "\"Counter\"",
        ),
        ("not the drums", 1, vec![drums, plain("x", &TUNE), bass()], "it lies highest", "\"Bass\""),
        ("by channel", 0, vec![channels.end()], "one note at a time", "\"bass\""),
    ];
    let folder = Folder::new();
    for (what, format, tracks, reason, other) in rows {
        let heard = analysis(&folder.take(&file(format, BEAT as u16, &tracks)));
        assert_eq!(keys(&heard), TUNE, "{what}");
        let said = heard.doubts.iter().find(|doubt| doubt.contains("The melody was taken from part")).expect(what);
        assert!(said.contains(reason) && said.contains(other), "{what}: {said}");
    }
    let path = folder.file("parts.mid", &file(1, BEAT as u16, &[bass(), plain("Flute", &TUNE)]));
    let chosen = read_part(&path, None, Metre::default(), Some(1)).expect("the bass");
    assert_eq!(keys(&analysis(&chosen)), low);
    let error = read_part(&path, None, Metre::default(), Some(7)).expect_err("no such part").to_string();
    assert!(error.contains("no part 7") && error.contains("2 \"Flute\""), "{error}");
}

#[test]
fn what_cannot_be_used_is_refused_in_words() {
    let tune = || Track::default().tune(0, 0, &TUNE, 80).end();
    let whole = file(0, BEAT as u16, &[tune()]);
    let drums = Track::default().tune(9, 0, &[36, 38], 80).end();
    let far = Track::default().tune(0, 0x0fff_ffff, &[60], 80).end();
    let many = file(0, BEAT as u16, &[[0, 0x90, 60, 80, 1, 0x80, 60, 0].repeat(45_000)]);
    // A name, the bytes, and a word its sentence must hold.
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.mid", Vec::new(), "it is empty"),
        ("words.mid", b"Dear diary, today I hummed.".to_vec(), "does not begin as one"),
        ("head.mid", whole[..10].to_vec(), "cut off"),
        ("cut.mid", whole[..whole.len() / 2].to_vec(), "cut off"),
        ("format.mid", file(7, BEAT as u16, &[tune()]), "damaged"),
        ("clock.mid", file(0, 0, &[tune()]), "how long a beat is"),
        ("drums.mid", file(0, BEAT as u16, &[drums]), "no note"),
        ("silent.mid", file(1, BEAT as u16, &[Track::default().named("Nothing").end()]), "no note"),
        ("no tracks.mid", file(1, BEAT as u16, &[]), "no note"),
        ("years.mid", file(0, BEAT as u16, &[[far.clone(), tune()].concat(), tune()]), ""),
        ("long.mid", file(0, 1, &[Track::default().raw(0, &[0x90, 60, 1]).raw(0x0f_ffff, &[60, 0]).end()]), "minutes"),
        ("black.mid", many, "45000 notes"),
    ];
    let folder = Folder::new();
    for (name, bytes, word) in rows {
        match read_take(&folder.file(name, &bytes), None, Metre::default()) {
            // What lies before the first note is left out, however long it is.
            Ok(take) => assert!(word.is_empty() && take.audio.frames() < 10_000_000, "{name}"),
            Err(error) => {
                let sentence = error.to_string();
                assert!(matches!(error, Error::UnreadableMidi { .. }), "{name}: {sentence}");
                assert!(!word.is_empty() && sentence.contains(word) && sentence.len() < 300, "{name}: {sentence}");
            }
        }
    }
    let large = folder.file("large.mid", &[whole.clone(), vec![0; 33 << 20]].concat());
    let error = read_take(&large, None, Metre::default()).expect_err("too large").to_string();
    assert!(error.contains("larger than 32 MB"), "{error}");
    // A MIDI file by any other name is still one, bare or wrapped.
    let size = (whole.len() as u32).to_le_bytes();
    let riff = (whole.len() as u32 + 12).to_le_bytes();
    let wrapped = [b"RIFF".as_slice(), &riff, b"RMIDdata", &size, &whole].concat();
    for bytes in [whole, wrapped] {
        assert!(read_take(&folder.file("tune.dat", &bytes), None, Metre::default()).is_ok());
    }
}

#[test]
fn damaged_files_never_panic() {
    let folder = Folder::new();
    let conductor = Track::default().metre(3, 2).tempo(0, 120.0).tempo(3 * BEAT, 60.0).end();
    let whole = file(1, BEAT as u16, &[conductor, Track::default().named("Tune").tune(0, 5, &TUNE, 80).end()]);
    let mut read = 0;
    let mut draw = crate::session::Draw::new(3);
    for round in 0..600 {
        let mut bytes = whole.clone();
        for _ in 0..1 + round % 4 {
            let at = draw.below(bytes.len());
            bytes[at] = draw.next() as u8;
        }
        if let Ok(take) = read_take(&folder.file("damaged.mid", &bytes), None, Metre::default()) {
            read += 1;
            assert!(
                take.notes.iter().all(|note| note.onset < note.offset && note.offset.0.is_finite()),
                "round {round}"
            );
            if take.audio.frames() < 1_000_000 {
                super::robustness::check_sane(&analysis(&take), "damaged");
            }
        }
    }
    assert!(read > 100, "only {read} of them were read at all");
}
