//! Thread: main. The figures as tables.

use super::arguments::Arguments;
use super::classify::{Example, accuracy, guesses};
use super::melodies::Melody;
use super::scores::Outcome;
use super::style_row::{StyleRow, mean};

/// Prints a row a style, and what is true of all together.
pub fn print(outcome: &Outcome, melodies: &[Melody], arguments: &Arguments) {
    let head = [
        "style",
        "n",
        "faults",
        "clash",
        "CTnCTR",
        "lead",
        "turned",
        "facts",
        "ranges",
        "differ",
        "LUFS",
        "dBTP",
        "null",
        "chroma-sine",
        "mix",
        "lead LU",
        "masked",
        "rank 1",
    ];
    let rows: Vec<Vec<String>> = outcome.rows.iter().map(cells).collect();
    if arguments.markdown {
        println!("| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
        rows.iter().for_each(|row| println!("| {} |", row.join(" | ")));
    } else {
        let line = |cells: &[String]| {
            let rest: Vec<String> = cells[1..].iter().map(|cell| format!("{cell:>8}")).collect();
            println!("{:<14}{}", cells[0], rest.join(" "));
        };
        line(&head.map(|name| name.chars().take(8).collect::<String>()));
        rows.iter().for_each(|row| line(row));
    }
    println!();
    measured(&outcome.rows);
    together(outcome, melodies);
    if arguments.faults {
        for row in &outcome.rows {
            let lists = [
                ("fault", &row.faults),
                ("clash", &row.clashes),
                ("turned", &row.turned),
                ("fact", &row.broken_facts),
                ("range", &row.outside_ranges),
            ];
            for (name, list) in lists {
                list.iter().for_each(|what| println!("{} {name}: {what}", row.name));
            }
        }
    }
}

fn cells(row: &StyleRow) -> Vec<String> {
    let count = |list: &[String]| list.len().to_string();
    let sounds = |value: &dyn Fn(&super::sound::Sound) -> f64| mean(row.sounds.iter().map(value));
    let most =
        |value: &dyn Fn(&super::sound::Sound) -> f64| row.sounds.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
    let lufs = |pick: fn(f64, f64) -> f64, from: f64| row.sounds.iter().map(|sound| sound.lufs).fold(from, pick);
    let first = row.sounds.iter().filter(|sound| sound.rank == 1).count();
    vec![
        row.name.clone(),
        row.scores.to_string(),
        count(&row.faults),
        count(&row.clashes),
        format!("{:.3}", mean(row.chord_tones.iter().copied())),
        format!("{:.3}", mean(row.lead_events.iter().copied())),
        count(&row.turned),
        count(&row.broken_facts),
        count(&row.outside_ranges),
        format!("{:.2}", row.differences.iter().copied().fold(f64::INFINITY, f64::min)),
        format!("{:.1}…{:.1}", lufs(f64::min, 99.0), lufs(f64::max, -99.0)),
        format!("{:.1}", most(&|sound| sound.true_peak_dbtp)),
        format!("{:.0}", most(&|sound| sound.null_db)),
        format!("{:.3}", sounds(&|sound| sound.sine_chroma - sound.lead_chroma)),
        format!("{:.2}", sounds(&|sound| sound.mix_chroma)),
        format!("{:.1}…{:.1}", -most(&|sound| -sound.lead_over_backing_lu), most(&|sound| sound.lead_over_backing_lu)),
        format!("{:.1}", most(&|sound| sound.masked_db)),
        format!("{first}/{}", row.sounds.len()),
    ]
}

/// What the ranges are about, least and greatest over all scores of a style.
fn measured(rows: &[StyleRow]) {
    println!("{:<14}{:>14}{:>14}{:>16}{:>14}{:>14}", "measured", "scale", "groove", "density", "swing", "repetition");
    for row in rows {
        let span = |value: &dyn Fn(&super::facts::Measured) -> Option<f64>| {
            let values: Vec<f64> = row.measured.iter().filter_map(value).collect();
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if values.is_empty() { "none".to_owned() } else { format!("{least:.2}…{most:.2}") }
        };
        println!(
            "{:<14}{:>14}{:>14}{:>16}{:>14}{:>14}",
            row.name,
            span(&|measured| Some(measured.scale)),
            span(&|measured| Some(measured.groove)),
            span(&|measured| Some(measured.density)),
            span(&|measured| measured.swing),
            span(&|measured| Some(measured.repetition)),
        );
    }
    println!();
}

fn together(outcome: &Outcome, melodies: &[Melody]) {
    let rows = &outcome.rows;
    let total = |list: fn(&StyleRow) -> usize| rows.iter().map(list).sum::<usize>();
    let scores = total(|row| row.scores);
    println!(
        "{} styles, {} melodies, {scores} scores: {} faults",
        rows.len(),
        melodies.len(),
        total(|row| row.faults.len())
    );
    println!(
        "clashes {}, turned steps {}, broken facts {}, figures out of range {}",
        total(|row| row.clashes.len()),
        total(|row| row.turned.len()),
        total(|row| row.broken_facts.len()),
        total(|row| row.outside_ranges.len())
    );
    let chord_tones = mean(rows.iter().flat_map(|row| row.chord_tones.iter().copied()));
    println!(
        "CTnCTR {chord_tones:.3}; seeds differ in {:.2} of the events on average, {:.2} at least",
        mean(rows.iter().flat_map(|row| row.differences.iter().copied())),
        rows.iter().flat_map(|row| row.differences.iter().copied()).fold(f64::INFINITY, f64::min)
    );
    let sounds: Vec<_> = rows.iter().flat_map(|row| &row.sounds).collect();
    if !sounds.is_empty() {
        let share = |good: &dyn Fn(&super::sound::Sound) -> bool| {
            100.0 * sounds.iter().filter(|sound| good(sound)).count() as f64 / sounds.len() as f64
        };
        println!("{} renderings, in percent of them:", sounds.len());
        println!(
            "  session loudness within 1 of -18 LUFS {:.0}, true peak at most -1 dBTP {:.0}, stems null below -90 dB {:.0}, DC below -70 dB {:.0}",
            share(&|sound| (sound.lufs + 18.0).abs() <= 1.0),
            share(&|sound| sound.true_peak_dbtp <= -1.0),
            share(&|sound| sound.null_db <= -90.0),
            share(&|sound| sound.dc_db < -70.0)
        );
        println!(
            "  lead chroma within 0.03 of a sine {:.0}, mix chroma at least 0.55 {:.0}, lead at most 3 LU over the backing {:.0}, masked by at most 6 dB {:.0}",
            share(&|sound| sound.sine_chroma - sound.lead_chroma <= 0.03),
            share(&|sound| sound.mix_chroma >= 0.55),
            share(&|sound| sound.lead_over_backing_lu <= 3.0),
            share(&|sound| sound.masked_db <= 6.0)
        );
        println!("  own melody first {:.0}", share(&|sound| sound.rank == 1));
    }
    if !outcome.paraphrases.is_empty() {
        let first = outcome.paraphrases.iter().filter(|rank| **rank == 1).count();
        println!("own melody first at freedom 1: {first} of {}", outcome.paraphrases.len());
    }
    if !outcome.loud.is_empty() {
        let good = outcome.loud.iter().filter(|(lufs, peak)| (lufs + 14.0).abs() <= 0.5 && *peak <= -1.0).count();
        println!("loud renderings within 0.5 of -14 LUFS and at most -1 dBTP: {good} of {}", outcome.loud.len());
    }
    for (name, examples) in [("notes", &outcome.notes), ("sound", &outcome.sounds)] {
        if rows.len() > 1 && examples.len() > 4 * rows.len() {
            classifier(name, examples, rows);
        }
    }
}

/// Two halves of the melodies, each judged by what the other taught.
fn classifier(name: &str, examples: &[(usize, Example)], rows: &[StyleRow]) {
    let half = |odd: usize| -> Vec<Example> {
        examples.iter().filter(|(melody, _)| melody % 2 == odd).map(|(_, example)| example.clone()).collect()
    };
    let (even, odd) = (half(0), half(1));
    let right = (accuracy(&even, &odd) + accuracy(&odd, &even)) / 2.0;
    println!("styles told apart by {name} alone, on unseen melodies: {:.1} %", 100.0 * right);
    let mut confused: Vec<(usize, String)> = Vec::new();
    let pairs: Vec<(usize, usize)> = guesses(&even, &odd)
        .into_iter()
        .zip(&odd)
        .chain(guesses(&odd, &even).into_iter().zip(&even))
        .map(|(guess, (class, _))| (*class, guess))
        .filter(|(class, guess)| class != guess)
        .collect();
    for class in 0..rows.len() {
        for guess in 0..rows.len() {
            let count = pairs.iter().filter(|pair| **pair == (class, guess)).count();
            if count > 0 {
                confused.push((count, format!("{} as {} {count}", rows[class].name, rows[guess].name)));
            }
        }
    }
    confused.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let worst: Vec<String> = confused.into_iter().take(8).map(|(_, words)| words).collect();
    if !worst.is_empty() {
        println!("  mistaken: {}", worst.join(", "));
    }
}
