//! Thread: worker. Convolutions over maps of `[channel][bin][frame]`, by direct loops.
//!
//! The layers are too small and too thin (12 channels, kernels one or three frames wide, dilated along frequency) for the
//! general route of unfolding and matrix product: that one is several times slower here.

/// Output channels and frames computed together: the accumulators of one tile fill the vector registers of AVX2.
const TILE_CHANNELS: usize = 4;
const TILE_FRAMES: usize = 16;
/// Zeros in front of each row, so that a kernel three frames wide reads zero padding before frame 0.
const MARGIN: usize = 1;

/// A feature map `[channel][bin][frame]`. Rows are padded with zeros on both sides.
#[derive(Clone)]
pub struct Map {
    bins: usize,
    frames: usize,
    stride: usize,
    data: Vec<f32>,
}

impl Map {
    /// All zeros.
    pub fn new(channels: usize, bins: usize, frames: usize) -> Self {
        let stride = MARGIN + frames.next_multiple_of(TILE_FRAMES) + MARGIN;
        Self { bins, frames, stride, data: vec![0.0; channels * bins * stride] }
    }

    /// The frames of one channel and bin.
    pub fn row(&self, channel: usize, bin: usize) -> &[f32] {
        &self.padded(channel, bin)[MARGIN..][..self.frames]
    }

    /// Writes one value.
    pub fn set(&mut self, channel: usize, bin: usize, frame: usize, value: f32) {
        self.data[(channel * self.bins + bin) * self.stride + MARGIN + frame] = value;
    }

    fn padded(&self, channel: usize, bin: usize) -> &[f32] {
        &self.data[(channel * self.bins + bin) * self.stride..][..self.stride]
    }
}

/// A 2-D convolution of the checkpoint with its bias; stride 1, the frame axis padded to keep its length.
pub struct Convolution {
    inputs: usize,
    outputs: usize,
    kernel_bins: usize,
    kernel_frames: usize,
    dilation: usize,
    /// Bins of zero padding below bin 0. Above the last bin there is as much as the taps reach.
    padding_below: usize,
    /// `[output / 4][input][bin tap][frame tap][output % 4]`, so that one tap's weights for a tile lie together.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// What happens to a layer's sums before they are stored.
#[derive(Clone, Copy)]
pub enum Finish<'a> {
    /// Nothing.
    Linear,
    /// Negative sums become 0.
    Relu,
    /// A map of the output's shape is added, then negative sums become 0.
    AddRelu(&'a Map),
}

impl Convolution {
    /// `weight` `[output][input][kernel_bins][kernel_frames]` with `outputs` a multiple of 4, `bias` `[output]`.
    /// `kernel_frames` is 1 or 3.
    pub fn new(
        shape: [usize; 4],
        dilation: usize,
        padding_below: usize,
        weight: &[f32],
        bias: Vec<f32>,
    ) -> Self {
        let [outputs, inputs, kernel_bins, kernel_frames] = shape;
        let taps = inputs * kernel_bins * kernel_frames;
        let mut weights = Vec::with_capacity(weight.len());
        for group in 0..outputs / TILE_CHANNELS {
            for tap in 0..taps {
                weights.extend((0..TILE_CHANNELS).map(|output| weight[(group * TILE_CHANNELS + output) * taps + tap]));
            }
        }
        Self { inputs, outputs, kernel_bins, kernel_frames, dilation, padding_below, weights, bias }
    }

    /// Convolves `input` `[inputs][≥ bins][frames]` into `output` `[outputs][bins][frames]`, which may have fewer bins.
    pub fn forward(&self, input: &Map, input_bins: usize, finish: Finish, output: &mut Map) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the two features the function is compiled for; it has no other requirement.
            unsafe { self.forward_avx2(input, input_bins, finish, output) };
            return;
        }
        // Every 64-bit ARM multiplies and adds in one step; older x86 would emulate it in software.
        self.forward_on::<TILE_FRAMES, { cfg!(target_arch = "aarch64") }>(input, input_bins, finish, output);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn forward_avx2(&self, input: &Map, input_bins: usize, finish: Finish, output: &mut Map) {
        self.forward_on::<TILE_FRAMES, true>(input, input_bins, finish, output);
    }

    #[inline(always)]
    fn forward_on<const FRAMES: usize, const FUSED: bool>(
        &self,
        input: &Map,
        input_bins: usize,
        finish: Finish,
        output: &mut Map,
    ) {
        let taps = self.inputs * self.kernel_bins * self.kernel_frames;
        // A kernel one frame wide reads the frame itself; one three wide begins one frame earlier, in the margin.
        let first = MARGIN - self.kernel_frames / 2;
        for group in 0..self.outputs / TILE_CHANNELS {
            let weights = &self.weights[group * taps * TILE_CHANNELS..][..taps * TILE_CHANNELS];
            let bias = &self.bias[group * TILE_CHANNELS..][..TILE_CHANNELS];
            for bin in 0..output.bins {
                for start in (0..output.frames).step_by(FRAMES) {
                    let mut sums = [[0.0_f32; FRAMES]; TILE_CHANNELS];
                    for (sum, bias) in sums.iter_mut().zip(bias) {
                        *sum = [*bias; FRAMES];
                    }
                    for channel in 0..self.inputs {
                        for tap in 0..self.kernel_bins {
                            let Some(source) = (bin + tap * self.dilation).checked_sub(self.padding_below) else { continue };
                            if source >= input_bins {
                                break;
                            }
                            let row = &input.padded(channel, source)[first + start..];
                            let at = (channel * self.kernel_bins + tap) * self.kernel_frames * TILE_CHANNELS;
                            let weights = &weights[at..][..self.kernel_frames * TILE_CHANNELS];
                            for (offset, weights) in weights.chunks_exact(TILE_CHANNELS).enumerate() {
                                accumulate::<FRAMES, FUSED>(&mut sums, &row[offset..], weights);
                            }
                        }
                    }
                    store(output, group, bin, start, sums, finish);
                }
            }
        }
    }
}

#[inline(always)]
fn accumulate<const FRAMES: usize, const FUSED: bool>(
    sums: &mut [[f32; FRAMES]; TILE_CHANNELS],
    row: &[f32],
    weights: &[f32],
) {
    let row = &row[..FRAMES];
    let weights = &weights[..TILE_CHANNELS];
    for channel in 0..TILE_CHANNELS {
        for frame in 0..FRAMES {
            sums[channel][frame] = if FUSED {
                row[frame].mul_add(weights[channel], sums[channel][frame])
            } else {
                row[frame] * weights[channel] + sums[channel][frame]
            };
        }
    }
}

/// Writes a tile's real frames; the padding beyond them stays zero.
#[inline(always)]
fn store<const FRAMES: usize>(
    output: &mut Map,
    group: usize,
    bin: usize,
    start: usize,
    sums: [[f32; FRAMES]; TILE_CHANNELS],
    finish: Finish,
) {
    let count = FRAMES.min(output.frames - start);
    for (channel, sums) in sums.iter().enumerate() {
        let at = ((group * TILE_CHANNELS + channel) * output.bins + bin) * output.stride + MARGIN + start;
        let target = &mut output.data[at..][..count];
        match finish {
            Finish::Linear => target.copy_from_slice(&sums[..count]),
            Finish::Relu => target.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum.max(0.0)),
            Finish::AddRelu(other) => target
                .iter_mut()
                .zip(sums)
                .zip(&other.data[at..])
                .for_each(|((value, sum), other)| *value = (sum + other).max(0.0)),
        }
    }
}
