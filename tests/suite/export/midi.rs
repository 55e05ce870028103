//! The MIDI file, read back by midly, says what the score says.

use crate::rendition::scores::{band, note, score, track};
use cantus_engine::export::midi::{BEND_RANGE, TICKS_PER_BEAT, midi_bytes};
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::time::{Beats, Bpm, Metre, TempoMap, TempoPoint};
use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};

/// A track as a sequencer would load it: ticks are absolute.
#[derive(Debug, Default)]
struct Loaded {
    name: String,
    channel: Option<u8>,
    program: Option<u8>,
    /// Start, end, key, velocity.
    notes: Vec<(u64, u64, u8, u8)>,
    bends: Vec<(u64, f64)>,
    controls: Vec<(u64, u8, u8)>,
    tempos: Vec<(u64, u32)>,
    metre: Option<(u8, u8)>,
    end: u64,
}

fn load(bytes: &[u8]) -> Vec<Loaded> {
    let smf = Smf::parse(bytes).expect("a MIDI file");
    assert_eq!(smf.header.timing, Timing::Metrical(TICKS_PER_BEAT.into()));
    smf.tracks.iter().map(|events| load_track(events)).collect()
}

fn load_track(events: &[midly::TrackEvent]) -> Loaded {
    let mut loaded = Loaded::default();
    let mut now = 0;
    for event in events {
        now += u64::from(event.delta.as_int());
        match event.kind {
            TrackEventKind::Meta(MetaMessage::TrackName(name)) => loaded.name = String::from_utf8_lossy(name).into(),
            TrackEventKind::Meta(MetaMessage::Tempo(tempo)) => loaded.tempos.push((now, tempo.as_int())),
            TrackEventKind::Meta(MetaMessage::TimeSignature(top, power, ..)) => loaded.metre = Some((top, 1 << power)),
            TrackEventKind::Meta(MetaMessage::EndOfTrack) => loaded.end = now,
            TrackEventKind::Midi { channel, message } => {
                let channel = channel.as_int();
                assert_eq!(*loaded.channel.get_or_insert(channel), channel, "one channel a track");
                match message {
                    MidiMessage::NoteOn { key, vel } => {
                        loaded.notes.push((now, u64::MAX, key.as_int(), vel.as_int()));
                    }
                    MidiMessage::NoteOff { key, .. } => {
                        let open = loaded.notes.iter_mut().find(|note| note.1 == u64::MAX && note.2 == key.as_int());
                        open.expect("an end has a start").1 = now;
                    }
                    MidiMessage::ProgramChange { program } => loaded.program = Some(program.as_int()),
                    MidiMessage::PitchBend { bend } => {
                        loaded.bends.push((now, bend.as_f64() * f64::from(BEND_RANGE)));
                    }
                    MidiMessage::Controller { controller, value } => {
                        loaded.controls.push((now, controller.as_int(), value.as_int()));
                    }
                    _ => (),
                }
            }
            _ => (),
        }
    }
    assert!(loaded.notes.iter().all(|note| note.1 != u64::MAX), "{}: a note without an end", loaded.name);
    loaded
}

fn check_equals(score: &Score) {
    let tracks = load(&midi_bytes(score, "A name").expect("bytes"));
    assert_eq!(tracks.len(), score.tracks.len() + 1);
    let metre = score.grid.metre;
    assert_eq!(tracks[0].name, "A name");
    assert_eq!(tracks[0].metre, Some((metre.numerator, metre.denominator)));
    for (loaded, written) in tracks[1..].iter().zip(&score.tracks) {
        assert_eq!(loaded.name, written.instrument);
        assert_eq!(loaded.program, Some(written.preset.program), "sampled sounds have programs of General MIDI");
        assert_eq!(loaded.channel == Some(9), written.preset.bank == 128, "{}: channel", loaded.name);
        assert_eq!(loaded.notes.len(), written.notes.len(), "{}", loaded.name);
        let mut expected: Vec<(f64, f64, u8, u8)> = written
            .notes
            .iter()
            .map(|note| ((note.start - score.grid.start).0, note.length.0, note.key, note.velocity))
            .collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        for ((from, to, key, velocity), (start, length, written_key, written_velocity)) in
            loaded.notes.iter().zip(&expected)
        {
            assert_eq!((key, velocity), (written_key, written_velocity), "{}", loaded.name);
            let beat = |tick: &u64| *tick as f64 / f64::from(TICKS_PER_BEAT);
            let tick = 1.01 / f64::from(TICKS_PER_BEAT);
            assert!((beat(from) - start).abs() < tick, "{}: starts at {}, not {start}", loaded.name, beat(from));
            assert!((beat(to) - start - length).abs() < tick, "{}: ends at {}", loaded.name, beat(to));
        }
    }
    assert!(tracks.iter().all(|track| track.end >= (score.length.0 * f64::from(TICKS_PER_BEAT)) as u64));
}

#[test]
fn notes_names_programs_and_metre_come_back() {
    check_equals(&band());
    let mut later = band();
    later.grid.start = Beats(32.0);
    later.grid.start_seconds = Beats(32.0).seconds(Bpm(100.0));
    later.grid.metre = Metre { numerator: 6, denominator: 8 };
    later.tracks.iter_mut().flat_map(|track| &mut track.notes).for_each(|note| note.start.0 += 32.0);
    check_equals(&later);
    for style in crate::rendition::demo::STYLES {
        let (_, score) = crate::rendition::demo::arranged(style);
        let tracks = load(&midi_bytes(&score, style).expect("bytes"));
        let written: usize = score.tracks.iter().map(|track| track.notes.len()).sum();
        assert_eq!(tracks.iter().map(|track| track.notes.len()).sum::<usize>(), written, "{style}");
    }
}

#[test]
#[should_panic(expected = "starts at")]
fn a_note_off_by_a_hundredth_is_seen() {
    let score = band();
    let tracks = load(&midi_bytes(&score, "x").expect("bytes"));
    let mut moved = score.clone();
    moved.tracks[0].notes[3].start.0 += 0.01;
    assert_eq!(tracks.len(), 7);
    let bytes = midi_bytes(&moved, "A name").expect("bytes");
    let start = load(&bytes)[1].notes[3].0 as f64 / f64::from(TICKS_PER_BEAT);
    assert!((start - score.tracks[0].notes[3].start.0).abs() < 1.01 / f64::from(TICKS_PER_BEAT), "starts at {start}");
}

#[test]
fn tempo_changes_come_back() {
    let mut changing = band();
    let point = |at: f64, tempo: f64| TempoPoint { at: Beats(at), tempo: Bpm(tempo) };
    changing.grid.tempo =
        TempoMap::new(vec![point(0.0, 100.0), point(8.0, 120.0), point(16.5, 87.0), point(99.0, 60.0)]);
    let tracks = load(&midi_bytes(&changing, "x").expect("bytes"));
    let ticks = |beats: f64| (beats * f64::from(TICKS_PER_BEAT)) as u64;
    assert_eq!(tracks[0].tempos, [(0, 600_000), (ticks(8.0), 500_000), (ticks(16.5), 689_655)]);
}

#[test]
fn bends_and_swells_come_back() {
    let mut bent = note(1.0, 2.0, 60, 90);
    bent.bend = vec![(0.0, -1.5), (0.5, 0.0), (1.0, 0.4)];
    bent.expression_db = vec![(0.0, -12.0), (1.0, 0.0)];
    let score = score(120.0, 8.0, vec![track(Role::Lead, "Sax", 0, 66, vec![bent, note(4.0, 1.0, 62, 90)])]);
    let tracks = load(&midi_bytes(&score, "x").expect("bytes"));
    let lead = &tracks[1];
    // The range is set before anything bends: RPN 0, then data entry.
    let range: Vec<(u8, u8)> = lead
        .controls
        .iter()
        .filter(|control| matches!(control.1, 101 | 100 | 6))
        .map(|control| (control.1, control.2))
        .collect();
    assert_eq!(range[..3], [(101, 0), (100, 0), (6, BEND_RANGE)]);
    assert_eq!(range[3..], [(101, 127), (100, 127)], "the parameter is left open");
    let at = |beat: f64| {
        let tick = (beat * f64::from(TICKS_PER_BEAT)) as u64;
        lead.bends.iter().rev().find(|bend| bend.0 <= tick).expect("a bend").1
    };
    for (beat, semitones) in [(1.0, -1.5), (1.25, -0.75), (1.5, 0.0), (1.75, 0.2), (2.5, 0.4), (4.0, 0.0)] {
        assert!((at(beat) - semitones).abs() < 0.06, "{} at {beat}, not {semitones}", at(beat));
    }
    let swell = lead.controls.iter().filter(|control| control.1 == 11 && control.0 > 0);
    let swell: Vec<(u64, u8)> = swell.map(|control| (control.0, control.2)).collect();
    // 12 dB under the square law of General MIDI is half of the scale.
    assert_eq!(swell.first().map(|control| control.0), Some(u64::from(TICKS_PER_BEAT)));
    assert!(swell.first().is_some_and(|control| (62..=65).contains(&control.1)), "{swell:?}");
    assert!(swell.iter().any(|control| control.1 == 127));
}
