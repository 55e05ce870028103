//! Scores written by hand, so that the renderer is judged without the arranger.

use cantus_engine::analysis::rhythm::Rhythm;
use cantus_engine::analysis::{Analysis, Chroma, Key, KeyEstimate, Mode, Note};
use cantus_engine::generation::score::{ChordSpan, Preset, Role, Room, Score, ScoreNote, Track};
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::time::{Beats, Bpm, Metre, MidiNote, Seconds, SongGrid};

pub fn note(start: f64, length: f64, key: u8, velocity: u8) -> ScoreNote {
    ScoreNote {
        start: Beats(start),
        written: None,
        length: Beats(length),
        key,
        velocity,
        bend: vec![],
        expression_db: vec![],
    }
}

pub fn track(role: Role, instrument: &str, bank: u8, program: u8, notes: Vec<ScoreNote>) -> Track {
    let instrument = instrument.to_owned();
    Track {
        role,
        instrument,
        preset: Preset { bank, program },
        gain_db: 0.0,
        pan: 0.0,
        reverb: 0.0,
        strip: Default::default(),
        notes,
    }
}

/// A dry score from song position 0 at one tempo.
pub fn score(tempo: f64, beats: f64, tracks: Vec<Track>) -> Score {
    Score {
        style: "test".into(),
        understood: vec![],
        ignored: vec![],
        grid: SongGrid::at_origin(Bpm(tempo), Metre::default()),
        length: Beats(beats),
        key: None,
        sections: vec![],
        chords: vec![],
        tracks,
        room: Room { decay_seconds: 1.4, level_db: -8.0, kind: Default::default() },
        delay: None,
        master: Default::default(),
        ending: Default::default(),
        balance: None,
        remarks: Vec::new(),
    }
}

/// What a singer would have sung for a lead: the same keys and places, an octave lower.
pub fn request_for(score: &Score) -> Request {
    let tempo = score.grid.tempo.tempo_at(score.grid.start);
    let start = score.grid.start;
    let lead = score.tracks.iter().find(|track| track.role == Role::Lead);
    let notes = lead.map_or(vec![], |lead| {
        lead.notes
            .iter()
            .map(|note| Note {
                onset: (note.start - start).seconds(tempo),
                offset: (note.start + note.length - start).seconds(tempo),
                sung: MidiNote(f32::from(note.key.saturating_sub(12))),
                key: note.key.saturating_sub(12),
                loudness: 0.8,
                confidence: 0.9,
                bend: vec![(0.0, -0.3), (0.08, 0.0), (0.2, 0.08), (0.3, -0.08)],
                level_db: vec![],
            })
            .collect()
    });
    let f0 = notes
        .iter()
        .flat_map(|note: &Note| {
            let frames = ((note.offset.0 - note.onset.0) / 0.016) as usize;
            (0..frames).map(move |frame| {
                let time = note.onset.0 + frame as f64 * 0.016;
                let wobble = 0.2 * (frame as f32 * 0.55).sin() - 0.6 * (-(frame as f32) / 4.0).exp();
                cantus_engine::analysis::F0Frame {
                    time: Seconds(time),
                    hz: MidiNote(note.sung.0 + wobble).hz().0,
                    confidence: 0.9,
                    voiced: true,
                }
            })
        })
        .collect();
    let frames = (score.length.seconds(tempo).0 * 32_000.0 / 4096.0) as usize + 1;
    let chroma_frame = |frame: usize| {
        let time = frame as f64 * 4096.0 / 32_000.0;
        let mut classes = [0.05_f32; 12];
        if let Some(note) = notes.iter().find(|note: &&Note| note.onset.0 <= time && time < note.offset.0) {
            classes[usize::from(note.key % 12)] = 1.0;
            classes[usize::from((note.key + 7) % 12)] = 0.3;
        }
        classes
    };
    let chroma: Vec<[f32; 12]> = (0..frames).map(chroma_frame).collect();
    let argmax = chroma
        .iter()
        .map(|classes| {
            (0..12_u8).rev().max_by(|&a, &b| classes[a as usize].total_cmp(&classes[b as usize])).expect("classes")
        })
        .collect();
    Request {
        analysis: Analysis {
            grid: score.grid.clone(),
            tempo_confidence: 1.0,
            rhythm: Rhythm::default(),
            length: score.length,
            f0,
            notes,
            chroma: Chroma { frames: chroma, argmax },
            harmony: Vec::new(),
            texture: Default::default(),
            chroma_without_drums_and_bass: None,
            key: KeyEstimate::of(Key { tonic: 9, mode: Mode::Minor }, 0.8),
            tuning_cents: -12.0,
            level_dbfs: -22.0,
            confidence: 0.9,
            doubts: vec![],
        },
        recipe: Recipe {
            engine: EngineKind::Band,
            prompt: "test".into(),
            seed: 1,
            freedom: 0.0,
            timing: Timing::AsSung,
            direction: Default::default(),
            song: Default::default(),
            engine_version: 1,
        },
    }
}

/// Eight bars at 100 BPM for six parts: lead, chords, pad, bass, drums, colour.
pub fn band() -> Score {
    let melody: [(f64, f64, u8); 13] = [
        (0.0, 1.5, 76),
        (1.5, 0.5, 74),
        (2.0, 2.0, 72),
        (4.0, 1.0, 74),
        (5.0, 1.0, 76),
        (6.0, 2.0, 79),
        (8.0, 1.0, 77),
        (9.0, 1.0, 76),
        (10.0, 1.0, 74),
        (11.0, 1.0, 72),
        (12.0, 2.0, 71),
        (14.0, 1.0, 74),
        (15.0, 1.0, 72),
    ];
    let mut lead = vec![];
    for repeat in 0..2 {
        for (start, length, key) in melody {
            let mut one = note(16.0 * f64::from(repeat) + start, length * 0.97, key, 92);
            one.bend = vec![(0.0, -0.5), (0.08, 0.0)];
            one.expression_db = vec![(0.0, -3.0), (0.3, 0.0), (1.8, -2.0)];
            lead.push(one);
        }
    }
    let harmony: [(u8, [u8; 4], &str); 8] = [
        (45, [57, 60, 64, 67], "Am7"),
        (41, [57, 60, 64, 65], "Fmaj7"),
        (48, [55, 59, 60, 64], "Cmaj7"),
        (43, [55, 59, 62, 65], "G7"),
        (45, [57, 60, 64, 67], "Am7"),
        (50, [57, 60, 62, 65], "Dm7"),
        (52, [56, 59, 62, 64], "E7"),
        (45, [57, 60, 64, 67], "Am7"),
    ];
    let (mut chords, mut pad, mut bass, mut drums, mut colour, mut spans) =
        (vec![], vec![], vec![], vec![], vec![], vec![]);
    for (bar, (root, tones, symbol)) in harmony.iter().enumerate() {
        let at = 4.0 * bar as f64;
        for (index, stroke) in [0.0, 1.5, 2.5, 3.0].into_iter().enumerate() {
            let velocity = 70 + 5 * ((bar + index) % 4) as u8;
            chords.extend(tones.iter().map(|&key| note(at + stroke + 0.01 * index as f64, 0.4, key, velocity)));
        }
        pad.extend(tones.iter().map(|&key| note(at, 3.9, key, 70)));
        for beat in 0..4_u8 {
            let key = root + [0, 7, 12, 7][usize::from(beat)];
            bass.push(note(at + f64::from(beat), 0.9, key.min(55), 96 - 6 * (beat % 2)));
        }
        for eighth in 0..8_u8 {
            let place = at + f64::from(eighth) * 0.5;
            drums.push(note(place, 0.25, if eighth == 7 { 46 } else { 42 }, 70 + 20 * ((eighth + 1) % 2)));
            match eighth {
                0 | 5 => drums.push(note(place, 0.25, 36, 110)),
                2 | 6 => drums.push(note(place, 0.25, 38, 108)),
                _ => (),
            }
        }
        colour.push(note(at + 3.5, 0.5, tones[3] + 12, 80));
        let pitch_classes = tones.iter().map(|tone| tone % 12).collect();
        spans.push(ChordSpan {
            start: Beats(at),
            length: Beats(4.0),
            symbol: (*symbol).into(),
            root: root % 12,
            tones: pitch_classes,
            bass: None,
            locked: false,
        });
    }
    let part = |role, name, bank, program, (gain_db, pan, reverb), notes| {
        let plain = track(role, name, bank, program, notes);
        Track { gain_db, pan, reverb, ..plain }
    };
    let mut written = score(
        100.0,
        32.0,
        vec![
            part(Role::Lead, "Tenor Sax", 0, 66, (0.0, 0.05, 0.35), lead),
            part(Role::Chords, "Tine EP", 0, 4, (-6.0, -0.3, 0.25), chords),
            part(Role::Pad, "Strings", 0, 48, (-10.0, 0.3, 0.5), pad),
            part(Role::Bass, "Upright Bass", 0, 32, (-3.0, 0.0, 0.05), bass),
            part(Role::Drums, "Jazz Kit", 128, 32, (-2.0, 0.0, 0.15), drums),
            part(Role::Colour, "Vibraphone", 0, 11, (-9.0, -0.5, 0.4), colour),
        ],
    );
    written.chords = spans;
    written
}
