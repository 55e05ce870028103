//! Thread: main. `cantus styles`.

use cantus_engine::Result;
use cantus_engine::generation::styles::StyleLibrary;
use serde_json::json;

/// Lists the styles.
pub fn run(as_json: bool) -> Result<()> {
    let styles = StyleLibrary::builtin()?.list();
    if as_json {
        let rows: Vec<_> = styles
            .iter()
            .map(|style| json!({ "name": style.name, "words": style.words, "parts": style.parts }))
            .collect();
        println!("{}", json!(rows));
    } else {
        for style in styles {
            println!("{:<14} {}\n{:<14} words: {}", style.name, style.parts.join(", "), "", style.words.join(", "));
        }
    }
    Ok(())
}
