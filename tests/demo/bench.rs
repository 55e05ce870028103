//! Thread: main. Measures what the product promises, in an optimised build: `cargo xtask bench`.

use crate::arguments::Arguments;
use crate::flow::{STYLES, Stage};
use crate::progress;
use cantus_host::{Heard, Pace};
use serde_json::Value;
use std::time::Instant;

/// Blocks of the audio thread that are measured: enough for a 99.99th percentile of some tens of blocks.
const BLOCKS: usize = 200_000;
const BLOCK: usize = 64;
const RATE: u32 = 48_000;

/// Time to the first rendition, and the audio thread while everything happens at once.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let arguments = Arguments { rate: RATE, block: BLOCK, ..clone(arguments) };
    let mut stage = Stage::set(&arguments)?;
    time_to_first(&mut stage)?;
    audio_thread(&mut stage)
}

fn clone(arguments: &Arguments) -> Arguments {
    Arguments {
        bundle: arguments.bundle.clone(),
        input: arguments.input.clone(),
        out: arguments.out.clone(),
        ..*arguments
    }
}

fn number(event: &Value, field: &str) -> f64 {
    event["timings"][field].as_f64().unwrap_or(f64::NAN)
}

/// Every style once; the worst counts.
fn time_to_first(stage: &mut Stage) -> Result<(), String> {
    stage.capture()?;
    for style in STYLES {
        let begun = Instant::now();
        stage.order(style)?;
        let event = stage.wait_for("rendition", style)?;
        let wall = begun.elapsed().as_secs_f64() * 1e3;
        progress::clear();
        println!(
            "{style:<12} analysis {:>6.1} ms  arrangement {:>6.1} ms  render {:>6.1} ms  mix {:>6.1} ms  wall {wall:>6.0} ms",
            stage.analysis_ms,
            number(&event, "arrangement_ms"),
            number(&event, "render_ms"),
            number(&event, "mix_ms"),
        );
    }
    Ok(())
}

/// Captures, plays and generates at once while the blocks are measured.
fn audio_thread(stage: &mut Stage) -> Result<(), String> {
    let mut all = Heard::default();
    let mut round = 0_u32;
    while all.blocks.len() < BLOCKS {
        let instance = &mut stage.instance;
        let say = |error: cantus_host::HostError| error.to_string();
        instance.switch("Capture", round.is_multiple_of(2)).map_err(say)?;
        instance.set_text("Seed", &round.to_string()).map_err(say)?;
        instance.set_text("Active variation", &(1 + round % 3).to_string()).map_err(say)?;
        instance.switch("Generate", round.is_multiple_of(2)).map_err(say)?;
        let heard = instance.run(&mut stage.song, BLOCK * 4_000, Pace::Times(10.0)).map_err(say)?;
        all.blocks.extend(heard.blocks);
        round += 1;
        progress::show("measuring the audio thread", all.blocks.len() as f64 / BLOCKS as f64);
    }
    progress::clear();
    let block_us = BLOCK as f64 / f64::from(RATE) * 1e6;
    let mut wall: Vec<f64> = all.blocks.iter().map(|block| block.cost.wall.as_secs_f64() * 1e8 / block_us).collect();
    wall.sort_by(f64::total_cmp);
    all.rate = RATE;
    println!(
        "audio thread, {BLOCK} frames at {RATE} Hz, {} blocks while capturing, playing and generating:",
        all.blocks.len()
    );
    println!(
        "  processor time of a block  p50 {:.2} %  p99.99 {:.2} %  max {:.2} %",
        all.cpu_percentile(0.5),
        all.cpu_percentile(0.9999),
        all.cpu_percentile(1.0)
    );
    println!(
        "  wall time of a block       p50 {:.2} %  p99.99 {:.2} %  max {:.2} %",
        wall[wall.len() / 2],
        wall[wall.len() * 9_999 / 10_000],
        wall[wall.len() - 1]
    );
    println!("  voluntary waits {}", all.voluntary_switches());
    Ok(())
}
