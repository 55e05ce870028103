//! Thread: main. `cantus render`.

use crate::analyze;
use crate::arguments::Render;
use crate::progress;
use cantus_engine::capture::file::read_part;
use cantus_engine::export;
use cantus_engine::generation::band::ARRANGER_VERSION;
use cantus_engine::generation::prompt::resolve;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe};
use cantus_engine::jobs::cache::Cache;
use cantus_engine::jobs::pipeline;
use cantus_engine::rendition::Rendition;
use cantus_engine::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Renders every variation, writes them and the report, prints a table.
pub fn run(order: &Render) -> Result<()> {
    let begun = Instant::now();
    let library = StyleLibrary::builtin()?;
    let resolved = resolve(&order.style, &library)?;
    let take = read_part(&order.input, order.tempo, order.metre, order.part)?;
    let cache = Cache::default();
    let melody = pipeline::listen(&take, &cache, &progress::context("listening"))?;
    let mut rows = Vec::new();
    let mut table = Vec::new();
    for index in 0..order.variations {
        let recipe = Recipe {
            engine: EngineKind::Band,
            prompt: order.style.clone(),
            seed: order.seed.wrapping_add(u64::from(index)),
            freedom: order.freedom,
            engine_version: ARRANGER_VERSION,
        };
        let name = format!("{} {}", resolved.label(), index + 1);
        let context = progress::context(&name);
        let rendition = pipeline::rendition(&melody, &recipe, &name, order.rate, (&library, &cache), &context)?;
        let folder = format!("{:02}-{}", index + 1, resolved.style);
        let ready_ms = begun.elapsed().as_secs_f32() * 1e3;
        export::write_rendition(&order.out.join(&folder), &rendition)?;
        rows.push(row(&rendition, &folder, ready_ms));
        table.push(line(&rendition, &folder));
    }
    let analysis = &melody.analysis;
    let report = json!({
        "input": order.input.display().to_string(),
        "engine": "band",
        "prompt": order.style,
        "key": analyze::key(analysis),
        "tempo": analyze::tempo(analysis),
        "notes": analyze::notes(analysis),
        "doubts": analysis.doubts,
        "analysis_ms": melody.analysis_ms,
        "variations": rows,
    });
    write_report(&order.out, &report)?;
    progress::clear();
    println!("understood: {}", resolved.understood.join(", "));
    if !resolved.ignored.is_empty() {
        println!("ignored: {}", resolved.ignored.join(", "));
    }
    println!("{} notes, {}, {:.2} BPM", analysis.notes.len(), analysis.key.key.name(), analysis.tempo().0);
    for line in table {
        println!("{line}");
    }
    for doubt in &analysis.doubts {
        println!("note: {doubt}");
    }
    Ok(())
}

fn write_report(out: &Path, report: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(report).map_err(|error| Error::internal("writing files", error))?;
    export::write_file(&out.join("report.json"), text.as_bytes())
}

fn row(rendition: &Rendition, folder: &str, ready_ms: f32) -> Value {
    let score = rendition.score.as_ref();
    json!({
        "folder": folder,
        "name": rendition.name,
        "style": score.map(|score| &score.style),
        "seed": rendition.recipe.seed,
        "understood": score.map(|score| &score.understood),
        "ignored": score.map(|score| &score.ignored),
        "chords": score.map(|score| score.chords.iter().map(|chord| json!({ "beat": chord.start, "symbol": chord.symbol })).collect::<Vec<_>>()),
        "parts": score.map(|score| score.tracks.iter().map(|track| json!({ "role": track.role, "instrument": track.instrument })).collect::<Vec<_>>()),
        "fidelity": rendition.fidelity,
        "loudness": rendition.loudness,
        "timings": rendition.timings,
        "ready_ms": ready_ms,
        "region_frames": rendition.region,
        "rate": rendition.rate(),
    })
}

fn line(rendition: &Rendition, folder: &str) -> String {
    format!(
        "{folder:<16} lead {:>3.0} %  mix {:>3.0} %  {:>5.1} LUFS  {:>5.1} dBTP  {:>5.0} ms",
        rendition.fidelity.lead_chroma * 100.0,
        rendition.fidelity.mix_chroma * 100.0,
        rendition.loudness.integrated_lufs,
        rendition.loudness.true_peak_dbtp,
        rendition.timings.arrangement_ms + rendition.timings.render_ms + rendition.timings.mix_ms,
    )
}
