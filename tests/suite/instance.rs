//! Tests of an instance as the shell drives it: orders in, views out, without a host and without a window.

mod saving;

use crate::analysis::hum::{TUNE, hum};
use crate::analysis::midi_files::{Track, file};
use crate::turn;
use cantus_engine::analysis::edit::{MelodyEdit, NoteId, Selection};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::instance::view::{VariationStatus, View};
use cantus_engine::instance::{AudioEnds, Instance, Notice, orders::Wish};
use cantus_engine::rendition::Rendition;
use cantus_engine::session::Session;
use cantus_engine::time::{Bpm, Metre, SampleRate, Seconds};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const RATE: SampleRate = SampleRate(22_050);
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at an instance until it shows what is waited for.
pub(crate) fn wait(instance: &Instance, what: &str, ready: impl Fn(&View) -> bool) -> View {
    let begun = Instant::now();
    loop {
        let view = instance.view();
        if ready(&view) {
            return view;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}: {:?}", view.messages);
        std::thread::sleep(Duration::from_millis(5));
    }
}

struct Desk {
    instance: Instance,
    dirty: Arc<AtomicUsize>,
    /// The audio thread's ends: nobody runs them, but they must not go.
    _ends: AudioEnds,
}

impl Desk {
    fn new() -> Self {
        let dirty = Arc::new(AtomicUsize::new(0));
        let counted = dirty.clone();
        let instance = Instance::new(Arc::new(move |notice| {
            counted.fetch_add(usize::from(notice == Notice::Dirty), Ordering::SeqCst);
        }));
        let ends = instance.activate(RATE, 2, 512).unwrap();
        Self { instance, dirty, _ends: ends }
    }

    fn wait(&self, what: &str, ready: impl Fn(&View) -> bool) -> View {
        wait(&self.instance, what, ready)
    }

    fn open(&self, path: &Path) -> View {
        self.instance.open_file(path.into(), Some(Bpm(120.0)), Metre::default());
        self.wait("the melody", |view| view.analysis.is_some())
    }

    /// The keys as the window shows them.
    fn keys(&self) -> Vec<u8> {
        self.instance.view().analysis.unwrap().notes.iter().map(|note| note.key).collect()
    }

    fn generate(&self) -> Arc<Rendition> {
        let before = self.instance.view().variations.len();
        self.instance.generate(&Wish {
            prompt: "jazz".to_owned(),
            seed: 3,
            variations: 1,
            freedom: 0.0,
            timing: Default::default(),
        });
        let last = |view: &View| match view.variations.get(before).map(|variation| &variation.status) {
            Some(VariationStatus::Ready(rendition)) => Some(rendition.clone()),
            Some(VariationStatus::Failed(reason)) => panic!("{reason}"),
            _ => None,
        };
        let view = self.wait("a rendition", |view| last(view).is_some());
        last(&view).unwrap()
    }
}

/// 16-bit mono, written by hand.
fn wav(folder: &Path, audio: &AudioBuffer) -> PathBuf {
    let data: Vec<u8> =
        audio.channels[0].iter().flat_map(|sample| ((sample * 32_000.0) as i16).to_le_bytes()).collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(audio.rate.0.to_le_bytes());
    bytes.extend((audio.rate.0 * 2).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    let path = folder.join("hum.wav");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn one(index: usize) -> Selection {
    Selection::Notes(vec![NoteId::heard(index)])
}

#[test]
fn a_melody_is_corrected_undone_saved_and_played() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::new();
    // Without a melody there is nothing to correct, and nothing happens.
    desk.instance.edit(MelodyEdit::Delete { notes: Selection::All });
    desk.instance.undo_edit();
    assert!(desk.instance.view().messages.is_empty());

    let opened = desk.open(&wav(folder.path(), &hum(&TUNE, 0.0, 0.5, RATE)));
    let heard: Vec<u8> = TUNE.map(|note| note.2 as u8).into();
    assert_eq!(desk.keys(), heard);
    assert!(!opened.corrections.can_undo && !opened.corrections.can_redo && opened.corrections.count == 0);
    assert_eq!(opened.corrections.ids.len(), heard.len());
    let as_heard = desk.generate();

    let before = desk.dirty.load(Ordering::SeqCst);
    desk.instance.edit(MelodyEdit::Octave { notes: one(4), octaves: -1 });
    let view = desk.instance.view();
    assert_eq!(desk.dirty.load(Ordering::SeqCst), before + 1, "the project changed");
    assert!(view.analysing.is_none(), "nothing is listened to again");
    assert_eq!(view.analysis.as_ref().unwrap().f0, opened.analysis.as_ref().unwrap().f0);
    assert_eq!(*view.corrections.changed, [false, false, false, false, true, false, false, false]);
    desk.instance.edit(MelodyEdit::Move { notes: one(0), semitones: 3, by: Seconds(0.0) });
    let corrected = [60, 59, 59, 60, 60, 60, 64, 57];
    assert_eq!(desk.keys(), corrected);

    // What is not possible is said and changes nothing.
    let before = desk.dirty.load(Ordering::SeqCst);
    desk.instance.edit(MelodyEdit::Move { notes: one(0), semitones: 0, by: Seconds(-9.0) });
    let view = desk.instance.view();
    assert!(view.messages.last().unwrap().contains("before the take"), "{:?}", view.messages);
    assert_eq!((desk.keys().as_slice(), view.corrections.count), (corrected.as_slice(), 2));
    assert_eq!(desk.dirty.load(Ordering::SeqCst), before);

    // What is played follows the corrected melody.
    let played = desk.generate();
    assert_ne!(played.mix, as_heard.mix);
    assert!(played.fidelity.octave >= as_heard.fidelity.octave);

    // The project holds what was heard and what was corrected.
    desk.instance.undo_edit();
    let saved = Session::decode(&desk.instance.session().unwrap().encode().unwrap()).unwrap();
    assert_eq!(saved.region().analysis.as_ref().unwrap().notes.len(), heard.len());
    assert_eq!((saved.region().edits.done.0.len(), saved.region().edits.undone.len()), (1, 1));
    let other = Desk::new();
    other.instance.restore(saved).unwrap();
    assert_eq!(other.keys(), [57, 59, 59, 60, 60, 60, 64, 57]);
    other.instance.redo_edit();
    assert_eq!(other.keys(), corrected);
    other.instance.redo_edit();
    other.instance.clear_edits();
    assert_eq!(other.keys(), heard);
    let view = other.instance.view();
    assert!(!view.corrections.can_undo && view.corrections.can_redo);
    other.instance.redo_edit();
    other.instance.redo_edit();
    assert_eq!(other.keys(), corrected, "clearing loses nothing");
    // Rendered again from the same corrections: the same.
    assert_eq!(other.generate().mix, played.mix);

    // Another take begins anew.
    let next = folder.path().join("next");
    std::fs::create_dir(&next).unwrap();
    other.instance.open_file(wav(&next, &hum(&TUNE[..5], 0.0, 0.5, RATE)), Some(Bpm(120.0)), Metre::default());
    let view = other.wait("another melody", |view| view.corrections.ids.len() == 5);
    assert!(!view.corrections.can_undo && !view.corrections.can_redo);
}

#[test]
fn a_midi_file_is_a_take_like_any_other() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tune.mid");
    let tune = Track::default().named("Flute").tempo(0, 90.0).tune(0, 0, &[67, 69, 71, 72, 71, 67, 69, 67], 80).end();
    let bass = Track::default().named("Bass").tune(1, 0, &[31, 33, 35, 36, 35, 31, 33, 31], 80).end();
    std::fs::write(&path, file(1, 96, &[tune, bass])).unwrap();
    let desk = Desk::new();
    let view = desk.open(&path);
    let analysis = view.analysis.unwrap();
    assert_eq!(desk.keys(), [67, 69, 71, 72, 71, 67, 69, 67]);
    assert!(analysis.doubts.iter().any(|doubt| doubt.contains("1 \"Flute\"") && doubt.contains("2 \"Bass\"")));
    assert_eq!(analysis.tempo().0, 120.0, "at the tempo of the host");
    desk.instance.edit(MelodyEdit::Move { notes: one(0), semitones: -5, by: Seconds(0.0) });
    assert_eq!(desk.keys()[0], 62);
    let played = desk.generate();
    assert!(played.fidelity.lead_chroma > 0.6, "{:?}", played.fidelity);
    // It comes back from a project with what there was to know about it.
    let saved = Session::decode(&desk.instance.session().unwrap().encode().unwrap()).unwrap();
    assert_eq!(saved.region().take.as_ref().unwrap().facts.remarks, desk.instance.view().take.unwrap().remarks);
    let other = Desk::new();
    other.instance.restore(saved).unwrap();
    assert_eq!(other.keys()[0], 62);
}

#[test]
fn every_region_has_a_take_and_variations_of_its_own() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::new();
    let verse = desk.instance.view().region;
    desk.open(&wav(folder.path(), &hum(&TUNE, 0.0, 0.5, RATE)));
    let first = desk.generate();
    let heard = desk.keys();

    let chorus = desk.instance.add_region().unwrap();
    let view = desk.instance.view();
    assert_eq!((view.region, view.regions.len()), (chorus, 2), "a new region is chosen");
    assert!(view.take.is_none() && view.analysis.is_none() && view.variations.is_empty(), "and empty");
    let other = tempfile::tempdir().unwrap();
    desk.open(&wav(other.path(), &hum(&TUNE[2..], 0.0, 0.5, RATE)));
    let second = desk.generate();
    assert_ne!(desk.keys(), heard, "each hears its own take");
    assert_ne!(first.score, second.score);
    desk.instance.edit(MelodyEdit::Octave { notes: one(0), octaves: -1 });
    desk.instance.mute_region(chorus, true);

    desk.instance.choose_region(verse);
    assert_eq!(desk.keys(), heard, "a correction of one region leaves the other as it is");
    let saved = desk.instance.session().unwrap();
    let opened = Desk::new();
    opened.instance.restore(Session::decode(&saved.encode().unwrap()).unwrap()).unwrap();
    let view = opened.instance.view();
    let told: Vec<_> =
        view.regions.iter().map(|region| (region.name.as_str(), region.muted, region.variations)).collect();
    assert_eq!(told, [("Region 1", false, 1), ("Region 2", true, 1)]);
    assert_eq!(opened.keys(), heard, "the chosen one is chosen again");
    let again = opened.instance.session().unwrap();
    assert_eq!(again.regions[1].edits, saved.regions[1].edits);
    for (now, before) in again.regions.iter().zip(&saved.regions) {
        assert_eq!((&now.take, now.active.is_some()), (&before.take, true));
        assert_eq!(now.variations[0].mix, before.variations[0].mix);
    }

    // Eight are the most, and the last one leaves an empty one behind.
    let more: Vec<_> = std::iter::from_fn(|| opened.instance.add_region()).collect();
    assert_eq!((more.len(), opened.instance.view().regions.len()), (6, 8));
    let view = opened.instance.view();
    let mut seats: Vec<_> = view.regions.iter().map(|region| region.seat).collect();
    seats.sort_unstable();
    seats.dedup();
    assert_eq!(seats.len(), 8, "no two sit in one seat");
    for region in view.regions {
        opened.instance.remove_region(region.id);
    }
    let view = opened.instance.view();
    assert_eq!((view.regions.len(), view.variations.len(), view.take.is_none()), (1, 0, true));
}
