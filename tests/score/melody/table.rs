//! Thread: main. The figures of all recordings, by group.

use super::figures::{Figures, NAMES};
use super::melody_file::Truth;
use serde_json::{Map, Value, json};

/// One recording.
pub struct Row {
    pub truth: Truth,
    pub figures: Figures,
    /// Length of the recording.
    pub seconds: f64,
    /// Processor time the analysis took.
    pub cost: f64,
}

/// Groups: name, and which recordings belong to it.
type Group = (&'static str, fn(&Truth) -> bool);
const GROUPS: [Group; 10] = [
    ("hums", |truth| truth.kind == "hum"),
    ("voices", |truth| truth.kind == "voice"),
    ("whistles", |truth| truth.kind == "whistle"),
    ("spoken syllables, sung", |truth| truth.kind == "world"),
    ("synthetic hums, voices, whistles", |truth| matches!(truth.kind.as_str(), "hum" | "voice" | "whistle" | "world")),
    ("octave studies", |truth| truth.octaves),
    ("real singer", |truth| truth.kind == "real"),
    ("solo instruments", |truth| truth.kind == "instrument"),
    ("melody in a mix", |truth| truth.kind == "mix"),
    ("all", |_| true),
];

/// Figures of the short table.
const SHORT: [&str; 7] = ["RPA", "OCT", "VR", "VFA", "OA", "F_on", "F_100"];

/// Prints the groups, before them every recording if wanted.
pub fn print(rows: &[Row], each: bool, markdown: bool) {
    if markdown {
        println!("| recordings | n | {} |", SHORT.join(" | "));
        println!("|---|---|{}", "---|".repeat(SHORT.len()));
        for (name, members) in groups(rows) {
            let values = SHORT.map(|wanted| {
                let index = NAMES.iter().position(|name| *name == wanted);
                index.map_or(String::new(), |index| format!("{:.1}", 100.0 * mean(&members, index)))
            });
            println!("| {name} | {} | {} |", members.len(), values.join(" | "));
        }
    } else {
        println!("{:<34}{:>4} {}", "", "n", NAMES.map(|name| format!("{name:>7}")).join(" "));
        if each {
            rows.iter().for_each(|row| line(&row.truth.id, &[row]));
        }
        groups(rows).iter().for_each(|(name, members)| line(name, members));
    }
    let (seconds, cost) = rows.iter().fold((0.0, 0.0), |sum, row| (sum.0 + row.seconds, sum.1 + row.cost));
    if cost > 0.0 {
        let of_thirty = 30.0 * cost / seconds;
        println!(
            "\n{seconds:.0} s of audio in {cost:.1} s of one core: {:.0} times real time, {of_thirty:.2} s for 30 s.",
            seconds / cost
        );
    }
}

fn line(name: &str, members: &[&Row]) {
    let values: Vec<String> = (0..NAMES.len()).map(|index| format!("{:7.1}", 100.0 * mean(members, index))).collect();
    println!("{name:<34}{:>4} {}", members.len(), values.join(" "));
}

/// Everything as JSON: `files` by name, `groups` by name, shares from 0 to 1.
pub fn json(rows: &[Row]) -> Value {
    let object = |value: &dyn Fn(usize) -> f64| -> Value {
        NAMES
            .iter()
            .enumerate()
            .map(|(index, name)| ((*name).to_owned(), json!(value(index))))
            .collect::<Map<_, _>>()
            .into()
    };
    let files = rows.iter().map(|row| (row.truth.id.clone(), object(&|index| row.figures.values[index])));
    let groups = groups(rows);
    let groups = groups.iter().map(|(name, members)| ((*name).to_owned(), object(&|index| mean(members, index))));
    json!({ "files": files.collect::<Map<_, _>>(), "groups": groups.collect::<Map<_, _>>() })
}

fn groups(rows: &[Row]) -> Vec<(&'static str, Vec<&Row>)> {
    let members = |belongs: fn(&Truth) -> bool| rows.iter().filter(|row| belongs(&row.truth)).collect::<Vec<_>>();
    GROUPS.iter().map(|&(name, belongs)| (name, members(belongs))).filter(|group| !group.1.is_empty()).collect()
}

/// The mean over recordings that have the figure.
fn mean(members: &[&Row], index: usize) -> f64 {
    let values: Vec<f64> =
        members.iter().map(|row| row.figures.values[index]).filter(|value| !value.is_nan()).collect();
    values.iter().sum::<f64>() / values.len() as f64
}
