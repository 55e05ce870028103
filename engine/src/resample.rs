//! Thread: worker. Sample rate conversion. The only user of rubato.

use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use crate::time::SampleRate;
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

/// Lowest and highest rate that can be converted.
pub const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Shortest block on the side with the lower rate, in frames. The anti-alias filter is as long as a block: 1024 frames
/// put the transition band within 1 % of the lower Nyquist frequency.
const SHORTEST_BLOCK: usize = 1024;

/// Changes the rate of a buffer with a linear-phase anti-alias filter.
///
/// The result is exactly `round(frames * to / from)` long and in place: the filter's delay is taken off. A buffer that has
/// the rate already, or is empty, comes back as it is. Non-finite samples count as 0. The same input gives the same output.
///
/// # Errors
/// [`Error::OutOfRange`] when either rate lies outside 8 to 192 kHz.
pub fn resample(audio: &AudioBuffer, to: SampleRate) -> Result<AudioBuffer> {
    resample_in(audio, to, &JobContext::detached())
}

/// [`resample`] inside a job: stops between blocks when the job is cancelled.
///
/// # Errors
/// As [`resample`], and [`Error::Cancelled`].
pub fn resample_in(audio: &AudioBuffer, to: SampleRate, context: &JobContext) -> Result<AudioBuffer> {
    for rate in [audio.rate, to] {
        if !RATES.contains(&rate.0) {
            return Err(Error::OutOfRange {
                what: "The sample rate",
                got: format!("{} Hz", rate.0),
                expected: "between 8000 and 192000 Hz".into(),
            });
        }
    }
    let frames = audio.frames();
    if audio.rate == to || frames == 0 || audio.channels.is_empty() {
        return Ok(AudioBuffer { rate: to, channels: audio.channels.clone() });
    }
    let wanted = converted_length(frames, audio.rate, to);
    let mut converter = Converter::new(audio.rate, to)?;
    let channels =
        audio.channels.iter().map(|channel| converter.run(channel, wanted, context)).collect::<Result<Vec<_>>>()?;
    Ok(AudioBuffer { rate: to, channels })
}

/// `round(frames * to / from)`, halves up, in whole numbers so that no length is too long to be exact.
fn converted_length(frames: usize, from: SampleRate, to: SampleRate) -> usize {
    let (from, to) = (u128::from(from.0), u128::from(to.0));
    let wanted = (2 * frames as u128 * to + from) / (2 * from);
    usize::try_from(wanted).unwrap_or(usize::MAX)
}

/// One channel's converter, reused for the next.
struct Converter {
    fft: Fft<f32>,
    block_in: Vec<Vec<f32>>,
    block_out: Vec<Vec<f32>>,
}

impl Converter {
    fn new(from: SampleRate, to: SampleRate) -> Result<Self> {
        let (from, to) = (from.0 as usize, to.0 as usize);
        let divisor = greatest_common_divisor(from, to);
        let (unit_in, unit_out) = (from / divisor, to / divisor);
        // An even number of units makes half a block, which is the delay, a whole number of frames on both sides.
        let units = SHORTEST_BLOCK.div_ceil(2 * unit_in.min(unit_out)).max(1) * 2;
        let fft = Fft::new_custom(from, to, unit_in * units, 1, 1, WindowFunction::BlackmanHarris2, FixedSync::Both)
            .map_err(|error| Error::internal("changing the sample rate", error))?;
        let block_in = vec![vec![0.0; fft.input_frames_next()]];
        let block_out = vec![vec![0.0; fft.output_frames_next()]];
        Ok(Self { fft, block_in, block_out })
    }

    fn run(&mut self, samples: &[f32], wanted: usize, context: &JobContext) -> Result<Vec<f32>> {
        self.fft.reset();
        let delay = self.fft.output_delay();
        let (length_in, length_out) = (self.block_in[0].len(), self.block_out[0].len());
        let mut result = Vec::with_capacity(wanted + delay + length_out);
        let mut blocks = samples.chunks(length_in);
        while result.len() < wanted + delay {
            context.check()?;
            let block = blocks.next().unwrap_or(&[]);
            let (filled, rest) = self.block_in[0].split_at_mut(block.len());
            // One NaN would spread over two whole blocks.
            filled.iter_mut().zip(block).for_each(|(to, &from)| *to = if from.is_finite() { from } else { 0.0 });
            rest.fill(0.0);
            self.block()?;
            result.extend_from_slice(&self.block_out[0]);
        }
        result.drain(..delay);
        result.truncate(wanted);
        Ok(result)
    }

    fn block(&mut self) -> Result<()> {
        let (length_in, length_out) = (self.block_in[0].len(), self.block_out[0].len());
        let failed = |error: &dyn std::fmt::Display| Error::internal("changing the sample rate", error);
        let input = SequentialSliceOfVecs::new(&self.block_in, 1, length_in).map_err(|error| failed(&error))?;
        let mut output =
            SequentialSliceOfVecs::new_mut(&mut self.block_out, 1, length_out).map_err(|error| failed(&error))?;
        self.fft.process_into_buffer(&input, &mut output, Some(&Indexing::new())).map_err(|error| failed(&error))?;
        Ok(())
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
