//! Thread: any. Every state of the window worth a picture: an instance brought there by orders, and moments that pass pinned.

use super::raster::Picture;
use super::screen::Screen;
use cantus_engine::analysis::edit::{MelodyEdit, Selection};
use cantus_engine::capture::collector::{CaptureMode, CaptureState, EarSnapshot};
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::instance::orders::Wish;
use cantus_engine::instance::view::{VariationStatus, View};
use cantus_engine::instance::{AudioEnds, Instance};
use cantus_engine::job_context::{Progress, Stage};
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate, Seconds};
use cantus_plugin::editor::Sheet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The size at first opening, in points.
const SIZE: (f32, f32) = (1080.0, 740.0);
const SMALL: (f32, f32) = (760.0, 520.0);
const RATE: SampleRate = SampleRate(48_000);
const PATIENCE: Duration = Duration::from_secs(120);

/// An instance at work, without a host.
pub struct Desk {
    /// The instance.
    pub instance: Arc<Instance>,
    /// The ends of the audio thread: nobody runs them, but they must not go.
    _ends: AudioEnds,
}

impl Desk {
    /// An empty one.
    pub fn new() -> Self {
        let instance = Arc::new(Instance::new(Arc::new(|_| ())));
        // PANIC: a program that draws pictures cannot go on without an instance.
        let ends = instance.activate(RATE, 2, 512).expect("threads");
        Self { instance, _ends: ends }
    }

    /// The demo hum, heard.
    pub fn with_melody() -> Self {
        let desk = Self::new();
        let hum = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac"));
        desk.instance.open_file(hum.to_owned(), Some(Bpm(100.0)), Metre::default());
        desk.wait("the melody", |view| view.analysis.is_some() && view.analysing.is_none());
        desk
    }

    /// Orders variations in a style and waits for them.
    pub fn generate(&self, style: &str, variations: u32) {
        let before = self.instance.view().variations.len();
        self.instance.generate(&Wish {
            prompt: style.to_owned(),
            seed: 3,
            variations,
            freedom: 0.0,
            timing: Default::default(),
        });
        let is_over = |status: &VariationStatus| !matches!(status, VariationStatus::Pending(_));
        self.wait("variations", |view| {
            view.variations.len() == before + variations as usize
                && view.variations.iter().all(|variation| is_over(&variation.status))
        });
    }

    fn wait(&self, what: &str, ready: impl Fn(&View) -> bool) {
        let begun = Instant::now();
        while !ready(&self.instance.view()) {
            assert!(begun.elapsed() < PATIENCE, "waited too long for {what}: {:?}", self.instance.view().messages);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A moment, with what changes by itself pinned.
    pub fn view(&self) -> View {
        View { ear: Some(ear(CaptureState::Idle)), recovered: Vec::new(), ..self.instance.view() }
    }
}

/// Bar 7 of a song at 100 BPM that plays.
fn ear(capture: CaptureState) -> EarSnapshot {
    let stamp = TransportStamp {
        playing: true,
        tempo: Some(Bpm(100.0)),
        metre: Some(Metre::default()),
        beats: Some(25.5),
        loop_beats: Some((0.0, 32.0)),
        ..TransportStamp::default()
    };
    EarSnapshot { stamp, level_dbfs: -14.0, history_seconds: 64.0, capture, ..EarSnapshot::default() }
}

/// What the tests of pictures call a state.
pub struct State {
    /// Its file's name, without the ending.
    pub name: &'static str,
    /// What it looks like.
    pub picture: Picture,
}

/// Draws all states, in the order of the flow, and hands over each as soon as it is drawn.
pub fn draw_all(mut drawn: impl FnMut(State)) {
    let mut add = |name, picture| drawn(State { name, picture });
    let empty = Desk::new();
    let dark = |desk: &Desk| Screen::new(desk.instance.clone(), SIZE, 1.0, true);

    add("empty", dark(&empty).picture(&empty.view()));
    let recording =
        CaptureState::Recording { mode: CaptureMode::LoopRegion, recorded: Seconds(6.4), target: Some(Beats(32.0)) };
    add("recording", dark(&empty).picture(&View { ear: Some(ear(recording)), ..empty.view() }));

    let desk = Desk::with_melody();
    add("melody", dark(&desk).picture(&desk.view()));
    let ids = desk.view().corrections.ids;
    desk.instance.edit(MelodyEdit::Octave { notes: Selection::Notes(ids[2..5].to_vec()), octaves: 1 });
    let mut editing = dark(&desk);
    editing.picture(&desk.view());
    add("editing", editing.picture(&desk.view()));
    desk.instance.undo_edit();

    desk.generate("jazz", 2);
    desk.generate("reggae", 1);
    let first = desk.view().variations[0].id;
    desk.instance.star(first, true);
    desk.instance.select(Some(first));
    let mut generating = desk.view();
    generating.variations[1].status = VariationStatus::Pending(Progress::new(Stage::Render, 0.6));
    generating.variations[2].status = VariationStatus::Pending(Progress::new(Stage::Queued, 0.0));
    add("generating", dark(&desk).picture(&generating));
    add("variations", dark(&desk).picture(&desk.view()));
    for (name, sheet) in [("models", Sheet::Models), ("settings", Sheet::Settings), ("messages", Sheet::Messages)] {
        let mut screen = dark(&desk);
        screen.window.toggle_sheet(sheet);
        // The folders are read on a thread of its own.
        while screen.window.is_busy() {
            std::thread::sleep(Duration::from_millis(5));
        }
        add(name, screen.picture(&desk.view()));
    }
    add("light", Screen::new(desk.instance.clone(), SIZE, 1.0, false).picture(&desk.view()));
    add("scale-75", Screen::new(desk.instance.clone(), SIZE, 0.75, true).picture(&desk.view()));
    add("scale-200", Screen::new(desk.instance.clone(), SIZE, 2.0, true).picture(&desk.view()));
    add("small", Screen::new(desk.instance.clone(), SMALL, 1.0, true).picture(&desk.view()));

    let mut failed = desk.view();
    failed.variations[2].status =
        VariationStatus::Failed("The disk is full: free some space, then generate again.".to_owned());
    failed.messages.push("The disk is full: free some space, then generate again.".to_owned());
    if let Some(ear) = &mut failed.ear {
        ear.overruns = 512;
    }
    add("error", dark(&desk).picture(&failed));
}
