//! Thread: main. `cantus prompt`.

use cantus_engine::Result;
use cantus_engine::generation::prompt::{Wish, resolve};
use cantus_engine::generation::score::Role;
use cantus_engine::generation::style::library::{StyleLibrary, StyleShelf};
use serde_json::json;
use std::path::PathBuf;

/// Tells what is understood of a prompt.
pub fn run(words: &str, as_json: bool, folder: Option<&PathBuf>) -> Result<()> {
    let shelf = StyleShelf::open(folder.cloned().or_else(StyleLibrary::user_folder))?;
    let library = shelf.library();
    let resolved = resolve(words, &library)?;
    let sounds = |wish: &Wish| -> Vec<String> {
        let names = wish.presets.iter().filter_map(|preset| library.presets().get(*preset));
        names.map(|info| info.name.clone()).collect()
    };
    let roles = |roles: &[Role]| -> Vec<&'static str> { roles.iter().map(|role| role.name()).collect() };
    if as_json {
        let wishes: Vec<_> = resolved
            .wishes
            .iter()
            .map(|wish| json!({ "role": wish.role, "words": wish.words, "sounds": sounds(wish) }))
            .collect();
        println!(
            "{}",
            json!({
                "style": resolved.style,
                "second_style": resolved.second_style,
                "excluded_styles": resolved.excluded_styles,
                "wishes": wishes,
                "without": roles(&resolved.without_roles),
                "direction": resolved.direction,
                "freedom": resolved.freedom,
                "understood": resolved.understood,
                "ignored": resolved.ignored,
            })
        );
        return Ok(());
    }
    println!("style       {}", resolved.style);
    for wish in &resolved.wishes {
        let sounds = sounds(wish);
        let played = if sounds.is_empty() { "the style's own".to_owned() } else { sounds.join(" or ") };
        println!("{:<11} {played}", wish.role.name());
    }
    if !resolved.without_roles.is_empty() {
        println!("without     {}", roles(&resolved.without_roles).join(", "));
    }
    for line in &resolved.understood {
        println!("understood  {line}");
    }
    if !resolved.ignored.is_empty() {
        println!("ignored     {}", resolved.ignored.join(", "));
    }
    Ok(())
}
