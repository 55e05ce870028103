//! Thread: main. `cantus render`.

use crate::analyze;
use crate::arguments::{Length, Render};
use crate::progress;
use cantus_engine::capture::file::read_part;
use cantus_engine::capture::take::Take;
use cantus_engine::export::{self, FileLevel, Files};
use cantus_engine::generation::band::ARRANGER_VERSION;
use cantus_engine::generation::choice::MUSICGEN_VERSION;
use cantus_engine::generation::direction::Direction;
use cantus_engine::generation::prompt::resolve;
use cantus_engine::generation::score::Level;
use cantus_engine::generation::style::library::{StyleLibrary, StyleShelf};
use cantus_engine::generation::{EngineKind, Recipe};
use cantus_engine::jobs::cache::Cache;
use cantus_engine::jobs::pipeline::{self, Wanted};
use cantus_engine::rendition::Rendition;
use cantus_engine::time::Beats;
use cantus_engine::worker::Workshop;
use cantus_engine::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Renders every variation, writes them and the report, prints a table.
pub fn run(order: &Render) -> Result<()> {
    let begun = Instant::now();
    let shelf = StyleShelf::open(order.styles.clone().or_else(StyleLibrary::user_folder))?;
    let library = shelf.library();
    for mistake in shelf.mistakes() {
        eprintln!("cantus: {mistake}");
    }
    let plans = Plan::all(order, &library)?;
    let mut take = read_part(&order.input, order.tempo, order.metre, order.part)?;
    if let Some(length) = order.length {
        shorten(&mut take, length);
    }
    let cache = Cache::default();
    let workshop = if order.in_process { Workshop::here() } else { Workshop::from_settings() };
    let song = order.band.song(take.grid.metre)?;
    let melody = pipeline::listen(&take, &cache, &progress::context("listening"))?;
    let mut rows = Vec::new();
    let mut table = Vec::new();
    let orders = plans.iter().flat_map(|plan| (0..order.variations).map(move |index| (plan, index)));
    for (number, (plan, index)) in orders.enumerate() {
        let recipe = Recipe {
            engine: order.engine.clone(),
            prompt: plan.prompt.clone(),
            seed: order.seed.wrapping_add(u64::from(index)),
            freedom: order.freedom,
            timing: order.timing,
            direction: Direction { level: order.level, ..order.band.direction.clone() },
            song: song.clone(),
            engine_version: plan.version,
        };
        let name = format!("{} {}", plan.label, index + 1);
        let context = progress::context(&name);
        let rendition = match &order.engine {
            EngineKind::Band => pipeline::rendition(&melody, &recipe, &name, order.rate, (&library, &cache), &context)?,
            EngineKind::MusicGen(choice) => {
                let rate = order.rate;
                let wanted = Wanted { take: &take, melody: &melody, recipe: &recipe, choice, name: &name, rate };
                pipeline::neural_rendition(&wanted, &workshop, (&library, &cache), &context)?
            }
        };
        let folder = format!("{:02}-{}", number + 1, plan.folder);
        let ready_ms = begun.elapsed().as_secs_f32() * 1e3;
        let level = if order.level == Level::Loud { FileLevel::Loud } else { FileLevel::Session };
        let files = Files { level, dry: order.dry_stems, key: Some(melody.analysis.key.key), midi: order.midi.clone() };
        export::write_rendition(&order.out.join(&folder), &rendition, &files, &progress::context(&name))?;
        if let Some(drawn) = order.sheet.then(|| export::sheet::sheet(&rendition)).transpose()?.flatten() {
            export::write_file(&order.out.join(&folder).join("sheet.png"), &drawn)?;
        }
        rows.push(row(&rendition, &folder, ready_ms));
        table.push(line(&rendition, &folder));
    }
    let analysis = &melody.analysis;
    let report = json!({
        "input": order.input.display().to_string(),
        "engine": order.engine,
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
    for line in plans.iter().flat_map(|plan| &plan.words) {
        println!("{line}");
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

/// What the engine makes of the words.
struct Plan {
    prompt: String,
    label: String,
    folder: String,
    version: u32,
    words: Vec<String>,
}

impl Plan {
    /// What is to be made: one thing, or one in every style.
    fn all(order: &Render, library: &StyleLibrary) -> Result<Vec<Self>> {
        if order.engine == EngineKind::Band && order.style == "all" {
            return library.list().iter().map(|style| Self::of(order, &style.name, library)).collect();
        }
        Ok(vec![Self::of(order, &order.style, library)?])
    }

    fn of(order: &Render, prompt: &str, library: &StyleLibrary) -> Result<Self> {
        let prompt = prompt.to_owned();
        if let EngineKind::MusicGen(choice) = &order.engine {
            // A missing model is told before anybody waits for the analysis.
            let words = vec![format!("model: {}", choice.folder()?.display())];
            return Ok(Self {
                prompt,
                label: "MusicGen".into(),
                folder: "musicgen".into(),
                version: MUSICGEN_VERSION,
                words,
            });
        }
        let resolved = resolve(&prompt, library)?;
        let mut words = vec![format!("understood: {}", resolved.understood.join(", "))];
        if !resolved.ignored.is_empty() {
            words.push(format!("ignored: {}", resolved.ignored.join(", ")));
        }
        Ok(Self { prompt, label: resolved.label(), folder: resolved.style, version: ARRANGER_VERSION, words })
    }
}

/// Keeps the beginning of a take.
fn shorten(take: &mut Take, length: Length) {
    let beats = match length {
        Length::Bars(bars) => Beats(bars * take.grid.metre.bar().0),
        Length::Seconds(seconds) => take.grid.beat_at(seconds) - take.grid.start,
    };
    if beats < take.length {
        take.length = beats;
        let frames = take.grid.frame_of(take.grid.start + beats, take.audio.rate).index().unwrap_or(0);
        take.audio.channels.iter_mut().for_each(|channel| channel.truncate(frames));
        let end = take.grid.tempo.seconds_between(take.grid.start, take.grid.start + beats);
        take.notes.retain(|note| note.onset < end);
    }
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
        "fidelity": fidelity(rendition),
        "made": rendition.made.as_ref().map(|made| json!({
            "alignment": made.alignment, "partial": made.partial, "remarks": made.remarks })),
        "loudness": rendition.loudness,
        "timings": rendition.timings,
        "ready_ms": ready_ms,
        "region_frames": rendition.region,
        "rate": rendition.rate(),
    })
}

/// What was measured; null where there is no lead to measure.
fn fidelity(rendition: &Rendition) -> Value {
    match rendition.lead_fidelity() {
        Some(fidelity) => json!(fidelity),
        None => {
            json!({ "mix_chroma": rendition.fidelity.mix_chroma, "lead_chroma": null, "octave": null, "onset": null })
        }
    }
}

fn line(rendition: &Rendition, folder: &str) -> String {
    let lead = rendition.lead_fidelity();
    let lead = lead.map_or_else(|| "n/a".to_owned(), |lead| format!("{:.0} %", lead.lead_chroma * 100.0));
    let remarks = rendition.made.iter().flat_map(|made| &made.remarks);
    let remarks: String = remarks.map(|remark| format!("\n    {remark}")).collect();
    format!(
        "{folder:<16} lead {lead:>5}  mix {:>3.0} %  {:>5.1} LUFS  {:>5.1} dBTP  {:>5.0} ms{remarks}",
        rendition.fidelity.mix_chroma * 100.0,
        rendition.loudness.integrated_lufs,
        rendition.loudness.true_peak_dbtp,
        rendition.timings.arrangement_ms + rendition.timings.render_ms + rendition.timings.mix_ms,
    )
}
