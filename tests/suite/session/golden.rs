//! Sessions of earlier versions open for ever, and sound the same.

use crate::turn;
use cantus_engine::instance::Instance;
use cantus_engine::instance::view::VariationStatus;
use cantus_engine::session::Session;
use cantus_engine::time::SampleRate;
use std::sync::Arc;

const VERSION_1: &[u8] = include_bytes!("../../data/session/v1.cantus");
/// Of the mix's samples, channel after channel, as another program read them out of the file.
const MIX: u64 = 0x6195_68ca_fafe_ed80;

/// FNV-1a.
fn hash(audio: &cantus_engine::audio::AudioBuffer) -> u64 {
    let bytes = audio.channels.iter().flatten().flat_map(|sample| sample.to_bits().to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

/// What is wrong with a session that was read from the golden file.
fn faults(session: &Session) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: &'static str| {
        if !holds {
            faults.push(what)
        }
    };
    let region = session.region();
    must(session.regions.len() == 1 && region.name == "Region 1" && !region.muted, "one region");
    must(session.prompt == "bossa nova" && session.direction.bars == Some(1), "what was asked for");
    must(region.edits.done.0.len() == 1 && region.edits.undone.len() == 1, "corrections");
    let keys: Vec<u8> = region.analysis.iter().flat_map(|analysis| &analysis.notes).map(|note| note.key).collect();
    must(keys == [57, 59, 59], "melody");
    let take = region.take.as_ref().and_then(|take| take.audio.unpack().ok());
    must(take.is_some_and(|take| take.rate == SampleRate(16_000) && take.channels.len() == 1), "take");
    let names: Vec<&str> = region.variations.iter().map(|variation| variation.facts.name.as_str()).collect();
    must(names == ["Jazz 1", "Jazz für später"], "names");
    must(region.variations.iter().all(|variation| variation.facts.score.is_some()), "notes");
    must(region.active == region.variations.first().map(|variation| variation.facts.id), "what plays");
    must(region.variations.iter().map(|variation| variation.facts.starred).eq([true, false]), "stars");
    let mixes: Vec<_> =
        region.variations.iter().map(|one| one.mix.as_ref().and_then(|mix| mix.unpack().ok())).collect();
    must(mixes.get(1).is_some_and(Option::is_none), "silence");
    must(
        mixes.first().is_some_and(|mix| mix.as_ref().is_some_and(|mix| mix.frames() == 22_688 && hash(mix) == MIX)),
        "sound",
    );
    faults
}

#[test]
fn a_session_of_version_1_is_migrated_and_sounds_the_same() {
    let _turn = turn();
    let session = Session::decode(VERSION_1).unwrap();
    assert_eq!(faults(&session), [""; 0]);
    // What would be wrong is seen.
    let mut spoiled = session.clone();
    spoiled.region_mut().active = None;
    spoiled.region_mut().edits.undone.clear();
    spoiled.region_mut().variations[0].mix = None;
    assert_eq!(faults(&spoiled), ["corrections", "what plays", "sound"]);
    // Saved by this version and read again: the same.
    assert_eq!(Session::decode(&session.encode().unwrap()).unwrap(), session);
    assert_eq!(Session::decode_text(&session.encode_text().unwrap()).unwrap(), session);

    // Opened, it plays what was saved, and corrected notes are the corrected ones.
    let instance = Instance::new(Arc::new(|_| {}));
    let _ends = instance.activate(SampleRate(8_000), 2, 512).unwrap();
    instance.restore(session).unwrap();
    let view = instance.view();
    let keys: Vec<u8> = view.analysis.unwrap().notes.iter().map(|note| note.key).collect();
    assert_eq!(keys, [57, 71, 59]);
    let VariationStatus::Ready(rendition) = &view.variations[0].status else { panic!("it plays at once") };
    assert_eq!(hash(&rendition.mix), MIX);
    assert_eq!(faults(&instance.session().unwrap()), [""; 0]);
}
