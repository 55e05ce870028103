//! Thread: worker. The generation loop: windows, columns, codes, and sound as soon as frames are complete.

use super::conditioning::{Frame, MelodySource};
use super::delay_pattern::DelayPattern;
use super::kv_cache::KvCache;
use super::prefix::{PrefixRows, STATES_AT_ONCE, no_melody};
use super::sampling::{guide, sample};
use super::sound::Sound;
use super::text::TextStates;
use super::{AudioRequest, Melody, MusicGen, Sampling, failed, unusable};
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::job_context::{JobContext, Stage};
use crate::resample::resample_in;
use crate::time::Seconds;
use candle_core::Tensor;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Seconds that the model was trained on: one window.
const WINDOW: Seconds = Seconds(30.0);
/// From one window to the next; the rest of the window is the next one's beginning.
const STRIDE: Seconds = Seconds(18.0);
/// Longest piece. Longer ones would only cost memory that nothing else bounds.
const LONGEST: Seconds = Seconds(3600.0);
/// Variations made at once: with guidance four rows, which candle's kernels serve with one reading of the weights.
const LANES: usize = 2;

/// One variation on its way.
struct Lane {
    /// `[codebook][frame]` of the whole piece, as far as they are known.
    codes: Vec<Vec<u32>>,
    chance: ChaCha8Rng,
}

/// What all variations of a request share.
struct Piece<'a> {
    request: &'a AudioRequest,
    text: TextStates,
    pattern: DelayPattern,
    frames: usize,
    window: usize,
    stride: usize,
    frame_rate: f64,
}

impl MusicGen {
    pub(super) fn generate_lanes(
        &self,
        request: &AudioRequest,
        seeds: &[u64],
        context: &JobContext,
        on_audio: &mut dyn FnMut(usize, &AudioBuffer),
    ) -> Result<Vec<AudioBuffer>> {
        let (piece, beginning) = self.begin(request, context)?;
        let frames = piece.frames;
        let mut whole = Vec::with_capacity(seeds.len());
        for (group, group_seeds) in seeds.chunks(LANES).enumerate() {
            let done = group * LANES;
            let share = |fraction: f32| (done as f32 + fraction * group_seeds.len() as f32) / seeds.len() as f32;
            let lane = |&seed: &u64| Lane { codes: beginning.clone(), chance: ChaCha8Rng::seed_from_u64(seed) };
            let mut lanes: Vec<Lane> = group_seeds.iter().map(lane).collect();
            let mut sound = Sound::new(&self.codec, lanes.len(), self.channels(), done, on_audio);
            self.run_windows(&piece, &mut lanes, context, &mut |lanes, complete| {
                context.progress(Stage::Generation, share(complete as f32 / frames as f32))?;
                let codes: Vec<&[Vec<u32>]> = lanes.iter().map(|lane| lane.codes.as_slice()).collect();
                sound.take(&codes, complete, complete == frames, context)
            })?;
            whole.extend(sound.finish(context)?);
        }
        Ok(whole)
    }

    /// The codes `[codebook][frame]` of a request, without their sound. For comparing; otherwise as [`Self::generate`].
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn generate_codes(&self, request: &AudioRequest, context: &JobContext) -> Result<Vec<Vec<u32>>> {
        let (piece, beginning) = self.begin(request, context)?;
        let mut lanes = vec![Lane { codes: beginning, chance: ChaCha8Rng::seed_from_u64(request.seed) }];
        self.run_windows(&piece, &mut lanes, context, &mut |_, _| Ok(()))?;
        Ok(lanes.pop().map(|lane| lane.codes).unwrap_or_default())
    }

    /// Checks a request, and does what all its variations share; returns the codes it begins with, too.
    fn begin<'a>(&self, request: &'a AudioRequest, context: &JobContext) -> Result<(Piece<'a>, Vec<Vec<u32>>)> {
        request.sampling.check()?;
        let frame_rate = self.codec.config().frame_rate() as f64;
        // A length computed from bars may lie a rounding error under whole frames.
        let frames = (request.seconds.0 * frame_rate + 1e-6).floor();
        if !(frames >= 1.0 && request.seconds.0 <= LONGEST.0) {
            return Err(Error::OutOfRange {
                what: "The length of the music",
                got: format!("{} s", request.seconds.0),
                expected: format!("between {} and {} s", 1.0 / frame_rate, LONGEST.0),
            });
        }
        let frames = frames as usize;
        context.progress(Stage::Generation, 0.0)?;
        let beginning = match &request.continue_from {
            Some(audio) => self.codes_of(audio, frames, context)?,
            None => vec![Vec::new(); self.config.decoder.num_codebooks],
        };
        let text = self.pool.install(|| self.text.encode(&[request.text.as_str()], context))?;
        let (window, stride) = ((WINDOW.0 * frame_rate) as usize, (STRIDE.0 * frame_rate) as usize);
        Ok((Piece { request, text, pattern: self.pattern(), frames, window, stride, frame_rate }, beginning))
    }

    /// The delay pattern of this checkpoint.
    pub fn pattern(&self) -> DelayPattern {
        let decoder = &self.config.decoder;
        let nothing = decoder.pad_token_id as u32;
        DelayPattern { codebooks: decoder.num_codebooks, channels: decoder.audio_channels, nothing }
    }

    /// The codes of a recording that is to go on, left and right interleaved.
    fn codes_of(&self, audio: &AudioBuffer, frames: usize, context: &JobContext) -> Result<Vec<Vec<u32>>> {
        let config = self.codec.config();
        let sides: Vec<Vec<f32>> = match (self.channels(), audio.channels.as_slice()) {
            (2, [left, right]) => vec![left.clone(), right.clone()],
            (channels, _) => vec![audio.to_mono(); channels],
        };
        let audio = resample_in(&AudioBuffer { rate: audio.rate, channels: sides }, config.rate(), context)?;
        // What does not fill a frame would be completed by silence, and heard as a stop.
        let whole = audio.frames() / config.samples_per_frame();
        if whole >= frames {
            return Err(Error::OutOfRange {
                what: "The length of the music",
                got: format!("{:.1} s", frames as f64 / config.frame_rate() as f64),
                expected: format!(
                    "longer than the beginning it continues, {:.1} s",
                    whole as f64 / config.frame_rate() as f64
                ),
            });
        }
        let samples = whole * config.samples_per_frame();
        let mut sides = Vec::new();
        for side in &audio.channels {
            sides.push(self.codec.encode(&side[..samples], context)?.into_iter());
        }
        let mut codes = Vec::with_capacity(self.config.decoder.num_codebooks);
        for _ in 0..self.config.decoder.codebooks_per_channel() {
            codes.extend(sides.iter_mut().filter_map(Iterator::next));
        }
        Ok(codes)
    }

    /// Fills the lanes' codes to the end of the piece, window by window. `on_frames` hears how many frames are complete.
    fn run_windows(
        &self,
        piece: &Piece,
        lanes: &mut [Lane],
        context: &JobContext,
        on_frames: &mut dyn FnMut(&[Lane], usize) -> Result<()>,
    ) -> Result<()> {
        let known = lanes.first().and_then(|lane| lane.codes.first()).map_or(0, Vec::len);
        let is_long = piece.frames > piece.window;
        let mut offset = 0;
        while is_long && known >= offset + piece.window {
            offset += piece.stride;
        }
        loop {
            let end = if is_long { (offset + piece.window).min(piece.frames) } else { piece.frames };
            let start = is_long.then(|| Seconds(offset as f64 / piece.frame_rate));
            let melody = self.melody_frames(&piece.request.melody, start, context)?;
            let guided = piece.request.sampling.cfg_coef > 1.0;
            let rows = self.prefix_rows(&piece.request.text, &piece.text, &melody, guided, context)?;
            let mut on_window = |lanes: &[Lane], complete: usize| on_frames(lanes, offset + complete);
            self.run_window(piece, rows, lanes, offset..end, context, &mut on_window)?;
            if end == piece.frames {
                return Ok(());
            }
            offset += piece.stride;
        }
    }

    fn run_window(
        &self,
        piece: &Piece,
        prefix: PrefixRows,
        lanes: &mut [Lane],
        range: std::ops::Range<usize>,
        context: &JobContext,
        on_frames: &mut dyn FnMut(&[Lane], usize) -> Result<()>,
    ) -> Result<()> {
        let (pattern, sampling) = (piece.pattern, &piece.request.sampling);
        let frames = range.len();
        let known = lanes[0].codes[0].len() - range.start;
        let columns = pattern.columns(frames);
        let mut cache = self.cache_of(&prefix, lanes.len(), columns - 1)?;
        let is_guided = prefix.null.is_some();
        let mut fed = 0;
        for column in known + 1..columns {
            // All columns before this one are known now; those not fed yet are fed.
            let states = self.feed(lanes, &range, fed..column, is_guided, &mut cache, context)?;
            fed = column;
            let mut logits = self.pool.install(|| self.decoder.logits(&states))?;
            if logits.iter().any(|logit| !logit.is_finite()) {
                return Err(unusable(
                    "its weights give no codes, only numbers that are none. Download it again.".into(),
                ));
            }
            let (cond, uncond) = logits.split_at_mut(lanes.len() * self.codes_a_column());
            if is_guided {
                guide(cond, uncond, sampling.cfg_coef);
            }
            for (lane, logits) in lanes.iter_mut().zip(cond.chunks_exact(self.codes_a_column())) {
                lane.draw(&pattern, range.start, frames, column, logits, sampling);
            }
            on_frames(lanes, pattern.complete_frames(column).min(frames))?;
        }
        Ok(())
    }

    fn codes_a_column(&self) -> usize {
        self.config.decoder.num_codebooks * self.config.decoder.vocab_size
    }

    /// A cache with room for `columns` behind a prefix: the lanes' conditional rows, then their null rows.
    fn cache_of(&self, prefix: &PrefixRows, lanes: usize, columns: usize) -> Result<KvCache> {
        let kinds = std::iter::once(&prefix.conditional).chain(&prefix.null);
        let rows: Vec<&KvCache> = kinds.flat_map(|row| std::iter::repeat_n(&**row, lanes)).collect();
        let mut cache = self.decoder.cache(rows.len(), prefix.conditional.length() + columns)?;
        cache.fill(&rows).map_err(failed)?;
        Ok(cache)
    }

    /// Runs columns of all lanes; returns the last column's states, one a row.
    fn feed(
        &self,
        lanes: &[Lane],
        range: &std::ops::Range<usize>,
        columns: std::ops::Range<usize>,
        is_guided: bool,
        cache: &mut KvCache,
        context: &JobContext,
    ) -> Result<Tensor> {
        let (pattern, copies) = (self.pattern(), if is_guided { 2 } else { 1 });
        let at_once = (STATES_AT_ONCE / (copies * lanes.len())).max(1);
        let mut last = None;
        for start in columns.clone().step_by(at_once) {
            let end = (start + at_once).min(columns.end);
            let mut input = Vec::new();
            for lane in lanes {
                let window: Vec<Vec<u32>> = lane.codes.iter().map(|codes| codes[range.start..].to_vec()).collect();
                let columns: Vec<Vec<u32>> =
                    (start..end).map(|column| pattern.lay_out(&window, column, range.len())).collect();
                self.decoder.embed(&columns, &mut input);
            }
            if is_guided {
                // Both rows of a lane hear the same codes.
                input.extend_from_within(..);
            }
            let states = self.pool.install(|| self.decoder.forward(input, cache, context))?;
            last = Some((states, end - start));
        }
        let (states, steps) = last.ok_or_else(|| failed("no column to run"))?;
        let ends: Vec<u32> = (1..=copies * lanes.len()).map(|row| (row * steps - 1) as u32).collect();
        let count = ends.len();
        Tensor::from_vec(ends, count, states.device()).and_then(|ends| states.index_select(&ends, 0)).map_err(failed)
    }

    /// The melody's frames for a window; without `start`, for a piece of one window.
    pub(super) fn melody_frames(
        &self,
        melody: &Melody,
        start: Option<Seconds>,
        context: &JobContext,
    ) -> Result<Vec<Frame>> {
        let length = self.config.chroma_length;
        match melody {
            Melody::Wave(audio) => {
                let source = MelodySource::Audio(audio);
                let heard = match start {
                    Some(start) => source.window(start, context)?,
                    None => source.whole(context)?,
                };
                Ok(heard.fitted(length))
            }
            Melody::Frames(frames) if !frames.is_empty() => {
                let skip = (start.unwrap_or_default().0 * super::MELODY_FRAMES_PER_SECOND).round() as usize;
                let clean = |frame: &Frame| frame.map(|value| if value.is_finite() { value } else { 0.0 });
                Ok((0..length).map(|index| clean(&frames[(skip + index) % frames.len()])).collect())
            }
            Melody::None | Melody::Frames(_) => Ok(no_melody(length)),
        }
    }
}

impl Lane {
    /// Draws a column's codes from `[codebook][code]`, and keeps those whose cells hold a frame that is not known.
    fn draw(
        &mut self,
        pattern: &DelayPattern,
        start: usize,
        frames: usize,
        column: usize,
        logits: &[f32],
        sampling: &Sampling,
    ) {
        let of_codebook = logits.chunks_exact(logits.len() / self.codes.len());
        for (codebook, (codes, logits)) in self.codes.iter_mut().zip(of_codebook).enumerate() {
            let code = sample(logits, sampling, &mut self.chance);
            if pattern.frame(codebook, column, frames).is_some_and(|frame| start + frame == codes.len()) {
                codes.push(code);
            }
        }
    }
}
