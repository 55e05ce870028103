//! Thread: worker. Convolutions over maps of `[channel][bin][frame]`, by direct loops.
//!
//! The layers are too small and too thin (12 channels, kernels one or three frames wide, dilated along frequency) for the
//! general route of unfolding and matrix product: that one, candle's, takes seven times as long here.

/// Output channels summed together, and taps added to them in one pass: their twelve weights stay in vector registers,
/// and each running sum is loaded and stored once for three products.
const GROUP: usize = 4;
const TAPS: usize = 3;
/// Rows are padded to a multiple of this, so that the inner loop never has a remainder.
const LANES: usize = 16;
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
        let stride = MARGIN + frames.next_multiple_of(LANES) + MARGIN;
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
    /// `[output / 4][bin tap][pass]`: the weights of one pass, see [`Self::source`] for its three rows.
    weights: Vec<[[f32; GROUP]; TAPS]>,
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
    pub fn new(shape: [usize; 4], dilation: usize, padding_below: usize, weight: &[f32], bias: Vec<f32>) -> Self {
        let [outputs, inputs, kernel_bins, kernel_frames] = shape;
        let weight = |output: usize, input: usize, bin: usize, frame: usize| {
            let inside = input < inputs && frame < kernel_frames;
            if inside { weight[((output * inputs + input) * kernel_bins + bin) * kernel_frames + frame] } else { 0.0 }
        };
        let mut weights = Vec::new();
        for group in 0..outputs / GROUP {
            for bin in 0..kernel_bins {
                for pass in 0..passes(inputs, kernel_frames) {
                    weights.push(std::array::from_fn(|tap| {
                        let (input, frame) = source(pass, tap, kernel_frames);
                        std::array::from_fn(|output| weight(group * GROUP + output, input, bin, frame))
                    }));
                }
            }
        }
        Self { inputs, outputs, kernel_bins, kernel_frames, dilation, padding_below, weights, bias }
    }

    /// Convolves `input` `[inputs][≥ input_bins][frames]` into `output` `[outputs][bins][frames]`, which may have fewer bins.
    pub fn forward(&self, input: &Map, input_bins: usize, finish: Finish, output: &mut Map) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the two features the function is compiled for; it has no other requirement.
            unsafe { self.forward_avx2(input, input_bins, finish, output) };
            return;
        }
        // Every 64-bit ARM multiplies and adds in one step; older x86 would emulate it in software.
        self.forward_on::<{ cfg!(target_arch = "aarch64") }>(input, input_bins, finish, output);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn forward_avx2(&self, input: &Map, input_bins: usize, finish: Finish, output: &mut Map) {
        self.forward_on::<true>(input, input_bins, finish, output);
    }

    #[inline(always)]
    fn forward_on<const FUSED: bool>(&self, input: &Map, input_bins: usize, finish: Finish, output: &mut Map) {
        let length = output.frames.next_multiple_of(LANES);
        let passes = passes(self.inputs, self.kernel_frames);
        // A kernel one frame wide reads the frame itself; one three wide begins one frame earlier, in the margin.
        let first = MARGIN - self.kernel_frames / 2;
        let mut sums = vec![0.0; GROUP * length];
        for group in 0..self.outputs / GROUP {
            for bin in 0..output.bins {
                for (sums, bias) in sums.chunks_exact_mut(length).zip(&self.bias[group * GROUP..]) {
                    sums.fill(*bias);
                }
                for bin_tap in 0..self.kernel_bins {
                    let below = (bin + bin_tap * self.dilation).checked_sub(self.padding_below);
                    let Some(from) = below.filter(|&from| from < input_bins) else { continue };
                    let weights = &self.weights[(group * self.kernel_bins + bin_tap) * passes..][..passes];
                    for (pass, weights) in weights.iter().enumerate() {
                        let row = |tap: usize| {
                            let (channel, frame) = source(pass, tap, self.kernel_frames);
                            // A tap beyond the last channel has weight 0 and may read any row.
                            &input.padded(channel.min(self.inputs - 1), from)[first + frame..][..length]
                        };
                        add_taps::<FUSED>(&mut sums, [row(0), row(1), row(2)], weights);
                    }
                }
                for (channel, sums) in sums.chunks_exact(length).enumerate() {
                    store(output, group * GROUP + channel, bin, sums, finish);
                }
            }
        }
    }
}

/// Passes of three taps that cover all inputs at one bin tap.
fn passes(inputs: usize, kernel_frames: usize) -> usize {
    if kernel_frames == TAPS { inputs } else { inputs.div_ceil(TAPS) }
}

/// Input channel and frame of one of a pass's three taps: the three frames of one channel, or one frame of three channels.
fn source(pass: usize, tap: usize, kernel_frames: usize) -> (usize, usize) {
    if kernel_frames == TAPS { (pass, tap) } else { (pass * TAPS + tap, 0) }
}

/// `sums[channel] += row[tap] * weights[tap][channel]` for four channels and three taps, always in the same order.
#[inline(always)]
fn add_taps<const FUSED: bool>(sums: &mut [f32], rows: [&[f32]; TAPS], weights: &[[f32; GROUP]; TAPS]) {
    let length = rows[0].len();
    let (first, rest) = sums.split_at_mut(length);
    let (second, rest) = rest.split_at_mut(length);
    let (third, fourth) = rest.split_at_mut(length);
    let [a, b, c] = rows.map(|row| &row[..length]);
    let fourth = &mut fourth[..length];
    let step =
        |value: f32, weight: f32, sum: f32| if FUSED { value.mul_add(weight, sum) } else { value * weight + sum };
    let [u, v, w] = *weights;
    for frame in 0..length {
        let (a, b, c) = (a[frame], b[frame], c[frame]);
        first[frame] = step(c, w[0], step(b, v[0], step(a, u[0], first[frame])));
        second[frame] = step(c, w[1], step(b, v[1], step(a, u[1], second[frame])));
        third[frame] = step(c, w[2], step(b, v[2], step(a, u[2], third[frame])));
        fourth[frame] = step(c, w[3], step(b, v[3], step(a, u[3], fourth[frame])));
    }
}

/// Writes a row's real frames; the padding beyond them stays zero.
#[inline(always)]
fn store(output: &mut Map, channel: usize, bin: usize, sums: &[f32], finish: Finish) {
    let at = (channel * output.bins + bin) * output.stride + MARGIN;
    let target = &mut output.data[at..][..output.frames];
    match finish {
        Finish::Linear => target.copy_from_slice(&sums[..target.len()]),
        Finish::Relu => target.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum.max(0.0)),
        Finish::AddRelu(other) => {
            let other = other.data[at..].iter();
            target.iter_mut().zip(sums).zip(other).for_each(|((value, sum), other)| *value = (sum + other).max(0.0));
        }
    }
}
