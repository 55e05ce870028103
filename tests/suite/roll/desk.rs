//! A roll on a desk: an instance with a melody, a picture of it without a screen, and hands for mouse and keys.

use cantus_engine::analysis::edit::{MelodyEdit, NoteId};
use cantus_engine::analysis::{Analysis, Chroma, F0Frame, Note};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::{Take, TakeSource};
use cantus_engine::instance::Instance;
use cantus_engine::session::packed::PackedAudio;
use cantus_engine::session::{SavedRegion, SavedTake, Session, TakeFacts};
use cantus_engine::time::{Beats, Bpm, Metre, MidiNote, SampleRate, Seconds, SongGrid};
use cantus_plugin::editor::melody::Roll;
use cantus_plugin::editor::melody::zoom::Plane;
use egui::{Context, Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, Vec2, pos2, vec2};
use std::sync::Arc;

/// The take: ten beats at 120 BPM, a note on each of the first eight, a tenth of a second of rest after it.
pub const KEYS: [u8; 8] = [60, 62, 64, 65, 67, 69, 71, 72];
pub const LENGTH: f64 = 0.4;
pub const BEAT: f64 = 0.5;
const SIZE: Vec2 = vec2(1000.0, 620.0);
const RATE: SampleRate = SampleRate(8_000);

pub struct Desk {
    pub instance: Instance,
    /// Where the corrections are looked for: the instance the roll is about, unless a test breaks that.
    pub judged: Option<Instance>,
    pub roll: Roll,
    pub context: Context,
    time: f64,
}

/// A note of certainty 1.
pub fn note(onset: f64, offset: f64, key: u8) -> Note {
    Note {
        onset: Seconds(onset),
        offset: Seconds(offset),
        sung: MidiNote(f32::from(key)),
        key,
        loudness: 0.8,
        confidence: 1.0,
        bend: vec![(0.0, 0.0)],
        level_db: vec![(0.0, 0.0)],
    }
}

fn melody() -> Analysis {
    let grid = SongGrid::at_origin(Bpm(120.0), Metre::default());
    let notes: Vec<Note> =
        (0..KEYS.len()).map(|index| note(index as f64 * BEAT, index as f64 * BEAT + LENGTH, KEYS[index])).collect();
    let f0 = (0..300).map(|frame| F0Frame {
        time: Seconds(f64::from(frame) * 0.016),
        hz: 262.0,
        confidence: 0.9,
        voiced: true,
    });
    let chroma = Chroma { frames: vec![[0.5; 12]; 40], argmax: vec![0; 40] };
    Analysis { notes, f0: f0.collect(), chroma, length: Beats(10.0), confidence: 1.0, ..Analysis::unheard(grid) }
}

/// An instance whose project holds a melody.
pub fn instance_with(analysis: Analysis) -> Instance {
    let grid = analysis.grid.clone();
    let seconds = grid.tempo.seconds_between(grid.start, grid.start + analysis.length);
    let samples: Vec<f32> = (0..(seconds.0 * RATE.hz()) as usize).map(|index| (index as f32 * 0.2).sin()).collect();
    let take = Take {
        id: 1,
        source: TakeSource::Free,
        audio: AudioBuffer::mono(RATE, samples),
        notes: Vec::new(),
        length: analysis.length,
        grid,
        on_grid: true,
        lost_frames: 0,
        margins: Default::default(),
        remarks: Vec::new(),
    };
    let instance = Instance::new(Arc::new(|_| {}));
    let saved = SavedTake { facts: TakeFacts::of(&take), audio: PackedAudio::pack(&take.audio) };
    instance
        .restore(Session::of_region(SavedRegion {
            take: Some(saved),
            analysis: Some(analysis),
            ..SavedRegion::default()
        }))
        .unwrap();
    instance
}

impl Desk {
    pub fn new() -> Self {
        Self::with(melody())
    }

    pub fn with(analysis: Analysis) -> Self {
        let instance = instance_with(analysis);
        let mut desk = Self { instance, judged: None, roll: Roll::default(), context: Context::default(), time: 0.0 };
        // Egui takes two pictures to settle.
        (0..2).for_each(|_| desk.picture(Vec::new()));
        desk
    }

    /// One picture, with what happened before it.
    pub fn picture(&mut self, events: Vec<Event>) {
        self.picture_of(events, &mut |_| {});
    }

    /// One picture, and a look at what egui says of it.
    pub fn picture_of(&mut self, events: Vec<Event>, look: &mut dyn FnMut(&egui::PlatformOutput)) {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
            time: Some(self.time),
            events,
            focused: true,
            ..RawInput::default()
        };
        let Self { roll, instance, context, .. } = self;
        let output = context.run_ui(input, |ui| roll.show(ui, &instance.view(), instance));
        look(&output.platform_output);
        output.drop_without_applying_deltas();
    }

    /// Closes the window and opens another.
    pub fn reopen(&mut self) {
        self.context = Context::default();
        (0..2).for_each(|_| self.picture(Vec::new()));
    }

    pub fn plane(&self) -> Plane {
        self.roll.plane().unwrap()
    }

    /// The middle of a place of the melody.
    pub fn at(&self, seconds: f64, key: u8) -> Pos2 {
        self.plane().place(Seconds(seconds), f32::from(key))
    }

    /// The middle of a heard note.
    pub fn on(&self, index: usize) -> Pos2 {
        self.at(index as f64 * BEAT + LENGTH / 2.0, KEYS[index])
    }

    pub fn seconds_wide(&self, seconds: f64) -> f32 {
        self.plane().x(Seconds(seconds)) - self.plane().x(Seconds(0.0))
    }

    /// Waits so long that two clicks are two clicks.
    pub fn pause(&mut self) {
        self.time += 2.0;
        self.picture(Vec::new());
    }

    pub fn press(&mut self, at: Pos2, button: PointerButton, pressed: bool, modifiers: Modifiers) {
        self.picture(vec![
            Event::ModifiersChanged(modifiers),
            Event::PointerMoved(at),
            Event::PointerButton { pos: at, button, pressed, modifiers },
        ]);
    }

    pub fn click(&mut self, at: Pos2, modifiers: Modifiers) {
        self.pause();
        self.click_again(at, modifiers);
    }

    /// A click right after another.
    pub fn click_again(&mut self, at: Pos2, modifiers: Modifiers) {
        self.press(at, PointerButton::Primary, true, modifiers);
        self.press(at, PointerButton::Primary, false, modifiers);
        self.picture(vec![Event::ModifiersChanged(Modifiers::NONE)]);
    }

    pub fn double_click(&mut self, at: Pos2) {
        self.click(at, Modifiers::NONE);
        self.click_again(at, Modifiers::NONE);
    }

    /// Presses a button, moves in eight steps, and stays there.
    pub fn pull(&mut self, from: Pos2, by: Vec2, button: PointerButton, modifiers: Modifiers) {
        self.pause();
        self.press(from, button, true, modifiers);
        for step in 1..=8 {
            self.picture(vec![Event::PointerMoved(from + by * (step as f32 / 8.0))]);
        }
    }

    pub fn drag(&mut self, from: Pos2, by: Vec2, modifiers: Modifiers) {
        self.pull(from, by, PointerButton::Primary, modifiers);
        self.press(from + by, PointerButton::Primary, false, modifiers);
        self.picture(vec![Event::ModifiersChanged(Modifiers::NONE)]);
    }

    pub fn key(&mut self, key: Key, modifiers: Modifiers) {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        self.picture(vec![Event::ModifiersChanged(modifiers), event(true)]);
        self.picture(vec![event(false), Event::ModifiersChanged(Modifiers::NONE)]);
        self.picture(Vec::new());
    }

    pub fn wheel(&mut self, at: Pos2, delta: Vec2, modifiers: Modifiers) {
        self.picture(vec![Event::PointerMoved(at), Event::ModifiersChanged(modifiers)]);
        self.picture(vec![Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta,
            phase: egui::TouchPhase::Move,
            modifiers,
            source: egui::MouseWheelSource::Unknown,
        }]);
        // The wheel is smoothed over several pictures.
        (0..30).for_each(|_| self.picture(Vec::new()));
        self.picture(vec![Event::ModifiersChanged(Modifiers::NONE)]);
    }

    /// Presses the button with this label, wherever it is: the first of them, from the top. The Split tool stands before the button.
    pub fn press_button(&mut self, label: &str) {
        self.context.enable_accesskit();
        let mut place = None;
        self.picture_of(Vec::new(), &mut |output| {
            let nodes = output.accesskit_update.iter().flat_map(|update| &update.nodes);
            let found = nodes.filter(|(_, node)| node.label() == Some(label)).filter_map(|(_, node)| node.bounds());
            let first = found.min_by(|a, b| (a.y0, a.x0).partial_cmp(&(b.y0, b.x0)).unwrap());
            place = first.map(|area| pos2((area.x0 + area.x1) as f32 / 2.0, (area.y0 + area.y1) as f32 / 2.0));
        });
        self.context.disable_accesskit();
        self.click(place.unwrap_or_else(|| panic!("there is no {label}")), Modifiers::NONE);
    }

    /// The corrections in force.
    pub fn edits(&self) -> Vec<MelodyEdit> {
        self.judged.as_ref().unwrap_or(&self.instance).session().unwrap().regions.remove(0).edits.done.0
    }

    pub fn notes(&self) -> Vec<Note> {
        self.instance.view().analysis.unwrap().notes.clone()
    }

    pub fn keys(&self) -> Vec<u8> {
        self.notes().iter().map(|note| note.key).collect()
    }
}

/// The heard notes of these numbers.
pub fn ids(numbers: &[usize]) -> Vec<NoteId> {
    numbers.iter().map(|number| NoteId::heard(*number)).collect()
}

/// Whether two corrections are the same but for a few milliseconds: the mouse moves in points.
pub fn is_about(edit: &MelodyEdit, expected: &MelodyEdit) -> bool {
    let near = |a: Seconds, b: Seconds| (a - b).0.abs() < 0.006;
    match (edit, expected) {
        (MelodyEdit::Move { notes, semitones, by }, MelodyEdit::Move { notes: other, semitones: steps, by: shift }) => {
            notes == other && semitones == steps && near(*by, *shift)
        }
        (MelodyEdit::Stretch { note, onset, offset }, MelodyEdit::Stretch { note: other, onset: from, offset: to }) => {
            note == other && near(*onset, *from) && near(*offset, *to)
        }
        (MelodyEdit::Split { note, at }, MelodyEdit::Split { note: other, at: place }) => {
            note == other && near(*at, *place)
        }
        (MelodyEdit::Add { onset, offset, key, .. }, MelodyEdit::Add { onset: from, offset: to, key: other, .. }) => {
            near(*onset, *from) && near(*offset, *to) && key == other
        }
        _ => edit == expected,
    }
}

/// Does something to the roll: exactly the expected corrections come of it, one step of undo each, and undoing gives the melody as it
/// was heard.
pub fn check_corrects(
    desk: &mut Desk,
    what: &str,
    hands: impl FnOnce(&mut Desk),
    expected: &[MelodyEdit],
) -> Result<(), String> {
    let before = desk.notes();
    hands(desk);
    let edits = desk.edits();
    let same = edits.len() == expected.len() && edits.iter().zip(expected).all(|(edit, other)| is_about(edit, other));
    if !same {
        return Err(format!("{what}: expected {expected:?}, got {edits:?}; {:?}", desk.instance.view().messages));
    }
    for _ in expected {
        desk.instance.undo_edit();
    }
    if desk.notes() != before {
        return Err(format!("{what}: undoing does not give the melody back"));
    }
    Ok(())
}

/// Straight down a number of rows, and right a number of seconds.
pub fn by(desk: &Desk, seconds: f64, semitones: i16) -> Vec2 {
    pos2(desk.seconds_wide(seconds), -f32::from(semitones) * desk.plane().row()) - Pos2::ZERO
}
