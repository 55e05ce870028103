//! Tests of the bundled plugin in a real CLAP host: the file a user installs, driven from outside.

mod bounce;
#[cfg(target_os = "linux")]
mod contained;
mod flow;
mod hosts;
mod life;
mod many;
mod neural;
mod projects;
mod real_time;
mod sync;

pub(crate) use crate::turn;
use cantus_engine::capture::file::read_audio;
use cantus_engine::session::Session;
use cantus_host::{AudioSetup, Bundle, Heard, Instance, Pace, Project, Song, SongClock};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The longest any test waits for a background job of a debug build on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn asset(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("assets").join(path)
}

/// The bundle under test; takes that the tests record are spooled into a folder of their own.
fn bundle() -> Bundle {
    static SPOOL: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        // SAFETY: set once, before the first plugin is loaded and any thread of it exists.
        unsafe { std::env::set_var("CANTUS_DATA_DIR", folder.path()) };
        folder
    });
    assert!(SPOOL.path().exists());
    let folder = std::env::var("CANTUS_BUNDLE").expect("CANTUS_BUNDLE names the bundle: run cargo xtask test");
    Bundle::load(&Path::new(&folder).join("Cantus.clap")).unwrap()
}

/// What a project would hold now.
fn session(instance: &mut Instance) -> Session {
    let state = instance.save_state().unwrap();
    Session::decode_text(&Project::read(&state).unwrap().session_text()).unwrap()
}

/// Lets audio run until the saved session satisfies a condition.
fn run_until(instance: &mut Instance, song: &mut Song, what: &str, ready: impl Fn(&Session) -> bool) -> Session {
    let begun = Instant::now();
    loop {
        instance.run(song, 2_048, Pace::Times(4.0)).unwrap();
        let session = session(instance);
        if ready(&session) {
            return session;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        instance.idle(Duration::from_millis(20));
    }
}

/// The demo hum at 44.1 kHz: eight bars of 4/4 at 100 BPM, from a bar line on.
fn hum() -> Vec<f32> {
    static HUM: LazyLock<Vec<f32>> = LazyLock::new(|| read_audio(&asset("demo/hum.flac")).unwrap().to_mono());
    HUM.clone()
}

const HUM_RATE: u32 = 44_100;
const HUM_BPM: f64 = 100.0;
const HUM_BEATS: f64 = 32.0;

/// A song with the hum in a loop that starts after one bar.
fn song_with_hum() -> Song {
    let mut clock = SongClock::new(HUM_RATE, HUM_BPM);
    clock.set_loop(Some((4.0, 4.0 + HUM_BEATS)));
    clock.locate_beats(3.0);
    clock.play();
    let start = clock.frame_at(4.0);
    let mut song = Song::new(clock);
    song.clips.push(cantus_host::Clip::mono_at(start, hum()));
    song
}

/// Captures the hum and waits until it was listened to.
fn capture_hum(instance: &mut Instance, song: &mut Song) -> Session {
    instance.set_text("Capture mode", "Loop region").unwrap();
    instance.switch("Capture", true).unwrap();
    let frames = (HUM_BEATS + 3.0) * 60.0 / HUM_BPM * f64::from(HUM_RATE);
    instance.run(song, frames as usize, Pace::Times(20.0)).unwrap();
    run_until(instance, song, "the analysis", |session| session.region().analysis.is_some())
}

/// Presses the generate parameter and waits for one more variation.
fn generate(instance: &mut Instance, song: &mut Song) -> Session {
    let before = session(instance).region().variations.len();
    instance.switch("Generate", true).unwrap();
    instance.run(song, 512, Pace::Unbounded).unwrap();
    instance.switch("Generate", false).unwrap();
    run_until(instance, song, "a variation", |session| session.region().variations.len() > before)
}

/// An active instance with a captured hum, in its song.
fn instance_with_hum() -> (Instance, Song) {
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    let mut song = song_with_hum();
    capture_hum(&mut instance, &mut song);
    (instance, song)
}

/// The same with a rendition of it.
fn instance_with_rendition() -> (Instance, Song) {
    let (mut instance, mut song) = instance_with_hum();
    generate(&mut instance, &mut song);
    (instance, song)
}

/// Frames of a channel whose level is above a bound.
fn loud_frames(channel: &[f32], bound: f32) -> Vec<usize> {
    channel.iter().enumerate().filter(|(_, sample)| sample.abs() > bound).map(|(frame, _)| frame).collect()
}

/// The main output's left channel.
fn left(heard: &Heard) -> &[f32] {
    &heard.main()[0]
}
