//! The language model as tensors of a device: choosing one, and the precisions there. That its exact answers are the reference's is in
//! [`super::parity`], which runs every model both ways.

use super::parity::{frames, load_on, logits, reference_columns};
use super::{TINY, distance, reference, tiny};
use cantus_engine::generation::musicgen::{DeviceChoice, LoadOptions, Logits, MusicGen, Precision};
use cantus_engine::job_context::JobContext;

fn of(name: &str, device: DeviceChoice, precision: Precision) -> Logits {
    let reference = reference(name);
    let model = load_on(name, device, precision);
    logits(&model, "solo violin", &frames(&reference, "a"), &reference_columns(&reference))
}

#[test]
fn quantised_weights_cost_no_more_on_a_device() {
    for name in TINY {
        let exact = of(name, DeviceChoice::Cpu, Precision::F32);
        for precision in [Precision::Q8_0, Precision::Q4K] {
            // Inputs are rounded to 8 bits, too, and fall to one side or the other: equal answers are not to be had, equal errors are.
            let lost = |device| distance(&of(name, device, precision).cond, &exact.cond);
            let (own, tensors) = (lost(DeviceChoice::Cpu), lost(DeviceChoice::CpuTensors));
            assert!(tensors < 1.5 * own, "{name} {precision:?}: {tensors} from the exact one, our own loops {own}");
        }
    }
}

#[test]
fn half_precision_is_nearer_than_eight_bits() {
    for name in TINY {
        let exact = of(name, DeviceChoice::CpuTensors, Precision::F32);
        let error = |precision| distance(&of(name, DeviceChoice::CpuTensors, precision).cond, &exact.cond);
        let (half, eight) = (error(Precision::F16), error(Precision::Q8_0));
        assert!(half > 0.0 && half < 0.5 * eight, "{name}: {half}, {eight}");
    }
}

#[test]
fn what_cannot_run_is_refused_in_a_sentence() {
    let mut rows = vec![(DeviceChoice::Cpu, Precision::F16, "16-bit weights are for graphics processors")];
    if !cfg!(feature = "cuda") {
        rows.push((DeviceChoice::Cuda(0), Precision::F16, "built without support for NVIDIA"));
    }
    if !cfg!(feature = "metal") {
        rows.push((DeviceChoice::Metal(0), Precision::Q8_0, "built without support for Apple"));
    }
    for (device, precision, expected) in rows {
        let options = LoadOptions { device, precision, ..LoadOptions::default() };
        let Err(error) = MusicGen::load_with(&tiny("mono"), &options, &JobContext::detached()) else {
            panic!("{device:?} with {precision:?} was loaded")
        };
        assert!(error.to_string().contains(expected), "{error}");
    }
}
