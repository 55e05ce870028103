//! Captures as the window orders them: what an instance makes of them, saves, and opens again.

use super::rig::Host;
use crate::instance::wait;
use crate::turn;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::collector::CaptureState;
use cantus_engine::capture::cut::{CaptureMode, Recall};
use cantus_engine::capture::place::Place;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::take::Take;
use cantus_engine::instance::view::View;
use cantus_engine::instance::{AudioEnds, Instance, orders::Wish};
use cantus_engine::session::Session;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate};
use std::sync::Arc;

const RATE: u32 = 24_000;
/// A note on each beat, for ever.
const KEYS: [u8; 8] = [60, 62, 64, 65, 67, 69, 71, 72];

struct Desk {
    instance: Instance,
    ends: AudioEnds,
    host: Host,
}

impl Desk {
    fn new() -> Self {
        let instance = Instance::new(Arc::new(|_| ()));
        let ends = instance.activate(SampleRate(RATE), 1, 512).unwrap();
        Self { instance, ends, host: Host::new(RATE, 120.0) }
    }

    fn wait(&self, what: &str, ready: impl Fn(&View) -> bool) -> View {
        wait(&self.instance, what, ready)
    }

    /// Plays so many beats on the keys, one a beat while the song runs; the input carries the sound of the clicks that went out.
    fn play(&mut self, beats: usize) {
        let half = RATE as usize / 4;
        for _ in 0..beats * 2 {
            let beat = self.host.beats();
            let key = KEYS[(beat.floor() as i64).rem_euclid(8) as usize];
            let velocity = if beat.fract() < 0.25 { 0.8 } else { 0.0 };
            let midi = [MidiEvent { frame: 0, key, channel: 0, velocity }];
            let midi = if self.host.playing { &midi[..] } else { &[] };
            for (index, (stamp, songs)) in self.host.blocks(half).into_iter().enumerate() {
                let silence = vec![0.0; songs.len()];
                self.ends.recorder.push(&stamp, &[silence], if index == 0 { midi } else { &[] });
            }
        }
    }

    fn take(&self) -> Arc<Take> {
        self.wait("a take and its melody", |view| view.take.is_some() && view.analysis.is_some()).take.unwrap()
    }

    fn keys(&self) -> Vec<u8> {
        self.instance.view().analysis.unwrap().notes.iter().map(|note| note.key).collect()
    }

    /// Saves, and opens what was saved on another desk.
    fn reopened(&self) -> Self {
        let bytes = self.instance.session().unwrap().encode().unwrap();
        let other = Self::new();
        other.instance.restore(Session::decode(&bytes).unwrap()).unwrap();
        other
    }
}

#[test]
fn what_was_recalled_is_trimmed_saved_and_untrimmed() {
    let _turn = turn();
    let mut desk = Desk::new();
    desk.play(17);
    desk.instance.recall(Recall::Bars(2));
    let first = desk.take();
    assert_eq!((first.grid.start, first.length), (Beats(8.0), Beats(8.0)));
    assert_eq!(desk.keys(), KEYS);
    assert_eq!(first.whole_audio().frames() - first.audio.frames(), (RATE * 2 + RATE / 2) as usize);
    // What is heard afterwards joins the margin, and the melody stays.
    desk.play(6);
    let full = (RATE * 4) as usize;
    let longer =
        |view: &View| view.take.as_ref().is_some_and(|take| take.whole_audio().frames() - take.audio.frames() == full);
    let whole = desk.wait("the tail", longer).take.unwrap();
    assert_eq!((whole.id, desk.keys().as_slice()), (first.id, &KEYS[..]));

    desk.instance.trim_take(Beats(10.0), Beats(14.0)).unwrap();
    assert_eq!(desk.take().length, Beats(4.0));
    assert_eq!(desk.keys(), KEYS[2..6]);
    assert!(desk.instance.trim_take(Beats(10.0), Beats(10.0)).is_err());
    let other = desk.reopened();
    // Notes lie where they lay, but for the last bit of a number that was text.
    let near = |a: &Take, b: &Take| {
        let notes =
            |take: &Take| take.notes.iter().map(|note| (note.key, (note.onset.0 * 1e9).round())).collect::<Vec<_>>();
        a.audio == b.audio && (a.grid.start.0 - b.grid.start.0).abs() < 1e-9 && notes(a) == notes(b)
    };
    assert!(near(&other.take(), &desk.take()));
    other.instance.untrim_take();
    assert!(near(&other.take(), &whole) && !near(&other.take(), &desk.take()));
    assert_eq!(other.keys(), KEYS);
    desk.instance.trim_take(Beats(6.0), Beats(18.0)).unwrap();
    desk.take();
    assert_eq!(desk.keys().len(), 12);
    desk.instance.untrim_take();
    assert_eq!((desk.take().audio.clone(), desk.take().notes.clone()), (whole.audio.clone(), whole.notes.clone()));
}

#[test]
fn passes_are_shown_and_chosen_and_generating_ends_the_loop() {
    let _turn = turn();
    let mut desk = Desk::new();
    desk.host.loop_beats = Some((0.0, 4.0));
    desk.instance.arm(CaptureMode::LoopRegion);
    desk.wait("the capture", |view| view.ear.is_some_and(|ear| ear.capture != CaptureState::Idle));
    desk.play(9);
    let view = desk.wait("two passes", |view| view.passes.len() == 2);
    assert!(view.passes[1].is_take && view.passes.iter().all(|pass| pass.has_sound));
    desk.take();
    desk.instance.generate(&Wish {
        prompt: "jazz".to_owned(),
        seed: 1,
        variations: 1,
        freedom: 0.0,
        timing: Default::default(),
    });
    let take = desk.wait("the end", |view| view.ear.is_some_and(|ear| ear.capture == CaptureState::Idle)).take.unwrap();
    desk.instance.cancel_jobs();
    desk.play(8);
    assert_eq!(desk.instance.view().take.unwrap().id, take.id, "no later pass replaces what variations are made of");
    desk.instance.choose_pass(1);
    desk.wait("the choice", |view| {
        view.take.as_ref().is_some_and(|chosen| chosen.id != take.id) && view.passes[0].is_take
    });
}

/// 16-bit mono, written by hand.
fn wav(audio: &AudioBuffer) -> Vec<u8> {
    let samples = audio.channels[0].iter().flat_map(|sample| ((sample * 32_000.0) as i16).to_le_bytes());
    let data: Vec<u8> = samples.collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(audio.rate.0.to_le_bytes());
    bytes.extend((audio.rate.0 * 2).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn a_file_is_placed_in_the_song() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::new();
    let audio = AudioBuffer::mono(SampleRate(RATE), (0..RATE).map(|at| 0.3 * (at as f32 * 0.06).sin()).collect());
    let path = folder.path().join("hum.wav");
    std::fs::write(&path, wav(&audio)).unwrap();
    desk.play(6);
    desk.wait("the song", |view| view.ear.is_some_and(|ear| ear.stamp.beats == Some(5.5)));
    for (place, start) in [(Place::Bar(3), 8.0), (Place::Playhead, 5.5), (Place::PlayheadBar, 4.0)] {
        desk.instance.place_file_at(path.clone(), None, Metre::default(), place);
        let there = |view: &View| view.take.as_ref().is_some_and(|take| take.grid.start == Beats(start));
        let take = desk.wait("the file", there).take.unwrap();
        assert!(take.on_grid && take.grid.tempo.single() == Some(Bpm(120.0)) && take.length == Beats(4.0));
    }
}

#[test]
fn the_input_offset_is_measured_and_told() {
    let _turn = turn();
    let mut desk = Desk::new();
    desk.host.playing = false;
    desk.instance.measure_offset();
    desk.wait("the order", |view| view.ear.is_some_and(|ear| ear.measuring));
    let late = 1_234;
    let mut out: Vec<f32> = Vec::new();
    while out.len() < 3 * RATE as usize {
        let heard: Vec<f32> =
            (out.len()..out.len() + 512).map(|at| at.checked_sub(late).map_or(0.0, |at| 0.5 * out[at])).collect();
        desk.ends.recorder.push(&desk.host.stamp(), &[heard], &[]);
        let mut block = vec![0.0; 512];
        desk.ends.recorder.sound_clicks(&mut [&mut block[..]]);
        out.extend(block);
    }
    let view = desk.wait("the measurement", |view| view.measured_offset.is_some());
    let found = view.measured_offset.unwrap();
    assert!((found.offset.0 * f64::from(RATE) - late as f64).abs() <= 1.0 && found.confidence > 0.5, "{found:?}");
    assert!(view.messages.iter().any(|message| message.contains("51.4 ms")), "{:?}", view.messages);
}
