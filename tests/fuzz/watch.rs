//! Limits of one input: time, memory, and panics on any thread. What breaks one ends the process with a sentence in a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// An input that computes for longer hangs. Processor time: the machine may be busy with other things.
const MOST_CPU: Duration = Duration::from_secs(10);
/// An input that waits for longer hangs.
const MOST_WALL: Duration = Duration::from_secs(90);
/// A process that holds more has been tricked into it.
const MOST_RESIDENT: u64 = 2 << 30;
/// The system itself refuses beyond this.
const MOST_ADDRESS_SPACE: u64 = 12 << 30;

/// Exit status of a process that found something.
const FOUND: i32 = 77;

static PANIC: Mutex<Option<String>> = Mutex::new(None);
/// Processor time at which the running input began, in microseconds + 1; 0 between two inputs.
static BEGAN_CPU: AtomicU64 = AtomicU64::new(0);
static BEGAN_WALL: Mutex<Option<Instant>> = Mutex::new(None);

/// Processor time of this process so far.
pub fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one plain value.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Memory in use, in bytes; 0 where the system cannot say.
pub fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4_096
}

/// Watches from now on. The reason of an end is written to a file.
pub fn begin(reason: &Path) {
    std::panic::set_hook(Box::new(|panic| {
        let mut first = PANIC.lock().unwrap();
        if first.is_none() {
            *first = Some(panic.to_string());
        }
    }));
    let limit = libc::rlimit { rlim_cur: MOST_ADDRESS_SPACE, rlim_max: MOST_ADDRESS_SPACE };
    // SAFETY: takes plain numbers; a refusal leaves the other limit.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
    let reason = reason.to_path_buf();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(50));
            look(&reason);
        }
    });
}

fn look(reason: &PathBuf) {
    if resident() > MOST_RESIDENT {
        end(reason, "memory: more than 2 GB in use");
    }
    let began = BEGAN_CPU.load(Ordering::Acquire);
    if began == 0 {
        return;
    }
    let computed = cpu_time().saturating_sub(Duration::from_micros(began - 1));
    let waited = BEGAN_WALL.lock().unwrap().map_or(Duration::ZERO, |began| began.elapsed());
    if computed > MOST_CPU || waited > MOST_WALL {
        end(reason, &format!("hang: {:.0} s computed, {:.0} s passed", computed.as_secs_f64(), waited.as_secs_f64()));
    }
}

/// Ends the process.
pub fn end(reason: &Path, sentence: &str) -> ! {
    // Without the reason the input alone is reported.
    let _ = fs::write(reason, sentence);
    // SAFETY: ends the process without running anything of it, which is what a broken one needs.
    unsafe { libc::_exit(FOUND) }
}

/// Runs one input; the first panic of any thread, contained or not, is its failure.
pub fn input<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    *BEGAN_WALL.lock().unwrap() = Some(Instant::now());
    BEGAN_CPU.store(cpu_time().as_micros() as u64 + 1, Ordering::Release);
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    BEGAN_CPU.store(0, Ordering::Release);
    let panicked = PANIC.lock().unwrap().take();
    match (answer, panicked) {
        (Ok(answer), None) => Ok(answer),
        (_, Some(sentence)) => Err(sentence),
        (Err(_), None) => Err("it panicked without a word".to_owned()),
    }
}
