//! Drawing codes: which can come, how often, and always the same for a seed.

use cantus_engine::generation::musicgen::Sampling;
use cantus_engine::generation::musicgen::sampling::{guide, largest, sample};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Probabilities of eight codes, as logits. Codes 1 and 4 are equal.
const PROBABILITIES: [f32; 8] = [0.05, 0.2, 0.3, 0.02, 0.2, 0.13, 0.06, 0.04];

fn logits() -> Vec<f32> {
    PROBABILITIES.iter().map(|p| p.ln() + 3.0).collect()
}

/// How often each code comes in many draws.
fn shares(sampling: Sampling) -> [f32; 8] {
    const DRAWS: usize = 20_000;
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let mut counts = [0_u32; 8];
    (0..DRAWS).for_each(|_| counts[sample(&logits(), &sampling, &mut chance) as usize] += 1);
    counts.map(|count| count as f32 / DRAWS as f32)
}

/// Draws follow `weights`, scaled to probabilities: none where they are 0, else within four deviations.
fn check_shares(sampling: Sampling, weights: [f32; 8]) {
    let total: f32 = weights.iter().sum();
    for (code, (share, weight)) in shares(sampling).into_iter().zip(weights).enumerate() {
        let expected = weight / total;
        let deviation = (expected * (1.0 - expected) / 20_000.0).sqrt();
        assert!((share - expected).abs() <= 4.0 * deviation, "{sampling:?}: code {code} comes {share}, not {expected}");
    }
}

fn only(codes: &[usize]) -> [f32; 8] {
    std::array::from_fn(|code| if codes.contains(&code) { PROBABILITIES[code] } else { 0.0 })
}

#[test]
fn draws_follow_the_odds() {
    let all = Sampling { top_k: 0, ..Sampling::default() };
    check_shares(all, PROBABILITIES);
    check_shares(Sampling { top_k: 250, ..all }, PROBABILITIES);
    check_shares(Sampling { top_k: 1, ..all }, only(&[2]));
    // The second and third are equal: both stay, as in audiocraft.
    check_shares(Sampling { top_k: 2, ..all }, only(&[1, 2, 4]));
    check_shares(Sampling { top_k: 4, ..all }, only(&[1, 2, 4, 5]));
    // Kept while the sum before a code is not above p: 0, 0.3, 0.5, 0.7, 0.83.
    check_shares(Sampling { top_p: 0.6, ..all }, only(&[1, 2, 4]));
    check_shares(Sampling { top_p: 0.75, ..all }, only(&[1, 2, 4, 5]));
    // Top-p goes before top-k.
    check_shares(Sampling { top_p: 0.75, top_k: 1, ..all }, only(&[1, 2, 4, 5]));
    let sharper = PROBABILITIES.map(|p| p.powf(2.0));
    check_shares(Sampling { temperature: 0.5, ..all }, sharper);
}

#[test]
fn other_odds_are_found() {
    let all = Sampling { top_k: 0, ..Sampling::default() };
    let wrong = std::panic::catch_unwind(|| check_shares(Sampling { temperature: 0.5, ..all }, PROBABILITIES));
    assert!(wrong.is_err());
}

#[test]
fn no_temperature_takes_the_largest() {
    let greedy = Sampling { temperature: 0.0, ..Sampling::default() };
    check_shares(greedy, only(&[2]));
    assert_eq!(largest(&[0.5, 2.0, 2.0, f32::NAN]), 1);
}

#[test]
fn strange_logits_give_some_code() {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    for logits in [[f32::NAN; 4], [f32::NEG_INFINITY; 4], [f32::INFINITY; 4], [f32::MAX, f32::MIN, 0.0, 1.0]] {
        for sampling in [Sampling::default(), Sampling { top_p: 0.9, ..Sampling::default() }] {
            assert!(sample(&logits, &sampling, &mut chance) < 4);
        }
    }
}

#[test]
fn a_seed_gives_the_same_codes() {
    let draw = |seed| {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        (0..50).map(|_| sample(&logits(), &Sampling::default(), &mut chance)).collect::<Vec<_>>()
    };
    assert_eq!(draw(9), draw(9));
    assert_ne!(draw(9), draw(10));
}

#[test]
fn guidance_goes_past_the_condition() {
    let mut cond = [1.0, 2.0, -1.0];
    guide(&mut cond, &[0.5, 2.0, 1.0], 3.0);
    assert_eq!(cond, [2.0, 2.0, -5.0]);
}
