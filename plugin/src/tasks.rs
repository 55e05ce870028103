//! Thread: gui. The one thing the framework carries out for us on the main thread, and the wish that the parameters describe.

use crate::Cantus;
use crate::contained::{Place, contained};
use crate::dirty::Dirty;
use crate::params::{CantusParams, style_name};
use cantus_engine::generation::Timing;
use cantus_engine::instance::Instance;
use cantus_engine::instance::orders::Wish;
use nice_plug::prelude::TaskExecutor;
use std::sync::Arc;

/// What runs on the main thread.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    /// Tell the host that the project changed.
    MarkDirty,
}

/// What carries it out.
pub fn executor(dirty: Arc<Dirty>) -> TaskExecutor<Cantus> {
    Box::new(move |task| match task {
        Task::MarkDirty => {
            contained(Place::Mark, None, || dirty.mark_by_host());
        }
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
        timing: Timing::of_strength(params.timing.value().strength()),
    }
}
