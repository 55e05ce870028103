//! Thread: worker. Convolutions over maps of `[channel][bin][frame]`, frames side by side in vector registers.

/// Rows are padded to a multiple of this, so that the inner loop never has a remainder.
const BLOCK: usize = 16;
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
                        let at =
                            |output: usize| ((output * inputs + input) * kernel_frames + frame) * kernel_bins + bin;
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
        match (self.outputs, self.kernel_frames) {
            (1, 3) => self.forward_groups::<FUSED, 1, 3>(input, output),
            (1, 5) => self.forward_groups::<FUSED, 1, 5>(input, output),
            (1, _) => self.forward_groups::<FUSED, 1, 7>(input, output),
            (_, 3) => self.forward_groups::<FUSED, GROUP, 3>(input, output),
            (_, 5) => self.forward_groups::<FUSED, GROUP, 5>(input, output),
            (_, _) => self.forward_groups::<FUSED, GROUP, 7>(input, output),
        }
    }

    #[inline(always)]
    fn forward_groups<const FUSED: bool, const N: usize, const TAPS: usize>(&self, input: &Map, output: &mut Map) {
        // Of an odd number of padding bins the smaller half lies below.
        let below = ((input.bins / self.stride - 1) * self.stride + self.kernel_bins - input.bins) / 2;
        let first_frame = MARGIN - TAPS / 2;
        let length = output.frames.next_multiple_of(BLOCK);
        let taps_of_input = self.kernel_bins * TAPS;
        let mut sums = vec![0.0_f32; N * length];
        for first in (0..self.outputs).step_by(N) {
            let weights = &self.weights[first * self.inputs * taps_of_input..][..N * self.inputs * taps_of_input];
            for bin in 0..output.bins {
                let low = (bin * self.stride).saturating_sub(below);
                let end = (bin * self.stride + self.kernel_bins - below).min(input.bins);
                let first_tap = low + below - bin * self.stride;
                for (sums, bias) in sums.chunks_exact_mut(length).zip(&self.bias[first..]) {
                    sums.fill(*bias);
                }
                for channel in 0..self.inputs {
                    for (tap, from) in (first_tap..).zip(low..end) {
                        let start = (channel * self.kernel_bins + tap) * TAPS * N;
                        let (weights, _) = weights[start..][..TAPS * N].as_chunks::<N>();
                        let row = &input.data[(channel * input.bins + from) * input.stride + first_frame..];
                        add_taps::<FUSED, N, TAPS>(&mut sums, &row[..length + TAPS - 1], weights);
                    }
                }
                for (channel, sums) in sums.chunks_exact(length).enumerate() {
                    let row = output.row_mut(first + channel, bin);
                    row.iter_mut().zip(sums).for_each(|(value, sum)| *value = self.finish.of(*sum));
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

/// `sums[output][frame] += row[frame + tap] * weights[tap][output]`, always in the same order.
#[inline(always)]
fn add_taps<const FUSED: bool, const N: usize, const TAPS: usize>(sums: &mut [f32], row: &[f32], weights: &[[f32; N]]) {
    let length = row.len() + 1 - TAPS;
    let rows: [&[f32]; TAPS] = std::array::from_fn(|tap| &row[tap..tap + length]);
    let weights: [[f32; N]; TAPS] = std::array::from_fn(|tap| weights[tap]);
    let mut rows_of_sums = sums.chunks_exact_mut(length);
    let sums: [&mut [f32]; N] =
        std::array::from_fn(|_| rows_of_sums.next().map_or(&mut [][..], |sums| &mut sums[..length]));
    for frame in 0..length {
        let values: [f32; TAPS] = std::array::from_fn(|tap| rows[tap][frame]);
        for output in 0..N {
            let mut sum = sums[output][frame];
            for tap in 0..TAPS {
                let (value, weight) = (values[tap], weights[tap][output]);
                sum = if FUSED { value.mul_add(weight, sum) } else { value * weight + sum };
            }
            sums[output][frame] = sum;
        }
    }
}
