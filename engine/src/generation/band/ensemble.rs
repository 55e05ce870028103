//! Thread: worker. The ensemble: which parts play, from the style's alternatives, the prompt's wishes and the seed.

use super::chance::Chance;
use crate::generation::direction::Direction;
use crate::generation::prompt::Resolved;
use crate::generation::score::{Preset, Role, Strip};
use crate::generation::style::presets::PresetTable;
use crate::generation::style::{Part, Rule, Style, Voicing};

/// The parts of a score, one a role at most, in the order of [`Role::ALL`], muted ones among them, and what could not be done as it was
/// asked for.
///
/// Each role is cast by its own seed alone. Whether a role's sound is also the lead's is decided by the lead of *that* seed, so that a
/// locked part keeps its sound when the lead gets another one.
pub fn choose(
    style: &Style,
    wish: &Resolved,
    presets: &PresetTable,
    direction: &Direction,
    seed: u64,
) -> (Vec<Part>, Vec<String>) {
    let mut parts: Vec<Part> = Vec::new();
    let mut remarks = Vec::new();
    for role in Role::ALL {
        if wish.without_roles.contains(&role) {
            continue;
        }
        let settled = direction.part(role);
        let seed = direction.seed_of(role, seed);
        let swapped = settled.and_then(|part| part.preset);
        // Who was locked, rolled again or given a sound is wanted: chance does not send them home.
        let needed = settled.is_some_and(|part| part.seed.is_some() || part.preset.is_some());
        let Some(part) = cast(style, wish, presets, (role, seed, needed)) else { continue };
        parts.push(match swapped {
            None => part,
            Some(preset) => match swap(&part, preset, presets) {
                Some(part) => part,
                None => {
                    remarks.push(format!("The {} cannot play on that sound; it keeps its own.", role.name()));
                    part
                }
            },
        });
    }
    (parts, remarks)
}

/// The lead of a seed, whatever was settled about it: by its octave the others know where the tune lies.
pub fn lead(style: &Style, wish: &Resolved, presets: &PresetTable, seed: u64) -> Part {
    cast(style, wish, presets, (Role::Lead, seed, true)).unwrap_or_else(|| generic(Role::Lead))
}

fn cast(
    style: &Style,
    wish: &Resolved,
    presets: &PresetTable,
    (role, seed, needed): (Role, u64, bool),
) -> Option<Part> {
    let lead = if role == Role::Lead || wish.without_roles.contains(&Role::Lead) {
        None
    } else {
        Some(lead(style, wish, presets, seed).preset)
    };
    // A stream a role: leaving one out does not change the others.
    let mut chance = Chance::new(seed, &format!("ensemble {}", role.name()));
    choose_one(style, wish, presets, (role, needed), lead, &mut chance)
}

/// A part on another sound, when that sound can play it.
fn swap(part: &Part, preset: Preset, presets: &PresetTable) -> Option<Part> {
    let there = presets.get(preset).is_some();
    (there && preset.is_kit() == (part.rule == Rule::Kit)).then(|| recast(part.clone(), preset, presets))
}

fn choose_one(
    style: &Style,
    wish: &Resolved,
    presets: &PresetTable,
    (role, needed): (Role, bool),
    lead: Option<Preset>,
    chance: &mut Chance,
) -> Option<Part> {
    let wanted = wish.wishes.iter().find(|wish| wish.role == role);
    let alternatives: Vec<&Part> = style.parts.iter().filter(|part| part.role == role).collect();
    let allowed = |part: &&&Part| !wish.without_presets.contains(&part.preset);
    let others = |part: &&&Part| role == Role::Lead || Some(part.preset) != lead;
    let pick = |parts: &[&Part], chance: &mut Chance| {
        let weights: Vec<f32> = parts.iter().map(|part| part.weight).collect();
        chance.pick_spread(&weights).map(|index| parts[index].clone())
    };
    if let Some(wanted) = wanted.filter(|wanted| !wanted.presets.is_empty()) {
        let fitting: Vec<&Part> =
            alternatives.iter().copied().filter(|part| wanted.presets.contains(&part.preset)).collect();
        if let Some(part) = pick(&fitting, chance) {
            return Some(part);
        }
        // The style has no such instrument in this role: it takes the place of the one the style has.
        let preset = wanted.presets[chance.pick(&vec![1.0; wanted.presets.len()]).unwrap_or(0)];
        let mut model = pick(&alternatives, chance).unwrap_or_else(|| generic(role));
        // Only organs bubble: whatever else takes a rhythmic pad's place holds its chords.
        if role == Role::Pad && model.rule != Rule::Hold && !(16..=21).contains(&preset.program) {
            model = generic(role);
        }
        return Some(recast(model, preset, presets));
    }
    let mut free: Vec<&Part> = alternatives.iter().filter(allowed).filter(others).copied().collect();
    if free.is_empty() {
        free = alternatives.iter().filter(allowed).copied().collect();
    }
    if free.is_empty() && role == Role::Lead {
        free = alternatives;
    }
    let needed = needed || wanted.is_some() || role == Role::Lead;
    let part = match pick(&free, chance) {
        Some(part) => part,
        None => return needed.then(|| generic(role)),
    };
    (needed || chance.hit(part.chance)).then_some(part)
}

/// A part's rhythm and place on another instrument.
fn recast(model: Part, preset: Preset, presets: &PresetTable) -> Part {
    let Some(info) = presets.get(preset) else { return model };
    let is_kit = preset.is_kit();
    if is_kit || model.rule == Rule::Kit {
        // Kits differ in which keys sound: voices the other kit lacks are left out.
        let mut part = Part { preset, ..model };
        part.kit.retain(|(_, key)| presets.sounds(preset, *key));
        for pattern in &mut part.patterns {
            pattern.lines.retain(|line| presets.sounds(preset, line.key));
        }
        part.patterns.retain(|pattern| !pattern.lines.is_empty());
        return part;
    }
    let (low, high) = (model.register.0.max(info.keys.0), model.register.1.min(info.keys.1));
    // A register of less than an octave cannot hold every chord; then the nearest keys the instrument has are better.
    let register = if high >= low.saturating_add(14) { (low, high) } else { nearest_keys(model.register, info.keys) };
    Part { preset, register, ..model }
}

/// The keys of an instrument, about as many as the register has, that lie nearest to it.
fn nearest_keys(register: (u8, u8), keys: (u8, u8)) -> (u8, u8) {
    let width = (register.1 - register.0).max(19).min(keys.1 - keys.0);
    let low = register.0.clamp(keys.0, keys.1 - width);
    (low, low + width)
}

/// A part for a role a style does not have: plain, out of the way.
fn generic(role: Role) -> Part {
    let (preset, register, rule, gain_db) = match role {
        Role::Lead => ((0, 73), (60, 94), Rule::Melody, 0.0),
        Role::Counter | Role::Pad => ((0, 48), (48, 79), Rule::Hold, -13.0),
        Role::Chords => ((0, 0), (50, 74), Rule::Comp, -9.0),
        Role::Bass => ((0, 33), (28, 50), Rule::Degrees, -5.0),
        Role::Drums => ((128, 0), (35, 59), Rule::Kit, -6.0),
        Role::Percussion => ((0, 47), (40, 57), Rule::Degrees, -9.0),
        Role::Colour => ((0, 46), (55, 91), Rule::Bell, -15.0),
    };
    let kit = if rule == Rule::Kit { vec![("hat", 42), ("kick", 36), ("snare", 38)] } else { Vec::new() };
    Part {
        role,
        preset: Preset { bank: preset.0, program: preset.1 },
        weight: 1.0,
        chance: 1.0,
        register,
        pan: 0.0,
        gain_db,
        reverb: 0.25,
        push_ms: 0.0,
        voice_push_ms: Vec::new(),
        strip: Strip::default(),
        layer: 0.0,
        sections: Vec::new(),
        strum_ms: 0.0,
        transpose: 0,
        rule,
        voicing: if rule == Rule::Hold { Voicing::Spread } else { Voicing::Close },
        voices: if rule == Rule::Hold { 4 } else { 3 },
        gate: 0.95,
        anticipate: false,
        every: 1,
        ghosts: 0.0,
        kit: kit.into_iter().map(|(name, key)| (name.to_owned(), key)).collect(),
        patterns: Vec::new(),
    }
}
