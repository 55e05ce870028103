//! Thread: worker. The codec's recurrent layers: LSTM cells as PyTorch defines them, plus their input.

use super::product::add_product;
use super::signal::{Running, Signal};
use std::sync::Arc;

/// Gates of a cell, in the order of the checkpoint: input, forget, candidate, output.
const GATES: usize = 4;
/// Rows of a weight read together, so that the gates are read and written once for all of them.
const TOGETHER: usize = 8;

/// The weights of one layer of cells, as many as it has inputs.
#[derive(Debug)]
pub struct Cells {
    /// `[size][gates · size]`.
    input: Vec<f32>,
    /// `[size][gates · size]`, rows of 0 after that up to a whole number of [`TOGETHER`]. It is read once a frame: that is what an
    /// LSTM costs.
    recurrent: Vec<f32>,
    /// The sum of the checkpoint's two.
    bias: Vec<f32>,
}

impl Cells {
    /// From the weights `[gates · size][size]` and the two biases of the checkpoint.
    pub fn new(size: usize, input: &[f32], recurrent: &[f32], bias: [Vec<f32>; 2]) -> Self {
        let turned = |weights: &[f32]| {
            let mut turned = vec![0.0; weights.len()];
            for (row, weights) in weights.chunks_exact(size).enumerate() {
                for (column, weight) in weights.iter().enumerate() {
                    turned[column * GATES * size + row] = *weight;
                }
            }
            turned
        };
        let mut recurrent = turned(recurrent);
        recurrent.resize(size.next_multiple_of(TOGETHER) * GATES * size, 0.0);
        let [of_input, of_hidden] = bias;
        let bias = of_input.iter().zip(&of_hidden).map(|(a, b)| a + b).collect();
        Self { input: turned(input), recurrent, bias }
    }
}

/// Layers of cells over one another, and the way around them all.
#[derive(Debug)]
pub struct Lstm {
    /// Channels in and out.
    pub size: usize,
    /// The first hears the input, each other the one before it.
    pub layers: Vec<Cells>,
}

impl Lstm {
    /// Ready for `lanes` signals.
    pub fn start(self: &Arc<Self>, lanes: usize) -> LstmRunning {
        let memory = || Memory { hidden: vec![0.0; self.size.next_multiple_of(TOGETHER)], cell: vec![0.0; self.size] };
        LstmRunning {
            layer: self.clone(),
            memories: self.layers.iter().map(|_| (0..lanes).map(|_| memory()).collect()).collect(),
        }
    }
}

/// What a layer remembers of one lane.
#[derive(Debug)]
struct Memory {
    /// As long as the recurrent weights have rows.
    hidden: Vec<f32>,
    cell: Vec<f32>,
}

/// An [`Lstm`] at work. Its lanes go in step, so that the weights are read once for two of them.
pub struct LstmRunning {
    layer: Arc<Lstm>,
    /// `[layer][lane]`.
    memories: Vec<Vec<Memory>>,
}

impl Running for LstmRunning {
    fn advance(&mut self, lanes: &mut [Signal], _last: bool) {
        let size = self.layer.size;
        let mut hidden: Vec<Vec<f32>> = lanes.iter().map(|lane| lane.data.clone()).collect();
        for (cells, memories) in self.layer.layers.iter().zip(&mut self.memories) {
            for (hidden, memories) in hidden.chunks_mut(2).zip(memories.chunks_mut(2)) {
                let mut gates: Vec<Vec<f32>> = hidden.iter().map(|input| cells.of_input(size, input)).collect();
                match (memories, gates.as_mut_slice(), hidden) {
                    ([left, right], [left_gates, right_gates], [left_out, right_out]) => {
                        cells.run(size, [left, right], [left_gates, right_gates], [left_out, right_out]);
                    }
                    ([memory], [gates], [out]) => cells.run(size, [memory], [gates], [out]),
                    _ => {}
                }
            }
        }
        for (lane, hidden) in lanes.iter_mut().zip(hidden) {
            lane.data.iter_mut().zip(hidden).for_each(|(value, hidden)| *value += hidden);
        }
    }
}

impl Cells {
    /// What the input says to the gates, `[frame][gates · size]`: no frame waits for another here, so it is one product.
    fn of_input(&self, size: usize, input: &[f32]) -> Vec<f32> {
        let frames = input.len() / size;
        let mut gates = self.bias.repeat(frames);
        add_product(&mut gates, GATES * size, input, size, size, &self.input);
        gates
    }

    /// Frame after frame: adds to `gates` what the hidden state says, and writes the next one to `out` `[frame][size]`.
    fn run<const LANES: usize>(
        &self,
        size: usize,
        mut memories: [&mut Memory; LANES],
        mut gates: [&mut Vec<f32>; LANES],
        mut out: [&mut Vec<f32>; LANES],
    ) {
        let frames = out[0].len() / size;
        for frame in 0..frames {
            let mut gates = gates.each_mut().map(|gates| &mut gates[frame * GATES * size..][..GATES * size]);
            let hidden = memories.each_ref().map(|memory| &memory.hidden[..]);
            add_recurrent(&self.recurrent, hidden, gates.each_mut().map(|gates| &mut **gates));
            for ((memory, gates), out) in memories.iter_mut().zip(gates).zip(&mut out) {
                memory.step(size, gates);
                out[frame * size..][..size].copy_from_slice(&memory.hidden[..size]);
            }
        }
    }
}

impl Memory {
    /// One frame of all cells of a layer.
    fn step(&mut self, size: usize, gates: &[f32]) {
        let sigmoid = |value: f32| 1.0 / (1.0 + (-value).exp());
        for (at, (hidden, cell)) in self.hidden.iter_mut().zip(&mut self.cell).enumerate() {
            let [input, forget, candidate, output] = [0, 1, 2, 3].map(|gate| gates[gate * size + at]);
            *cell = sigmoid(forget) * *cell + sigmoid(input) * candidate.tanh();
            *hidden = sigmoid(output) * cell.tanh();
        }
    }
}

/// `gates[lane][row] += Σ weights[i][row] · hidden[lane][i]`, always in the same order.
fn add_recurrent<const LANES: usize>(weights: &[f32], hidden: [&[f32]; LANES], gates: [&mut [f32]; LANES]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has the two features the function is compiled for; it has no other requirement.
        unsafe { add_recurrent_avx2(weights, hidden, gates) };
        return;
    }
    // Every 64-bit ARM multiplies and adds in one step; older x86 would emulate it in software.
    add_recurrent_on::<{ cfg!(target_arch = "aarch64") }, LANES>(weights, hidden, gates);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn add_recurrent_avx2<const LANES: usize>(weights: &[f32], hidden: [&[f32]; LANES], gates: [&mut [f32]; LANES]) {
    add_recurrent_on::<true, LANES>(weights, hidden, gates);
}

#[inline(always)]
fn add_recurrent_on<const FUSED: bool, const LANES: usize>(
    weights: &[f32],
    hidden: [&[f32]; LANES],
    gates: [&mut [f32]; LANES],
) {
    let length = gates[0].len();
    for (group, rows) in weights.chunks_exact(TOGETHER * length).enumerate() {
        for lane in 0..LANES {
            let values = &hidden[lane][group * TOGETHER..][..TOGETHER];
            add_rows::<FUSED>(&mut *gates[lane], rows, values);
        }
    }
}

/// `gates += Σ rows[i] · values[i]` for eight rows as long as the gates.
#[inline(always)]
fn add_rows<const FUSED: bool>(gates: &mut [f32], rows: &[f32], values: &[f32]) {
    let step =
        |weight: f32, value: f32, sum: f32| if FUSED { weight.mul_add(value, sum) } else { weight * value + sum };
    let length = gates.len();
    let (a, rest) = rows.split_at(length);
    let (b, rest) = rest.split_at(length);
    let (c, rest) = rest.split_at(length);
    let (d, rest) = rest.split_at(length);
    let (e, rest) = rest.split_at(length);
    let (f, rest) = rest.split_at(length);
    let (g, h) = rest.split_at(length);
    let h = &h[..length];
    let values = &values[..TOGETHER];
    let (p, q, r, s, t, u, v, w) =
        (values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7]);
    for at in 0..length {
        let sum = step(d[at], s, step(c[at], r, step(b[at], q, step(a[at], p, gates[at]))));
        gates[at] = step(h[at], w, step(g[at], v, step(f[at], u, step(e[at], t, sum))));
    }
}
