//! What an instance saves, opens, keeps through the death of its host, and puts into files.

use super::{Desk, PATIENCE, one, wav};
use crate::analysis::hum::{TUNE, hum};
use crate::turn;
use cantus_engine::analysis::edit::MelodyEdit;
use cantus_engine::export::shelf::Wanted;
use cantus_engine::generation::score::Role;
use cantus_engine::instance::orders::Wish;
use cantus_engine::instance::view::{VariationStatus, View};
use cantus_engine::instance::{Instance, Notice};
use cantus_engine::rendition::Rendition;
use cantus_engine::session::Session;
use cantus_engine::session::packed::PackedAudio;
use cantus_engine::time::{Bpm, Metre, SampleRate};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn desk_at(rate: SampleRate) -> Desk {
    let dirty = Arc::new(AtomicUsize::new(0));
    let counted = dirty.clone();
    let instance = Instance::new(Arc::new(move |notice| {
        counted.fetch_add(usize::from(notice == Notice::Dirty), Ordering::SeqCst);
    }));
    let ends = instance.activate(rate, 2, 512).unwrap();
    Desk { instance, dirty, _ends: ends }
}

/// An instance with a hummed tune, and a variation that plays with its stems.
fn desk_with_rendition(folder: &Path) -> Desk {
    let desk = Desk::new();
    desk.open(&wav(folder, &hum(&TUNE, 0.0, 0.5, super::RATE)));
    desk.generate();
    desk
}

fn ready(view: &View, place: usize) -> Arc<Rendition> {
    match &view.variations[place].status {
        VariationStatus::Ready(rendition) => rendition.clone(),
        _ => panic!("variation {place} is not ready: {:?}", view.messages),
    }
}

/// What the host would get, read again.
fn saved(desk: &Desk) -> Session {
    Session::decode_text(&desk.instance.outline().unwrap().encode_text().unwrap()).unwrap()
}

#[test]
fn saving_gives_the_session_whether_or_not_it_was_prepared() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let desk = desk_with_rendition(folder.path());
    // At once: nothing is packed, so that sound and notes are taken as they are.
    let hasty = saved(&desk);
    // Times may be rounded on their way through text.
    let plain = || Session::decode(&desk.instance.session().unwrap().encode().unwrap()).unwrap();
    let (now, plain) = (plain, plain());
    let sounds = |session: &Session| -> Vec<_> {
        let region = session.region();
        let mixes = region.variations.iter().map(|one| one.mix.as_ref().map(|mix| mix.unpack().unwrap()));
        mixes.chain([region.take.as_ref().map(|take| take.audio.unpack().unwrap())]).collect()
    };
    assert_eq!(sounds(&hasty), sounds(&plain));
    assert!(sounds(&hasty).iter().all(Option::is_some));
    assert_eq!(hasty.region().analysis, plain.region().analysis);
    assert_eq!(hasty.region().variations[0].facts, plain.region().variations[0].facts);
    // And later, from what was made meanwhile: the very same session.
    let view = desk.wait("the size", |view| view.session_bytes > 0);
    let text = desk.instance.outline().unwrap().encode_text().unwrap();
    assert_eq!(Session::decode_text(&text).unwrap(), now());
    let told = view.session_bytes as f64 / text.len() as f64;
    assert!((0.5..1.1).contains(&told), "{} told, {} saved", view.session_bytes, text.len());
}

#[test]
fn without_sound_notes_are_played_again_and_that_is_said() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let desk = desk_with_rendition(folder.path());
    let mix = ready(&desk.instance.view(), 0).mix.clone();
    let with = desk.instance.outline().unwrap().encode().unwrap().len();
    let before = desk.dirty.load(Ordering::SeqCst);
    desk.instance.set_embed_sound(false);
    assert_eq!(desk.dirty.load(Ordering::SeqCst), before + 1);
    let session = saved(&desk);
    assert!(session.without_sound && session.region().variations[0].mix.is_none());
    let without = desk.instance.outline().unwrap().encode().unwrap().len();
    assert!(without * 2 < with, "{without} of {with}");
    let other = Desk::new();
    other.instance.restore(session).unwrap();
    assert!(other.instance.view().messages.iter().any(|message| message.contains("without their sound")));
    assert!(!other.instance.view().embed_sound);
    let view = other.wait("the sound", |view| matches!(view.variations[0].status, VariationStatus::Ready(_)));
    assert_eq!(ready(&view, 0).mix, mix, "the same build plays the same");
}

#[test]
fn what_an_older_build_played_stays_until_it_is_rendered_anew() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let desk = desk_with_rendition(folder.path());
    let now = ready(&desk.instance.view(), 0).mix.clone();
    // As if another build, with other styles, had played it: one sample is other, the style is unknown here.
    let mut old = now.clone();
    old.channels[1][777] += 1.0 / 8_388_608.0;
    let mut session = saved(&desk);
    let variation = &mut session.region_mut().variations[0];
    variation.mix = Some(PackedAudio::pack(&old));
    variation.facts.recipe.prompt = "a style of long ago".to_owned();
    variation.facts.recipe.engine_version = 0;
    let other = Desk::new();
    other.instance.restore(session.clone()).unwrap();
    assert_eq!(ready(&other.instance.view(), 0).mix, old, "to the bit, at once");
    let view = other.wait("the sentence", |view| view.variations[0].as_saved);
    assert!(view.messages.iter().any(|message| message.contains("sounds as it was saved")), "{:?}", view.messages);
    assert!(ready(&view, 0).stems.is_empty(), "stems that do not add up to the mix are not used");
    assert_eq!(
        saved(&other).region().variations[0].mix,
        session.region().variations[0].mix,
        "and it is saved again so"
    );
    // Only when asked.
    other.instance.render_anew(view.variations[0].id);
    let view = other.wait("the new sound", |view| !view.variations[0].as_saved);
    assert_eq!(ready(&view, 0).mix, now);
    assert!(!ready(&view, 0).stems.is_empty());

    // The same build gives the stems without a word.
    let same = Desk::new();
    same.instance.restore(saved(&desk)).unwrap();
    let view = same.wait("stems", |view| !ready(view, 0).stems.is_empty());
    assert!(!view.variations[0].as_saved && ready(&view, 0).mix == now);
}

#[test]
fn a_copy_is_independent_and_undo_keeps_what_is_the_same() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let original = desk_with_rendition(folder.path());
    let earlier = saved(&original);
    let keys = original.keys();
    let copy = Desk::new();
    copy.instance.restore(earlier.clone()).unwrap();
    // What is done to one is not done to the other.
    copy.instance.edit(MelodyEdit::Octave { notes: one(0), octaves: 1 });
    copy.instance.rename(copy.instance.view().variations[0].id, "Mine".to_owned());
    copy.instance.set_prompt("ska".to_owned());
    let generated = copy.generate();
    assert_eq!(original.keys(), keys);
    let view = original.instance.view();
    assert_eq!((view.variations.len(), view.variations[0].name.as_str()), (1, "Jazz 1"));
    assert_eq!(saved(&original).region().variations, earlier.region().variations);
    drop(copy);
    assert_eq!(saved(&original).region().take, earlier.region().take);

    // The host takes one step back: what plays is the same, down to the memory it lies in, with its stems and its number.
    let playing = ready(&view, 0);
    original.instance.edit(MelodyEdit::Octave { notes: one(2), octaves: 1 });
    let later = saved(&original);
    let (id, dirty) = (view.variations[0].id, original.dirty.load(Ordering::SeqCst));
    for _ in 0..2 {
        original.instance.restore(earlier.clone()).unwrap();
        let view = original.instance.view();
        assert!(Arc::ptr_eq(&ready(&view, 0), &playing) && view.variations[0].id == id && view.active == Some(id));
        assert_eq!(original.keys(), keys);
        let now = saved(&original);
        assert_eq!(now.region().analysis, earlier.region().analysis);
        assert_eq!(now.region().variations[0].mix, earlier.region().variations[0].mix);
    }
    original.instance.restore(later).unwrap();
    assert_ne!(original.keys(), keys, "and forth");
    assert_eq!(original.dirty.load(Ordering::SeqCst), dirty, "opening is no change");
    // Another sound is not taken for the same.
    let mut other = earlier;
    let mut mix = generated.mix.clone();
    mix.channels[0][0] += 1.0 / 8_388_608.0;
    other.region_mut().variations[0].mix = Some(PackedAudio::pack(&mix));
    original.instance.restore(other).unwrap();
    assert!(ready(&original.instance.view(), 0).mix == mix);
}

#[test]
fn files_are_there_before_a_drag_and_the_region_is_silent_after_it() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    let desk = Desk::new();
    desk.instance.stage_files(Some(music.clone()));
    desk.open(&wav(folder.path(), &hum(&TUNE, 0.0, 0.5, super::RATE)));
    desk.generate();
    let id = desk.instance.view().variations[0].id;
    let hidden = || std::fs::read_dir(music.join(".unnamed")).map_or(0, Iterator::count);
    let visible = || std::fs::read_dir(&music).unwrap().count() - 1;
    let begun = Instant::now();
    while hidden() < 2 {
        assert!(begun.elapsed() < PATIENCE, "nothing is made ahead");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(visible(), 0, "nobody asked for a file yet");
    // At once, because they were made ahead.
    desk.instance.prepare_files(id, Wanted::Mix);
    let view = desk.instance.view();
    assert_eq!(view.prepared.len(), 1, "{:?}", view.messages);
    let path = view.prepared[0].path.clone();
    assert!(path.exists() && path.starts_with(&music) && view.prepared[0].variation == id);
    assert!(path.file_name().unwrap().to_string_lossy().starts_with("Cantus Jazz 120bpm"), "{path:?}");
    for wanted in [Wanted::Midi, Wanted::Stem(Role::Bass), Wanted::MidiPart(Role::Drums), Wanted::Everything] {
        desk.instance.prepare_files(id, wanted);
        let view = desk.wait("files", |view| view.prepared.iter().any(|file| file.wanted == wanted));
        let file = view.prepared.iter().find(|file| file.wanted == wanted).unwrap();
        assert!(!file.paths.is_empty() && file.paths.iter().all(|path| path.is_file()) && file.path.exists());
    }
    // A file that was thrown away is made again.
    std::fs::remove_file(&path).unwrap();
    desk.instance.prepare_files(id, Wanted::Mix);
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }

    // One part cannot silence the others; the whole does, and it can be undone.
    let muted = || desk.instance.view().regions[0].muted;
    desk.instance.dragged_out(id, Wanted::Stem(Role::Bass));
    assert!(!muted() && desk.instance.view().messages.last().unwrap().contains("Mute the bass"));
    desk.instance.dragged_out(id, Wanted::Mix);
    assert!(muted() && desk.instance.view().messages.last().unwrap().contains("is muted here"));
    assert!(saved(&desk).region().muted);
    desk.instance.mute_region(desk.instance.view().region, false);
    assert!(!muted());
    // Another name is another file; what was dragged stays for ever, also when the instance has gone.
    desk.instance.rename(id, "Späte Stunde 9".to_owned());
    assert!(desk.instance.view().prepared.is_empty());
    desk.instance.prepare_files(id, Wanted::Midi);
    let view = desk.wait("files", |view| !view.prepared.is_empty());
    assert!(view.prepared[0].path.to_string_lossy().contains("Späte Stunde"));
    let there = visible();
    drop(desk);
    assert_eq!((visible(), hidden()), (there, 0));
    assert!(path.exists());
}

/// Set in the child process: the folder it works in.
const CHILD: &str = "CANTUS_TEST_JOURNAL_CHILD";

/// The child: a session that nobody saves.
fn work_until_killed(folder: &Path) -> ! {
    let desk = Desk::new();
    desk.instance.keep_journal(Some(folder.join("journal")));
    desk.open(&folder.join("hum.wav"));
    desk.instance.edit(MelodyEdit::Octave { notes: one(1), octaves: 1 });
    desk.generate();
    std::thread::sleep(Duration::from_millis(1_500));
    std::fs::write(folder.join("done"), b"").unwrap();
    desk.instance.star(desk.instance.view().variations[0].id, true);
    std::thread::sleep(PATIENCE);
    std::process::exit(1);
}

fn index(folder: &Path) -> Option<std::path::PathBuf> {
    let journal = std::fs::read_dir(folder).ok()?.flatten().next()?.path();
    Some(journal.join("index")).filter(|index| index.exists())
}

#[test]
fn a_session_that_nobody_saved_survives_kill_9() {
    if let Some(folder) = std::env::var_os(CHILD) {
        work_until_killed(Path::new(&folder));
    }
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let hummed = wav(folder.path(), &hum(&TUNE, 0.0, 0.5, super::RATE));
    let journal = folder.path().join("journal");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "instance::saving::a_session_that_nobody_saved_survives_kill_9"])
        .env(CHILD, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let modified = |path: &Path| std::fs::metadata(path).and_then(|facts| facts.modified()).ok();
    let begun = Instant::now();
    loop {
        let (done, written) = (modified(&folder.path().join("done")), index(&journal).and_then(|path| modified(&path)));
        if done.is_some() && written > done {
            break;
        }
        assert!(begun.elapsed() < 2 * PATIENCE, "the child keeps no journal");
        std::thread::sleep(Duration::from_millis(20));
    }
    let desk = Desk::new();
    desk.instance.keep_journal(Some(journal.clone()));
    std::thread::sleep(Duration::from_millis(100));
    assert!(desk.instance.view().recovered.is_empty(), "its owner lives");
    drop(desk);
    // SIGKILL on Unix.
    child.kill().unwrap();
    child.wait().unwrap();

    let desk = Desk::new();
    desk.instance.keep_journal(Some(journal.clone()));
    let view = desk.wait("what was left behind", |view| !view.recovered.is_empty());
    assert!(view.recovered[0].contains("bars, 1 variation"), "{:?}", view.recovered);
    assert!(view.variations.is_empty() && view.take.is_none(), "it is only offered");
    desk.instance.restore_recovered(0);
    let view = desk.instance.view();
    assert!(view.recovered.is_empty());
    assert_eq!(view.corrections.count, 1);
    assert!(view.variations[0].starred);
    let recovered = ready(&view, 0);
    let keys = desk.keys();
    // It is what the same work gives here.
    let same = Desk::new();
    same.open(&hummed);
    same.instance.edit(MelodyEdit::Octave { notes: one(1), octaves: 1 });
    assert_eq!(same.keys(), keys);
    assert_eq!(same.generate().mix, recovered.mix, "to the bit");
    // Closed without having been saved: still there. Saved, then closed: gone.
    let again = |desk: Desk| {
        drop(desk);
        let next = Desk::new();
        next.instance.keep_journal(Some(journal.clone()));
        next
    };
    let desk = again(desk);
    desk.wait("the journal once more", |view| !view.recovered.is_empty());
    // An instance with something in it takes the rest beside it.
    desk.open(&hummed);
    desk.instance.restore_recovered(0);
    let view = desk.instance.view();
    assert_eq!(view.regions.len(), 2, "{:?}", view.messages);
    assert_eq!((view.variations.len(), view.corrections.count), (1, 1));
    while !desk.instance.view().recovered.is_empty() {
        desk.instance.discard_recovered(0);
    }
    saved(&desk);
    drop(desk);
    let left = std::fs::read_dir(&journal).unwrap().count();
    assert_eq!(left, 0, "what is saved needs no journal");
}

#[test]
fn how_long_saving_and_opening_take() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    // Eight bars at 100 BPM, sung as the demo is.
    let demo = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac"));
    let desk = desk_at(SampleRate(48_000));
    desk.instance.open_file(demo.into(), Some(Bpm(100.0)), Metre::default());
    desk.wait("the melody", |view| view.analysis.is_some());
    desk.instance.stage_files(Some(folder.path().to_owned()));
    desk.instance.generate(&Wish {
        prompt: "jazz".to_owned(),
        seed: 1,
        variations: 3,
        freedom: 0.0,
        timing: Default::default(),
    });
    let all = |view: &View| view.variations.iter().all(|one| matches!(one.status, VariationStatus::Ready(_)));
    let view = desk.wait("three variations", |view| view.variations.len() == 3 && all(view));
    let hasty = Instant::now();
    let text = desk.instance.outline().unwrap().encode_text().unwrap();
    let hasty = hasty.elapsed();
    view.variations.iter().for_each(|one| desk.instance.star(one.id, true));
    // Prepared when nothing is made plain any more.
    let smaller = |desk: &Desk| desk.instance.outline().unwrap().encode_text().unwrap().len();
    let begun = Instant::now();
    let mut last = (text.len(), 0);
    while last.1 < 20 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
        let now = smaller(&desk);
        last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
    }
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            let begun = Instant::now();
            let text = desk.instance.outline().unwrap().encode_text().unwrap();
            assert!(!text.is_empty());
            begun.elapsed()
        })
        .collect();
    times.sort();
    let text = desk.instance.outline().unwrap().encode_text().unwrap();
    let opened = Instant::now();
    let session = Session::decode_text(&text).unwrap();
    let read = opened.elapsed();
    let other = desk_at(SampleRate(48_000));
    other.instance.restore(session).unwrap();
    println!(
        "8 bars, 3 starred at 48 kHz: {:.1} MB of text; saved in {:?} p50, {:?} at most, {hasty:?} before anything was packed; \
         read in {read:?}, open after {:?}",
        text.len() as f64 / 1e6,
        times[times.len() / 2],
        times[times.len() - 1],
        opened.elapsed()
    );
    assert!((0..3).all(|place| ready(&other.instance.view(), place).mix == ready(&desk.instance.view(), place).mix));
}
