//! What the process holds, and whether it grows.

use std::fs;

/// What is held after a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    pub megabytes: f64,
    pub threads: usize,
    pub files: usize,
}

/// What a judge makes of a row of rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Median step of memory from one round to the next.
    pub megabytes_a_round: f64,
    pub threads: (usize, usize),
    pub files: (usize, usize),
    /// What grows, in words.
    pub faults: Vec<String>,
}

impl Held {
    /// Now.
    pub fn now() -> Self {
        // What was freed goes back to the system first: only what is held counts.
        #[cfg(target_env = "gnu")]
        // SAFETY: takes a plain number, and is safe to call at any time.
        unsafe {
            libc::malloc_trim(0);
        }
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        let resident: f64 = pages.split_whitespace().nth(1).unwrap().parse().unwrap();
        let count = |folder: &str| fs::read_dir(folder).unwrap().count();
        Self { megabytes: resident * 4_096.0 / 1e6, threads: count("/proc/self/task"), files: count("/proc/self/fd") }
    }
}

/// The largest step a round that is no leak: allocators never give back everything at once.
const MOST_STEP_MEGABYTES: f64 = 0.35;
/// Growth below this is noise, however few rounds there were.
const NOISE_MEGABYTES: f64 = 6.0;

/// Judges rounds after the warm-up.
pub fn judge(rounds: &[Held]) -> Verdict {
    let mut slopes: Vec<f64> = Vec::new();
    for (from, first) in rounds.iter().enumerate() {
        for (to, second) in rounds.iter().enumerate().skip(from + 1) {
            slopes.push((second.megabytes - first.megabytes) / (to - from) as f64);
        }
    }
    let step = median(&mut slopes);
    let third = (rounds.len() / 3).max(1);
    let (head, tail) = (&rounds[..third.min(rounds.len())], &rounds[rounds.len().saturating_sub(third)..]);
    let of = |part: &[Held], what: fn(&Held) -> usize| {
        median(&mut part.iter().map(|held| what(held) as f64).collect::<Vec<_>>()) as usize
    };
    let threads = (of(head, |held| held.threads), of(tail, |held| held.threads));
    let files = (of(head, |held| held.files), of(tail, |held| held.files));
    let mut faults = Vec::new();
    if step > MOST_STEP_MEGABYTES && step * rounds.len() as f64 > NOISE_MEGABYTES {
        faults.push(format!("memory grows by {step:.2} MB a round"));
    }
    // The host's audio thread and the framework's own are there in every round.
    if threads.1 > threads.0 + 1 {
        faults.push(format!("threads grow from {} to {}", threads.0, threads.1));
    }
    if files.1 > files.0 + 2 {
        faults.push(format!("open files grow from {} to {}", files.0, files.1));
    }
    Verdict { megabytes_a_round: step, threads, files, faults }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// A host that leaks, so that the judge is seen to find it.
#[derive(Default)]
pub struct Leak {
    memory: Vec<Vec<u8>>,
    files: Vec<fs::File>,
    threads: Vec<std::sync::mpsc::Sender<()>>,
}

impl Leak {
    /// One round's worth.
    pub fn more(&mut self) {
        self.memory.push(vec![7; 2_000_000]);
        for _ in 0..2 {
            self.files.push(fs::File::open("/proc/self/statm").unwrap());
            let (keep, wait) = std::sync::mpsc::channel::<()>();
            std::thread::spawn(move || wait.recv());
            self.threads.push(keep);
        }
    }
}
