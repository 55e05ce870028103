//! What the worker makes: the same as without it, in pieces, and what is there when it is stopped.

use super::{Running, eventually, order, supervisor, tones};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::file::read_take;
use cantus_engine::generation::choice::{MelodyCondition, MusicGenChoice};
use cantus_engine::generation::musicgen::Melody;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Timing};
use cantus_engine::job_context::{CancelToken, JobContext, Progress, Stage};
use cantus_engine::jobs::cache::Cache;
use cantus_engine::jobs::pipeline::{Wanted, listen, neural_rendition};
use cantus_engine::rendition::Rendition;
use cantus_engine::time::{Bpm, Metre, SampleRate, Seconds};
use cantus_engine::worker::Workshop;
use cantus_engine::worker::here::Here;
use cantus_engine::worker::supervisor::Supervisor;
use cantus_engine::{Error, Result};
use std::sync::Arc;

fn joined(pieces: &[AudioBuffer]) -> Vec<f32> {
    pieces.iter().flat_map(|piece| piece.channels[0].clone()).collect()
}

#[test]
fn the_worker_makes_the_same_music_as_this_process_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let worker = supervisor(folder.path());
    let here = Here::default();
    let mut frames = vec![[0.0; 12]; 20];
    for (index, frame) in frames.iter_mut().enumerate() {
        frame[index * 5 % 12] = 1.0;
    }
    let context = JobContext::detached();
    let mut results: Vec<Vec<f32>> = Vec::new();
    for melody in [Melody::None, Melody::Frames(frames), Melody::Wave(tones(2.5))] {
        let mut order = order(2.2);
        order.request.melody = melody;
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        let inside = here.generate(&order, &context, &mut |piece| mine.push(piece.clone())).unwrap();
        let outside = worker.generate(&order, &context, &mut |piece| theirs.push(piece.clone())).unwrap();
        assert!(inside.frames() > 60_000 && inside.channels.iter().flatten().all(|sample| sample.is_finite()));
        assert_eq!(inside, outside);
        assert_eq!(mine, theirs, "the same pieces");
        assert_eq!(joined(&theirs), outside.channels[0], "which together are the whole");
        results.push(outside.channels[0].clone());
    }
    assert!(results[0] != results[1] && results[1] != results[2], "the melody arrives");
    let mut other = order(2.2);
    other.request.seed = 8;
    let other = worker.generate(&other, &context, &mut |_| ()).unwrap();
    assert_ne!(other.channels[0], results[0], "and so does the seed");
}

#[test]
fn what_the_model_says_of_a_bad_folder_arrives_as_its_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let worker = supervisor(folder.path());
    let mut bad = order(1.0);
    bad.folder = folder.path().to_path_buf();
    let inside = Here::default().generate(&bad, &JobContext::detached(), &mut |_| ()).unwrap_err();
    let outside = worker.generate(&bad, &JobContext::detached(), &mut |_| ()).unwrap_err();
    assert_eq!(outside, Error::worker(inside.to_string()));
    let pid = worker.process();
    assert!(pid.is_some(), "the worker stays");
    worker.generate(&order(0.5), &JobContext::detached(), &mut |_| ()).unwrap();
    assert_eq!(worker.process(), pid, "and makes the next one");
}

#[test]
fn a_stopped_job_ends_soon_and_the_worker_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Arc::new(supervisor(folder.path()));
    let running = Running::start(&worker, order(600.0));
    running.wait_for(Stage::Generation);
    let pid = worker.process();
    running.cancel.cancel();
    let pieces = running.pieces.clone();
    assert_eq!(running.end(), Err(Error::Cancelled));
    let seconds: f64 = pieces.lock().unwrap().iter().map(|piece| piece.length().seconds(piece.rate).0).sum();
    assert!(seconds < 600.0, "{seconds}");
    worker.generate(&order(0.5), &JobContext::detached(), &mut |_| ()).unwrap();
    assert_eq!(worker.process(), pid, "the same process, the weights still loaded");
}

/// Makes a variation of the demo hum with the tiny model, stopping it as soon as `stop` says so.
fn made(stop: impl Fn(Seconds) -> Stop + Send + Sync + 'static) -> Result<Arc<Rendition>> {
    let folder = tempfile::tempdir().unwrap();
    let workshop = Workshop::Process(Box::new(supervisor(folder.path())));
    let (library, cache) = (StyleLibrary::builtin().unwrap(), Cache::default());
    let hum = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac");
    let take = read_take(hum.as_ref(), Some(Bpm(100.0)), Metre::default()).unwrap();
    let melody = listen(&take, &cache, &JobContext::detached()).unwrap();
    let choice = MusicGenChoice {
        model: super::tiny_model().to_string_lossy().into_owned(),
        condition: MelodyCondition::Notes,
        ..MusicGenChoice::default()
    };
    let recipe = Recipe {
        engine: EngineKind::MusicGen(choice.clone()),
        prompt: "strings".to_owned(),
        seed: 3,
        freedom: 0.0,
        timing: Timing::default(),
        direction: Default::default(),
        song: Default::default(),
        engine_version: 1,
    };
    let cancel = CancelToken::default();
    let token = cancel.clone();
    let report = move |progress: Progress| match progress.made.map(&stop) {
        Some(Stop::Keep) => token.cancel(),
        Some(Stop::Abandon) => token.abandon(),
        Some(Stop::No) | None => {}
    };
    let context = JobContext::new(cancel, Arc::new(report));
    let rate = SampleRate(44_100);
    let wanted = Wanted { take: &take, melody: &melody, recipe: &recipe, choice: &choice, name: "MusicGen 1", rate };
    neural_rendition(&wanted, &workshop, (&library, &cache), &context)
}

enum Stop {
    No,
    Keep,
    Abandon,
}

#[test]
fn a_variation_is_as_long_as_the_region_and_as_loud_as_every_other() {
    let rendition = made(|_| Stop::No).unwrap();
    assert_eq!(rendition.region.0, 32 * 44_100 * 60 / 100);
    let tail = rendition.mix.frames() as i64 - rendition.region.0;
    assert!((0..44_100 / 2).contains(&tail), "{tail} frames after the region");
    assert!((rendition.loudness.integrated_lufs + 18.0).abs() < 0.5, "{:?}", rendition.loudness);
    assert!(rendition.loudness.true_peak_dbtp <= -1.0, "{:?}", rendition.loudness);
    let made = rendition.made.as_ref().unwrap();
    assert!(!made.partial && made.melody.tracks[0].notes.len() > 20);
    assert!(rendition.stems.is_empty() && rendition.score.is_none() && rendition.lead_fidelity().is_none());
    let mut rounded = rendition.mix.clone();
    rounded.quantise_24_bit();
    assert_eq!(rounded, rendition.mix, "24 bits from birth");
    let folder = tempfile::tempdir().unwrap();
    let written = cantus_engine::export::write_rendition(
        folder.path(),
        &rendition,
        &Default::default(),
        &cantus_engine::job_context::JobContext::detached(),
    )
    .unwrap();
    let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["mix.wav", "rendition.mid"]);
    let midi = std::fs::read(&written[1]).unwrap();
    let notes = midly::Smf::parse(&midi).unwrap().tracks.iter().flatten().filter(is_note_on).count();
    assert_eq!(notes, made.melody.tracks[0].notes.len(), "the melody lies beside it");
}

fn is_note_on(event: &&midly::TrackEvent) -> bool {
    matches!(event.kind, midly::TrackEventKind::Midi { message: midly::MidiMessage::NoteOn { .. }, .. })
}

#[test]
fn what_was_made_until_a_stop_is_kept_in_whole_bars_unless_nobody_wants_it() {
    let bar = 4 * 44_100 * 60 / 100;
    let partial = made(|so_far| if so_far.0 > 9.0 { Stop::Keep } else { Stop::No }).unwrap();
    let facts = partial.made.as_ref().unwrap();
    assert!(facts.partial && partial.name.contains("partial"), "{}", partial.name);
    assert!(partial.region.0 % bar == 0 && (bar..8 * bar).contains(&partial.region.0), "{:?}", partial.region);
    assert!(facts.remarks.iter().any(|remark| remark.contains("of 8 bars")), "{:?}", facts.remarks);
    assert_eq!(made(|_| Stop::Keep), Err(Error::Cancelled), "less than a bar is nothing");
    assert_eq!(made(|so_far| if so_far.0 > 9.0 { Stop::Abandon } else { Stop::No }), Err(Error::Cancelled));
}

#[test]
fn an_idle_worker_leaves_and_the_next_order_starts_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = super::settings(folder.path());
    settings.idle = std::time::Duration::from_millis(300);
    let worker = Supervisor::new(settings);
    worker.generate(&order(0.5), &JobContext::detached(), &mut |_| ()).unwrap();
    let first = worker.process();
    assert!(first.is_some());
    eventually("the idle worker has left", || worker.process().is_none());
    worker.generate(&order(0.5), &JobContext::detached(), &mut |_| ()).unwrap();
    assert!(worker.process().is_some() && worker.process() != first);
}
