//! Tests of the session container: what a project saves comes back, and damage is a sentence.

mod corrections;
mod golden;
mod hostile;
mod journals;

use cantus_engine::Error;
use cantus_engine::analysis::edit::EditHistory;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::TakeSource;
use cantus_engine::generation::direction::{Direction, Ending, LeadVoice, Moods, PartChoice};
use cantus_engine::generation::score::{Preset, Role};
use cantus_engine::generation::song::{SongChord, SongContext};
use cantus_engine::generation::{EngineKind, Recipe, Timing};
use cantus_engine::rendition::{Fidelity, Loudness, Timings};
use cantus_engine::session::container::Chunk;
use cantus_engine::session::packed::PackedAudio;
use cantus_engine::session::{SavedRegion, SavedTake, SavedVariation, Session, SongSheet, TakeFacts, VariationFacts};
use cantus_engine::time::{Beats, Bpm, Frames, Metre, SampleRate, SongGrid};

/// A small deterministic generator, so that these tests draw inputs without depending on the engine's.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end.max(1)
    }

    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }
}

fn noise(rate: u32, channels: usize, frames: usize, seed: u64) -> AudioBuffer {
    let mut draw = Draw::new(seed);
    let mut audio = AudioBuffer::silent(SampleRate(rate), channels, frames);
    for sample in audio.channels.iter_mut().flatten() {
        *sample = draw.unit() * 1.6 - 0.8;
    }
    audio
}

fn grid() -> SongGrid {
    SongGrid::at_origin(Bpm(100.0), Metre::default())
}

/// A direction that says something everywhere.
fn direction() -> Direction {
    Direction {
        lead: LeadVoice::Thirds,
        ending: Ending::Final,
        bars: Some(16),
        chords_per_bar: Some(2.0),
        harmony_seed: Some(7),
        moods: Moods { energy: 0.5, reverb: -1.0, ..Moods::default() },
        parts: vec![PartChoice {
            role: Role::Bass,
            seed: Some(9),
            preset: Some(Preset { bank: 0, program: 33 }),
            muted: true,
        }],
        ..Direction::default()
    }
}

fn song() -> SongSheet {
    let chord = SongChord {
        start: Beats(0.0),
        length: Beats(4.0),
        symbol: "F/C".to_owned(),
        root: 5,
        tones: vec![5, 9, 0],
        bass: Some(0),
    };
    let context = SongContext { chords: vec![chord], repeats_after: Some(Beats(4.0)), ..SongContext::default() };
    SongSheet { context, typed: "F/C".to_owned() }
}

pub(crate) fn session(mix: &AudioBuffer) -> Session {
    let take = noise(44_100, 1, 3_000, 1);
    Session {
        direction: direction(),
        song: song(),
        prompt: "jazz, no drums".to_owned(),
        engine: EngineKind::Band,
        regions: vec![SavedRegion {
            name: "Verse".to_owned(),
            muted: true,
            take: Some(SavedTake {
                facts: TakeFacts {
                    id: 1,
                    source: TakeSource::Loop,
                    notes: Vec::new(),
                    grid: grid(),
                    on_grid: true,
                    length: Beats(32.0),
                    lost_frames: 3,
                    remarks: Vec::new(),
                    margins: Default::default(),
                },
                audio: PackedAudio::pack(&take),
            }),
            analysis: None,
            edits: EditHistory::default(),
            variations: vec![SavedVariation {
                facts: VariationFacts {
                    id: 7,
                    name: "Jazz 1".to_owned(),
                    recipe: Recipe {
                        engine: EngineKind::Band,
                        prompt: "jazz".to_owned(),
                        seed: 4,
                        freedom: 0.25,
                        timing: Timing::AsSung,
                        direction: Default::default(),
                        song: Default::default(),
                        engine_version: 1,
                    },
                    starred: true,
                    score: None,
                    grid: grid(),
                    region: Frames(2_000),
                    fidelity: Fidelity { lead_chroma: 0.9, ..Fidelity::default() },
                    loudness: Loudness::default(),
                    timings: Timings::default(),
                    made: None,
                },
                mix: Some(PackedAudio::pack(mix)),
            }],
            active: Some(7),
        }],
        chosen: 0,
        without_sound: true,
        unknown: vec![Chunk { tag: *b"NEWR", bytes: vec![1, 2, 3].into() }],
    }
}

fn encoded() -> Vec<u8> {
    let mut mix = noise(48_000, 2, 2_400, 2);
    mix.quantise_24_bit();
    session(&mix).encode().unwrap()
}

#[test]
fn a_session_comes_back_as_it_was_with_chunks_of_newer_versions() {
    let mut mix = noise(48_000, 2, 2_400, 2);
    mix.quantise_24_bit();
    let saved = session(&mix);
    let back = Session::decode_text(&saved.encode_text().unwrap()).unwrap();
    assert_eq!(back, saved);
    assert_eq!(back.region().variations[0].mix.as_ref().unwrap().unpack().unwrap(), mix);
    assert_eq!(Session::decode_text("").unwrap(), Session::default());
}

#[test]
fn packed_audio_is_lossless_bit_for_bit() {
    let mut rendition = noise(48_000, 2, 5_000, 3);
    rendition.quantise_24_bit();
    let extremes = AudioBuffer::mono(
        SampleRate(192_000),
        vec![-0.0, 0.0, -1.0, 1.0, 1.5, -3.0e9, f32::MIN_POSITIVE, f32::EPSILON, 0.1, 8_388_607.0 / 8_388_608.0],
    );
    let rows = [
        rendition,
        noise(8_000, 1, 777, 4),
        extremes,
        AudioBuffer::silent(SampleRate(96_000), 2, 0),
        AudioBuffer::silent(SampleRate(96_000), 2, 10_000),
    ];
    for audio in rows {
        let back = PackedAudio::pack(&audio).unpack().unwrap();
        let bits = |audio: &AudioBuffer| -> Vec<Vec<u32>> {
            audio.channels.iter().map(|channel| channel.iter().map(|sample| sample.to_bits()).collect()).collect()
        };
        assert_eq!(bits(&back), bits(&audio));
        assert_eq!(back.rate, audio.rate);
    }
}

#[test]
fn packing_shrinks_music_and_nearly_removes_silence() {
    let mut tone = AudioBuffer::silent(SampleRate(48_000), 2, 48_000);
    for channel in &mut tone.channels {
        for (frame, sample) in channel.iter_mut().enumerate() {
            *sample = (frame as f32 * 0.03).sin() * 0.3;
        }
    }
    tone.quantise_24_bit();
    let raw = 48_000 * 2 * 3;
    let packed = PackedAudio::pack(&tone).bytes().len();
    assert!(packed * 10 < raw * 7, "{packed} of {raw} bytes");
    let silence = PackedAudio::pack(&AudioBuffer::silent(SampleRate(48_000), 2, 480_000)).bytes().len();
    assert!(silence < 20_000, "{silence} bytes for ten seconds of silence");
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused_with_a_sentence() {
    let whole = encoded();
    for length in (0..whole.len()).step_by(7) {
        let error = Session::decode(&whole[..length]).unwrap_err();
        assert!(matches!(error, Error::Session { .. }), "{length}: {error}");
    }
    let mut draw = Draw::new(11);
    for _ in 0..600 {
        let mut damaged = whole.clone();
        let at = draw.below(damaged.len());
        damaged[at] ^= 1 << draw.below(8);
        match Session::decode(&damaged) {
            Err(Error::Session { .. }) => {}
            // A changed tag makes a chunk unknown; then the list must miss it, or the chunk was one nobody refers to.
            Ok(session) => assert!(session.unknown.iter().all(|chunk| chunk.bytes.len() == 3), "at {at}"),
            Err(other) => panic!("at {at}: {other}"),
        }
    }
}

#[test]
fn random_bytes_and_random_text_never_panic() {
    let mut draw = Draw::new(5);
    for round in 0..400 {
        let length = draw.below(300);
        let mut bytes: Vec<u8> = (0..length).map(|_| draw.next() as u8).collect();
        if round % 2 == 0 {
            // Half of them get past the magic word, where the interesting mistakes are.
            let mut start = b"CANTUS\r\n\x01\0\0\0".to_vec();
            start.append(&mut bytes);
            bytes = start;
        }
        assert!(Session::decode(&bytes).is_err());
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        assert!(text.is_empty() || Session::decode_text(&text).is_err());
    }
}

#[test]
fn a_newer_format_is_named_as_such() {
    let mut newer = encoded();
    newer[8] = 99;
    let sentence = Session::decode(&newer).unwrap_err().to_string();
    assert!(sentence.contains("format 99") && sentence.contains("Nothing was changed"), "{sentence}");
}

#[test]
fn a_whole_session_with_impossible_contents_is_refused() {
    type Spoil = fn(&mut Session);
    let rows: [(&str, Spoil); 5] = [
        ("start", |session| session.region_mut().variations[0].facts.grid.start = Beats(1e17)),
        ("seconds", |session| session.region_mut().variations[0].facts.grid.start_seconds.0 = -1e300),
        ("metre", |session| session.region_mut().take.as_mut().unwrap().facts.grid.metre.numerator = 0),
        ("length", |session| session.region_mut().take.as_mut().unwrap().facts.length = Beats(-1.0)),
        ("region", |session| session.region_mut().variations[0].facts.region = Frames(i64::MIN)),
    ];
    let mut mix = noise(48_000, 2, 400, 2);
    mix.quantise_24_bit();
    for (name, spoil) in rows {
        let mut spoiled = session(&mix);
        spoil(&mut spoiled);
        let result = Session::decode(&spoiled.encode().unwrap());
        assert!(matches!(result, Err(Error::Session { .. })), "{name}");
    }
    let mut lost = session(&mix);
    lost.region_mut().active = Some(99);
    assert_eq!(
        Session::decode(&lost.encode().unwrap()).unwrap().region().active,
        None,
        "a choice of what is not there"
    );
    for text in ["[]", r#"[{"at":0.0,"tempo":0.0}]"#, r#"[{"at":0.0,"tempo":1e308}]"#, r#"[{"at":1e99,"tempo":100.0}]"#]
    {
        let map: Result<cantus_engine::time::TempoMap, _> = serde_json::from_str(text);
        assert!(map.is_err(), "{text}");
    }
}
