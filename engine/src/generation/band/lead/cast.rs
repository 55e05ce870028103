//! Thread: worker. Who plays the tune: what a musician asked of the lead, done to the ensemble.

use super::super::chance::Chance;
use crate::generation::direction::LeadVoice;
use crate::generation::score::{Preset, Role};
use crate::generation::style::presets::PresetTable;
use crate::generation::style::{Part, Rule, Style};

/// How much softer a second voice is than the tune, in decibels.
const SECOND_VOICE_DB: f32 = -5.0;
const DOUBLE_DB: f32 = -3.0;
/// How far a second voice stands from the tune.
const APART: f32 = 0.22;
/// Least span of a doubling instrument's keys that it shares with the lead's register.
const SHARED_KEYS: u8 = 12;

/// Programs of bank 0 that go well with a family of leads in unison, best first: strings with flute, reeds with muted brass.
const PARTNERS: [(std::ops::RangeInclusive<u8>, [u8; 3]); 7] = [
    (0..=15, [48, 73, 24]),
    (16..=23, [24, 11, 73]),
    (24..=31, [11, 0, 48]),
    (40..=55, [73, 60, 71]),
    (56..=63, [66, 48, 71]),
    (64..=79, [59, 48, 11]),
    (80..=127, [11, 80, 48]),
];

/// Changes an ensemble as a musician asked of its lead. A second voice takes the counter-line's place, since three lines at once are
/// none; the sentence tells of it.
pub fn cast(
    parts: &mut Vec<Part>,
    style: &Style,
    voice: LeadVoice,
    presets: &PresetTable,
    seed: u64,
) -> Option<String> {
    let lead = parts.iter().find(|part| part.role == Role::Lead).cloned();
    match (voice, lead) {
        (LeadVoice::Off, _) => {
            parts.retain(|part| part.role != Role::Lead && part.rule != Rule::Double);
            None
        }
        (LeadVoice::Thirds | LeadVoice::Sixths, Some(lead)) => {
            let second = Part {
                role: Role::Counter,
                rule: Rule::Double,
                gain_db: lead.gain_db + SECOND_VOICE_DB,
                pan: aside(lead.pan),
                transpose: 0,
                ..lead
            };
            take_place(parts, second)
        }
        (LeadVoice::Doubled, Some(lead)) if !parts.iter().any(|part| part.rule == Rule::Double) => {
            let second = double_of(&lead, style, presets, seed);
            take_place(parts, second)
        }
        _ => None,
    }
}

fn aside(pan: f32) -> f32 {
    if pan > 0.0 { pan - APART } else { pan + APART }
}

fn take_place(parts: &mut Vec<Part>, second: Part) -> Option<String> {
    let displaced = parts.iter().any(|part| part.role == second.role);
    parts.retain(|part| part.role != second.role);
    let at = parts.partition_point(|part| part.role < second.role);
    parts.insert(at, second);
    displaced.then(|| "The counter-line rests, because the tune has a second voice.".to_owned())
}

/// Another instrument for the same tune: one of the style's other leads, else one that goes with the lead's family.
fn double_of(lead: &Part, style: &Style, presets: &PresetTable, seed: u64) -> Part {
    let mut chance = Chance::new(seed, "double");
    let shared = |keys: (u8, u8)| keys.1.min(lead.register.1).saturating_sub(keys.0.max(lead.register.0));
    let keys = |preset: Preset| presets.get(preset).map(|info| info.keys);
    let others: Vec<&Part> = style
        .parts
        .iter()
        .filter(|part| part.role == Role::Lead && part.preset != lead.preset)
        .filter(|part| keys(part.preset).is_some_and(|keys| shared(keys) >= SHARED_KEYS))
        .collect();
    let weights: Vec<f32> = others.iter().map(|part| part.weight).collect();
    let (preset, register, gain_db) = match chance.pick_spread(&weights) {
        Some(index) => (others[index].preset, others[index].register, others[index].gain_db),
        None => {
            let family = PARTNERS
                .iter()
                .find(|(programs, _)| !lead.preset.is_synthetic() && programs.contains(&lead.preset.program));
            let partners = family.map_or([81, 80, 48], |(_, partners)| *partners);
            let partners = partners.map(|program| Preset { bank: 0, program });
            let fits = |preset: &Preset| {
                *preset != lead.preset && keys(*preset).is_some_and(|keys| shared(keys) >= SHARED_KEYS)
            };
            let preset = partners.into_iter().find(fits).unwrap_or(partners[0]);
            (preset, keys(preset).unwrap_or(lead.register), lead.gain_db)
        }
    };
    Part {
        role: Role::Counter,
        preset,
        register,
        rule: Rule::Double,
        transpose: 0,
        gain_db: gain_db + DOUBLE_DB,
        pan: aside(lead.pan),
        ..lead.clone()
    }
}
