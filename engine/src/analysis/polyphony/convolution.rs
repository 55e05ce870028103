//! Thread: worker. Convolutions over maps of `[channel][bin][frame]`, frames side by side in vector registers.

/// Frames computed together: three registers of eight lanes. With four output channels that is twelve running sums, which
/// with three inputs and a weight fill the sixteen registers there are.
const BLOCK: usize = 24;
/// Output channels computed together.
const GROUP: usize = 4;
/// Zeros on both sides of each row, so that a kernel seven frames wide reads zero padding.
const MARGIN: usize = 3;

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
        let stride = MARGIN + frames.next_multiple_of(BLOCK) + MARGIN;
        Self { bins, frames, stride, data: vec![0.0; channels * bins * stride] }
    }

    /// The frames of one channel and bin.
    pub fn row(&self, channel: usize, bin: usize) -> &[f32] {
        &self.data[(channel * self.bins + bin) * self.stride + MARGIN..][..self.frames]
    }

    /// The frames of one channel and bin, to write.
    pub fn row_mut(&mut self, channel: usize, bin: usize) -> &mut [f32] {
        &mut self.data[(channel * self.bins + bin) * self.stride + MARGIN..][..self.frames]
    }
}

/// What happens to a layer's sums before they are stored.
#[derive(Clone, Copy)]
pub enum Finish {
    /// Negative sums become 0.
    Relu,
    /// Logistic function.
    Sigmoid,
}

/// A 2-D convolution of the checkpoint with its bias, padded so that the length is kept and the bins become
/// `bins / stride`.
pub struct Convolution {
    inputs: usize,
    outputs: usize,
    kernel_frames: usize,
    kernel_bins: usize,
    /// Step along the bins, 1 or 3.
    stride: usize,
    finish: Finish,
    /// `[output / group][input][bin tap][frame tap][output % group]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Convolution {
    /// `weight` `[output][input][kernel_frames][kernel_bins]`, `bias` `[output]`; one output or a multiple of four.
    pub fn new(shape: [usize; 4], stride: usize, finish: Finish, weight: &[f32], bias: Vec<f32>) -> Self {
        let [outputs, inputs, kernel_frames, kernel_bins] = shape;
        let group = if outputs == 1 { 1 } else { GROUP };
        let mut weights = Vec::with_capacity(weight.len());
        for first in (0..outputs).step_by(group) {
            for input in 0..inputs {
                for bin in 0..kernel_bins {
                    for frame in 0..kernel_frames {
                        let at = |output: usize| ((output * inputs + input) * kernel_frames + frame) * kernel_bins + bin;
                        weights.extend((first..first + group).map(|output| weight[at(output)]));
                    }
                }
            }
        }
        Self { inputs, outputs, kernel_frames, kernel_bins, stride, finish, weights, bias }
    }

    /// Convolves `input` `[inputs][bins][frames]` into a new map `[outputs][bins / stride][frames]`.
    pub fn forward(&self, input: &Map) -> Map {
        let mut output = Map::new(self.outputs, input.bins / self.stride, input.frames);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the two features the function is compiled for; it has no other requirement.
            unsafe { self.forward_avx2(input, &mut output) };
            return output;
        }
        // Every 64-bit ARM multiplies and adds in one step; older x86 would emulate it in software.
        self.forward_on::<{ cfg!(target_arch = "aarch64") }>(input, &mut output);
        output
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn forward_avx2(&self, input: &Map, output: &mut Map) {
        self.forward_on::<true>(input, output);
    }

    #[inline(always)]
    fn forward_on<const FUSED: bool>(&self, input: &Map, output: &mut Map) {
        if self.outputs == 1 {
            self.forward_groups::<FUSED, 1>(input, output);
        } else {
            self.forward_groups::<FUSED, GROUP>(input, output);
        }
    }

    #[inline(always)]
    fn forward_groups<const FUSED: bool, const N: usize>(&self, input: &Map, output: &mut Map) {
        // Of an odd number of padding bins the smaller half lies below.
        let below = ((input.bins / self.stride - 1) * self.stride + self.kernel_bins - input.bins) / 2;
        let first_frame = MARGIN - self.kernel_frames / 2;
        let taps_of_input = self.kernel_bins * self.kernel_frames;
        // Blocks of frames outside, bins inside: what neighbouring bins read stays in the nearest cache.
        for block in (0..output.frames).step_by(BLOCK) {
            for bin in 0..output.bins {
                let low = (bin * self.stride).saturating_sub(below);
                let end = (bin * self.stride + self.kernel_bins - below).min(input.bins);
                let first_tap = low + below - bin * self.stride;
                for first in (0..self.outputs).step_by(N) {
                    let weights = &self.weights[first * self.inputs * taps_of_input..][..N * self.inputs * taps_of_input];
                    let mut sums: [[f32; BLOCK]; N] = std::array::from_fn(|output| [self.bias[first + output]; BLOCK]);
                    for channel in 0..self.inputs {
                        let start = (channel * taps_of_input + first_tap * self.kernel_frames) * N;
                        let weights = &weights[start..][..(end - low) * self.kernel_frames * N];
                        let rows = &input.data[(channel * input.bins + low) * input.stride + block + first_frame..];
                        for (row, weights) in rows.chunks(input.stride).zip(weights.chunks_exact(self.kernel_frames * N)) {
                            for (frame, weights) in weights.as_chunks::<N>().0.iter().enumerate() {
                                let Some(values) = row[frame..].first_chunk::<BLOCK>() else { continue };
                                add::<FUSED, N>(&mut sums, values, weights);
                            }
                        }
                    }
                    for (channel, sums) in sums.iter().enumerate() {
                        let row = &mut output.row_mut(first + channel, bin)[block..];
                        row.iter_mut().zip(sums).for_each(|(value, sum)| *value = self.finish.of(*sum));
                    }
                }
            }
        }
    }
}

impl Finish {
    #[inline(always)]
    fn of(self, sum: f32) -> f32 {
        match self {
            Self::Relu => sum.max(0.0),
            Self::Sigmoid => 1.0 / (1.0 + (-sum).exp()),
        }
    }
}

/// `sums[output] += values * weights[output]`.
#[inline(always)]
fn add<const FUSED: bool, const N: usize>(sums: &mut [[f32; BLOCK]; N], values: &[f32; BLOCK], weights: &[f32; N]) {
    for (sums, &weight) in sums.iter_mut().zip(weights) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum = if FUSED { value.mul_add(weight, *sum) } else { value * weight + *sum };
        }
    }
}
