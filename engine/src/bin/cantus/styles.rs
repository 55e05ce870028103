//! Thread: main. `cantus styles`.

use cantus_engine::Result;
use cantus_engine::generation::score::Role;
use cantus_engine::generation::style::Style;
use cantus_engine::generation::style::library::StyleLibrary;
use serde_json::json;

/// Lists the styles.
pub fn run(as_json: bool) -> Result<()> {
    let library = StyleLibrary::builtin()?;
    let styles = library.list();
    if as_json {
        let rows: Vec<_> = styles
            .iter()
            .map(|style| json!({ "name": style.name, "about": style.about, "words": style.words, "parts": parts(style) }))
            .collect();
        println!("{}", json!(rows));
    } else {
        for style in styles {
            println!("{:<14} {}", style.name, style.about);
            println!("{:<14} parts: {}", "", parts(style).join(", "));
            println!("{:<14} words: {}", "", style.words.join(", "));
        }
    }
    Ok(())
}

/// Roles of a style, each once.
fn parts(style: &Style) -> Vec<&'static str> {
    let mut roles: Vec<_> = style.parts.iter().map(|part| part.role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.into_iter().map(Role::name).collect()
}
