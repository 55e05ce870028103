//! Thread: worker. The entries of a reference file, each computed from the file's own inputs.

use super::{Bar, CheckReport, Entry, error_of, numbers};
use crate::analysis::chroma::{RATE, chroma, filters};
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::generation::musicgen::conditioning::{CLASSES, Frame, Melody as HeardMelody};
use crate::generation::musicgen::text::TextStates;
use crate::generation::musicgen::{AudioRequest, Melody, MusicGen, Sampling, failed, positions, unusable};
use crate::job_context::JobContext;
use crate::time::Seconds;
use candle_core::{DType, Device, IndexOp, Shape, Tensor};
use std::collections::HashMap;

/// States, prefixes and logits.
const STATES: Bar = Bar::Absolute(1e-4);
/// Chroma before its largest class is taken, and its filters.
const CHROMA: Bar = Bar::Absolute(1e-5);
/// Sound and what is inside the codec.
const SOUND: Bar = Bar::OfPeak(1e-5);
/// Two logits this near may change places by rounding.
const NEAR: f32 = 2e-4;

/// A check on its way.
pub struct Comparison<'a> {
    model: &'a MusicGen,
    reference: HashMap<String, Tensor>,
    /// What `text.input_ids` are the pieces of, when it is known.
    prompt: Option<String>,
    context: &'a JobContext,
    on_entry: &'a mut dyn FnMut(&Entry),
    pub report: CheckReport,
}

impl<'a> Comparison<'a> {
    pub fn new(
        model: &'a MusicGen,
        reference: HashMap<String, Tensor>,
        prompt: Option<String>,
        context: &'a JobContext,
        on_entry: &'a mut dyn FnMut(&Entry),
    ) -> Self {
        Self { model, reference, prompt, context, on_entry, report: CheckReport::default() }
    }

    pub fn run(&mut self) -> Result<()> {
        self.texts()?;
        self.chroma()?;
        self.positions()?;
        self.language_model()?;
        self.codec()?;
        self.greedy()?;
        let known = |name: &String| {
            self.report.computed.contains_key(name)
                || self.report.inputs.contains(name)
                || self.report.not_compared.contains(name)
        };
        let mut unknown: Vec<String> = self.reference.keys().filter(|name| !known(name)).cloned().collect();
        self.report.not_compared.append(&mut unknown);
        self.report.not_compared.sort();
        self.report.inputs.sort();
        self.report.inputs.dedup();
        Ok(())
    }

    /// Whether the reference has an entry.
    fn has(&self, name: &str) -> bool {
        self.reference.contains_key(name)
    }

    /// Names of entries that begin and end so, with what is between, in order.
    fn between(&self, start: &str, end: &str) -> Vec<String> {
        let middle = |name: &String| Some(name.strip_prefix(start)?.strip_suffix(end)?.to_owned());
        let mut found: Vec<String> = self.reference.keys().filter_map(middle).collect();
        found.sort();
        found
    }

    /// An entry as an input of others.
    fn input(&mut self, name: &str) -> Option<Tensor> {
        let tensor = self.reference.get(name)?.clone();
        if !self.report.computed.contains_key(name) {
            self.report.inputs.push(name.to_owned());
        }
        Some(tensor)
    }

    /// Rows of whole numbers: `[row][column]`, whatever stands before in the shape.
    fn whole_numbers(&mut self, name: &str) -> Result<Option<Vec<Vec<u32>>>> {
        let Some(tensor) = self.input(name) else { return Ok(None) };
        let last = tensor.dims().last().copied().unwrap_or(0);
        let flat = numbers(&tensor).map_err(failed)?;
        if last == 0 || flat.iter().any(|number| !(0.0..=1e9).contains(number)) {
            return Err(unusable(format!(
                "the reference's {name} is not what it should be: codes or pieces from 0 up"
            )));
        }
        Ok(Some(flat.chunks(last).map(|row| row.iter().map(|&number| number as u32).collect()).collect()))
    }

    /// A signal of 16 bits.
    fn signal(&mut self, name: &str) -> Result<Option<AudioBuffer>> {
        let Some(tensor) = self.input(&format!("chroma.{name}.wav_i16")) else { return Ok(None) };
        let samples = numbers(&tensor).map_err(failed)?;
        Ok(Some(AudioBuffer::mono(RATE, samples.into_iter().map(|sample| sample / 32_768.0).collect())))
    }

    /// Compares numbers in the order of the reference's shape.
    fn compare(&mut self, name: &str, got: Vec<f32>, bar: Bar) -> Result<()> {
        self.compare_with(name, got, bar, None)
    }

    fn compare_with(&mut self, name: &str, got: Vec<f32>, bar: Bar, note: Option<(f32, String)>) -> Result<()> {
        let Some(reference) = self.reference.get(name) else { return Ok(()) };
        let expected = numbers(reference).map_err(failed)?;
        let (error, note) = if got.len() == expected.len() {
            note.map_or_else(|| (error_of(&got, &expected, bar), None), |(error, note)| (error, Some(note)))
        } else {
            (f32::INFINITY, Some(format!("{} numbers instead of {}", got.len(), expected.len())))
        };
        let shape = if got.len() == expected.len() { reference.shape().clone() } else { Shape::from(got.len()) };
        let kind = if matches!(reference.dtype(), DType::I32 | DType::I64 | DType::U32) {
            reference.dtype()
        } else {
            DType::F32
        };
        let tensor =
            Tensor::from_vec(got, shape, &Device::Cpu).and_then(|tensor| tensor.to_dtype(kind)).map_err(failed)?;
        self.report.computed.insert(name.to_owned(), tensor);
        self.report.inputs.retain(|input| input != name);
        let entry = Entry { name: name.to_owned(), error, bar, note };
        (self.on_entry)(&entry);
        self.report.entries.push(entry);
        self.context.check()
    }

    fn compare_tensor(&mut self, name: &str, got: &Tensor, bar: Bar) -> Result<()> {
        self.compare(name, numbers(got).map_err(failed)?, bar)
    }

    fn texts(&mut self) -> Result<()> {
        if let (Some(prompt), true) = (self.prompt.clone(), self.has("text.input_ids")) {
            let ids = self.model.text_encoder().tokens(&prompt)?;
            self.compare("text.input_ids", ids.into_iter().map(|id| id as f32).collect(), Bar::Exact)?;
        }
        if let Some(states) = self.text_states("text")? {
            self.compare_tensor("text.t5_last_hidden_state", &states.hidden, STATES)?;
            if self.has("text.projected") {
                let chroma = self.model.config().chroma_length;
                let prefix = self.model.prefix_of(&HeardMelody::none().fitted(chroma), &states)?;
                self.compare_tensor("text.projected", &prefix.i((0, chroma..)).map_err(failed)?, STATES)?;
            }
        }
        if let Some(states) = self.text_states("text2")? {
            self.compare_tensor("text2.t5_last_hidden_state", &states.hidden, STATES)?;
        }
        Ok(())
    }

    /// The states of ids and, if there is one, mask.
    fn text_states(&mut self, name: &str) -> Result<Option<TextStates>> {
        let Some(ids) = self.whole_numbers(&format!("{name}.input_ids"))? else { return Ok(None) };
        let mask = self.whole_numbers(&format!("{name}.attention_mask"))?;
        let mask = mask.unwrap_or_else(|| ids.iter().map(|row| vec![1; row.len()]).collect());
        self.model.text_encoder().states(&ids, &mask, self.context).map(Some)
    }

    fn chroma(&mut self) -> Result<()> {
        for name in self.between("chroma.", ".wav_i16") {
            let Some(audio) = self.signal(&name)? else { continue };
            let soft: Vec<f32> = chroma(&audio.to_mono()).frames.into_iter().flatten().collect();
            self.compare(&format!("chroma.{name}.soft"), soft, CHROMA)?;
            let heard = HeardMelody::of_audio(&audio, self.context)?;
            let one_hot = heard.frames().iter().flatten().copied().collect();
            self.compare(&format!("chroma.{name}.onehot"), one_hot, Bar::Exact)?;
        }
        if let Some(columns) = self.reference.get("chroma.filters").and_then(|tensor| tensor.dims().last().copied()) {
            let columns = columns.min(filters()[0].len());
            let first = filters().iter().flat_map(|row| row[..columns].to_vec()).collect();
            self.compare("chroma.filters", first, CHROMA)?;
        }
        let sums = (0..filters()[0].len()).map(|column| filters().iter().map(|row| row[column]).sum()).collect();
        self.compare("chroma.filters_colsum", sums, CHROMA)
    }

    fn positions(&mut self) -> Result<()> {
        let width = self.model.config().decoder.hidden_size;
        for range in self.between("dec.positions_", "") {
            let ends = range.split_once('_').and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
            let Some((start, end)) = ends.filter(|(start, end): &(usize, usize)| start <= end && end - start < 1 << 16)
            else {
                continue;
            };
            let rows = (start..end).flat_map(|position| positions::position(position, width)).collect();
            self.compare(&format!("dec.positions_{range}"), rows, CHROMA)?;
        }
        Ok(())
    }

    /// The melody of signal `a`: from the signal where it is given, otherwise from its frames.
    fn melody(&mut self) -> Result<Option<Melody>> {
        if let Some(audio) = self.signal("a")? {
            return Ok(Some(Melody::Wave(audio)));
        }
        let Some(frames) = self.input("chroma.a.onehot") else { return Ok(None) };
        let frames: Vec<Frame> = numbers(&frames).map_err(failed)?.as_chunks::<CLASSES>().0.to_vec();
        Ok(Some(Melody::Frames(frames)))
    }

    /// The melody that entries of this name have: `None` when it is not known.
    fn melody_of(&mut self, name: &str) -> Result<Option<Melody>> {
        match name {
            "melody" => self.melody(),
            _ => Ok(Some(Melody::None)),
        }
    }

    /// The prefix of the reference's text and a melody.
    fn prefix(&mut self, melody: &Melody) -> Result<Option<Tensor>> {
        let Some(states) = self.text_states("text")? else { return Ok(None) };
        let frames = self.model.melody_frames(melody, None, self.context)?;
        self.model.prefix_of(&frames, &states).map(Some)
    }

    fn language_model(&mut self) -> Result<()> {
        let nothing = self.model.pattern();
        let ids = self.reference.get("dec.input_ids").and_then(|ids| ids.dims().last().copied());
        if let (Some(codes), Some(columns)) = (self.whole_numbers("dec.codes")?, ids) {
            let frames = codes[0].len();
            let laid: Vec<Vec<u32>> = (0..columns).map(|column| nothing.lay_out(&codes, column, frames)).collect();
            let rows = (0..codes.len()).flat_map(|row| laid.iter().map(move |column| column[row] as f32)).collect();
            self.compare("dec.input_ids", rows, Bar::Exact)?;
        }
        let ids = self.whole_numbers("dec.input_ids")?;
        for name in ["melody", "no_melody"] {
            let coefficients = self.between(&format!("dec.{name}.logits_cfg"), "");
            let wanted =
                [format!("prefix.{name}_cfg"), format!("dec.{name}.logits_cond"), format!("dec.{name}.logits_uncond")];
            if !wanted.iter().any(|name| self.has(name)) && coefficients.is_empty() {
                continue;
            }
            let Some(melody) = self.melody_of(name)? else { continue };
            let Some(prefix) = self.prefix(&melody)? else { continue };
            self.compare_tensor(&wanted[0], &prefix, STATES)?;
            let Some(ids) = &ids else { continue };
            let logits = self.model.logits(&prefix, &self.columns(ids)?, usize::MAX, self.context)?;
            self.compare_tensor(&wanted[1], &logits.cond, STATES)?;
            if let Some(uncond) = &logits.uncond {
                self.compare_tensor(&wanted[2], uncond, STATES)?;
            }
            for coefficient in coefficients {
                let Ok(number) = coefficient.parse() else { continue };
                let guided = logits.guided(number).map_err(failed)?;
                self.compare_tensor(&format!("dec.{name}.logits_cfg{coefficient}"), &guided, STATES)?;
            }
        }
        Ok(())
    }

    /// `[codebook][column]` as the columns that the model takes.
    fn columns(&self, ids: &[Vec<u32>]) -> Result<Vec<Vec<u32>>> {
        let decoder = &self.model.config().decoder;
        let known = ids.iter().flatten().all(|&id| id as usize <= decoder.vocab_size);
        if ids.len() != decoder.num_codebooks || !known {
            return Err(unusable(format!(
                "the reference's dec.input_ids has {} codebooks, the model {}. It is the reference of another model.",
                ids.len(),
                decoder.num_codebooks
            )));
        }
        Ok((0..ids[0].len()).map(|column| ids.iter().map(|row| row[column]).collect()).collect())
    }

    fn codec(&mut self) -> Result<()> {
        let codec = self.model.codec().clone();
        if let Some(codes) = self.whole_numbers("encodec.codes")? {
            let channels = codec.config().hidden_size;
            self.compare("encodec.quantized", channels_first(&codec.quantized(&codes)?, channels), SOUND)?;
            for layer in self.between("encodec.decoder.layer", "") {
                let Ok(index) = layer.parse::<usize>() else { continue };
                let name = format!("encodec.decoder.layer{layer}");
                let channels = self.reference[&name].dims().iter().rev().nth(1).copied().unwrap_or(1).max(1);
                let inside = codec.decoder_layers(&codes, index.saturating_add(1))?;
                self.compare(&name, channels_first(&inside, channels), SOUND)?;
            }
            let sound = codec.decode(&codes, self.context)?;
            self.compare("encodec.wav", sound, SOUND)?;
        }
        for name in ["a", "b"] {
            let [states, codes] = ["emb", "codes"].map(|what| format!("encodec.encode_{name}.{what}"));
            if !self.has(&states) && !self.has(&codes) {
                continue;
            }
            let Some(audio) = self.signal(name)? else { continue };
            let got = codec.embeddings(&audio.channels[0], self.context)?;
            self.compare(&states, channels_first(&got, codec.config().hidden_size), SOUND)?;
            let got = codec.encode(&audio.channels[0], self.context)?;
            self.compare(&codes, got.into_iter().flatten().map(|code| code as f32).collect(), Bar::Exact)?;
        }
        Ok(())
    }

    fn greedy(&mut self) -> Result<()> {
        for name in self.between("greedy.", ".codes") {
            let entry = |what: &str| format!("greedy.{name}.{what}");
            let Some((kind, coefficient)) = name.rsplit_once('_').and_then(|(kind, guidance)| {
                let coefficient =
                    if guidance == "nocfg" { 1.0 } else { guidance.strip_prefix("cfg")?.parse::<f32>().ok()? };
                Some((kind.to_owned(), coefficient))
            }) else {
                continue;
            };
            let (Some(melody), Some(text)) = (self.melody_of(&kind)?, self.text()?) else {
                let mine = ["codes", "min_top2_gap", "wav"].map(entry);
                self.report.not_compared.extend(mine.into_iter().filter(|name| self.reference.contains_key(name)));
                continue;
            };
            let Some(expected) = self.whole_numbers(&entry("codes"))? else { continue };
            let frames = expected[0].len();
            let request = AudioRequest {
                text,
                melody: melody.clone(),
                seconds: Seconds(frames as f64 / self.model.codec().config().frame_rate() as f64),
                seed: 0,
                sampling: Sampling { temperature: 0.0, cfg_coef: coefficient, ..Sampling::default() },
                continue_from: None,
            };
            let codes = self.model.generate_codes(&request, self.context)?;
            let Some(prefix) = self.prefix(&melody)? else { continue };
            let prefix = if coefficient > 1.0 { prefix } else { prefix.narrow(0, 0, 1).map_err(failed)? };
            let flat = codes.iter().flatten().map(|&code| code as f32).collect();
            let note = if codes == expected {
                None
            } else {
                // Whether rounding alone can have led elsewhere: then each code of the reference is as likely as the likeliest, after
                // those before it.
                let (_, worst) = self.choices(&prefix, &expected, coefficient)?;
                (worst <= NEAR).then(|| (0.0, "differs after two codes that are equally likely".to_owned()))
            };
            self.compare_with(&entry("codes"), flat, Bar::Exact, note)?;
            if self.has(&entry("min_top2_gap")) {
                let (gap, _) = self.choices(&prefix, &expected, coefficient)?;
                self.compare(&entry("min_top2_gap"), vec![gap], Bar::Absolute(NEAR))?;
            }
            if self.has(&entry("wav")) {
                let channels = self.model.channels();
                let sides: Vec<Vec<Vec<u32>>> =
                    (0..channels).map(|side| expected.iter().skip(side).step_by(channels).cloned().collect()).collect();
                let sides: Vec<&[Vec<u32>]> = sides.iter().map(Vec::as_slice).collect();
                let sound = self.model.codec().decode_lanes(&sides, self.context)?.concat();
                self.compare(&entry("wav"), sound, SOUND)?;
            }
        }
        Ok(())
    }

    /// The words of the reference: its prompt, or what its pieces spell.
    fn text(&mut self) -> Result<Option<String>> {
        let Some(ids) = self.whole_numbers("text.input_ids")? else { return Ok(None) };
        let encoder = self.model.text_encoder();
        let spelt = match &self.prompt {
            Some(prompt) => prompt.clone(),
            None => encoder.text_of(&ids[0])?,
        };
        Ok((encoder.tokens(&spelt)? == ids[0]).then_some(spelt))
    }

    /// Along the path of `codes` `[codebook][frame]`: the smallest distance of the two likeliest codes, and the largest distance of
    /// the code taken from the likeliest.
    fn choices(&self, prefix: &Tensor, codes: &[Vec<u32>], coefficient: f32) -> Result<(f32, f32)> {
        let pattern = self.model.pattern();
        let frames = codes[0].len();
        if codes.len() != pattern.codebooks {
            return Err(Error::internal("checking the model", "codes of another number of codebooks"));
        }
        let columns: Vec<Vec<u32>> =
            (0..pattern.columns(frames) - 1).map(|column| pattern.lay_out(codes, column, frames)).collect();
        let logits = self.model.logits(prefix, &columns, usize::MAX, self.context)?;
        let logits: Vec<Vec<Vec<f32>>> =
            logits.guided(coefficient).and_then(|logits| logits.to_vec3()).map_err(failed)?;
        let (mut gap, mut worst) = (f32::INFINITY, 0.0_f32);
        for (codebook, codes) in codes.iter().enumerate() {
            for (frame, &code) in codes.iter().enumerate() {
                let logits = &logits[codebook][pattern.column(codebook, frame) - 1];
                let mut sorted = logits.clone();
                sorted.sort_unstable_by(|a, b| b.total_cmp(a));
                gap = gap.min(sorted[0] - sorted[1]);
                worst = worst.max(sorted[0] - logits.get(code as usize).copied().unwrap_or(f32::NEG_INFINITY));
            }
        }
        Ok((gap, worst))
    }
}

/// `[moment · channels]` as the reference has it, `[channel · moments]`.
fn channels_first(data: &[f32], channels: usize) -> Vec<f32> {
    (0..channels).flat_map(|channel| data.iter().skip(channel).step_by(channels).copied()).collect()
}
