//! The language model against the reference: prefix, logits, greedy codes, and what the conditions change.

use super::{TINY, distance, reference, tiny};
use candle_core::Tensor;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::musicgen::{
    AudioRequest, DeviceChoice, LoadOptions, Logits, Melody, MusicGen, Precision, Sampling,
};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{SampleRate, Seconds};
use std::collections::HashMap;

/// Largest absolute error of prefix and logits in 32 bits.
const TOLERANCE: f32 = 1e-4;
/// The prompt of the references.
const PROMPT: &str = "warm lofi piano with soft vinyl crackle and a slow swing beat";

/// Our own loops, and the tensor operations that graphics processors run.
const DEVICES: [DeviceChoice; 2] = [DeviceChoice::Cpu, DeviceChoice::CpuTensors];

fn load(name: &str) -> MusicGen {
    load_on(name, DeviceChoice::Cpu, Precision::F32)
}

pub fn load_on(name: &str, device: DeviceChoice, precision: Precision) -> MusicGen {
    let options = LoadOptions { device, precision, ..LoadOptions::default() };
    MusicGen::load_with(&tiny(name), &options, &JobContext::detached()).unwrap().0
}

/// Every tiny model on every device.
fn everywhere() -> impl Iterator<Item = (&'static str, MusicGen)> {
    TINY.into_iter().flat_map(|name| DEVICES.map(|device| (name, load_on(name, device, Precision::F32))))
}

/// A signal of the references, which only the mono model's carry.
pub fn signal(name: &str) -> AudioBuffer {
    let samples = reference("mono")[&format!("chroma.{name}.wav_i16")].to_vec1::<i16>().unwrap();
    AudioBuffer::mono(SampleRate(32_000), samples.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect())
}

/// A melody of the references' one-hot frames.
pub fn frames(reference: &HashMap<String, Tensor>, name: &str) -> Melody {
    let rows = reference[&format!("chroma.{name}.onehot")].squeeze(0).unwrap().to_vec2::<f32>().unwrap();
    Melody::Frames(rows.into_iter().map(|row| row.try_into().unwrap()).collect())
}

/// `[codebook][column]` of the references as the columns that the model takes.
fn columns(ids: &Tensor) -> Vec<Vec<u32>> {
    ids.to_dtype(candle_core::DType::U32).unwrap().t().unwrap().to_vec2::<u32>().unwrap()
}

/// The columns that the references' logits are of.
pub fn reference_columns(reference: &HashMap<String, Tensor>) -> Vec<Vec<u32>> {
    columns(&reference["dec.input_ids"])
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

pub fn logits(model: &MusicGen, text: &str, melody: &Melody, columns: &[Vec<u32>]) -> Logits {
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
    for (name, model) in everywhere() {
        let reference = reference(name);
        let columns = reference_columns(&reference);
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
    for (name, model) in everywhere() {
        let reference = reference(name);
        let columns = reference_columns(&reference);
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
    for (name, model) in everywhere() {
        let reference = reference(name);
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

/// Codes of a greedy piece of 30 s. Where the reference's two best logits lie nearer than rounding, either may follow; nowhere else.
fn check_long_greedy(name: &str, model: &MusicGen) {
    let more = more_reference(name);
    let expected = &more["long_greedy.codes"].to_dtype(candle_core::DType::U32).unwrap().to_vec2::<u32>().unwrap();
    let frames = expected[0].len();
    let melody = Melody::Wave(signal("a"));
    let codes = model.generate_codes(&request(melody.clone(), frames, 3.0), &JobContext::detached()).unwrap();
    let gap = more["long_greedy.min_top2_gap"].to_vec1::<f32>().unwrap()[0];
    if gap > TOLERANCE {
        assert_eq!(&codes, expected, "{name}");
        return;
    }
    let pattern = model.pattern();
    let columns: Vec<Vec<u32>> = (0..pattern.columns(frames)).map(|at| pattern.lay_out(expected, at, frames)).collect();
    let guided = logits(model, PROMPT, &melody, &columns).guided(3.0).unwrap().to_vec3::<f32>().unwrap();
    let mut first_near = frames;
    for (codebook, codes) in expected.iter().enumerate() {
        for (frame, &code) in codes.iter().enumerate() {
            let logits = &guided[codebook][pattern.column(codebook, frame) - 1];
            let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let second = logits.iter().copied().filter(|&logit| logit < best).fold(f32::NEG_INFINITY, f32::max);
            assert!(best - logits[code as usize] <= TOLERANCE, "{name}: codebook {codebook}, frame {frame}");
            if best - second <= TOLERANCE {
                first_near = first_near.min(frame);
            }
        }
    }
    for (mine, theirs) in codes.iter().zip(expected) {
        let before = first_near.saturating_sub(pattern.longest_delay());
        assert_eq!(mine[..before], theirs[..before], "{name}, before the first near tie");
    }
}

fn more_reference(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(tiny(name).join("more_reference.safetensors"), &candle_core::Device::Cpu).unwrap()
}

#[test]
fn a_greedy_piece_of_thirty_seconds_is_the_references() {
    everywhere().for_each(|(name, model)| check_long_greedy(name, &model));
}

/// Melodies and texts of the references, by name.
const CONDITIONS: [(&str, &str); 6] =
    [("a", "a"), ("b", "a"), ("none", "a"), ("a", "b"), ("a", "none"), ("none", "none")];

/// For every pair of conditions, how far the difference of the logits is from the reference's, at most.
fn worst_difference(
    name: &str,
    model: &MusicGen,
    mut logits_of: impl FnMut(&MusicGen, &str, &Melody, &[Vec<u32>]) -> Logits,
) -> f32 {
    let (reference, more) = (reference(name), more_reference(name));
    let columns = reference_columns(&reference);
    let pairs: Vec<(Tensor, Tensor)> = CONDITIONS
        .into_iter()
        .map(|(melody, text)| {
            let heard = match melody {
                "none" => Melody::None,
                name => frames(&reference, name),
            };
            let words = match text {
                "a" => PROMPT,
                "b" => "solo violin",
                _ => "",
            };
            let cond = logits_of(model, words, &heard, &columns).cond;
            let theirs = more[&format!("conditions.melody_{melody}.text_{text}.cond")].clone();
            let last = theirs.dim(1).unwrap();
            (cond.narrow(1, columns.len() - last, last).unwrap(), theirs)
        })
        .collect();
    let mut worst = 0.0_f32;
    for (index, (mine, theirs)) in pairs.iter().enumerate() {
        for (other_mine, other_theirs) in &pairs[..index] {
            worst = worst.max(distance(&(mine - other_mine).unwrap(), &(theirs - other_theirs).unwrap()));
        }
    }
    worst
}

#[test]
fn conditions_change_the_logits_as_in_the_reference() {
    for (name, model) in everywhere() {
        let worst = worst_difference(name, &model, logits);
        assert!(worst <= TOLERANCE, "{name}: {worst}");
    }
}

#[test]
fn a_dropped_condition_is_found() {
    let context = JobContext::detached();
    for name in TINY {
        let model = load(name);
        let without_melody =
            worst_difference(name, &model, |model, text, _, columns| logits(model, text, &Melody::None, columns));
        let without_text =
            worst_difference(name, &model, |model, _, melody, columns| logits(model, "", melody, columns));
        // The fault that the reference itself once had: no prefix at all.
        let without_prefix = worst_difference(name, &model, |model, text, melody, columns| {
            let prefix = model.prefix(text, melody, &context).unwrap().narrow(1, 0, 0).unwrap();
            model.logits(&prefix, columns, usize::MAX, &context).unwrap()
        });
        for worst in [without_melody, without_text, without_prefix] {
            assert!(worst > 100.0 * TOLERANCE, "{name}: {worst}");
        }
    }
}

#[test]
fn positions_are_the_references() {
    for name in TINY {
        let reference = reference(name);
        for (entry, first) in [("dec.positions_0_4", 0), ("dec.positions_1000_1004", 1000)] {
            let expected = reference[entry].to_vec2::<f32>().unwrap();
            for (offset, expected) in expected.iter().enumerate() {
                let mine = cantus_engine::generation::musicgen::positions::position(first + offset, expected.len());
                let far = mine.iter().zip(expected).fold(0.0_f32, |far, (a, b)| far.max((a - b).abs()));
                assert!(far <= 1e-5, "position {}: {far}", first + offset);
            }
        }
    }
}
