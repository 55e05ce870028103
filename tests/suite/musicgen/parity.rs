//! The language model against the reference: prefix, logits, greedy codes, and what the conditions change.

use super::{TINY, distance, reference, tiny};
use candle_core::Tensor;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::musicgen::{AudioRequest, Logits, Melody, MusicGen, Precision, Sampling};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{SampleRate, Seconds};
use std::collections::HashMap;

/// Largest absolute error of prefix and logits in 32 bits.
const TOLERANCE: f32 = 1e-4;
/// The prompt of the references.
const PROMPT: &str = "warm lofi piano with soft vinyl crackle and a slow swing beat";

fn load(name: &str) -> MusicGen {
    MusicGen::load(&tiny(name), Precision::F32, &JobContext::detached()).unwrap().0
}

/// A signal of the references, which only the mono model's carry.
pub fn signal(name: &str) -> AudioBuffer {
    let samples = reference("mono")[&format!("chroma.{name}.wav_i16")].to_vec1::<i16>().unwrap();
    AudioBuffer::mono(SampleRate(32_000), samples.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect())
}

/// A melody of the references' one-hot frames.
fn frames(reference: &HashMap<String, Tensor>, name: &str) -> Melody {
    let rows = reference[&format!("chroma.{name}.onehot")].squeeze(0).unwrap().to_vec2::<f32>().unwrap();
    Melody::Frames(rows.into_iter().map(|row| row.try_into().unwrap()).collect())
}

/// `[codebook][column]` of the references as the columns that the model takes.
fn columns(ids: &Tensor) -> Vec<Vec<u32>> {
    ids.to_dtype(candle_core::DType::U32).unwrap().t().unwrap().to_vec2::<u32>().unwrap()
}

fn request(melody: Melody, frames: usize, coefficient: f32) -> AudioRequest {
    AudioRequest {
        text: PROMPT.into(),
        melody,
        seconds: Seconds(frames as f64 / 50.0),
        seed: 0,
        sampling: Sampling { temperature: 0.0, cfg_coef: coefficient, ..Sampling::default() },
        continue_from: None,
    }
}

fn logits(model: &MusicGen, text: &str, melody: &Melody, columns: &[Vec<u32>]) -> Logits {
    let context = JobContext::detached();
    let prefix = model.prefix(text, melody, &context).unwrap();
    model.logits(&prefix, columns, usize::MAX, &context).unwrap()
}

fn check_near(what: &str, mine: &Tensor, theirs: &Tensor) {
    let far = distance(mine, theirs);
    assert!(far <= TOLERANCE, "{what} is {far} away from the reference");
}

#[test]
fn the_prefix_is_the_references() {
    for name in TINY {
        let (model, reference) = (load(name), reference(name));
        let context = JobContext::detached();
        for (melody, entry) in [(Melody::Wave(signal("a")), "melody"), (Melody::None, "no_melody")] {
            let prefix = model.prefix(PROMPT, &melody, &context).unwrap();
            check_near(entry, &prefix, &reference[&format!("prefix.{entry}_cfg")]);
        }
        let by_frames = model.prefix(PROMPT, &frames(&reference, "a"), &context).unwrap();
        check_near("melody by frames", &by_frames, &reference["prefix.melody_cfg"]);
        check_near(
            "text",
            &model.projected_text(PROMPT, &context).unwrap(),
            &reference["text.projected"].get(0).unwrap(),
        );
    }
}

#[test]
fn logits_are_the_references() {
    for name in TINY {
        let (model, reference) = (load(name), reference(name));
        let columns = columns(&reference["dec.input_ids"]);
        for (melody, entry) in [(Melody::Wave(signal("a")), "melody"), (Melody::None, "no_melody")] {
            let logits = logits(&model, PROMPT, &melody, &columns);
            let entry = |kind: &str| &reference[&format!("dec.{entry}.logits_{kind}")];
            check_near("cond", &logits.cond, entry("cond"));
            check_near("uncond", logits.uncond.as_ref().unwrap(), entry("uncond"));
            let guided = ((entry("cond") - entry("uncond")).unwrap() * 3.0 + entry("uncond")).unwrap();
            check_near("guided", &logits.guided(3.0).unwrap(), &guided);
            if name == "mono" {
                check_near("cfg3", &logits.guided(3.0).unwrap(), entry("cfg3"));
            }
        }
    }
}

#[test]
fn steps_through_the_cache_are_the_full_pass() {
    for name in TINY {
        let (model, reference) = (load(name), reference(name));
        let columns = columns(&reference["dec.input_ids"]);
        let context = JobContext::detached();
        let prefix = model.prefix(PROMPT, &Melody::Wave(signal("a")), &context).unwrap();
        let whole = model.logits(&prefix, &columns, usize::MAX, &context).unwrap();
        for at_once in [1, 7, 64] {
            let stepped = model.logits(&prefix, &columns, at_once, &context).unwrap();
            let far = distance(&stepped.cond, &whole.cond)
                .max(distance(stepped.uncond.as_ref().unwrap(), whole.uncond.as_ref().unwrap()));
            assert!(far <= 1e-5, "{name} in steps of {at_once}: {far}");
        }
    }
}

#[test]
fn greedy_codes_are_the_references() {
    for name in TINY {
        let (model, reference) = (load(name), reference(name));
        let melody = || Melody::Wave(signal("a"));
        for (entry, melody, coefficient) in
            [("melody_cfg3", melody(), 3.0), ("text_cfg3", Melody::None, 3.0), ("melody_nocfg", melody(), 1.0)]
        {
            let expected = &reference[&format!("greedy.{entry}.codes")];
            let frames = expected.dim(1).unwrap();
            let codes = model.generate_codes(&request(melody, frames, coefficient), &JobContext::detached()).unwrap();
            let expected = expected.to_dtype(candle_core::DType::U32).unwrap().to_vec2::<u32>().unwrap();
            assert_eq!(codes, expected, "{name} {entry}");
        }
    }
}

#[test]
fn the_sound_of_greedy_codes_is_the_references() {
    for name in TINY {
        let (model, reference) = (load(name), reference(name));
        let expected = &reference["greedy.melody_cfg3.wav"];
        let mut pieces: Vec<Vec<f32>> = vec![Vec::new(); model.channels()];
        let request = request(Melody::Wave(signal("a")), 32, 3.0);
        let audio = model
            .generate(&request, &JobContext::detached(), &mut |piece| {
                pieces.iter_mut().zip(&piece.channels).for_each(|(all, new)| all.extend(new));
            })
            .unwrap();
        assert_eq!(pieces, audio.channels, "the stretches are not the whole");
        let audio = Tensor::new(audio.channels, &candle_core::Device::Cpu).unwrap();
        let peak = expected.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        let far = distance(&audio, expected) / peak;
        assert!(far <= 1e-5, "{name}: {far} of the peak");
    }
}
