//! Thread: worker. What must hold for any checkpoint of MusicGen-melody, whatever its weights.

use super::{Bar, CheckReport, Entry, error_of, numbers};
use crate::error::Result;
use crate::generation::musicgen::{Melody, MusicGen, failed};
use crate::job_context::JobContext;
use candle_core::Tensor;

/// Frames of the codes that are looked at.
const FRAMES: usize = 12;
/// Two conditions that differ must differ by more than rounding in what the model says.
const MATTERS: Bar = Bar::Beyond(1e-3);
/// Ways of computing the same, relative to the largest number.
const SAME: Bar = Bar::OfPeak(1e-4);

/// Runs the check.
pub fn check(model: &MusicGen, context: &JobContext, on_entry: &mut dyn FnMut(&Entry)) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    let mut tell = |name: &str, got: &[f32], expected: &[f32], bar: Bar| {
        let entry = Entry { name: name.to_owned(), error: error_of(got, expected, bar), bar, note: None };
        on_entry(&entry);
        report.entries.push(entry);
    };

    let pattern = model.pattern();
    let decoder = &model.config().decoder;
    let codes: Vec<Vec<u32>> = (0..decoder.num_codebooks)
        .map(|codebook| (0..FRAMES).map(|frame| ((codebook * 977 + frame * 131) % decoder.vocab_size) as u32).collect())
        .collect();
    let columns: Vec<Vec<u32>> = (0..FRAMES).map(|column| pattern.lay_out(&codes, column, FRAMES)).collect();
    // Other words in as many pieces: another length alone would move everything behind it.
    let words = model.text_encoder().tokens("slow piano")?;
    let mut other = model.text_encoder().tokens("fast techno drums")?;
    let end = other.pop().unwrap_or_default();
    let other: Vec<u32> =
        other.into_iter().filter(|id| !words.contains(id)).cycle().take(words.len() - 1).chain([end]).collect();
    let logits = |words: &[u32], melody: &Melody, at_once: usize| {
        let states = model.text_encoder().states(&[words.to_vec()], &[vec![1; words.len()]], context)?;
        let prefix = model.prefix_of(&model.melody_frames(melody, None, context)?, &states)?;
        model.logits(&prefix, &columns, at_once, context)
    };
    let flat = |tensor: &Tensor| numbers(tensor).map_err(failed);

    let scale: Vec<[f32; 12]> = (0..24).map(|frame| one_hot([7, 9, 11, 2][frame / 6])).collect();
    let tune = Melody::Frames(scale);
    let both = logits(&words, &tune, usize::MAX)?;
    let (cond, uncond) = (flat(&both.cond)?, flat(both.uncond.as_ref().unwrap_or(&both.cond))?);
    let not_finite = cond.iter().chain(&uncond).filter(|logit| !logit.is_finite()).count() as f32;
    tell("logits are numbers", &[not_finite], &[0.0], Bar::Exact);
    tell("conditions matter against none", &cond, &uncond, MATTERS);
    let other_words = flat(&logits(&other, &tune, usize::MAX)?.cond)?;
    tell("the words matter", &cond, &other_words, MATTERS);
    let no_melody = flat(&logits(&words, &Melody::None, usize::MAX)?.cond)?;
    tell("the melody matters", &cond, &no_melody, MATTERS);
    let stepped = flat(&logits(&words, &tune, 16)?.cond)?;
    tell("steps through the cache equal the whole", &stepped, &cond, SAME);

    let codec = model.codec();
    let side: Vec<Vec<u32>> = codes.iter().step_by(model.channels()).cloned().collect();
    let sound = codec.decode(&side, context)?;
    let length = (FRAMES * codec.config().samples_per_frame()) as f32;
    tell("sound has the length of its codes", &[sound.len() as f32], &[length], Bar::Exact);
    let mut stream = codec.decode_stream();
    let mut pieces = Vec::new();
    for frame in 0..FRAMES {
        let piece: Vec<Vec<u32>> = side.iter().map(|codes| vec![codes[frame]]).collect();
        pieces.extend(stream.push(&piece)?);
    }
    pieces.extend(stream.finish()?);
    tell("sound in pieces equals the whole", &pieces, &sound, SAME);
    if codec.can_encode() {
        let again = codec.encode(&sound, context)?;
        let frames: Vec<f32> = again.iter().map(|codes| codes.len() as f32).collect();
        tell("sound becomes codes again", &frames, &vec![FRAMES as f32; side.len()], Bar::Exact);
    }
    Ok(report)
}

fn one_hot(class: usize) -> [f32; 12] {
    std::array::from_fn(|index| if index == class { 1.0 } else { 0.0 })
}
