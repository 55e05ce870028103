//! What playing a sample at another rate adds to it: images above, and what folds back from below.

use super::file::OneSine;
use super::oracle;
use super::{RATE, amplitude_at, db};
use cantus_engine::generation::score::Preset;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::sampler::sound_set::SoundSet;
use cantus_engine::rendition::sampler::{NoteShape, Sampler};
use cantus_engine::time::SampleRate;
use std::borrow::Cow;

/// Amplitudes at frequencies when a set's sine is played at a key: by the sampler, and by linear interpolation.
fn amplitudes<const N: usize>(sine: &OneSine, key: u8, hz: [f64; N]) -> [[f64; N]; 2] {
    let file = sine.file();
    let set: &'static SoundSet = Box::leak(Box::new(SoundSet::read(Cow::Owned(file.clone())).expect("a set")));
    let sampler = Sampler::with(set, SampleRate(RATE)).expect("a sampler");
    let shape = NoteShape { preset: Preset { bank: 0, program: 0 }, key, velocity: 127, held: Some(u64::from(RATE)) };
    let own = sampler.play(shape, &[], &JobContext::detached()).expect("a note").channels.remove(0);
    let linear = oracle::played_from(&file, key, 127, 1.0, RATE);
    [own, linear].map(|sound| hz.map(|hz| amplitude_at(&sound[4_800..38_400], hz, RATE)))
}

/// The frequency that a sine of the written set really has: whole periods in its loop.
fn exact(hz: f64, rate: f64) -> f64 {
    (hz * 8_192.0 / rate).round() * rate / 8_192.0
}

#[test]
fn images_of_a_slow_sample_are_far_below_linear_ones() {
    // A sine at 0.15 and 0.3 of a rate that the set uses a lot: an image lies as far over the rate as the sine lies under it.
    for (hz, limit, gain) in [(1_800.0, -65.0, 30.0), (3_600.0, -30.0, 12.0)] {
        let sine = OneSine { rate: 12_000, hz, key: 60, values: vec![] };
        let hz = exact(hz, 12_000.0);
        let [own, linear] = amplitudes(&sine, 60, [hz, 12_000.0 - hz]).map(|[wanted, image]| db(image / wanted));
        println!("image of {hz:.0} Hz at a rate of 12000 Hz: own {own:.1} dB, linear {linear:.1} dB");
        assert!(own < limit && own < linear - gain, "{hz} Hz: {own} dB, linear {linear} dB");
    }
}

#[test]
fn a_sample_sped_up_does_not_fold_back() {
    // 16 kHz at 44.1 kHz, an octave up: 32 kHz folds back to 16 kHz; 4 kHz becomes 8 kHz and stays.
    let folds = OneSine { rate: 44_100, hz: 16_000.0, key: 60, values: vec![] };
    let stays = OneSine { rate: 44_100, hz: 4_000.0, key: 60, values: vec![] };
    let folded = amplitudes(&folds, 72, [48_000.0 - 2.0 * exact(16_000.0, 44_100.0)]);
    let kept = amplitudes(&stays, 72, [2.0 * exact(4_000.0, 44_100.0)]);
    let [own, linear] = [0, 1].map(|player| db(folded[player][0] / kept[player][0]));
    println!("folded back: own {own:.1} dB, linear {linear:.1} dB");
    assert!(own < -40.0 && linear > -12.0, "{own} dB, linear {linear} dB");
}
