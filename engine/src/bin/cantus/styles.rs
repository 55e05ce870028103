//! Thread: main. `cantus styles`: lists them, checks a user's file, shows a built-in one.

use crate::arguments::{StyleWish, Styles};
use cantus_engine::generation::score::{Preset, Role};
use cantus_engine::generation::style::Style;
use cantus_engine::generation::style::library::{StyleLibrary, StyleShelf};
use cantus_engine::time::Metre;
use cantus_engine::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;

/// Does what is wanted; the number of files with a mistake.
pub fn run(order: &Styles) -> Result<usize> {
    match &order.what {
        StyleWish::List => list(order),
        StyleWish::Check(file) => check(file),
        StyleWish::Show(name) => show(name).map(|()| 0),
    }
}

/// Every style, and what is wrong in the user's files.
fn list(order: &Styles) -> Result<usize> {
    let shelf = StyleShelf::open(order.folder.clone().or_else(StyleLibrary::user_folder))?;
    let library = shelf.library();
    let mistakes = shelf.mistakes();
    if order.json {
        let rows: Vec<Value> = library.list().iter().map(|style| row(style, &library)).collect();
        println!("{}", json!(rows));
    } else {
        for style in library.list() {
            println!("{:<14} {} ({})", style.name, style.about, style.category);
            let (slowest, fastest) = style.tempo;
            let metres: Vec<String> = style.metres.iter().map(|metre| named(*metre)).collect();
            println!("{:<14} plays: {}, {slowest} to {fastest} BPM", "", metres.join(" "));
            println!("{:<14} parts: {}", "", parts(style).join(", "));
            println!("{:<14} words: {}", "", style.words.join(", "));
        }
    }
    for mistake in &mistakes {
        eprintln!("cantus: {mistake}");
    }
    Ok(mistakes.len())
}

fn check(path: &Path) -> Result<usize> {
    let library = StyleLibrary::builtin()?;
    let text = std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))?;
    let style = library.read(&path.display().to_string(), &text)?;
    let patterns: usize = style.parts.iter().map(|part| part.patterns.len()).sum();
    println!("{}: a style with {} parts and {patterns} patterns; nothing is wrong", style.name, style.parts.len());
    if library.get(&style.name).is_some() {
        println!("It takes the place of the built-in style of that name.");
    }
    Ok(0)
}

fn show(name: &str) -> Result<()> {
    let text = StyleLibrary::builtin_text(name).map_or_else(
        || Err(Error::UnknownStyle { name: name.to_owned(), known: StyleLibrary::builtin()?.names() }),
        Ok,
    )?;
    print!("{text}");
    Ok(())
}

fn row(style: &Style, library: &StyleLibrary) -> Value {
    let sound = |preset: Preset| library.presets().get(preset).map(|info| info.name.clone());
    let instruments: Vec<Value> = style
        .parts
        .iter()
        .map(|part| {
            json!({
                "role": part.role.name(),
                "instrument": sound(part.preset),
                "preset": format!("{}:{}", part.preset.bank, part.preset.program),
                "weight": part.weight,
                "chance": part.chance,
                "layer": part.layer,
                "register": part.register,
            })
        })
        .collect();
    let [red, green, blue] = style.colour;
    json!({
        "name": style.name,
        "about": style.about,
        "category": style.category,
        "colour": format!("#{red:02x}{green:02x}{blue:02x}"),
        "words": style.words,
        "parts": parts(style),
        "instruments": instruments,
        "tempo": style.tempo,
        "metres": style.metres.iter().map(|metre| named(*metre)).collect::<Vec<_>>(),
        "swing": style.feel.swing,
        "chords": { "major": chords(style, true), "minor": chords(style, false) },
        "facts": style.facts.len(),
        "built_in": StyleLibrary::builtin_text(&style.name).is_some(),
    })
}

fn chords(style: &Style, major: bool) -> Vec<&str> {
    let vocabulary = if major { &style.harmony.major } else { &style.harmony.minor };
    vocabulary.chords.iter().map(|entry| entry.chord.text.as_str()).collect()
}

fn named(metre: Metre) -> String {
    format!("{}/{}", metre.numerator, metre.denominator)
}

/// Roles of a style, each once.
fn parts(style: &Style) -> Vec<&'static str> {
    let mut roles: Vec<_> = style.parts.iter().map(|part| part.role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.into_iter().map(Role::name).collect()
}
