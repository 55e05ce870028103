//! Reading sound sets: the built-in one whole, broken ones with a sentence.

use super::file::OneSine;
use cantus_engine::generation::score::Preset;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::sampler::sound_set::SoundSet;
use cantus_engine::rendition::sampler::{NoteShape, Sampler};
use cantus_engine::time::SampleRate;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::borrow::Cow;

fn small() -> Vec<u8> {
    OneSine { rate: 22_050, hz: 440.0, key: 69, values: vec![(8, 9_000), (38, -3_000), (17, 120)] }.file()
}

/// Reads a file and plays what it holds; whether it could be read.
fn check_survives(file: Vec<u8>) -> bool {
    let Ok(set) = SoundSet::read(Cow::Owned(file)) else { return false };
    // The sampler wants a set for good; these are small and few.
    let set: &'static SoundSet = Box::leak(Box::new(set));
    let sampler = Sampler::with(set, SampleRate(8_000)).expect("a sampler");
    for preset in set.presets().collect::<Vec<_>>() {
        let shape = NoteShape { preset, key: 64, velocity: 90, held: Some(400) };
        let sound = sampler.play(shape, &[], &JobContext::detached()).expect("a note");
        assert!(sound.channels[0].iter().all(|sample| sample.is_finite()), "not finite");
    }
    true
}

#[test]
fn the_built_in_set_is_whole() {
    let set = SoundSet::embedded().expect("the set");
    let regions: Vec<usize> = set.presets().map(|preset| set.regions(preset).len()).collect();
    assert_eq!(regions.len(), 63);
    assert!(regions.iter().all(|count| *count > 0), "{regions:?}");
    assert_eq!(regions.iter().sum::<usize>(), 2_446, "a region was dropped");
    assert_eq!(set.struck(Preset { bank: 99, program: 0 }, 60, 100).count(), 0);
}

#[test]
fn a_file_cut_short_is_told_so() {
    let whole = small();
    assert!(check_survives(whole.clone()));
    for length in (0..whole.len() - 1).step_by(97).chain(whole.len() - 700..whole.len() - 1) {
        assert!(!check_survives(whole[..length].to_vec()), "{length} of {} bytes were taken for a set", whole.len());
    }
    let error = SoundSet::read(Cow::Borrowed(b"RIFF\x10\0\0\0sfbkLIST")).expect_err("no set").to_string();
    assert!(error.contains("reading the sound set"), "{error}");
}

#[test]
fn a_hostile_file_does_no_harm() {
    let whole = small();
    let mut dice = ChaCha8Rng::seed_from_u64(4);
    let tables = whole.len() - 700;
    let mut survived = 0;
    for _ in 0..400 {
        let mut file = whole.clone();
        for _ in 0..1 + dice.next_u32() % 4 {
            // The tables are where lies do harm; now and then the head of the file.
            let at = if dice.next_u32() % 5 == 0 {
                dice.next_u32() as usize % 120
            } else {
                tables + dice.next_u32() as usize % 700
            };
            file[at] = dice.next_u32() as u8;
        }
        survived += usize::from(check_survives(file));
    }
    // Most lies are about names and tunings: they play, only otherwise.
    assert!((50..400).contains(&survived), "{survived} of 400 could be read");
}
