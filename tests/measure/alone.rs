//! Thread: main. One instance with everything going on: its audio thread, its saving, its bounce.

use crate::{Bundles, Outcome, Row, say};
use cantus_engine::capture::file::read_audio;
use cantus_engine::session::Session;
use cantus_host::{AudioSetup, Bundle, Clip, Heard, Instance, Pace, Project, Song, SongClock};
use std::path::Path;
use std::time::{Duration, Instant};

const RATE: u32 = 44_100;
const BPM: f64 = 100.0;
const BEATS: f64 = 32.0;
const BUSY_RATE: u32 = 48_000;
const BUSY_BLOCK: usize = 64;
const PATIENCE: Duration = Duration::from_secs(240);

/// All of its rows.
pub fn measure(bundles: &Bundles) -> Outcome<Vec<Row>> {
    let bundle = Bundle::load(&bundles.cantus).map_err(say)?;
    let (mut instance, mut song) = with_rendition(&bundle, RATE)?;
    let saving = saving(&mut instance)?;
    let bounce = bounce(&mut instance, &mut song)?;
    drop(instance);
    let busy = busy(&bundle, bundles.quick)?;
    Ok(vec![busy, bounce, saving])
}

fn with_rendition(bundle: &Bundle, rate: u32) -> Outcome<(Instance, Song)> {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac"));
    let hum = read_audio(file).map_err(say)?;
    let hum = cantus_engine::resample::resample(&hum, cantus_engine::time::SampleRate(rate)).map_err(say)?.to_mono();
    let block = if rate == BUSY_RATE { BUSY_BLOCK } else { 512 };
    let mut instance = bundle.instance().map_err(say)?;
    instance.activate(&AudioSetup::new(rate, block)).map_err(say)?;
    let mut clock = SongClock::new(rate, BPM);
    clock.set_loop(Some((4.0, 4.0 + BEATS)));
    clock.locate_beats(3.0);
    clock.play();
    let start = clock.frame_at(4.0);
    let mut song = Song::new(clock);
    song.clips.push(Clip::mono_at(start, hum));
    instance.set_text("Capture mode", "Loop region").map_err(say)?;
    instance.switch("Capture", true).map_err(say)?;
    let frames = ((BEATS + 3.0) * 60.0 / BPM * f64::from(rate)) as usize;
    instance.run(&mut song, frames, Pace::Times(15.0)).map_err(say)?;
    until(&mut instance, &mut song, "the analysis", |session| session.region().analysis.is_some())?;
    instance.switch("Generate", true).map_err(say)?;
    until(&mut instance, &mut song, "a rendition", |session| {
        session.region().variations.iter().any(|one| session.region().active == Some(one.facts.id) && one.mix.is_some())
    })?;
    Ok((instance, song))
}

fn until(instance: &mut Instance, song: &mut Song, what: &str, ready: impl Fn(&Session) -> bool) -> Outcome<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        instance.run(song, 4_096, Pace::Times(2.0)).map_err(say)?;
        let text = Project::read(&instance.save_state().map_err(say)?).map_err(say)?.session_text();
        if ready(&Session::decode_text(&text).map_err(say)?) {
            return Ok(());
        }
    }
    Err(format!("Waited {} s for {what}.", PATIENCE.as_secs()))
}

/// Main-thread time of a save with a take and its rendition inside.
fn saving(instance: &mut Instance) -> Outcome<Row> {
    let mut bytes = 0;
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        bytes = instance.save_state().map_err(say)?.len();
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let figure = format!("{:.1} ms (worst of 20: {:.1} ms) for {:.1} MB", times[10], times[19], bytes as f64 / 1e6);
    Ok(Row("saving on the main thread, a take of 19 s and its rendition embedded", "≤ 20 ms", figure))
}

/// The same passage from the same start, in real time and as fast as the machine can.
fn bounce(instance: &mut Instance, song: &mut Song) -> Outcome<Row> {
    song.clips.clear();
    let frames = (8.0 * 60.0 / BPM * f64::from(RATE)) as usize;
    let mut pass = |instance: &mut Instance, pace: Pace| -> Outcome<(Heard, f64)> {
        song.clock.stop();
        instance.run(song, 8_192, Pace::Times(4.0)).map_err(say)?;
        song.clock.locate_beats(3.0);
        song.clock.play();
        let begun = Instant::now();
        let heard = instance.run(song, frames, pace).map_err(say)?;
        Ok((heard, begun.elapsed().as_secs_f64()))
    };
    let (live, live_seconds) = pass(instance, Pace::Times(1.0))?;
    instance.set_offline(true).map_err(say)?;
    let (offline, seconds) = pass(instance, Pace::Unbounded)?;
    instance.set_offline(false).map_err(say)?;
    if live.peak(0) < 0.01 {
        return Err("Nothing was heard in the bounce.".into());
    }
    let same = live.outputs == offline.outputs;
    let figure =
        format!("{}, {:.0} × as fast", if same { "equal to the bit" } else { "DIFFERENT" }, live_seconds / seconds);
    Ok(Row("offline bounce against real time, from the same start, mix and stems", "bit-identical", figure))
}

/// Captures, generates, swaps and jumps while small blocks are measured.
fn busy(bundle: &Bundle, quick: bool) -> Outcome<Row> {
    let (mut instance, mut song) = with_rendition(bundle, BUSY_RATE)?;
    let blocks = BUSY_RATE as usize * if quick { 30 } else { 600 } / BUSY_BLOCK;
    let mut all = Heard { rate: BUSY_RATE, ..Heard::default() };
    let mut round = 0_u32;
    while all.blocks.len() < blocks {
        instance.switch("Capture", round.is_multiple_of(2)).map_err(say)?;
        instance.set_text("Seed", &round.to_string()).map_err(say)?;
        instance.set_text("Active variation", &(1 + round % 3).to_string()).map_err(say)?;
        instance.switch("Generate", round.is_multiple_of(2)).map_err(say)?;
        song.clock.locate_beats(3.0 + f64::from(round % 30));
        let heard = instance.run(&mut song, BUSY_BLOCK * 4_000, Pace::Times(10.0)).map_err(say)?;
        if heard.non_finite_samples > 0 {
            return Err("Samples that are no numbers came out.".into());
        }
        all.blocks.extend(heard.blocks);
        round += 1;
    }
    let over = all.cpu_percent().iter().filter(|&&percent| percent > 100.0).count();
    let figure = format!(
        "{} blocks: p50 {:.2} %, p99.99 {:.2} %, most {:.2} % of the block; {} waits, {over} overruns",
        all.blocks.len(),
        all.cpu_percentile(0.5),
        all.cpu_percentile(0.9999),
        all.cpu_percentile(1.0),
        all.voluntary_switches()
    );
    Ok(Row(
        "audio thread, blocks of 64 frames at 48 kHz, capturing, generating, swapping and jumping at once",
        "0 waits, 0 overruns, p99.99 ≤ 5 % of the block",
        figure,
    ))
}
