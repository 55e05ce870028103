//! Thread: background, gui. Orders that the audio thread noticed but must not carry out itself. All of them return quickly.

use crate::Cantus;
use crate::dirty::Dirty;
use crate::params::{CantusParams, style_name};
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::instance::Instance;
use cantus_engine::instance::orders::Wish;
use nice_plug::prelude::TaskExecutor;
use std::sync::Arc;

/// An order.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    /// The capture parameter went on, at a record frame.
    StartCapture(u64),
    /// The capture parameter went off, at a record frame.
    StopCapture(u64),
    /// The generate parameter went on.
    Generate,
    /// The cancel parameter went on.
    Cancel,
    /// The active parameter changed.
    Select(usize),
    /// The input offset changed.
    SetInputOffset,
    /// The host's tempo is not the one that plays.
    FollowTempo(TransportStamp),
    /// Thread: gui. Tell the host that the project changed.
    MarkDirty,
}

/// What carries the orders out.
pub fn executor(params: Arc<CantusParams>, instance: Arc<Instance>, dirty: Arc<Dirty>) -> TaskExecutor<Cantus> {
    Box::new(move |task| match task {
        Task::StartCapture(at) => instance.arm_at(params.capture_order(), at),
        Task::StopCapture(at) => instance.stop_capture_at(at),
        Task::Generate => instance.generate(&wish(&params, &instance)),
        Task::Cancel => instance.cancel_jobs(),
        Task::Select(number) => instance.select_number(number),
        Task::SetInputOffset => instance.set_input_offset(params.input_offset()),
        Task::FollowTempo(stamp) => instance.tempo_changed(&stamp),
        Task::MarkDirty => dirty.mark(&params),
    })
}

/// What the parameters and the prompt ask for.
pub fn wish(params: &CantusParams, instance: &Instance) -> Wish {
    let typed = instance.prompt();
    let style = || style_name(params.style.value()).unwrap_or_default();
    Wish {
        prompt: if typed.trim().is_empty() { style() } else { typed },
        seed: u64::from(params.seed.value().unsigned_abs()),
        variations: params.variations.value().unsigned_abs(),
        freedom: params.freedom.value(),
    }
}
