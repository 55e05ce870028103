//! Text can be read: contrast as the eye sees it, in both palettes.

use cantus_plugin::editor::theme::{DARK, LIGHT, Palette};
use egui::Color32;

/// What is asked of text of ordinary size.
const LEAST: f32 = 4.5;
/// What is asked of signs and borders of what has the keyboard.
const LEAST_OF_SIGNS: f32 = 3.0;

fn luminance(colour: Color32) -> f32 {
    let linear = |channel: u8| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
}

fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Text and what it stands on, and signs and what they stand on.
fn pairs(palette: &Palette) -> Vec<(&'static str, Color32, Color32, f32)> {
    let mut pairs = Vec::new();
    for (ground, on) in [("background", palette.background), ("panel", palette.panel), ("raised", palette.raised)] {
        for (ink, colour) in
            [("text", palette.text), ("faint", palette.faint), ("accent", palette.accent), ("warning", palette.warning)]
        {
            pairs.push((ink, colour, on, LEAST));
        }
        for (sign, colour) in [("note", palette.note), ("record", palette.record), ("focus", palette.focus)] {
            pairs.push((sign, colour, on, LEAST_OF_SIGNS));
        }
        let _ = ground;
    }
    pairs.push(("text on hovered", palette.text, palette.hovered, LEAST));
    for (name, fill) in [
        ("accent_fill", palette.accent_fill),
        ("record_fill", palette.record_fill),
        ("warning_fill", palette.warning_fill),
    ] {
        pairs.push((name, palette.on_accent, fill, LEAST));
    }
    pairs.push(("playhead", palette.playhead, palette.background, LEAST));
    pairs
}

/// The pairs that cannot be told apart.
fn unreadable(palette: &Palette) -> Vec<String> {
    let short = |(name, ink, ground, least): (&str, Color32, Color32, f32)| {
        let found = contrast(ink, ground);
        (found < least).then(|| format!("{name} {ink:?} on {ground:?}: {found:.2} of {least}"))
    };
    pairs(palette).into_iter().filter_map(short).collect()
}

#[test]
fn text_stands_out_in_both_palettes() {
    for (name, palette) in [("dark", &DARK), ("light", &LIGHT)] {
        assert_eq!(unreadable(palette), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn text_that_is_too_faint_is_found() {
    let faint = Palette { faint: DARK.line, ..DARK };
    assert!(unreadable(&faint).iter().all(|pair| pair.starts_with("faint")));
    assert_eq!(unreadable(&faint).len(), 3);
}

/// How eyes without one kind of cone see a colour: Viénot, Brettel and Mollon 1999, in linear light.
fn dichromat(colour: Color32, rows: [[f32; 3]; 3]) -> [f32; 3] {
    let linear = [colour.r(), colour.g(), colour.b()].map(|channel| (f32::from(channel) / 255.0).powf(2.2));
    rows.map(|row| {
        row.iter().zip(linear).map(|(weight, value)| weight * value).sum::<f32>().clamp(0.0, 1.0).powf(1.0 / 2.2)
    })
}

const PROTANOPE: [[f32; 3]; 3] = [[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]];
const DEUTERANOPE: [[f32; 3]; 3] = [[0.292, 0.708, 0.0], [0.292, 0.708, 0.0], [-0.022, 0.022, 1.0]];

/// The nearest that two colours come for any of these eyes.
fn nearest(a: Color32, b: Color32) -> f32 {
    let distance = |rows| {
        let (a, b) = (dichromat(a, rows), dichromat(b, rows));
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    };
    distance(PROTANOPE).min(distance(DEUTERANOPE))
}

#[test]
fn colours_that_mean_something_differ_for_colour_blind_eyes() {
    for palette in [&DARK, &LIGHT] {
        for (a, b) in [
            (palette.note, palette.pitch),
            (palette.note, palette.record),
            (palette.accent, palette.warning),
            (palette.accent_fill, palette.warning_fill),
            (palette.accent_fill, palette.record_fill),
        ] {
            assert!(nearest(a, b) > 0.25, "{a:?} and {b:?}: {}", nearest(a, b));
        }
    }
    // A red and a green of one brightness are what must not be.
    assert!(nearest(Color32::from_rgb(200, 60, 40), Color32::from_rgb(110, 105, 40)) < 0.25);
}
