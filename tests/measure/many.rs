//! Thread: main. Fifty instances in a song, beside fifty of a plugin that does nothing.

use crate::{Bundles, Outcome, Row, say};
use cantus_host::{AudioSetup, Bundle, Clip, Instance, Pace, Song, SongClock};
use std::time::Duration;

const RATE: u32 = 48_000;
const BLOCK: usize = 512;
const INSTANCES: usize = 50;
/// Seconds of sound that fill every rolling history.
const FULL_SECONDS: usize = 70;

/// Processor time and memory.
pub fn measure(bundles: &Bundles) -> Outcome<Vec<Row>> {
    let seconds = if bundles.quick { 2 } else { 20 };
    let frames = seconds * RATE as usize / BLOCK * BLOCK;
    let mut empty = Group::new(&bundles.empty, INSTANCES)?;
    let bare = empty.idle(frames)?;
    let mut cantus = Group::new(&bundles.cantus, 1)?;
    cantus.fill()?;
    let one_mb = memory_mb()?;
    cantus.grow(&bundles.cantus, INSTANCES)?;
    cantus.fill()?;
    let all_mb = memory_mb()?;
    let ours = cantus.idle(frames)?;
    let each_mb = (all_mb - one_mb) / (INSTANCES - 1) as f64;
    // Both groups again, in turn, as on the tracks of one song.
    let beside = (cantus.idle(frames)?, empty.idle(frames)?);
    let percent = |cost: Cost| 100.0 * cost.total() / (frames as f64 / f64::from(RATE));
    let cost = format!(
        "{:.1} ×: {:.2} % of a core ({:.2} % audio threads, {:.2} % ours behind them) against {:.2} %",
        ours.total() / bare.total(),
        percent(ours),
        100.0 * ours.audio / (frames as f64 / f64::from(RATE)),
        100.0 * ours.behind / (frames as f64 / f64::from(RATE)),
        percent(bare)
    );
    Ok(vec![
        Row(
            "50 instances idle, blocks of 512 frames at 48 kHz, against 50 empty plugins of the same framework",
            "≤ 2 ×",
            cost,
        ),
        Row(
            "memory of an instance whose history is full of sound, beyond what all share",
            "≤ 32 MB",
            format!("{each_mb:.1} MB"),
        ),
        Row(
            "50 instances and 50 empty plugins beside each other",
            "both as alone, every track passes unchanged",
            format!("{:.2} % and {:.2} % of a core, all 100 unchanged", percent(beside.0), percent(beside.1)),
        ),
    ])
}

/// Processor seconds of a run.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Inside the plugins' `process`.
    audio: f64,
    /// In the threads that the plugins started.
    behind: f64,
}

impl Cost {
    fn total(self) -> f64 {
        self.audio + self.behind
    }
}

struct Group {
    instances: Vec<(Instance, Song)>,
    sound: Vec<f32>,
}

impl Group {
    fn new(bundle: &std::path::Path, count: usize) -> Outcome<Self> {
        // Noise, so that no page of a history stays a page of zeros.
        let mut state = 1_u32;
        let sound = (0..RATE as usize * FULL_SECONDS).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        });
        let mut group = Self { instances: Vec::new(), sound: sound.collect() };
        group.grow(bundle, count)?;
        Ok(group)
    }

    fn grow(&mut self, bundle: &std::path::Path, count: usize) -> Outcome<()> {
        let bundle = Bundle::load(bundle).map_err(say)?;
        let shared = Clip::mono_at(0, self.sound.clone());
        while self.instances.len() < count {
            let mut instance = bundle.instance().map_err(say)?;
            instance.activate(&AudioSetup::new(RATE, BLOCK)).map_err(say)?;
            let mut song = Song::new(SongClock::new(RATE, 120.0));
            song.clock.play();
            song.clips.push(shared.clone());
            self.instances.push((instance, song));
        }
        Ok(())
    }

    /// Lets more sound pass than a history keeps.
    fn fill(&mut self) -> Outcome<()> {
        for (instance, song) in &mut self.instances {
            song.clock.locate(0);
            // The collector must keep up, or what is dropped never reaches the history.
            for _ in 0..FULL_SECONDS {
                instance.run(song, RATE as usize, Pace::Times(100.0)).map_err(say)?;
            }
        }
        Ok(())
    }

    /// Every instance plays this many frames of its track and does nothing else.
    fn idle(&mut self, frames: usize) -> Outcome<Cost> {
        let before = behind_seconds();
        let mut audio = 0.0;
        for (number, (instance, song)) in self.instances.iter_mut().enumerate() {
            song.clock.locate(0);
            let heard = instance.run(song, frames, Pace::Unbounded).map_err(say)?;
            audio += heard.blocks.iter().map(|block| block.cost.cpu.as_secs_f64()).sum::<f64>();
            let unchanged = heard.main().iter().all(|channel| *channel == self.sound[..channel.len()]);
            if !unchanged || heard.frames() != frames {
                return Err(format!("Instance {} does not pass its track unchanged.", number + 1));
            }
        }
        std::thread::sleep(Duration::from_millis(200));
        Ok(Cost { audio, behind: behind_seconds() - before })
    }
}

/// Processor time of the threads that Cantus has started, in seconds.
fn behind_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let seconds = tasks.filter_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        if !name.starts_with("cantus-") || name.starts_with("cantus-measure") {
            return None;
        }
        // Nanoseconds on the processor are the first number.
        let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        Some(times.split_whitespace().next()?.parse::<f64>().ok()? * 1e-9)
    });
    seconds.sum()
}

/// What this process holds alone, in megabytes.
fn memory_mb() -> Outcome<f64> {
    // SAFETY: gives free memory back to the system; it touches nothing that is in use.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").map_err(say)?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("This system does not tell memory.")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().map_err(say)?;
    Ok(kilobytes * 1_024.0 / 1e6)
}
