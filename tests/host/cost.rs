//! Thread: audio. What one block cost the thread that ran it.

use std::time::{Duration, Instant};

/// Cost of one call of the plugin's `process`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockCost {
    /// Processor time of the audio thread. Zero where the system cannot say.
    pub cpu: Duration,
    /// Time on the wall.
    pub wall: Duration,
    /// Times the thread gave up the processor by itself: it waited for something.
    pub voluntary_switches: u64,
}

/// A running measurement.
pub struct Meter {
    cpu: Duration,
    wall: Instant,
    voluntary_switches: u64,
}

impl Meter {
    /// Begins to measure on the calling thread.
    pub fn start() -> Self {
        Self { voluntary_switches: voluntary_switches(), wall: Instant::now(), cpu: thread_cpu_time() }
    }

    /// The cost since [`Self::start`], to be called on the same thread.
    pub fn stop(self) -> BlockCost {
        BlockCost {
            cpu: thread_cpu_time().saturating_sub(self.cpu),
            wall: self.wall.elapsed(),
            voluntary_switches: voluntary_switches().saturating_sub(self.voluntary_switches),
        }
    }
}

/// The value below which `share` (0 to 1) of the values lie; the largest for 1. Zero of none.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(unix)]
fn thread_cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result and outlives the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    if failed != 0 {
        return Duration::ZERO;
    }
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(unix))]
fn thread_cpu_time() -> Duration {
    Duration::ZERO
}

#[cfg(target_os = "linux")]
fn voluntary_switches() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is a valid place for the result, and zeroes are a valid `rusage` should the call fail.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init()
    };
    u64::try_from(usage.ru_nvcsw).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn voluntary_switches() -> u64 {
    0
}
