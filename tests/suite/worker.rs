//! Tests of the worker process: the same music as without it, and every way it can end.

mod command;
mod ends;
mod pipes;
mod turns;
mod work;

use crate::command_line::program;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::musicgen::{AudioRequest, Melody, Precision, Sampling};
use cantus_engine::job_context::{CancelToken, JobContext, Progress, Stage};
use cantus_engine::time::{SampleRate, Seconds};
use cantus_engine::worker::Order;
use cantus_engine::worker::supervisor::{Settings, Supervisor};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// The tiny random model in the layout of the real one.
pub fn tiny_model() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/musicgen-tiny/mono")).to_path_buf()
}

/// A folder of its own for each test's turns, and a supervisor that works there.
fn supervisor(folder: &Path) -> Supervisor {
    Supervisor::new(settings(folder))
}

fn settings(folder: &Path) -> Settings {
    let data = folder.to_string_lossy().into_owned();
    Settings {
        program: Some(program().to_path_buf()),
        environment: vec![("CANTUS_DATA_DIR".to_owned(), data)],
        ..Settings::default()
    }
}

fn order(seconds: f64) -> Order {
    Order {
        folder: tiny_model(),
        precision: Precision::F32,
        request: AudioRequest {
            text: "a piano".to_owned(),
            melody: Melody::None,
            seconds: Seconds(seconds),
            seed: 7,
            sampling: Sampling::default(),
            continue_from: None,
        },
    }
}

/// A sound with a melody: half seconds of tones.
fn tones(seconds: f64) -> AudioBuffer {
    let rate = 32_000;
    let samples = (0..(seconds * f64::from(rate)) as usize)
        .map(|frame| {
            let note = [0, 4, 7, 12][frame / 16_000 % 4];
            let hz = 220.0 * 2.0_f64.powf(f64::from(note) / 12.0);
            (0.3 * (std::f64::consts::TAU * hz * frame as f64 / f64::from(rate)).sin()) as f32
        })
        .collect();
    AudioBuffer::mono(SampleRate(rate), samples)
}

/// A job on a thread of its own, watched.
struct Running {
    cancel: CancelToken,
    result: std::thread::JoinHandle<cantus_engine::Result<AudioBuffer>>,
    pieces: Arc<Mutex<Vec<AudioBuffer>>>,
    stages: Receiver<Stage>,
}

impl Running {
    fn start(supervisor: &Arc<Supervisor>, order: Order) -> Self {
        let cancel = CancelToken::default();
        let (tell, stages) = channel();
        let report = move |progress: Progress| {
            let _ = tell.send(progress.stage);
        };
        let context = JobContext::new(cancel.clone(), Arc::new(report));
        let pieces = Arc::new(Mutex::new(Vec::new()));
        let (supervisor, made) = (supervisor.clone(), pieces.clone());
        let result = std::thread::spawn(move || {
            supervisor.generate(&order, &context, &mut |audio| made.lock().unwrap().push(audio.clone()))
        });
        Self { cancel, result, pieces, stages }
    }

    /// Waits until it is in a stage.
    fn wait_for(&self, stage: Stage) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.stages.recv_timeout(PATIENCE) {
                Ok(now) if now == stage => return,
                Ok(_) => {}
                Err(error) => panic!("never came to {stage:?}: {error}"),
            }
        }
        panic!("never came to {stage:?}");
    }

    fn end(self) -> cantus_engine::Result<AudioBuffer> {
        self.result.join().unwrap()
    }
}

/// Waits until something holds.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
fn signal(process: u32, number: i32) {
    // SAFETY: plain numbers; the process is a worker that this test started.
    assert_eq!(unsafe { libc::kill(process as i32, number) }, 0, "the worker {process} is there");
}

#[cfg(unix)]
fn is_alive(process: u32) -> bool {
    // SAFETY: plain numbers; signal 0 only asks.
    unsafe { libc::kill(process as i32, 0) == 0 }
}
