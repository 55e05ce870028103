//! Thread: worker. Runs the pieces of one job side by side on a bounded number of threads that end with the call.

use crate::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads of one job, the calling one included. More would take cores from the host's own audio.
const LANES: usize = 2;

/// `work` on every input, results in order. Which thread does what never shows in the results.
///
/// The threads are joined before this returns: a plugin may be unloaded right after its last job.
///
/// # Errors
/// The first input's error, if any; a panic inside `work` becomes [`Error::Internal`].
pub fn side_by_side<I: Send, T: Send>(inputs: Vec<I>, work: impl Fn(usize, I) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<T>>>> = inputs.iter().map(|_| Mutex::new(None)).collect();
    let inputs: Vec<Mutex<Option<I>>> = inputs.into_iter().map(|input| Mutex::new(Some(input))).collect();
    let lane = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(input), Some(slot)) = (inputs.get(index), results.get(index)) else { break };
            let Some(input) = input.lock().ok().and_then(|mut input| input.take()) else { continue };
            let result = catch_unwind(AssertUnwindSafe(|| work(index, input)))
                .unwrap_or_else(|_| Err(Error::internal("working", "a part's code failed")));
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..LANES.min(inputs.len()) {
            scope.spawn(lane);
        }
        lane();
    });
    let missing = || Err(Error::internal("working", "a part is missing"));
    results.into_iter().map(|slot| slot.into_inner().ok().flatten().unwrap_or_else(missing)).collect()
}
