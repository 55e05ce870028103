//! Sessions that somebody made by hand to do harm: refused with a sentence, or opened as far as they make sense.

use super::{noise, session};
use crate::rendition::rendered;
use crate::rendition::scores::{note, score, track};
use cantus_engine::Error;
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::instance::Instance;
use cantus_engine::session::container::{self, Chunk};
use cantus_engine::session::{Session, VariationFacts};
use serde_json::{Value, json};
use std::sync::Arc;

/// Deflate as its format allows without compressing: stored blocks.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let blocks: Vec<&[u8]> = bytes.chunks(65_535).collect();
    for (index, block) in blocks.iter().enumerate() {
        out.push(u8::from(index + 1 == blocks.len()));
        out.extend((block.len() as u16).to_le_bytes());
        out.extend((!(block.len() as u16)).to_le_bytes());
        out.extend(*block);
    }
    out
}

/// A container of a contents list, one part and one audio chunk.
fn made(list: &str, part: &str, audio: &[u8]) -> Vec<u8> {
    let chunk = |tag: &[u8; 4], bytes: &[u8]| Chunk { tag: *tag, bytes: bytes.into() };
    container::write(&[
        chunk(b"MANI", &stored(list.as_bytes())),
        chunk(b"PRAW", part.as_bytes()),
        chunk(b"AUDI", audio),
    ])
}

fn facts() -> VariationFacts {
    session(&noise(8_000, 2, 100, 1)).region().variations[0].facts.clone()
}

fn tune() -> Score {
    score(100.0, 4.0, vec![track(Role::Lead, "Flute", 0, 73, vec![note(0.0, 1.0, 60, 90)])])
}

/// A sound session as plain JSON, to be spoiled.
fn sane() -> (Value, Value) {
    let mut variation = serde_json::to_value(facts()).unwrap();
    variation["notes"] = json!(0);
    variation["mix"] = Value::Null;
    let list =
        json!({ "version": 2, "regions": [{ "name": "A", "variations": [variation], "active": 7 }], "chosen": 0 });
    (list, json!({ "score": tune(), "made": null }))
}

fn audio(codec: u32, rate: u32, channels: u32, frames: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = [codec, rate, channels].into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(frames.to_le_bytes());
    bytes.extend(body);
    bytes
}

fn refused(what: &str, bytes: &[u8]) {
    match Session::decode(bytes) {
        Err(Error::Session { .. }) => {}
        Err(other) => panic!("{what}: {other}"),
        Ok(session) => {
            // What cannot be told before is told when it is opened, and then nothing was changed.
            let instance = Instance::new(Arc::new(|_| {}));
            instance.set_prompt("mine".to_owned());
            assert!(matches!(instance.restore(session), Err(Error::Session { .. })), "{what} was opened");
            assert_eq!(instance.prompt(), "mine");
        }
    }
}

#[test]
fn what_is_sane_is_opened() {
    let (list, part) = sane();
    let session = Session::decode(&made(&list.to_string(), &part.to_string(), &[0; 20])).err();
    assert!(session.is_some(), "an audio chunk of no rate");
    let plain = audio(3, 8_000, 1, 2, &[0; 8]);
    let session = Session::decode(&made(&list.to_string(), &part.to_string(), &plain)).unwrap();
    assert_eq!(session.region().variations[0].facts.score.as_ref(), Some(&tune()));
    assert_eq!(rendered(&tune(), 8_000).score, Some(tune()), "and it can be played");
}

#[test]
fn impossible_lists_are_refused() {
    let (list, part) = sane();
    let fine = audio(3, 8_000, 1, 0, &[]);
    let (list, part) = (list.to_string(), part.to_string());
    assert!(Session::decode(&made(&list, &part, &fine)).is_ok());
    let changed = |from: &str, to: &str| {
        assert!(list.contains(from), "{from}");
        list.replacen(from, to, 1)
    };
    let rows = [
        ("infinity", changed("\"start_seconds\":0.0", "\"start_seconds\":1e999")),
        (
            "a number that is no float",
            changed("\"start_seconds\":0.0", &format!("\"start_seconds\":1{}", "0".repeat(60))),
        ),
        ("not a number", changed("\"start_seconds\":0.0", "\"start_seconds\":NaN")),
        ("nowhere", changed("\"start_seconds\":0.0", "\"start_seconds\":1e29")),
        ("no such part", changed("\"notes\":0", "\"notes\":1")),
        ("no such part at all", changed("\"notes\":0", "\"notes\":18446744073709551615")),
        ("no such audio", changed("\"mix\":null", "\"mix\":1")),
        ("the wrong kind", changed("\"regions\":[", "\"regions\":[3,")),
        ("deep nesting", format!("{{\"version\":2,\"regions\":{}", "[".repeat(100_000))),
        ("another list", "[]".to_owned()),
        ("nothing", String::new()),
    ];
    for (what, list) in rows {
        refused(what, &made(&list, &part, &fine));
    }
}

#[test]
fn more_than_anybody_has_is_refused() {
    let (list, part) = sane();
    let fine = audio(3, 8_000, 1, 0, &[]);
    let many = |count: usize, of: fn(&Value) -> Value, into: fn(&mut Value) -> &mut Value| {
        let mut list = list.clone();
        let one = of(&list);
        *into(&mut list) = Value::Array(vec![one; count]);
        made(&list.to_string(), &part.to_string(), &fine)
    };
    let variations: fn(&mut Value) -> &mut Value = |list| &mut list["regions"][0]["variations"];
    let regions: fn(&mut Value) -> &mut Value = |list| &mut list["regions"];
    refused("a heap of variations", &many(5_000, |list| list["regions"][0]["variations"][0].clone(), variations));
    refused("nine regions", &many(9, |list| list["regions"][0].clone(), regions));
    assert!(Session::decode(&many(8, |list| list["regions"][0].clone(), regions)).is_ok());
}

#[test]
fn impossible_notes_are_refused() {
    let (list, part) = sane();
    let (list, part) = (list.to_string(), part.to_string());
    let fine = audio(3, 8_000, 1, 0, &[]);
    let changed = |from: &str, to: &str| {
        assert!(part.contains(from), "{from} in {part}");
        part.replacen(from, to, 1)
    };
    let points = vec!["[0.0,0.0]"; 70_000].join(",");
    let rows = [
        ("an infinite gain", changed("\"gain_db\":0.0", "\"gain_db\":1e39")),
        ("an endless note", changed("\"length\":1.0", "\"length\":1e29")),
        ("a note before everything", changed("\"start\":0.0,\"velocity\"", "\"start\":-1e20,\"velocity\"")),
        ("an endless curve", changed("\"bend\":[]", &format!("\"bend\":[{points}]"))),
        ("no key", changed("\"key\":60", "\"key\":-1")),
    ];
    for (what, part) in rows {
        refused(what, &made(&list, &part, &fine));
    }
}

#[test]
fn audio_that_claims_more_than_it_holds_is_refused() {
    let (mut list, part) = sane();
    list["regions"][0]["variations"][0]["mix"] = json!(0);
    let rows = [
        ("an hour in a hundred bytes", audio(1, 48_000, 2, 48_000 * 3_600, &[0; 100])),
        ("2^60 frames", audio(1, 48_000, 2, 1 << 60, &[0; 100])),
        ("2^63 frames of nothing", audio(2, 48_000, 0, 1 << 63, &[])),
        ("no rate", audio(1, 0, 2, 0, &[])),
        ("a million channels", audio(1, 48_000, 1_000_000, 1, &[0; 100])),
        ("an unknown codec", audio(9, 48_000, 1, 1, &[0; 4])),
        ("too little plain", audio(3, 48_000, 1, 4, &[0; 15])),
        ("garbage", audio(1, 48_000, 1, 4, &[0xAA; 64])),
        ("less than it says", audio(1, 48_000, 1, 400, &stored(&[0; 16]))),
        ("more than it says", audio(1, 48_000, 1, 4, &stored(&[0; 4_000]))),
        ("a head cut off", vec![1, 0, 0]),
    ];
    for (what, audio) in rows {
        refused(what, &made(&list.to_string(), &part.to_string(), &audio));
    }
}

#[test]
fn the_same_number_twice_and_endless_names_are_opened_all_the_same() {
    let (mut list, part) = sane();
    let one = list["regions"][0]["variations"][0].clone();
    list["regions"][0]["variations"] = Value::Array(vec![one.clone(), one]);
    list["regions"][0]["name"] = Value::String("ü".repeat(3 << 20));
    let bytes = made(&list.to_string(), &part.to_string(), &audio(3, 8_000, 1, 0, &[]));
    let session = Session::decode(&bytes).unwrap();
    assert!(session.region().name.len() < 10_000);
    let instance = Instance::new(Arc::new(|_| {}));
    instance.restore(session).unwrap();
    let view = instance.view();
    assert_eq!(view.variations.len(), 2);
    assert_ne!(view.variations[0].id, view.variations[1].id);
    assert_eq!(view.active, Some(view.variations[0].id));
}
