//! Thread: worker. Weights of the codec's layers, as checkpoints hold them: convolutions as direction and length.

use super::config::EncodecConfig;
use super::convolution::{Convolution, Shape};
use super::lstm::{Cells, Lstm};
use super::transposed::Transposed;
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use std::sync::Arc;

/// A tensor as plain numbers in single precision, whatever it is stored as and wherever the model runs.
pub fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// `shape[0]` rows, each its stored direction scaled to its stored length. Both of the two names that are in use for them are
/// read, and a weight that is stored as it is.
fn weight(weights: &VarBuilder, shape: [usize; 3]) -> Result<Vec<f32>> {
    let names = [("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")];
    if weights.contains_tensor("weight") {
        return numbers(&weights.get(shape.as_slice(), "weight")?);
    }
    // When there are neither, the published name is the one to be missed.
    let (length, direction) = names.into_iter().find(|(length, _)| weights.contains_tensor(length)).unwrap_or(names[0]);
    let lengths = numbers(&weights.get((shape[0], 1, 1), length)?)?;
    let mut weight = numbers(&weights.get(shape.as_slice(), direction)?)?;
    for (row, length) in weight.chunks_exact_mut(shape[1] * shape[2]).zip(lengths) {
        let norm = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        let scale = (f64::from(length) / norm) as f32;
        row.iter_mut().for_each(|value| *value *= scale);
    }
    Ok(weight)
}

/// A convolution at `weights.conv`.
pub fn convolution(weights: &VarBuilder, config: &EncodecConfig, shape: Shape) -> Result<Arc<Convolution>> {
    let weights = weights.pp("conv");
    let weight = weight(&weights, [shape.outputs, shape.inputs, shape.kernel])?;
    let bias = numbers(&weights.get(shape.outputs, "bias")?)?;
    Ok(Arc::new(Convolution::new(shape, config.use_causal_conv, config.pad_mode, &weight, bias)))
}

/// A transposed convolution at `weights.conv`, from `inputs` to half as many channels.
pub fn transposed(
    weights: &VarBuilder,
    config: &EncodecConfig,
    inputs: usize,
    outputs: usize,
    stride: usize,
) -> Result<Arc<Transposed>> {
    let weights = weights.pp("conv");
    let weight = weight(&weights, [inputs, outputs, 2 * stride])?;
    let bias = numbers(&weights.get(outputs, "bias")?)?;
    let causal = (stride as f64 * config.trim_right_ratio).ceil() as usize;
    let right = if config.use_causal_conv { causal } else { stride / 2 };
    Ok(Arc::new(Transposed::new(inputs, outputs, stride, right, &weight, &bias)))
}

/// Recurrent layers at `weights.lstm`.
pub fn lstm(weights: &VarBuilder, size: usize, layers: usize) -> Result<Arc<Lstm>> {
    let weights = weights.pp("lstm");
    let layers = (0..layers)
        .map(|layer| {
            let matrix = |name: &str| numbers(&weights.get((4 * size, size), &format!("{name}_l{layer}"))?);
            let bias = |name: &str| numbers(&weights.get(4 * size, &format!("{name}_l{layer}"))?);
            let biases = [bias("bias_ih")?, bias("bias_hh")?];
            Ok(Cells::new(size, &matrix("weight_ih")?, &matrix("weight_hh")?, biases))
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(Lstm { size, layers }))
}
