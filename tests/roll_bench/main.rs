//! How much processor the piano roll takes a picture, without the rasteriser: `cargo run -p cantus-tests --example cantus-roll-bench`.
//!
//! A take of four minutes with 800 notes is dragged about. What is measured is the thread's own time for the view of the instance,
//! the picture and its triangles.

use cantus_engine::analysis::{Analysis, Chroma, F0Frame, Note};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::{Take, TakeSource};
use cantus_engine::instance::Instance;
use cantus_engine::session::packed::PackedAudio;
use cantus_engine::session::{SavedRegion, SavedTake, Session, TakeFacts};
use cantus_engine::time::{Beats, Bpm, Metre, MidiNote, SampleRate, Seconds, SongGrid};
use cantus_plugin::editor::melody::Roll;
use egui::{Context, Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, pos2, vec2};
use std::sync::Arc;

const SECONDS: f64 = 240.0;
const NOTES: usize = 800;
const PICTURES: usize = 200;
const RATE: SampleRate = SampleRate(16_000);

fn melody() -> Analysis {
    let grid = SongGrid::at_origin(Bpm(120.0), Metre::default());
    let each = SECONDS / NOTES as f64;
    let key = |index: usize| (60.0 + 9.0 * (index as f64 * 0.37).sin()).round() as u8;
    let note = |index: usize| Note {
        onset: Seconds(index as f64 * each),
        offset: Seconds((index as f64 + 0.85) * each),
        sung: MidiNote(f32::from(key(index))),
        key: key(index),
        loudness: 0.7,
        confidence: 0.3 + 0.7 * (index % 7) as f32 / 6.0,
        bend: (0..12).map(|step| (step as f32 * 0.02, 0.1)).collect(),
        level_db: (0..12).map(|step| (step as f32 * 0.02, -1.0)).collect(),
    };
    let frame = |index: usize| {
        let time = index as f64 * 0.016;
        let place = time / each;
        let bend = 0.4 * (time * 35.0).sin();
        let hz = 440.0 * ((f64::from(key(place as usize)) + bend - 69.0) / 12.0).exp2();
        F0Frame { time: Seconds(time), hz: hz as f32, confidence: 0.9, voiced: place.fract() < 0.85 }
    };
    let energy = |index: usize| std::array::from_fn(|class| ((index * 7 + class * 5) % 13) as f32 / 12.0);
    Analysis {
        notes: (0..NOTES).map(note).collect(),
        f0: (0..(SECONDS / 0.016) as usize).map(frame).collect(),
        chroma: Chroma { frames: (0..1_875).map(energy).collect(), argmax: vec![0; 1_875] },
        length: Beats(SECONDS * 2.0),
        confidence: 0.8,
        doubts: vec!["The melody is hard to make out.".to_owned()],
        ..Analysis::unheard(grid)
    }
}

fn instance(analysis: Analysis) -> Instance {
    let samples = (0..(SECONDS * RATE.hz()) as usize).map(|index| (index as f32 * 0.1).sin() * 0.5).collect();
    let take = Take {
        id: 1,
        source: TakeSource::Free,
        audio: AudioBuffer::mono(RATE, samples),
        notes: Vec::new(),
        grid: analysis.grid.clone(),
        on_grid: true,
        length: analysis.length,
        lost_frames: 0,
        remarks: Vec::new(),
        margins: Default::default(),
    };
    let instance = Instance::new(Arc::new(|_| {}));
    let saved = SavedTake { facts: TakeFacts::of(&take), audio: PackedAudio::pack(&take.audio) };
    let session =
        Session::of_region(SavedRegion { take: Some(saved), analysis: Some(analysis), ..SavedRegion::default() });
    // PANIC: the session is made right above, and a bench has nobody to tell.
    instance.restore(session).unwrap_or_else(|error| panic!("{error}"));
    instance
}

/// Processor time of this thread, in milliseconds; other threads of a busy machine do not count.
#[cfg(unix)]
fn processor_ms() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

#[cfg(not(unix))]
fn processor_ms() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
}

struct Desk {
    instance: Instance,
    roll: Roll,
    context: Context,
    time: f64,
}

impl Desk {
    fn picture(&mut self, events: Vec<Event>) -> f64 {
        self.time += 1.0 / 60.0;
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(1080.0, 420.0));
        let input =
            RawInput { screen_rect: Some(screen), time: Some(self.time), events, focused: true, ..Default::default() };
        let Self { roll, instance, context, .. } = self;
        let begun = processor_ms();
        let mut output = context.run_ui(input, |ui| roll.show(ui, &instance.view(), instance));
        let triangles = context.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        let spent = processor_ms() - begun;
        std::hint::black_box(triangles);
        output.drop_without_applying_deltas();
        spent
    }

    fn button(&mut self, at: Pos2, pressed: bool) -> f64 {
        let modifiers = Modifiers::NONE;
        let button = Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers };
        self.picture(vec![Event::PointerMoved(at), button])
    }

    fn key(&mut self, key: Key, modifiers: Modifiers) {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        self.picture(vec![Event::ModifiersChanged(modifiers), event(true), event(false)]);
        self.picture(vec![Event::ModifiersChanged(Modifiers::NONE)]);
    }

    /// Drags a note about and lets it go.
    fn drag(&mut self, what: &str, index: usize) {
        let Some(plane) = self.roll.plane() else { return };
        let melody = self.instance.view().analysis;
        let Some(note) = melody.as_ref().and_then(|melody| melody.notes.get(index)) else { return };
        let at = plane.place(Seconds((note.onset.0 + note.offset.0) / 2.0), f32::from(note.key));
        self.button(at, true);
        let mut spent: Vec<f64> = (0..PICTURES)
            .map(|picture| {
                let turn = picture as f32 / 20.0;
                let off = vec2(12.0 * turn.cos(), 30.0 * turn.sin() + 8.0);
                self.picture(vec![Event::PointerMoved(at + off)])
            })
            .collect();
        let commit = self.button(at + vec2(0.0, 30.0), false);
        let after = self.picture(Vec::new());
        spent.sort_by(f64::total_cmp);
        println!(
            "{what:<34} p50 {:>6.2} ms   p99 {:>6.2} ms   most {:>6.2} ms   let go {commit:>6.2} ms   next {after:>6.2} ms",
            spent[PICTURES / 2],
            spent[PICTURES * 99 / 100],
            spent[PICTURES - 1]
        );
        self.instance.undo_edit();
        self.time += 2.0;
        self.picture(Vec::new());
    }
}

fn main() {
    let mut desk = Desk { instance: instance(melody()), roll: Roll::default(), context: Context::default(), time: 0.0 };
    let first = desk.picture(Vec::new());
    println!("first picture {first:.2} ms, second {:.2} ms", desk.picture(Vec::new()));
    let mut still: Vec<f64> = (0..PICTURES).map(|_| desk.picture(Vec::new())).collect();
    still.sort_by(f64::total_cmp);
    println!(
        "{:<34} p50 {:>6.2} ms   p99 {:>6.2} ms",
        "nothing moves",
        still[PICTURES / 2],
        still[PICTURES * 99 / 100]
    );
    desk.drag("one note, four minutes in sight", NOTES / 2);
    desk.key(Key::A, Modifiers { ctrl: true, command: true, ..Modifiers::NONE });
    desk.drag("all notes, four minutes in sight", NOTES / 2);
    (0..8).for_each(|_| desk.key(Key::Plus, Modifiers::NONE));
    desk.drag("all notes, close", NOTES / 2);
    let Some(plane) = desk.roll.plane() else { return };
    let empty = pos2(plane.rect.center().x, plane.rect.top() + 4.0);
    desk.button(empty, true);
    desk.button(empty, false);
    desk.time += 2.0;
    desk.picture(Vec::new());
    desk.drag("one note, close", NOTES / 2);
    let mut zooming: Vec<f64> = (0..PICTURES)
        .map(|picture| {
            let ctrl = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };
            let delta = vec2(0.0, if picture % 40 < 20 { 20.0 } else { -20.0 });
            desk.picture(vec![
                Event::PointerMoved(plane.rect.center()),
                Event::ModifiersChanged(ctrl),
                Event::MouseWheel {
                    unit: egui::MouseWheelUnit::Point,
                    delta,
                    phase: egui::TouchPhase::Move,
                    modifiers: ctrl,
                    source: egui::MouseWheelSource::Unknown,
                },
            ])
        })
        .collect();
    zooming.sort_by(f64::total_cmp);
    println!("{:<34} p50 {:>6.2} ms   p99 {:>6.2} ms", "zooming", zooming[PICTURES / 2], zooming[PICTURES * 99 / 100]);
}
