//! The container that a project holds.

use super::{Target, check_sentence};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::file::read_take;
use cantus_engine::generation::song::SongContext;
use cantus_engine::instance::Instance;
use cantus_engine::session::container::{self, Chunk};
use cantus_engine::session::packed::PackedAudio;
use cantus_engine::session::{SavedRegion, SavedTake, Session, TakeFacts};
use cantus_engine::time::{Metre, SampleRate};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;

pub const TARGET: Target =
    Target { name: "session", open, seeds, mutate: mutated, most_bytes: 1 << 16, needs_bundle: false };

fn open() -> super::Run {
    Box::new(|input| match Session::decode(input) {
        Ok(session) => {
            let saved = session.encode().expect("what was read can be written");
            let again = Session::decode(&saved).expect("what was written can be read");
            assert_eq!(again.encode().unwrap(), saved, "saving again gives other bytes");
            let text = session.encode_text().unwrap();
            assert_eq!(Session::decode_text(&text).unwrap().encode().unwrap(), saved);
            saved.len() as u64 / 64
        }
        Err(error) => {
            // The same bytes as text, which is what a project holds.
            let _ = Session::decode_text(&String::from_utf8_lossy(input));
            check_sentence(&error)
        }
    })
}

/// Sessions of a short sung take and of a project in the middle of work, as an instance saves them.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut sessions = vec![Session::default()];
    let audio: Vec<f32> = (0..4_000).map(|frame| ((frame as f32 * 0.17).sin() * 0.4 * 256.0).round() / 256.0).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tune.mid");
    std::fs::write(&path, super::midi::tune()).unwrap();
    let mut take = read_take(&path, None, Metre::default()).unwrap();
    take.id = 5;
    take.audio = AudioBuffer::mono(SampleRate(8_000), audio);
    let packed = PackedAudio::pack(&take.audio);
    let saved = SavedTake { facts: TakeFacts::of(&take), audio: packed };
    let instance = Instance::new(std::sync::Arc::new(|_| ()));
    instance.set_prompt("jazz with a cello lead".to_owned());
    instance.set_song_chords(
        SongContext::typed("C | Am7 / F6/9 | G7b9", Metre::default(), None).unwrap(),
        "C | Am7".into(),
    );
    sessions.push(with_take(instance.session().unwrap(), saved));
    let mut seeds: Vec<Vec<u8>> = sessions.iter().map(|session| session.encode().unwrap()).collect();
    seeds.push(container::write(&[Chunk { tag: *b"MANI", bytes: packed_text(br#"{"version":1}"#).into() }]));
    seeds
}

fn with_take(mut session: Session, take: SavedTake) -> Session {
    if session.regions.is_empty() {
        session.regions.push(SavedRegion::default());
    }
    session.regions[0].take = Some(take);
    session
}

fn packed_text(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    DeflateEncoder::new(text, Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    DeflateDecoder::new(bytes).take(1 << 20).read_to_end(&mut out).ok()?;
    Some(out)
}

/// Changes what is inside the chunks and puts them together again, checksums and all.
pub fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    let Ok(mut chunks) = container::read(input) else { return mutate::bytes(input, &[b"CANTUS\r\n"], draw) };
    if chunks.is_empty() || draw.once_in(8) {
        return mutate::bytes(input, &[b"MANI", b"AUDI", b"EDIT"], draw);
    }
    let at = draw.below(chunks.len());
    let chunk = &mut chunks[at];
    let text = unpacked(&chunk.bytes).filter(|text| text.starts_with(b"{"));
    chunk.bytes = match (text, draw.below(10)) {
        (Some(text), 0..=8) => packed_text(&mutate::json(&text, draw)),
        (None, 0..=4) if chunk.bytes.len() > 20 => {
            // Another recording behind the same header, or another header.
            let (header, body) = chunk.bytes.split_at(20);
            let body = unpacked(body).unwrap_or_default();
            let header = mutate::bytes(header, &[], draw);
            [header, packed_text(&mutate::bytes(&body, &[], draw))].concat()
        }
        _ => mutate::bytes(&chunk.bytes, &[], draw),
    }
    .into();
    match draw.below(12) {
        0 => chunks.push(Chunk { tag: *draw.of(&[b"NEWS", b"MANI", b"AUDI", b"EDIT"]), bytes: vec![7; 9].into() }),
        1 => {
            chunks.remove(at);
        }
        2 => {
            let chunk = chunks[at].clone();
            chunks.push(chunk);
        }
        3 => {
            let other = draw.below(chunks.len());
            chunks.swap(at, other);
        }
        _ => {}
    }
    container::write(&chunks)
}
