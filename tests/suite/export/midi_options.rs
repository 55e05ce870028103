//! What a producer may choose about a MIDI file, read back by midly.

use crate::rendition::scores::{note, score, track};
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::export::midi::{
    DrumMap, Feel, LeadBends, MPE_BEND_RANGE, MidiOptions, TICKS_PER_BEAT, midi_bytes_with,
};
use cantus_engine::generation::score::{ChordSpan, Role, Score, ScoreNote, SectionMark};
use cantus_engine::time::{Beats, Bpm, Metre, SongGrid};
use midly::{MetaMessage, MidiMessage, Smf, TrackEventKind};

/// One event: tick, channel, message.
type Event = (u64, u8, MidiMessage);

/// A track: its channel events, and its meta events as text.
type Loaded = (Vec<Event>, Vec<(u64, String)>);

/// Every track of a file.
fn load(score: &Score, options: &MidiOptions) -> Vec<Loaded> {
    let bytes = midi_bytes_with(score, "Test", options).expect("bytes");
    let smf = Smf::parse(&bytes).expect("a MIDI file");
    let loaded = smf.tracks.iter().map(|events| {
        let (mut now, mut messages, mut metas) = (0, Vec::new(), Vec::new());
        for event in events {
            now += u64::from(event.delta.as_int());
            match event.kind {
                TrackEventKind::Midi { channel, message } => messages.push((now, channel.as_int(), message)),
                TrackEventKind::Meta(MetaMessage::Marker(text)) => {
                    metas.push((now, format!("marker {}", String::from_utf8_lossy(text))));
                }
                TrackEventKind::Meta(MetaMessage::KeySignature(sharps, minor)) => {
                    metas.push((now, format!("key {sharps} {minor}")));
                }
                TrackEventKind::Meta(MetaMessage::TimeSignature(top, power, ..)) => {
                    metas.push((now, format!("metre {top}/{}", 1 << power)));
                }
                _ => (),
            }
        }
        (messages, metas)
    });
    loaded.collect()
}

fn bent(start: f64, length: f64, key: u8, bend: &[(f32, f32)]) -> ScoreNote {
    ScoreNote { bend: bend.to_vec(), ..note(start, length, key, 100) }
}

/// What a listener hears at each sixteenth of a beat: every sounding key with its channel's wheel, in semitones. `range` is what
/// the file itself says it is.
fn heard(events: &[Event], ticks: u64) -> Vec<Vec<f64>> {
    let mut wheel = [0.0_f64; 16];
    let (mut range, mut parameter) = ([2.0_f64; 16], [127_u8; 16]);
    let mut sounding: Vec<(u8, u8)> = Vec::new();
    let (mut next, mut out) = (0, Vec::new());
    for at in (0..ticks).step_by(usize::from(TICKS_PER_BEAT / 16)) {
        while let Some(&(tick, channel, message)) = events.get(next).filter(|event| event.0 <= at) {
            let place = usize::from(channel);
            match message {
                MidiMessage::NoteOn { key, .. } => sounding.push((channel, key.as_int())),
                MidiMessage::NoteOff { key, .. } => {
                    let open = sounding.iter().position(|note| *note == (channel, key.as_int()));
                    sounding.remove(open.unwrap_or_else(|| panic!("an end without a start at {tick}")));
                }
                MidiMessage::PitchBend { bend } => wheel[place] = bend.as_f64(),
                MidiMessage::Controller { controller, value } => match controller.as_int() {
                    100 => parameter[place] = value.as_int(),
                    6 if parameter[place] == 0 => range[place] = f64::from(value.as_int()),
                    _ => (),
                },
                _ => (),
            }
            next += 1;
        }
        let pitch =
            |&(channel, key): &(u8, u8)| f64::from(key) + wheel[usize::from(channel)] * range[usize::from(channel)];
        out.push(sounding.iter().map(pitch).collect());
    }
    out
}

/// A glide wider than the wheel: up from nine semitones below, a plain note, a fall of five.
fn gliding() -> Score {
    let notes = vec![
        bent(0.0, 2.0, 60, &[(0.0, -9.0), (0.5, -9.0), (1.5, 0.0), (2.0, 0.0)]),
        note(2.0, 1.0, 64, 90),
        bent(3.0, 1.0, 62, &[(0.0, 0.0), (0.5, 0.0), (1.0, -5.0)]),
    ];
    score(120.0, 4.0, vec![track(Role::Lead, "Lead", 0, 81, notes)])
}

fn options(lead: LeadBends) -> MidiOptions {
    MidiOptions { lead, ..MidiOptions::default() }
}

#[test]
fn glides_wider_than_the_wheel_are_heard_all_the_same() {
    let score = gliding();
    let wanted = |beat: f64| -> f64 {
        match beat {
            beat if beat < 0.5 => 51.0,
            beat if beat < 1.5 => 51.0 + 9.0 * (beat - 0.5),
            beat if beat < 2.0 => 60.0,
            beat if beat < 3.0 => 64.0,
            beat if beat < 3.5 => 62.0,
            beat => 62.0 - 10.0 * (beat - 3.5),
        }
    };
    let off = |lead: LeadBends| -> f64 {
        let events = load(&score, &options(lead)).remove(1).0;
        let heard = heard(&events, 4 * u64::from(TICKS_PER_BEAT));
        let errors = heard.iter().enumerate().map(|(step, pitches)| {
            let wanted = wanted(step as f64 / 16.0);
            assert_eq!(pitches.len(), 1, "{lead:?}: {pitches:?} at step {step}");
            (pitches[0] - wanted).abs()
        });
        errors.fold(0.0, f64::max)
    };
    for lead in [LeadBends::Bend2, LeadBends::Mpe] {
        // Curves are written every 15 ticks, and the steepest one moves by ten semitones a beat.
        assert!(off(lead) < 0.25, "{lead:?} is {:.2} semitones off", off(lead));
    }
    assert!(off(LeadBends::Plain) > 4.0, "the check hears no glide");
    let ons = |lead| {
        let events = load(&score, &options(lead)).remove(1).0;
        events.iter().filter(|event| matches!(event.2, MidiMessage::NoteOn { .. })).count()
    };
    assert_eq!((ons(LeadBends::Plain), ons(LeadBends::Mpe)), (3, 3));
    assert!((4..=8).contains(&ons(LeadBends::Bend2)), "{} notes for three", ons(LeadBends::Bend2));
}

#[test]
fn plain_files_have_no_wheel_at_all() {
    for (events, _) in load(&gliding(), &options(LeadBends::Plain)) {
        assert!(events.iter().all(|event| !matches!(event.2, MidiMessage::PitchBend { .. })));
    }
    let bends = load(&gliding(), &options(LeadBends::Bend2)).remove(1).0;
    assert!(bends.iter().filter(|event| matches!(event.2, MidiMessage::PitchBend { .. })).count() > 20);
}

/// A band of every role, so that channels run short.
fn everybody() -> Score {
    let mut tracks: Vec<_> = Role::ALL
        .into_iter()
        .map(|role| track(role, role.name(), 0, 48, vec![bent(0.0, 1.0, 60, &[(0.0, 0.5)]), note(1.0, 1.0, 64, 90)]))
        .collect();
    for kit in [5, 6] {
        tracks[kit].preset.bank = 128;
        tracks[kit].preset.program = if kit == 5 { 16 } else { 0 };
        tracks[kit].notes.iter_mut().for_each(|note| note.bend.clear());
    }
    score(120.0, 4.0, tracks)
}

#[test]
fn a_zone_is_configured_and_shared_with_nobody() {
    let tracks = load(&everybody(), &options(LeadBends::Mpe));
    let lead = &tracks[1].0;
    let controls: Vec<(u8, u8, u8)> = lead
        .iter()
        .filter_map(|&(at, channel, message)| match message {
            MidiMessage::Controller { controller, value } if at == 0 => {
                Some((channel, controller.as_int(), value.as_int()))
            }
            _ => None,
        })
        .collect();
    // The configuration message: RPN 6 on the master, the number of members as its value, before anything else.
    assert_eq!(controls[..3], [(0, 101, 0), (0, 100, 6), (0, 6, 5)]);
    for member in 1..=5 {
        let of_member: Vec<(u8, u8)> =
            controls.iter().filter(|control| control.0 == member).map(|control| (control.1, control.2)).collect();
        let sets = |wanted: &[(u8, u8)]| of_member.windows(wanted.len()).any(|window| window == wanted);
        assert!(sets(&[(101, 0), (100, 0), (6, MPE_BEND_RANGE)]), "channel {member}: {of_member:?}");
    }
    let notes: Vec<u8> =
        lead.iter().filter(|event| matches!(event.2, MidiMessage::NoteOn { .. })).map(|event| event.1).collect();
    assert_eq!(notes, [1, 2], "one channel a note");
    for (index, (events, _)) in tracks.iter().enumerate().skip(2) {
        assert!(events.iter().all(|event| event.1 > 5), "part {index} lies in the zone");
    }
    // Without a zone each part has a channel to itself; kits share the tenth.
    let mut channels: Vec<u8> =
        load(&everybody(), &MidiOptions::default())[1..].iter().map(|track| track.0[0].1).collect();
    channels.sort_unstable();
    assert_eq!(channels, [0, 1, 2, 3, 4, 5, 9, 9]);
}

#[test]
fn two_kits_agree_on_the_program_of_their_channel() {
    let programs: Vec<u8> = load(&everybody(), &MidiOptions::default())
        .iter()
        .flat_map(|track| &track.0)
        .filter_map(|event| match event.2 {
            MidiMessage::ProgramChange { program } if event.1 == 9 => Some(program.as_int()),
            _ => None,
        })
        .collect();
    assert_eq!(programs, [16]);
}

#[test]
fn synthetic_sounds_become_programs_of_general_midi() {
    let mut tracks = vec![track(Role::Bass, "Sub", 120, 0, vec![note(0.0, 1.0, 36, 90)])];
    tracks.push(track(Role::Drums, "Kit", 121, 2, vec![note(0.0, 1.0, 36, 90)]));
    let tracks = load(&score(120.0, 4.0, tracks), &MidiOptions::default());
    let program = |track: usize| {
        tracks[track].0.iter().find_map(|event| match event.2 {
            MidiMessage::ProgramChange { program } => Some((event.1, program.as_int())),
            _ => None,
        })
    };
    assert_eq!(program(1), Some((0, 38)), "a sub is a synth bass");
    assert_eq!(program(2), Some((9, 25)), "a trap kit is the TR-808 kit");
    let banks = tracks.iter().flat_map(|track| &track.0).filter_map(|event| match event.2 {
        MidiMessage::Controller { controller, value } if controller == 0 => Some(value.as_int()),
        _ => None,
    });
    assert!(banks.into_iter().all(|bank| bank == 0), "a bank nobody else has");
}

fn starts(score: &Score, options: &MidiOptions, track: usize) -> Vec<(u64, u8)> {
    let events = load(score, options).remove(track).0;
    let ons = events.into_iter().filter_map(|(at, _, message)| match message {
        MidiMessage::NoteOn { key, .. } => Some((at, key.as_int())),
        _ => None,
    });
    ons.collect()
}

#[test]
fn drums_go_to_the_keys_of_the_map() {
    let hits = vec![note(0.0, 0.5, 36, 90), note(0.0, 0.5, 42, 90), note(1.0, 0.5, 38, 90), note(2.0, 0.5, 49, 90)];
    let score = score(
        120.0,
        4.0,
        vec![track(Role::Drums, "Kit", 128, 0, hits.clone()), track(Role::Bass, "Bass", 0, 33, hits)],
    );
    let beat = u64::from(TICKS_PER_BEAT);
    assert_eq!(starts(&score, &MidiOptions::default(), 1), [(0, 36), (0, 42), (beat, 38), (2 * beat, 49)]);
    let map = DrumMap::parse("# mine\nkick = 24\n38 = 26   # snare\n\nhat=30\n").expect("a map");
    assert_eq!(map, DrumMap::Own(vec![(36, 24), (38, 26), (42, 30)]));
    let own = MidiOptions { drum_map: map, ..MidiOptions::default() };
    assert_eq!(starts(&score, &own, 1), [(0, 24), (0, 30), (beat, 26), (2 * beat, 49)]);
    assert_eq!(starts(&score, &own, 2), [(0, 36), (0, 42), (beat, 38), (2 * beat, 49)], "a bass is no drum");
    // Two drums on one key at once are one stroke.
    let same = MidiOptions { drum_map: DrumMap::Own(vec![(36, 24), (42, 24)]), ..MidiOptions::default() };
    assert_eq!(starts(&score, &same, 1), [(0, 24), (beat, 38), (2 * beat, 49)]);
}

#[test]
fn mistakes_in_a_drum_map_are_told_by_line() {
    let rows = [
        ("kick = 24\nsnare 26", "line 2", "must be like"),
        ("kick = 24\n\nbonk = 3", "line 3", "names no drum"),
        ("kick = 200", "line 1", "0 to 127"),
        ("kick = 24\n36 = 25", "line 2", "already"),
        ("# nothing", "no lines", "kick = 24"),
    ];
    for (text, line, what) in rows {
        let sentence = DrumMap::parse(text).expect_err(text);
        assert!(sentence.contains(line) && sentence.contains(what), "{sentence}");
    }
}

#[test]
fn straight_files_leave_swing_and_looseness_to_the_sequencer() {
    let swung = |start: f64, written: f64| ScoreNote { written: Some(Beats(written)), ..note(start, 0.3, 60, 90) };
    let bass = vec![swung(0.01, 0.0), swung(0.67, 0.5), swung(1.02, 1.0), note(2.1, 0.5, 62, 90)];
    let score = score(120.0, 4.0, vec![track(Role::Bass, "Bass", 0, 33, bass)]);
    let straight = MidiOptions { groove: Feel::Quantised, ..MidiOptions::default() };
    let beat = |beats: f64| (beats * f64::from(TICKS_PER_BEAT)).round() as u64;
    let played = [(beat(0.01), 60), (beat(0.67), 60), (beat(1.02), 60), (beat(2.1), 62)];
    assert_eq!(starts(&score, &MidiOptions::default(), 1), played);
    assert_eq!(starts(&score, &straight, 1), [(0, 60), (beat(0.5), 60), (beat(1.0), 60), (beat(2.1), 62)]);
}

#[test]
fn a_pickup_begins_where_the_audio_does() {
    let notes = vec![note(-1.0, 0.5, 60, 90), note(-0.5, 1.0, 62, 90), note(1.0, 1.0, 64, 90)];
    let score = score(120.0, 4.0, vec![track(Role::Lead, "Lead", 0, 66, notes)]);
    let beat = u64::from(TICKS_PER_BEAT);
    assert_eq!(starts(&score, &MidiOptions::default(), 1), [(0, 62), (beat, 64)]);
    let ends = load(&score, &MidiOptions::default()).remove(1).0.into_iter();
    let ends: Vec<u64> =
        ends.filter(|event| matches!(event.2, MidiMessage::NoteOff { .. })).map(|event| event.0).collect();
    assert_eq!(ends, [beat / 2, 2 * beat]);
}

fn chord(start: f64, symbol: &str) -> ChordSpan {
    ChordSpan {
        start: Beats(start),
        length: Beats(2.0),
        symbol: symbol.to_owned(),
        root: 0,
        tones: vec![0, 4, 7],
        bass: None,
        locked: false,
    }
}

#[test]
fn the_conductor_tells_key_chords_and_sections() {
    let mut score = gliding();
    score.key = Some(Key { tonic: 9, mode: Mode::Minor });
    score.chords = vec![chord(0.0, "Am7"), chord(2.0, "Fmaj7")];
    score.sections = vec![
        SectionMark { start: Beats(0.0), name: "A".to_owned() },
        SectionMark { start: Beats(2.0), name: "B".to_owned() },
    ];
    let metas = load(&score, &MidiOptions::default()).remove(0).1;
    let middle = 2 * u64::from(TICKS_PER_BEAT);
    let told: Vec<(u64, &str)> = metas.iter().map(|(at, text)| (*at, text.as_str())).collect();
    for wanted in [
        (0, "metre 4/4"),
        (0, "key 0 true"),
        (0, "marker Section A"),
        (0, "marker Am7"),
        (middle, "marker Section B"),
        (middle, "marker Fmaj7"),
    ] {
        assert!(told.contains(&wanted), "{wanted:?} is missing from {told:?}");
    }
}

#[test]
fn a_file_that_starts_inside_a_bar_has_a_short_first_bar() {
    let mut score = gliding();
    let metre = |score: &Score| {
        let metas = load(score, &MidiOptions::default()).remove(0).1;
        metas.into_iter().filter(|(_, text)| text.starts_with("metre")).collect::<Vec<_>>()
    };
    score.grid = SongGrid { start: Beats(2.5), ..SongGrid::at_origin(Bpm(120.0), Metre::default()) };
    score.length = Beats(13.5);
    let bar = (1.5 * f64::from(TICKS_PER_BEAT)) as u64;
    assert_eq!(metre(&score), [(0, "metre 3/8".to_owned()), (bar, "metre 4/4".to_owned())]);
    // Whole bars start where the song says a bar starts; a place that notes cannot name is left alone.
    score.length = Beats(16.0);
    assert_eq!(metre(&score), [(0, "metre 4/4".to_owned())]);
    score.length = Beats(13.5);
    score.grid.start = Beats(2.513);
    assert_eq!(metre(&score), [(0, "metre 4/4".to_owned())]);
}
