//! Thread: main. How far a quantised model's words are from the exact one's: over the same columns, behind the same prefix.

use crate::arguments::Arguments;
use cantus_engine::generation::musicgen::{Melody, MusicGen};
use cantus_engine::job_context::JobContext;

/// Columns compared.
const COLUMNS: usize = 48;

/// Keeps the logits of this model, or compares them with those of another.
pub fn run(model: &MusicGen, arguments: &Arguments) -> Result<(), String> {
    if arguments.write.is_none() && arguments.against.is_none() {
        return Ok(());
    }
    let mine = logits(model).map_err(|error| error.to_string())?;
    if let Some(path) = &arguments.write {
        let bytes: Vec<u8> = mine.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(path, bytes).map_err(|error| format!("Cannot write {}: {error}.", path.display()))?;
    }
    if let Some(path) = &arguments.against {
        let bytes = std::fs::read(path).map_err(|error| format!("Cannot read {}: {error}.", path.display()))?;
        let exact: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if exact.len() != mine.len() {
            return Err("The kept logits are of another model.".to_owned());
        }
        let codes = model.config().decoder.vocab_size;
        let half = exact.len() / 2;
        compare("without guidance", &exact[..half], &mine[..half], codes);
        compare("guidance 3", &exact[half..], &mine[half..], codes);
    }
    Ok(())
}

/// Conditional logits, then guided ones, `[codebook][column][code]` each.
fn logits(model: &MusicGen) -> cantus_engine::Result<Vec<f32>> {
    let context = JobContext::detached();
    let decoder = &model.config().decoder;
    // Codes of no meaning, the same for every precision.
    let columns: Vec<Vec<u32>> = (0..COLUMNS)
        .map(|column| {
            let code = |k: usize| ((column * 2_654_435_761 + k * 40_503) >> 4) % decoder.vocab_size;
            (0..decoder.num_codebooks).map(|k| code(k) as u32).collect()
        })
        .collect();
    let melody =
        Melody::Frames((0..235).map(|frame| std::array::from_fn(|class| f32::from(class == frame / 9 % 12))).collect());
    let prefix = model.prefix(crate::TEXT, &melody, &context)?;
    let logits = model.logits(&prefix, &columns, 64, &context)?;
    let failed = |_| cantus_engine::Error::Cancelled;
    let flat = |tensor: Result<_, _>| tensor.map_err(failed);
    let mut all = flat(logits.cond.flatten_all().and_then(|all| all.to_vec1::<f32>()))?;
    all.extend(flat(logits.guided(3.0).and_then(|all| all.flatten_all()?.to_vec1::<f32>()))?);
    Ok(all)
}

fn compare(what: &str, exact: &[f32], other: &[f32], codes: usize) {
    let (mut divergence, mut worst, mut same, mut count) = (0.0_f64, 0.0_f64, 0, 0);
    let (mut entropy, mut square, mut energy) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (exact, other) in exact.chunks_exact(codes).zip(other.chunks_exact(codes)) {
        let (p, q) = (log_softmax(exact), log_softmax(other));
        let here: f64 = p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum();
        entropy -= p.iter().map(|p| p.exp() * p).sum::<f64>();
        divergence += here;
        worst = worst.max(here);
        same += usize::from(largest(exact) == largest(other));
        count += 1;
        let mean: f64 = exact.iter().map(|&value| f64::from(value)).sum::<f64>() / codes as f64;
        for (exact, other) in exact.iter().zip(other) {
            square += f64::from(exact - other).powi(2);
            energy += (f64::from(*exact) - mean).powi(2);
        }
    }
    let n = f64::from(count);
    println!(
        "{what}: divergence from exact {:.5} nats on average, {worst:.5} at most (entropy {:.2}); the likeliest code is the same in {:.1} % of {count}; error of logits {:.4} of their deviation",
        divergence / n,
        entropy / n,
        100.0 * same as f64 / n,
        (square / energy).sqrt()
    );
}

fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|&logit| f64::from(logit - top).exp()).sum();
    logits.iter().map(|&logit| f64::from(logit - top) - total.ln()).collect()
}

fn largest(logits: &[f32]) -> usize {
    (0..logits.len()).fold(0, |best, code| if logits[code] > logits[best] { code } else { best })
}
