//! One session: rounds of work that each begin with the same project.

use crate::growth::{Held, Leak, judge};
use cantus_engine::capture::file::read_audio;
use cantus_engine::session::Session;
use cantus_host::{
    AudioSetup, Bundle, Clip, HostError, Instance, Pace, Project, Song, SongClock, ThreadCensus, editor,
};
use std::path::Path;
use std::time::{Duration, Instant};

const RATE: u32 = 44_100;
const TEMPO: f64 = 100.0;
/// The longest a job may take, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// Rounds that are judged, at least.
const FEWEST: usize = 8;
/// Rounds in which caches fill and everything is used for the first time.
const WARM_UP: usize = 14;

type Outcome = Result<(), String>;

/// Rounds for some minutes, then the goodbye with jobs running.
pub fn soak(minutes: f64, proves: bool) -> Outcome {
    let data = tempfile::tempdir().map_err(|error| error.to_string())?;
    // SAFETY: before the plugin is loaded and before this process has a second thread.
    unsafe {
        std::env::set_var("CANTUS_DATA_DIR", data.path());
        // A cache that is full after the first rounds, so that it is not taken for a leak.
        std::env::set_var("CANTUS_CACHE_MB", "32");
    }
    let folder = std::env::var("CANTUS_BUNDLE")
        .map_err(|_| "CANTUS_BUNDLE names the bundle: run cargo xtask soak".to_owned())?;
    let before = ThreadCensus::take();
    let bundle = Bundle::load(&Path::new(&folder).join("Cantus.clap")).map_err(words)?;
    let mut desk = Desk::open(&bundle)?;
    let until = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let mut rounds = Vec::new();
    let mut number = 0;
    while Instant::now() < until || rounds.len() < FEWEST {
        desk.round(&bundle, number).map_err(|error| format!("Round {number}: {error}"))?;
        if number >= WARM_UP {
            rounds.push(Held::now());
        }
        number += 1;
        if number % 10 == 0 {
            println!("{number} rounds: {:?}", rounds.last());
        }
    }
    let verdict = judge(&rounds);
    println!(
        "{number} rounds, {WARM_UP} to warm up: memory {:.1} → {:.1} MB ({:+.3} MB a round), threads {} → {}, files {} → {}; {}",
        rounds[0].megabytes,
        rounds[rounds.len() - 1].megabytes,
        verdict.megabytes_a_round,
        verdict.threads.0,
        verdict.threads.1,
        verdict.files.0,
        verdict.files.1,
        desk.counted()
    );
    if !verdict.faults.is_empty() {
        return Err(format!("The plugin {}.", verdict.faults.join("; ")));
    }
    if proves {
        prove(&mut desk)?;
    }
    leave(desk, bundle, &before)
}

/// The same judge finds a host that leaks.
fn prove(desk: &mut Desk) -> Outcome {
    let mut leak = Leak::default();
    let mut rounds = Vec::new();
    for _ in 0..FEWEST {
        desk.play(2_048)?;
        leak.more();
        rounds.push(Held::now());
    }
    let verdict = judge(&rounds);
    println!("A host that leaks: {}", verdict.faults.join("; "));
    if verdict.faults.len() == 3 { Ok(()) } else { Err(format!("The judge overlooks leaks: {verdict:?}")) }
}

/// The instance and the library go while jobs run; no thread of the plugin may stay.
fn leave(mut desk: Desk, bundle: Bundle, before: &ThreadCensus) -> Outcome {
    desk.order_generation()?;
    desk.play(4_096)?;
    let begun = Instant::now();
    drop(desk);
    drop(bundle);
    let took = begun.elapsed();
    let left: Vec<String> =
        ThreadCensus::take().since(before).into_iter().filter(|name| name.contains("cantus")).collect();
    println!("The library went with jobs running, in {:.0} ms.", took.as_secs_f64() * 1e3);
    if took > Duration::from_secs(20) {
        return Err(format!("Unloading with jobs running took {took:?}."));
    }
    if left.is_empty() { Ok(()) } else { Err(format!("Threads stayed behind: {}.", left.join(", "))) }
}

fn words(error: HostError) -> String {
    error.to_string()
}

struct Desk {
    instance: Instance,
    song: Song,
    /// A project with a take, opened again at the start of every round, so that the session itself never grows.
    project: Vec<u8>,
    screen: Option<u32>,
    editor: bool,
    generations: usize,
    captures: usize,
    windows: usize,
    states: usize,
}

impl Desk {
    fn open(bundle: &Bundle) -> Result<Self, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/hum.flac");
        let mut hum = read_audio(&path).map_err(|error| error.to_string())?.to_mono();
        // Two bars are enough of a tune.
        hum.truncate((8.0 * 60.0 / TEMPO * f64::from(RATE)) as usize);
        let mut clock = SongClock::new(RATE, TEMPO);
        clock.set_loop(Some((4.0, 12.0)));
        clock.locate_beats(3.0);
        clock.play();
        let start = clock.frame_at(4.0);
        let mut song = Song::new(clock);
        song.clips.push(Clip::mono_at(start, hum));
        let mut instance = bundle.instance().map_err(words)?;
        instance
            .activate(&AudioSetup { rate: RATE, max_block: 512, block_pattern: vec![512, 64, 1, 300] })
            .map_err(words)?;
        let screen = editor::screen();
        let mut desk = Self {
            instance,
            song,
            project: Vec::new(),
            screen,
            editor: false,
            generations: 0,
            captures: 0,
            windows: 0,
            states: 0,
        };
        desk.capture()?;
        desk.project = desk.instance.save_state().map_err(words)?;
        Ok(desk)
    }

    fn counted(&self) -> String {
        let Self { generations, captures, windows, states, .. } = self;
        format!("{captures} captures, {generations} generations, {states} states saved and loaded, {windows} windows")
    }

    fn play(&mut self, frames: usize) -> Outcome {
        let heard = self.instance.run(&mut self.song, frames, Pace::Times(25.0)).map_err(words)?;
        if heard.non_finite_samples > 0 {
            return Err("an output that is no number or was not written".into());
        }
        Ok(())
    }

    fn set(&mut self, name: &str, text: &str) -> Outcome {
        self.instance.set_text(name, text).map_err(words)
    }

    fn switch(&mut self, name: &str, on: bool) -> Outcome {
        self.instance.switch(name, on).map_err(words)?;
        self.play(64)
    }

    /// Takes the loop once, and waits until it was listened to.
    fn capture(&mut self) -> Outcome {
        let before = self.made()?;
        self.set("Capture mode", "Loop region")?;
        self.song.clock.locate_beats(3.5);
        self.switch("Capture", true)?;
        self.play((9.0 * 60.0 / TEMPO * f64::from(RATE)) as usize)?;
        self.switch("Capture", false)?;
        self.captures += 1;
        self.wait_for_more("the take", before)
    }

    fn order_generation(&mut self) -> Outcome {
        self.switch("Generate", true)?;
        self.switch("Generate", false)
    }

    /// Takes that were listened to, and variations.
    fn made(&mut self) -> Result<(usize, usize), String> {
        let state = self.instance.save_state().map_err(words)?;
        let text = Project::read(&state).map_err(words)?.session_text();
        let session = Session::decode_text(&text).map_err(|error| error.to_string())?;
        let heard = session.regions.iter().filter(|region| region.analysis.is_some()).count();
        Ok((heard, session.regions.iter().map(|region| region.variations.len()).sum()))
    }

    /// Waits until the project holds something else than before.
    fn wait_for_more(&mut self, what: &str, before: (usize, usize)) -> Outcome {
        let begun = Instant::now();
        while self.made()? == before {
            self.play(2_048)?;
            self.instance.idle(Duration::from_millis(20));
            if begun.elapsed() > PATIENCE {
                return Err(format!("waited too long for {what}"));
            }
        }
        Ok(())
    }

    fn round(&mut self, bundle: &Bundle, number: usize) -> Outcome {
        self.instance.load_state(&self.project.clone()).map_err(words)?;
        self.states += 1;
        // Few different orders, so that what is remembered is full after the warm-up.
        self.set("Style", ["jazz", "reggae"][number % 2])?;
        self.set("Seed", "3")?;
        self.set("Region", "1")?;
        let before = self.made()?;
        self.order_generation()?;
        self.generations += 1;
        if number % 2 == 0 {
            // Everything else happens while the band works.
            self.window(number)?;
            self.storm(number)?;
        }
        self.wait_for_more("a rendition", before)?;
        self.set("Active variation", "1")?;
        self.play(20_000)?;
        self.song.clock.set_tempo_from(0, [110.0, TEMPO][number % 2]);
        self.song.clock.set_loop(Some((4.0, 12.0)));
        self.song.clock.locate_beats(4.0 + (number % 5) as f64);
        self.play(20_000)?;
        self.song.clock.set_tempo_from(0, TEMPO);
        self.song.clock.set_loop(Some((4.0, 12.0)));
        if number % 3 == 0 {
            self.set("Region", "2")?;
            self.play(512)?;
            self.song.clock.locate_beats(3.5);
            self.switch("Capture", true)?;
            self.play(150_000)?;
            self.switch("Capture", false)?;
            self.captures += 1;
        }
        let saved = self.instance.save_state().map_err(words)?;
        self.instance.load_state(&saved).map_err(words)?;
        self.states += 1;
        if number % 4 == 1 {
            // A second track comes and goes, and the first one is switched off and on.
            let mut other = bundle.instance().map_err(words)?;
            other.load_state(&saved).map_err(words)?;
            other.activate(&AudioSetup::new(48_000, 256)).map_err(words)?;
            other.run(&mut Song::new(SongClock::new(48_000, 90.0)), 9_600, Pace::Unbounded).map_err(words)?;
            drop(other);
            self.instance.deactivate().map_err(words)?;
            self.instance
                .activate(&AudioSetup { rate: RATE, max_block: 512, block_pattern: vec![512, 64, 1, 300] })
                .map_err(words)?;
        }
        self.switch("Cancel", true)?;
        self.switch("Cancel", false)?;
        if self.editor {
            self.instance.close_editor().map_err(words)?;
            self.editor = false;
        }
        // Back to the same project before what is held is counted.
        self.instance.load_state(&self.project.clone()).map_err(words)?;
        self.play(4_096)?;
        self.instance.idle(Duration::from_millis(150));
        Ok(())
    }

    fn window(&mut self, number: usize) -> Outcome {
        let Some(screen) = self.screen else { return Ok(()) };
        self.instance.open_editor(screen).map_err(words)?;
        self.editor = true;
        self.windows += 1;
        self.instance.idle(Duration::from_millis(120));
        self.instance.resize_editor(900 + (number % 5) as u32 * 60, 640).map_err(words)?;
        self.instance.idle(Duration::from_millis(60));
        Ok(())
    }

    /// Every automatable parameter that gives no order, many times in a few blocks.
    fn storm(&mut self, number: usize) -> Outcome {
        const ORDERS: [&str; 9] = [
            "Capture",
            "Capture what I just hummed",
            "Generate",
            "Cancel",
            "Active variation",
            "Region",
            "Arm on play",
            "Seed",
            "Style",
        ];
        let params: Vec<_> =
            self.instance.params().iter().filter(|param| !ORDERS.contains(&param.name.as_str())).cloned().collect();
        let before: Vec<f64> =
            params.iter().map(|param| self.instance.value(param)).collect::<Result<_, _>>().map_err(words)?;
        for step in 0..40 {
            for (index, param) in params.iter().enumerate() {
                let share = ((step * 7 + index * 13 + number) % 11) as f64 / 10.0;
                self.instance.set_at(param, param.min + share * (param.max - param.min), step * 100);
            }
        }
        self.play(5_000)?;
        for (param, value) in params.iter().zip(before) {
            self.instance.set(param, value);
        }
        self.play(512)
    }
}
