//! Tests of the lanes (order, debounce, cancel, panics, the end) and of the cache.

use cantus_engine::Error;
use cantus_engine::analysis::edit::{Edits, MelodyEdit, Selection};
use cantus_engine::capture::file::read_take;
use cantus_engine::generation::band::ARRANGER_VERSION;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Timing};
use cantus_engine::job_context::{JobContext, Stage};
use cantus_engine::jobs::cache::Cache;
use cantus_engine::jobs::lanes::{Job, JobHandle, Lane, Lanes, LanesHandle, Priority};
use cantus_engine::jobs::pipeline::{corrected, listen, rendition};
use cantus_engine::time::{Bpm, Metre, SampleRate, Seconds};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

type Ended = (&'static str, Result<(), Error>);

struct Desk {
    lanes: LanesHandle,
    ended: Receiver<Ended>,
    tell: Sender<Ended>,
}

impl Desk {
    fn new(lanes: &Lanes) -> Self {
        let (tell, ended) = channel();
        Self { lanes: lanes.handle(), ended, tell }
    }

    fn submit(
        &self,
        name: &'static str,
        (priority, key, delay): (Priority, Option<u64>, Duration),
        work: impl FnOnce(&JobContext) -> cantus_engine::Result<()> + Send + 'static,
    ) -> JobHandle {
        let tell = self.tell.clone();
        self.lanes.submit(Job {
            lane: Lane::Slow,
            priority,
            delay,
            key,
            work: Box::new(work),
            done: Box::new(move |result| drop(tell.send((name, result)))),
        })
    }

    fn next(&self) -> Ended {
        self.ended.recv_timeout(PATIENCE).expect("a job must end")
    }
}

const PLAIN: (Priority, Option<u64>, Duration) = (Priority::Normal, None, Duration::ZERO);

/// Occupies the one slow worker until the sender is used, so that what is submitted meanwhile has to queue.
fn block(desk: &Desk) -> Sender<()> {
    let (release, wait) = channel();
    let (started, running) = channel();
    desk.submit("blocker", PLAIN, move |_| {
        started.send(()).unwrap();
        wait.recv().unwrap();
        Ok(())
    });
    running.recv_timeout(PATIENCE).unwrap();
    release
}

#[test]
fn urgent_jobs_go_first_and_equals_in_order() {
    let _turn = crate::turn();
    let lanes = Lanes::start().unwrap();
    let desk = Desk::new(&lanes);
    let release = block(&desk);
    for (name, priority) in [
        ("idle", Priority::Idle),
        ("normal 1", Priority::Normal),
        ("urgent", Priority::Urgent),
        ("normal 2", Priority::Normal),
    ] {
        desk.submit(name, (priority, None, Duration::ZERO), |_| Ok(()));
    }
    release.send(()).unwrap();
    let order: Vec<_> = (0..5).map(|_| desk.next().0).collect();
    assert_eq!(order, ["blocker", "urgent", "normal 1", "normal 2", "idle"]);
}

#[test]
fn fifty_changes_in_a_row_are_one_job() {
    let _turn = crate::turn();
    let lanes = Lanes::start().unwrap();
    let desk = Desk::new(&lanes);
    let ran = Arc::new(Mutex::new(Vec::new()));
    for change in 0..50 {
        let ran = ran.clone();
        desk.submit("tempo", (Priority::Normal, Some(9), Duration::from_millis(60)), move |_| {
            ran.lock().unwrap().push(change);
            Ok(())
        });
    }
    let ended: Vec<_> = (0..50).map(|_| desk.next().1).collect();
    assert_eq!(*ran.lock().unwrap(), [49], "only the last change counts");
    assert_eq!(ended.iter().filter(|result| **result == Err(Error::Cancelled)).count(), 49);
}

#[test]
fn a_job_of_the_same_key_cancels_the_one_that_runs() {
    let _turn = crate::turn();
    let lanes = Lanes::start().unwrap();
    let desk = Desk::new(&lanes);
    let (started, running) = channel();
    desk.submit("old", (Priority::Normal, Some(1), Duration::ZERO), move |context| {
        started.send(()).unwrap();
        loop {
            context.progress(Stage::Render, 0.5)?;
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    running.recv_timeout(PATIENCE).unwrap();
    desk.submit("new", (Priority::Normal, Some(1), Duration::ZERO), |_| Ok(()));
    assert_eq!(desk.next(), ("old", Err(Error::Cancelled)));
    assert_eq!(desk.next(), ("new", Ok(())));
}

#[test]
fn a_panic_is_a_failed_job_with_a_sentence_and_the_worker_goes_on() {
    let _turn = crate::turn();
    let lanes = Lanes::start().unwrap();
    let desk = Desk::new(&lanes);
    desk.submit("broken", PLAIN, |context| {
        context.progress(Stage::Arrangement, 0.0)?;
        panic!("no such chord");
    });
    let (_, result) = desk.next();
    let sentence = result.unwrap_err().to_string();
    assert!(sentence.contains("while arranging: no such chord"), "{sentence}");
    desk.submit("next", PLAIN, |_| Ok(()));
    assert_eq!(desk.next(), ("next", Ok(())));
}

#[test]
fn progress_is_seen_and_a_waiting_job_can_be_cancelled() {
    let _turn = crate::turn();
    let lanes = Lanes::start().unwrap();
    let desk = Desk::new(&lanes);
    let release = block(&desk);
    let touched = Arc::new(AtomicUsize::new(0));
    let inside = touched.clone();
    let waiting = desk.submit("waiting", PLAIN, move |_| {
        inside.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(waiting.progress().stage, Stage::Queued);
    waiting.cancel();
    release.send(()).unwrap();
    assert_eq!(desk.next(), ("blocker", Ok(())));
    assert_eq!(desk.next(), ("waiting", Err(Error::Cancelled)));
    assert_eq!(touched.load(Ordering::SeqCst), 0);
}

#[test]
fn dropping_the_lanes_cancels_joins_and_refuses_what_comes_later() {
    let _turn = crate::turn();
    let lanes = Lanes::start().unwrap();
    let desk = Desk::new(&lanes);
    let (started, running) = channel();
    desk.submit("endless", PLAIN, move |context| {
        started.send(()).unwrap();
        loop {
            context.check()?;
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    running.recv_timeout(PATIENCE).unwrap();
    desk.submit("queued", PLAIN, |_| Ok(()));
    let begun = Instant::now();
    drop(lanes);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let mut ended = [desk.next(), desk.next()];
    ended.sort_by_key(|(name, _)| *name);
    assert_eq!(ended, [("endless", Err(Error::Cancelled)), ("queued", Err(Error::Cancelled))]);
    desk.submit("late", PLAIN, |_| Ok(()));
    assert_eq!(desk.next(), ("late", Err(Error::Cancelled)));
}

#[test]
fn results_are_remembered_by_what_made_them() {
    let library = StyleLibrary::builtin().unwrap();
    let cache = Cache::default();
    let context = JobContext::detached();
    let hum = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac");
    let mut take = read_take(hum.as_ref(), Some(Bpm(100.0)), Metre::default()).unwrap();
    let melody = listen(&take, &cache, &context).unwrap();
    let again = listen(&take, &cache, &context).unwrap();
    assert!(melody.analysis_ms > 0.0 && again.analysis_ms == 0.0);
    assert!(Arc::ptr_eq(&melody.analysis, &again.analysis));
    take.audio.channels[0][1_000] += 1e-4;
    assert_ne!(listen(&take, &cache, &context).unwrap().input, melody.input, "another sample, another melody");

    let recipe = |seed| Recipe {
        engine: EngineKind::Band,
        prompt: "reggae".to_owned(),
        seed,
        freedom: 0.0,
        timing: Timing::AsSung,
        direction: Default::default(),
        song: Default::default(),
        engine_version: ARRANGER_VERSION,
    };
    let tools = (&library, &cache);
    let render = |seed| rendition(&melody, &recipe(seed), "Reggae 1", SampleRate(22_050), tools, &context).unwrap();
    let (first, second, other) = (render(1), render(1), render(2));
    assert_eq!(first.timings, second.timings, "made once: the same times");
    assert_eq!(first.mix, second.mix);
    assert_ne!(first.mix, other.mix);

    // A corrected melody has a name of its own: renditions follow the corrections, and those made before are remembered. Nothing
    // of the audio is listened to again.
    let up = Edits(vec![MelodyEdit::Move { notes: Selection::All, semitones: 1, by: Seconds(0.0) }]);
    let corrected = corrected(&melody, &up).unwrap().melody;
    assert_ne!(corrected.input, melody.input);
    assert!(Arc::ptr_eq(&cache.analysis(melody.input).unwrap(), &melody.analysis), "what was heard stays");
    assert!(cache.analysis(corrected.input).is_none(), "no second analysis");
    assert_eq!((&corrected.analysis.f0, corrected.analysis_ms), (&melody.analysis.f0, melody.analysis_ms));
    let moved = rendition(&corrected, &recipe(1), "Reggae 1", SampleRate(22_050), tools, &context).unwrap();
    assert_ne!(moved.mix, first.mix);
    assert!(moved.fidelity.lead_chroma > 0.6, "kept is the corrected melody: {:?}", moved.fidelity);
    assert_eq!(render(1).timings, first.timings, "undone: as remembered");
}
