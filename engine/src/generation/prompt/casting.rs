//! Thread: any. From what was read to what is played: the style, and who plays which role.

use super::book::Strength;
use super::reading::{Asked, Mention, Reading};
use super::styles::{BY_MOOD, PLAIN};
use super::{Resolved, Wish};
use crate::generation::direction::{Moods, Pulse};
use crate::generation::score::{Preset, Role};
use crate::generation::style::Style;
use crate::generation::style::library::StyleLibrary;

/// Roles that an instrument takes when its own is taken.
const FREE_ROLES: [Role; 3] = [Role::Counter, Role::Colour, Role::Pad];

/// The choir, which sings alone when it is to be a cappella.
const CHOIR: Preset = Preset { bank: 0, program: 52 };

/// Chooses the style and gives every instrument a role; `None` when nothing at all was understood.
pub fn cast(mut reading: Reading<'_>, library: &StyleLibrary) -> Option<Resolved> {
    let styles = library.list();
    let excluded = reading.excluded.clone();
    let allowed = |style: usize| !excluded.contains(&style);
    let mut mentions: Vec<Mention> =
        reading.mentions.iter().filter(|mention| allowed(mention.style)).cloned().collect();
    // The first of the plainest leads.
    mentions.sort_by_key(|mention| mention.strength);
    let nothing = reading.understood.is_empty() && reading.asked.is_empty() && reading.roles.is_empty();
    let mut reasons = Vec::new();
    let main = match mentions.first() {
        Some(mention) => {
            let name = reading.style_name(mention.style).to_owned();
            reasons.push(format!("style: {name}"));
            if mention.words != name && mention.words != name.replace('-', " ") {
                reasons.push(format!("{}: {name}", mention.words));
            }
            mention.style
        }
        None if nothing && !reading.a_cappella => return None,
        None => {
            let (style, reason) = open_choice(&reading, styles, &allowed)?;
            reasons.push(format!("no style named: I chose {} {reason}", styles.get(style)?.name));
            style
        }
    };
    let style = styles.get(main)?;
    // What the style is tells more than what corrects the spelling.
    reading.understood.splice(0..0, reasons);
    let mut wishes = roles_of(&mut reading, style);
    only(&mut reading, &mut wishes);
    let second = second_style(&mentions, main, styles);
    if let Some((second, mention)) = second {
        lend(&mut reading, &mut wishes, style, second, mention);
    }
    settle_pulse(&mut reading, style);
    let excluded_styles = reading.excluded.iter().map(|&style| reading.style_name(style).to_owned()).collect();
    let ignored = reading.ignored();
    Some(Resolved {
        style: style.name.clone(),
        second_style: second.map(|(second, _)| second.name.clone()),
        excluded_styles,
        wishes,
        without_roles: reading.without_roles,
        without_presets: reading.without_presets,
        direction: reading.direction,
        freedom: reading.freedom,
        understood: reading.understood,
        ignored,
    })
}

/// A style for a prompt that names none, and why: the one with most of its instruments, or one that suits the mood.
fn open_choice(reading: &Reading<'_>, styles: &[Style], allowed: &dyn Fn(usize) -> bool) -> Option<(usize, String)> {
    let named: Vec<&Asked> = reading.asked.iter().collect();
    if !named.is_empty() {
        let mut best: Option<(usize, f32)> = None;
        for (index, style) in styles.iter().enumerate().filter(|(index, _)| allowed(*index)) {
            let score: f32 = named.iter().map(|asked| has(style, asked)).sum();
            if best.is_none_or(|(_, known)| score > known) {
                best = Some((index, score));
            }
        }
        let words: Vec<&str> = named.iter().map(|asked| asked.words.as_str()).collect();
        return best.map(|(index, _)| (index, format!("because of the {}", words.join(" and "))));
    }
    let find = |names: &[&str]| {
        let place = |name: &&str| styles.iter().position(|style| style.name == **name).filter(|index| allowed(*index));
        names.iter().find_map(place)
    };
    let moods = &reading.direction.moods;
    let axes = [moods.energy, -moods.energy, -moods.brightness, moods.brightness];
    let names = ["strong", "calm", "dark", "bright"];
    let mut strongest = 0;
    for (index, lean) in axes.iter().enumerate() {
        if *lean > axes[strongest] {
            strongest = index;
        }
    }
    if reading.a_cappella {
        let choice = find(&["gospel", "chamber", "orchestral"]).or_else(|| find(PLAIN))?;
        return Some((choice, "for the voices".to_owned()));
    }
    let by_mood = find(BY_MOOD[strongest]).filter(|_| axes[strongest] > 0.15);
    if let Some(choice) = by_mood {
        return Some((choice, format!("because it is to be {}", names[strongest])));
    }
    let first_left = || (0..styles.len()).find(|index| allowed(*index));
    let choice = find(PLAIN).or_else(first_left).or((!styles.is_empty()).then_some(0))?;
    Some((choice, "because nothing speaks for another".to_owned()))
}

/// How much a style speaks for an instrument: that it has it, in the role asked for, and how often it plays there.
fn has(style: &Style, asked: &Asked) -> f32 {
    let sounds = asked.instrument.sounds();
    let parts = style.parts.iter().filter(|part| sounds.contains(&part.preset));
    let in_role = |role: Role| {
        let total: f32 = style.parts.iter().filter(|part| part.role == role).map(|part| part.weight).sum();
        let own: f32 = parts.clone().filter(|part| part.role == role).map(|part| part.weight).sum();
        if own > 0.0 { 100.0 + 99.0 * own / total.max(own) } else { 0.0 }
    };
    let wanted = in_role(asked.said.unwrap_or(asked.instrument.role));
    let anywhere = Role::ALL.iter().map(|role| in_role(*role)).fold(0.0, f32::max);
    wanted.max(0.4 * anywhere)
}

/// Gives roles: first to instruments whose role the prompt says, then to the others, each in the prompt's order.
fn roles_of(reading: &mut Reading<'_>, style: &Style) -> Vec<Wish> {
    let mut cast: Vec<(usize, Role)> = Vec::new();
    let mut taken: Vec<Role> = Vec::new();
    let role_at_home = |asked: &Asked| {
        let sounds = asked.instrument.sounds();
        let mut parts = style.parts.iter().filter(|part| sounds.contains(&part.preset));
        let first = parts.clone().find(|part| part.role == asked.instrument.role);
        first.or_else(|| parts.next()).map(|part| part.role)
    };
    for explicit in [true, false] {
        for (index, asked) in reading.asked.iter().enumerate().filter(|(_, asked)| asked.said.is_some() == explicit) {
            let own = match asked.instrument.role {
                // Nothing else can play what these play.
                role @ (Role::Drums | Role::Percussion) => role,
                role => asked.said.or_else(|| role_at_home(asked)).unwrap_or(role),
            };
            let fixed = explicit || matches!(own, Role::Drums | Role::Percussion | Role::Bass);
            let other = || {
                let chords = (asked.instrument.role != Role::Bass).then_some(Role::Chords);
                chords.into_iter().chain(FREE_ROLES).find(|role| !taken.contains(role))
            };
            let role = if taken.contains(&own) && !fixed { other().unwrap_or(own) } else { own };
            taken.push(role);
            cast.push((index, role));
        }
    }
    cast.sort_unstable_by_key(|(index, _)| *index);
    let mut wishes: Vec<Wish> = Vec::new();
    for (index, role) in cast {
        let asked = &reading.asked[index];
        let many = if asked.count > 1 { format!("{} ", asked.count) } else { String::new() };
        reading.understood.push(format!("{}: {many}{}", role.name(), asked.words));
        // "An 80s synth ballad with a cello lead": another instrument has the lead, so the style's own synthesizers are meant.
        let displaced = role != asked.instrument.role && asked.said.is_none();
        let sounds = if displaced && asked.words.starts_with("synth") && role == Role::Chords {
            Vec::new()
        } else {
            asked.instrument.sounds()
        };
        add_wish(&mut wishes, role, sounds, &asked.words);
        if asked.count > 1 && role == Role::Lead && !taken.contains(&Role::Counter) {
            add_wish(&mut wishes, Role::Counter, asked.instrument.sounds(), &asked.words);
            taken.push(Role::Counter);
        }
    }
    let roles: Vec<(&'static [Role], String)> = reading.roles.clone();
    for (roles, words) in roles {
        reading.understood.push(format!("{}: {words}", roles[0].name()));
        for role in roles.iter().filter(|role| !taken.contains(role)) {
            add_wish(&mut wishes, *role, Vec::new(), &words);
        }
    }
    if reading.a_cappella {
        reading.understood.push("a cappella: voices alone".to_owned());
        wishes.clear();
        add_wish(&mut wishes, Role::Lead, vec![CHOIR], "choir");
        add_wish(&mut wishes, Role::Pad, vec![CHOIR], "choir");
        reading.only = true;
    }
    // Who is asked for and sent away in one prompt stays away.
    wishes.retain(|wish| !reading.without_roles.contains(&wish.role));
    for wish in &mut wishes {
        wish.presets.retain(|preset| !reading.without_presets.contains(preset));
    }
    wishes
}

fn add_wish(wishes: &mut Vec<Wish>, role: Role, presets: Vec<Preset>, words: &str) {
    match wishes.iter_mut().find(|wish| wish.role == role) {
        Some(wish) => wish.presets.extend(presets),
        None => wishes.push(Wish { role, presets, words: words.to_owned() }),
    }
}

/// "Only piano": everybody else rests. One instrument alone plays tune and chords.
fn only(reading: &mut Reading<'_>, wishes: &mut Vec<Wish>) {
    if !reading.only || wishes.is_empty() {
        return;
    }
    if let [alone] = wishes.as_slice()
        && !alone.presets.is_empty()
        && matches!(alone.role, Role::Lead | Role::Chords | Role::Pad)
    {
        let (presets, words) = (alone.presets.clone(), alone.words.clone());
        for role in [Role::Lead, Role::Chords] {
            if !wishes.iter().any(|wish| wish.role == role) {
                add_wish(wishes, role, presets.clone(), &words);
            }
        }
    }
    let others = Role::ALL.iter().filter(|role| **role != Role::Lead && !wishes.iter().any(|wish| wish.role == **role));
    for role in others {
        if !reading.without_roles.contains(role) {
            reading.without_roles.push(*role);
        }
    }
    reading.understood.push("nobody else plays".to_owned());
}

/// The second style the prompt names, plainly enough.
fn second_style<'a>(mentions: &'a [Mention], main: usize, styles: &'a [Style]) -> Option<(&'a Style, &'a Mention)> {
    let second = mentions.iter().find(|mention| mention.style != main && mention.strength != Strength::Overlap)?;
    Some((styles.get(second.style)?, second))
}

/// A second style lends its pads, its drums when it is named outright, and some of its strength.
fn lend(reading: &mut Reading<'_>, wishes: &mut Vec<Wish>, style: &Style, second: &Style, mention: &Mention) {
    let outright = mention.strength == Strength::Outright;
    let roles: &[Role] = if outright { &[Role::Pad, Role::Drums] } else { &[Role::Pad] };
    let mut lent = Vec::new();
    for &role in roles {
        let presets: Vec<Preset> =
            second.parts.iter().filter(|part| part.role == role).map(|part| part.preset).collect();
        let free = !wishes.iter().any(|wish| wish.role == role) && !reading.without_roles.contains(&role);
        // Drums that the first style has no rhythm for would be strangers.
        let at_home = role != Role::Drums || style.parts.iter().any(|part| part.role == role);
        let same = style.parts.iter().any(|part| part.role == role && presets.contains(&part.preset));
        if presets.is_empty() || !free || !at_home || same {
            continue;
        }
        add_wish(wishes, role, presets, &mention.words);
        lent.push(if role == Role::Pad { "pads" } else { "drum sounds" });
    }
    let mean = |style: &Style| (style.form.energy.0 + style.form.energy.1) / 2.0;
    let moods: &mut Moods = &mut reading.direction.moods;
    let change = (1.5 * (mean(second) - mean(style))).clamp(-0.3, 0.3);
    moods.energy = (moods.energy + change).clamp(-1.0, 1.0);
    if !lent.is_empty() {
        reading.understood.push(format!("{}: {} lends its {}", mention.words, second.name, lent.join(" and ")));
    } else {
        let lends = if change < 0.0 { "softness" } else { "strength" };
        reading.understood.push(format!("{}: {} leads, {} lends some {lends}", mention.words, style.name, second.name));
    }
}

/// A style that is half-time or double-time anyway is not made so twice.
fn settle_pulse(reading: &mut Reading<'_>, style: &Style) {
    let by_itself = |word: &str| style.about.to_lowercase().contains(word);
    let already = match reading.direction.pulse {
        Pulse::Half => by_itself("half-time"),
        Pulse::Double => by_itself("double-time"),
        Pulse::Normal => false,
    };
    if already {
        reading.direction.pulse = Pulse::Normal;
        reading.understood.push(format!("{} is counted so anyway", style.name));
    }
}
