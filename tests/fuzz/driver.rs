//! The process that tries inputs: it changes known ones, keeps what is new, and ends at the first failure.

use crate::coverage::{self, Feature, Seen};
use crate::draw::Draw;
use crate::mutate;
use crate::targets::Target;
use crate::watch;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where a run keeps its things.
pub struct Desk {
    /// Inputs that were kept on this machine.
    pub queue: PathBuf,
    /// The input that is being tried.
    pub current: PathBuf,
    /// Why the process ended.
    pub reason: PathBuf,
    /// What the plugin and the system print.
    pub printed: PathBuf,
    /// One line a second: inputs, seconds, edges.
    pub ledger: PathBuf,
}

impl Desk {
    /// Below a folder, for one target.
    pub fn new(folder: &Path, target: &str) -> Self {
        let at = |name: &str| folder.join(target).join(name);
        Self {
            queue: at("queue"),
            current: at("current"),
            reason: at("reason"),
            printed: at("printed"),
            ledger: at("ledger"),
        }
    }
}

/// The files of a folder, by name.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, Vec<u8>)> = entries
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).ok()?)))
        .collect();
    found.sort();
    found
}

/// The checked-in inputs of a target.
pub fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// A short name of an input's content.
pub fn name_of(input: &[u8]) -> String {
    let hash = input
        .iter()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3));
    format!("{hash:016x}")
}

/// Seeds, the checked-in corpus and what was kept before.
fn known(target: &Target, desk: &Desk) -> Vec<Vec<u8>> {
    let mut inputs = (target.seeds)();
    inputs.extend(files(&corpus(target.name)).into_iter().map(|(_, bytes)| bytes));
    inputs.extend(files(&desk.queue).into_iter().map(|(_, bytes)| bytes));
    inputs.retain(|input| input.len() <= target.most_bytes);
    inputs.sort_by_key(Vec::len);
    inputs.dedup();
    inputs
}

struct Bench<'a> {
    desk: &'a Desk,
    run: crate::targets::Run,
    count: u64,
    printed: u64,
}

impl Bench<'_> {
    /// Runs one input; ends the process when it fails.
    fn run(&mut self, input: &[u8]) -> (Vec<Feature>, u64) {
        fs::write(&self.desk.current, input).unwrap();
        coverage::clear();
        let answer = watch::input(|| (self.run)(input)).unwrap_or_else(|panic| watch::end(&self.desk.reason, &panic));
        let features = coverage::features();
        self.count += 1;
        // The plugin is a library with a panic hook of its own, and contains its panics; but it prints them.
        let length = fs::metadata(&self.desk.printed).map_or(0, |about| about.len());
        if length > self.printed {
            let text = fs::read(&self.desk.printed).unwrap_or_default();
            let new = String::from_utf8_lossy(&text[self.printed as usize..]).into_owned();
            if let Some(at) = new.find("panicked") {
                let about: String = new[at..].chars().take(400).collect();
                watch::end(&self.desk.reason, &about);
            }
            self.printed = length;
        }
        (features, answer)
    }
}

/// Tries inputs for some processor time.
pub fn explore(target: &Target, desk: &Desk, seed: u64, cpu: Duration) {
    fs::create_dir_all(&desk.queue).unwrap();
    watch::begin(&desk.reason);
    let mut bench = Bench {
        desk,
        run: (target.open)(),
        count: 0,
        printed: fs::metadata(&desk.printed).map_or(0, |about| about.len()),
    };
    let mut seen = Seen::default();
    let mut pool = Vec::new();
    for input in known(target, desk) {
        let (features, answer) = bench.run(&input);
        if seen.add(&features, answer) {
            pool.push(input);
        }
    }
    assert!(!pool.is_empty(), "{} has no input to begin with", target.name);
    let mut told = Instant::now();
    let mut number = 0_u64;
    loop {
        let mut draw = Draw::new(seed, number);
        number += 1;
        // Half of the time what was found last leads on.
        let recent = if draw.once_in(2) { pool.len().saturating_sub(12) } else { 0 };
        let mut input = pool[recent + draw.below(pool.len() - recent)].clone();
        for _ in 0..1 + draw.below(3) {
            input = (target.mutate)(&input, &mut draw);
        }
        if draw.once_in(16) {
            let other = &pool[draw.below(pool.len())];
            input = mutate::spliced(&input, other, &mut draw);
        }
        input.truncate(target.most_bytes);
        let (features, answer) = bench.run(&input);
        if seen.add(&features, answer) {
            fs::write(desk.queue.join(name_of(&input)), &input).unwrap();
            pool.push(input);
        }
        let over = watch::cpu_time() >= cpu;
        if over || told.elapsed() > Duration::from_secs(1) {
            told = Instant::now();
            let line = format!(
                "{} {:.1} {} {} {}\n",
                bench.count,
                watch::cpu_time().as_secs_f64(),
                seen.edges(),
                seen.answers(),
                pool.len()
            );
            fs::write(&desk.ledger, line).unwrap();
        }
        if over {
            // What runs in the background has nothing to say any more.
            std::process::exit(0);
        }
    }
}

/// Runs the checked-in inputs, and the seeds; the process ends at the first failure.
pub fn replay(target: &Target, desk: &Desk, only: &[Vec<u8>]) -> usize {
    watch::begin(&desk.reason);
    let printed = fs::metadata(&desk.printed).map_or(0, |about| about.len());
    let mut bench = Bench { desk, run: (target.open)(), count: 0, printed };
    let inputs = if only.is_empty() {
        let stored = files(&corpus(target.name)).into_iter().map(|(_, bytes)| bytes);
        (target.seeds)().into_iter().chain(stored).collect()
    } else {
        only.to_vec()
    };
    for input in &inputs {
        bench.run(input);
    }
    inputs.len()
}

/// Chooses the smallest inputs that together reach what all reach, as far as there is room, and puts them into the checked-in corpus.
pub fn keep(target: &Target, desk: &Desk, room: usize) {
    watch::begin(&desk.reason);
    let printed = fs::metadata(&desk.printed).map_or(0, |about| about.len());
    let mut bench = Bench { desk, run: (target.open)(), count: 0, printed };
    let mut seen = Seen::default();
    for seed in (target.seeds)() {
        let (features, answer) = bench.run(&seed);
        seen.add(&features, answer);
    }
    let folder = corpus(target.name);
    fs::create_dir_all(&folder).unwrap();
    let stored = files(&folder);
    let mut free = room;
    for (_, bytes) in stored {
        let (features, answer) = bench.run(&bytes);
        seen.add(&features, answer);
        free = free.saturating_sub(bytes.len());
    }
    let mut queue: Vec<Vec<u8>> = files(&desk.queue).into_iter().map(|(_, bytes)| bytes).collect();
    queue.sort_by_key(Vec::len);
    let mut kept = 0;
    for input in queue {
        if input.len() > free {
            break;
        }
        let (features, answer) = bench.run(&input);
        if seen.add(&features, answer) {
            free -= input.len();
            kept += 1;
            fs::write(folder.join(name_of(&input)), &input).unwrap();
        }
    }
    println!("{}: {kept} inputs kept", target.name);
}
