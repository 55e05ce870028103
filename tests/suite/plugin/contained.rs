//! A panic anywhere the host calls the plugin: the host lives on, and the musician reads a sentence.
//!
//! The bundle under test has a seam for it: `cantus_order_panic` makes the next call at a place panic, in the middle of its work.

use super::{HUM_RATE, bundle, capture_hum, generate, session, song_with_hum, turn};
use cantus_host::{AudioSetup, Clip, Instance, Pace, Project, Song, SongClock, editor};
use std::ffi::CString;
use std::time::Duration;

const PROCESS: u32 = 1;
const ACTIVATE: u32 = 2;
const DEACTIVATE: u32 = 3;
const SAVE: u32 = 4;
const LOAD: u32 = 5;
const WINDOW: u32 = 6;
const MARK: u32 = 8;

/// The seam of the loaded bundle.
struct Seam {
    order: unsafe extern "C" fn(u32),
    told: unsafe extern "C" fn(*mut u8, usize) -> usize,
}

impl Seam {
    /// The bundle must be loaded already.
    fn of_the_bundle() -> Self {
        let path = format!("{}/Cantus.clap", std::env::var("CANTUS_BUNDLE").unwrap());
        let path = CString::new(path).unwrap();
        // SAFETY: the library is loaded and stays so while the tests hold instances of it; the symbols are those of
        // `plugin/src/contained.rs`.
        unsafe {
            let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD);
            assert!(!library.is_null(), "the bundle is not loaded");
            let order = libc::dlsym(library, c"cantus_order_panic".as_ptr());
            let told = libc::dlsym(library, c"cantus_told".as_ptr());
            assert!(!order.is_null() && !told.is_null(), "the bundle has no seam: run cargo xtask test");
            Self {
                order: std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(u32)>(order),
                told: std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*mut u8, usize) -> usize>(told),
            }
        }
    }

    fn order(&self, place: u32) {
        // SAFETY: takes a plain number.
        unsafe { (self.order)(place) }
    }

    /// What the musician was told since the last question; empty for nothing.
    fn told(&self) -> String {
        let mut text = vec![0; 1_000];
        // SAFETY: there is as much room as is said.
        let length = unsafe { (self.told)(text.as_mut_ptr(), text.len()) };
        text.truncate(length);
        String::from_utf8(text).unwrap()
    }

    /// A sentence was told that says what to do.
    fn check_told(&self, what: &str) {
        let sentence = self.told();
        assert!(sentence.contains("inside Cantus") && sentence.ends_with('.'), "{what}: told \"{sentence}\"");
    }
}

fn active() -> Instance {
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup::new(48_000, 256)).unwrap();
    instance
}

/// The track passes through an instance, and every output is written.
fn check_passes(instance: &mut Instance, what: &str) {
    let mut song = Song::new(SongClock::new(48_000, 120.0));
    song.clock.play();
    let sound: Vec<f32> = (0..5_000).map(|frame| (frame as f32 * 0.05).sin() * 0.5).collect();
    song.clips.push(Clip::mono_at(0, sound.clone()));
    let heard = instance.run(&mut song, sound.len(), Pace::Unbounded).unwrap();
    assert_eq!(heard.non_finite_samples, 0, "{what}: every output must be written");
    assert!(heard.main().iter().all(|channel| *channel == sound), "{what}: the track does not pass");
}

#[test]
fn a_panic_in_a_block_lets_the_track_pass_and_the_next_activation_works_again() {
    let _turn = turn();
    let mut instance = active();
    let seam = Seam::of_the_bundle();
    seam.order(PROCESS);
    check_passes(&mut instance, "a block panicked");
    seam.check_told("a block");
    // A second track does not notice.
    check_passes(&mut active(), "another instance");
    assert_eq!(seam.told(), "", "one panic, one sentence");
    instance.deactivate().unwrap();
    instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    let mut song = song_with_hum();
    capture_hum(&mut instance, &mut song);
    generate(&mut instance, &mut song);
}

#[test]
fn a_panic_while_activating_or_stopping_leaves_an_instance_that_passes_the_track() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    let seam = Seam::of_the_bundle();
    seam.order(ACTIVATE);
    instance.activate(&AudioSetup::new(48_000, 256)).unwrap();
    seam.check_told("activation");
    check_passes(&mut instance, "activation panicked");
    seam.order(DEACTIVATE);
    instance.deactivate().unwrap();
    seam.check_told("deactivation");
    instance.activate(&AudioSetup::new(48_000, 256)).unwrap();
    check_passes(&mut instance, "activated again");
}

#[test]
fn a_panic_while_saving_or_opening_loses_nothing_of_the_project() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    let seam = Seam::of_the_bundle();
    instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    let mut song = song_with_hum();
    let captured = capture_hum(&mut instance, &mut song);
    let text = |state: &[u8]| Project::read(state).unwrap().session_text();
    let good = instance.save_state().unwrap();

    seam.order(SAVE);
    let saved = instance.save_state().unwrap();
    seam.check_told("saving");
    assert_eq!(text(&saved), text(&good), "what was saved before is saved again, and no empty project");

    let mut opened = bundle().instance().unwrap();
    seam.order(LOAD);
    let _ = opened.load_state(&good);
    seam.check_told("opening");
    let kept = opened.save_state().unwrap();
    assert!(
        text(&kept) == text(&good) || session(&mut opened).regions == captured.regions,
        "what could not be opened is kept"
    );
    opened.load_state(&good).unwrap();
    assert_eq!(session(&mut opened).regions, captured.regions, "and opens at the second attempt");
}

#[test]
fn a_panic_in_a_frame_of_the_window_is_told_and_the_window_goes_on() {
    let _turn = turn();
    let screen = editor::screen().expect("there is a screen: run cargo xtask test");
    let mut instance = active();
    let seam = Seam::of_the_bundle();
    instance.open_editor(screen).unwrap();
    instance.idle(Duration::from_millis(300));
    // The window draws when something moves, such as a song that plays.
    let mut song = Song::new(SongClock::new(48_000, 120.0));
    song.clock.play();
    for round in 0..2 {
        seam.order(WINDOW);
        let told = (0..200).any(|_| {
            instance.run(&mut song, 2_400, Pace::Unbounded).unwrap();
            instance.idle(Duration::from_millis(50));
            seam.told().contains("disturbed its window")
        });
        assert!(told, "round {round}: no frame was drawn after the window was opened, or its panic was not told");
    }
    check_passes(&mut instance, "beside a window that panicked");
    instance.close_editor().unwrap();
    instance.open_editor(screen).unwrap();
    instance.idle(Duration::from_millis(100));
    instance.close_editor().unwrap();
}

#[test]
fn a_panic_on_the_way_to_mark_the_project_is_told() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    let seam = Seam::of_the_bundle();
    instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    seam.order(MARK);
    let mut song = song_with_hum();
    capture_hum(&mut instance, &mut song);
    instance.idle(Duration::from_millis(200));
    seam.check_told("the mark");
}
