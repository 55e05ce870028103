//! Corrections in a saved session: they come back, they belong to their melody, and damage is a sentence.

use super::{Draw, encoded, noise, session};
use crate::analysis::edits::heard;
use cantus_engine::Error;
use cantus_engine::analysis::edit::{EditHistory, MelodyEdit, NoteId, Selection};
use cantus_engine::session::Session;
use cantus_engine::session::container::{self, Chunk};
use cantus_engine::time::Seconds;

/// A history with something done and something undone.
fn history() -> EditHistory {
    let mut history = EditHistory::default();
    let one = |index| Selection::Notes(vec![NoteId::heard(index)]);
    let edits = [
        MelodyEdit::Octave { notes: one(4), octaves: -1 },
        MelodyEdit::Split { note: NoteId::heard(7), at: Seconds(3.7) },
        MelodyEdit::Delete { notes: Selection::Notes(vec![NoteId::made(1)]) },
        MelodyEdit::Quantise { notes: Selection::All, division: 4, strength: 0.5 },
    ];
    for edit in edits {
        history.push(edit, heard()).unwrap();
    }
    assert!(history.undo());
    history
}

fn corrected() -> Session {
    let mut session = session(&noise(48_000, 2, 400, 2));
    session.region_mut().analysis = Some(heard().clone());
    session.region_mut().edits = history();
    session
}

/// A session's bytes with other contents of its corrections.
fn with_corrections(bytes: &[u8]) -> Vec<u8> {
    let mut chunks = container::read(&corrected().encode().unwrap()).unwrap();
    let chunk = chunks.iter_mut().find(|chunk| chunk.tag == *b"EDIT").expect("corrections are a chunk of their own");
    chunk.bytes = bytes.into();
    container::write(&chunks)
}

/// As one stored block of the deflate format, so that no packer is needed here.
fn stored(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&[1], length.to_le_bytes().as_slice(), &(!length).to_le_bytes(), text.as_bytes()].concat()
}

#[test]
fn corrections_come_back_with_what_was_undone() {
    let saved = corrected();
    let back = Session::decode(&saved.encode().unwrap()).unwrap();
    assert_eq!(back.region().edits, saved.region().edits);
    let (before, after) =
        (saved.region().edits.done.apply(heard()).unwrap(), back.region().edits.done.apply(heard()).unwrap());
    assert_eq!(before, after);
    assert_eq!(back.unknown, saved.unknown);
    // Nothing corrected: no chunk, as sessions were before there were corrections.
    let plain = container::read(&encoded()).unwrap();
    assert!(plain.iter().all(|chunk| chunk.tag != *b"EDIT"));
    assert!(Session::decode(&encoded()).unwrap().region().edits.is_empty());
}

#[test]
fn corrections_of_another_melody_are_not_used() {
    // An older Cantus keeps the chunk as it is and may hear another take meanwhile.
    let chunks = container::read(&corrected().encode().unwrap()).unwrap();
    let edits = chunks.iter().find(|chunk| chunk.tag == *b"EDIT").unwrap().clone();
    let mut other = corrected();
    other.region_mut().edits = EditHistory::default();
    other.region_mut().analysis.as_mut().unwrap().notes.remove(2);
    other.unknown = vec![edits];
    let back = Session::decode(&other.encode().unwrap()).unwrap();
    assert!(back.region().edits.is_empty() && back.unknown.is_empty());
    let mut same = corrected();
    let chunk = container::read(&same.encode().unwrap()).unwrap().into_iter().find(|chunk| chunk.tag == *b"EDIT");
    same.region_mut().edits = EditHistory::default();
    same.unknown = chunk.into_iter().collect();
    assert_eq!(Session::decode(&same.encode().unwrap()).unwrap().region().edits, history());
}

#[test]
fn corrections_of_a_newer_version_are_kept_until_there_are_own_ones() {
    let newer = stored(r#"{"version":2,"what":"nobody knows yet"}"#);
    let mut opened = Session::decode(&with_corrections(&newer)).unwrap();
    assert!(opened.region().edits.is_empty());
    let kept = Chunk { tag: *b"EDIT", bytes: newer.into() };
    assert!(opened.unknown.contains(&kept));
    let again = container::read(&opened.encode().unwrap()).unwrap();
    assert!(again.contains(&kept), "written back as it was");
    opened.region_mut().edits = history();
    let own = Session::decode(&opened.encode().unwrap()).unwrap();
    assert_eq!((own.region().edits.clone(), own.unknown.contains(&kept)), (history(), false));
}

#[test]
fn damaged_and_hostile_corrections_never_panic() {
    let text = r#"{"version":1,"heard":HEARD,"done":[{"octave":{"notes":"all","octaves":1}},{"delete":{"notes":{"notes":[2]}}}],"undone":[{"add":{"onset":4.3,"offset":4.4,"key":60,"loudness":0.5}}]}"#;
    let name = {
        let chunks = container::read(&corrected().encode().unwrap()).unwrap();
        let own = chunks.iter().find(|chunk| chunk.tag == *b"EDIT").unwrap().bytes.clone();
        let back = Session::decode(&with_corrections(&own)).unwrap();
        assert_eq!(back.region().edits, history(), "the same chunk put in again");
        // The melody's name is the hash of its keys.
        let keys: Vec<u8> = heard().notes.iter().map(|note| note.key).collect();
        xxhash_rust::xxh3::xxh3_64(&keys).to_string()
    };
    let text = text.replace("HEARD", &name);
    let read = Session::decode(&with_corrections(&stored(&text))).unwrap();
    assert_eq!(
        (read.region().edits.done.0.len(), read.region().edits.undone.len()),
        (2, 1),
        "the text is what is written"
    );

    // What does not fit is dropped; what is no text of ours is refused.
    let rows = [
        (text.replace("\"octaves\":1", "\"octaves\":127"), Some((0, 0))),
        (text.replace("[2]", "[99]"), Some((1, 0))),
        (text.replace("4.4", "1e308"), Some((2, 0))),
        (text.replace("4.3", "-1e308"), Some((2, 0))),
        (text.replace("\"key\":60", "\"key\":255"), Some((2, 0))),
        (text.replace("[2]", &format!("[{}]", vec!["2"; 9_000].join(","))), Some((1, 0))),
        (text.replace("\"octaves\":1", "\"octaves\":1000"), None),
        (text.replace("octave\"", "fly\""), None),
        (text.replace("4.3", "null"), None),
        ("{}".to_owned(), None),
        (String::new(), None),
    ];
    for (text, expected) in rows {
        match (Session::decode(&with_corrections(&stored(&text))), expected) {
            (Ok(back), Some(counts)) => {
                assert_eq!((back.region().edits.done.0.len(), back.region().edits.undone.len()), counts, "{text:.200}");
                assert!(back.region().edits.done.apply(heard()).is_ok());
            }
            (Err(Error::Session { reason }), None) => assert!(reason.contains("corrections"), "{reason}"),
            (other, _) => panic!("{text:.200}: {other:?}"),
        }
    }
    let mut draw = Draw::new(21);
    let mut read = 0;
    for _ in 0..300 {
        let mut bytes = text.clone().into_bytes();
        let at = draw.below(bytes.len());
        bytes[at] = 32 + draw.below(95) as u8;
        let result = Session::decode(&with_corrections(&stored(&String::from_utf8(bytes).unwrap())));
        read += u32::from(result.is_ok());
    }
    assert!((5..290).contains(&read), "{read} of 300 were read");
    for _ in 0..100 {
        let bytes: Vec<u8> = (0..draw.below(200)).map(|_| draw.next() as u8).collect();
        assert!(Session::decode(&with_corrections(&bytes)).is_err());
    }
}
