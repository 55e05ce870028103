//! Thread: any. Reading a style file: TOML into a checked [`Style`], with the line of any mistake.

mod promises;
mod raw;
mod sound;

use super::chord::RomanChord;
use super::presets::PresetTable;
use super::steps;
use super::{Feel, Form, Harmony, Line, Part, Pattern, Rule, Section, Style, Vocabulary, VocabularyChord, Voicing};
use crate::error::{Error, Result};
use crate::generation::score::{Preset, Role};
use crate::time::Metre;
use raw::{ChordFile, PartFile, PatternFile, StyleFile, VocabularyFile};
use std::ops::Range;
use toml::Spanned;

/// Where the reader is, for messages.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    presets: &'a PresetTable,
}

/// Reads and checks a style file. `file` is only its name, for messages.
///
/// # Errors
/// [`Error::Style`] with the line of the first mistake.
pub fn read(file: &str, text: &str, presets: &PresetTable) -> Result<Style> {
    let reader = Reader { file, text, presets };
    let raw: StyleFile = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        reader.error(span, error.message().to_owned())
    })?;
    reader.style(&raw)
}

impl Reader<'_> {
    fn error(&self, span: Range<usize>, reason: String) -> Error {
        let before = self.text.as_bytes().iter().take(span.start);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        Error::Style { file: self.file.to_owned(), line, reason: reason.replace('\n', " ") }
    }

    fn number(&self, what: &str, value: &Spanned<f32>, range: Range<f32>) -> Result<f32> {
        let number = *value.get_ref();
        if number.is_finite() && range.start <= number && number <= range.end {
            return Ok(number);
        }
        Err(self.error(value.span(), format!("{what} is {number}, but must be {} to {}", range.start, range.end)))
    }

    fn number_or(&self, what: &str, value: Option<&Spanned<f32>>, default: f32, range: Range<f32>) -> Result<f32> {
        value.map_or(Ok(default), |value| self.number(what, value, range))
    }

    fn count_or(
        &self,
        what: &str,
        value: Option<&Spanned<usize>>,
        default: usize,
        range: Range<usize>,
    ) -> Result<usize> {
        let Some(value) = value else { return Ok(default) };
        let count = *value.get_ref();
        if (range.start..=range.end).contains(&count) {
            return Ok(count);
        }
        Err(self.error(value.span(), format!("{what} is {count}, but must be {} to {}", range.start, range.end)))
    }

    fn interval(&self, what: &str, value: &Spanned<[f32; 2]>, range: Range<f32>) -> Result<(f32, f32)> {
        let [low, high] = *value.get_ref();
        if low.is_finite() && high.is_finite() && range.start <= low && low < high && high <= range.end {
            return Ok((low, high));
        }
        let reason =
            format!("{what} is [{low}, {high}], but must rise and lie within {} to {}", range.start, range.end);
        Err(self.error(value.span(), reason))
    }

    fn some_weight(&self, what: &str, span: Range<usize>, weights: impl Iterator<Item = f32>) -> Result<()> {
        if weights.sum::<f32>() > 0.0 {
            return Ok(());
        }
        Err(self.error(span, format!("the weights of the {what} sum to 0; at least one must be above 0")))
    }

    fn metre(&self, text: &Spanned<String>) -> Result<Metre> {
        let parts = text.get_ref().split_once('/');
        let parsed = parts.and_then(|(top, bottom)| Some((top.parse::<u8>().ok()?, bottom.parse::<u8>().ok()?)));
        match parsed {
            Some((numerator @ 1..=32, denominator @ (1 | 2 | 4 | 8 | 16))) => Ok(Metre { numerator, denominator }),
            _ => Err(self.error(text.span(), format!("\"{}\" is no metre; write \"4/4\" or \"6/8\"", text.get_ref()))),
        }
    }

    fn chord(&self, text: &Spanned<String>) -> Result<RomanChord> {
        RomanChord::parse(text.get_ref()).map_err(|reason| self.error(text.span(), reason))
    }

    fn style(&self, raw: &StyleFile) -> Result<Style> {
        let name = raw.name.get_ref().clone();
        if name.is_empty() || name.chars().any(|letter| letter.is_whitespace() || letter.is_uppercase()) {
            return Err(self.error(raw.name.span(), format!("the name \"{name}\" must be one lower-case word")));
        }
        if raw.words.get_ref().is_empty() {
            return Err(self.error(raw.words.span(), "words is empty; give at least the style's name".to_owned()));
        }
        let style = Style {
            name,
            about: raw.about.clone(),
            category: raw.category.clone(),
            colour: raw.colour.as_ref().map_or(Ok([0x80, 0x88, 0x98]), |colour| self.colour(colour))?,
            words: raw.words.get_ref().iter().map(|word| word.to_lowercase()).collect(),
            tempo: self.interval("tempo", &raw.tempo, 20.0..400.0)?,
            metres: raw.metres.iter().map(|metre| self.metre(metre)).collect::<Result<_>>()?,
            feel: Feel {
                swing: self.number("swing", &raw.feel.swing, 0.5..0.75)?,
                swing_unit: raw.feel.swing_unit,
                humanise_ms: self.number("humanise_ms", &raw.feel.humanise_ms, 0.0..30.0)?,
                humanise_velocity: self.number("humanise_velocity", &raw.feel.humanise_velocity, 0.0..20.0)?,
            },
            harmony: Harmony {
                slots_per_bar: self.count_or("slots_per_bar", Some(&raw.harmony.slots_per_bar), 1, 1..2)?,
                melody_weight: self.number("melody_weight", &raw.harmony.melody_weight, 0.1..10.0)?,
                temperature: self.number("temperature", &raw.harmony.temperature, 0.0..5.0)?,
                chords_per_bar: self.number_or(
                    "chords_per_bar",
                    raw.harmony.chords_per_bar.as_ref(),
                    1.0,
                    0.25..4.0,
                )?,
                pedal: self.number_or("pedal", raw.harmony.pedal.as_ref(), 0.0, 0.0..1.0)?,
                tensions: raw.harmony.tensions.iter().map(|tension| self.tension(tension)).collect::<Result<_>>()?,
                blue: raw.harmony.blue,
                major: self.vocabulary(&raw.harmony.major)?,
                minor: self.vocabulary(&raw.harmony.minor)?,
            },
            form: Form {
                sections: self.sections(&raw.form.sections)?,
                energy: self.interval("energy", &raw.form.energy, 0.0..1.0)?,
                fill_every: self.count_or("fill_every", raw.form.fill_every.as_ref(), 4, 1..64)?,
                crash: raw.form.crash,
                last: raw.form.last,
            },
            parts: raw.parts.get_ref().iter().map(|part| self.part(part)).collect::<Result<_>>()?,
            room: self.room(&raw.room)?,
            delay: raw.delay.as_ref().map(|delay| self.delay(delay)).transpose()?,
            master: self.master(&raw.master)?,
            facts: raw.facts.iter().map(|fact| self.fact(fact, raw.parts.get_ref())).collect::<Result<_>>()?,
            ranges: self.ranges(&raw.ranges)?,
        };
        for role in Role::ALL {
            let mut weights = style.parts.iter().filter(|part| part.role == role).map(|part| part.weight).peekable();
            if weights.peek().is_some() {
                self.some_weight(&format!("{} parts", role.name()), raw.parts.span(), weights)?;
            }
        }
        if !style.parts.iter().any(|part| part.role == Role::Lead) {
            return Err(self.error(raw.parts.span(), "there is no part with role = \"lead\"".to_owned()));
        }
        Ok(style)
    }

    /// A colour as "#rrggbb".
    fn colour(&self, text: &Spanned<String>) -> Result<[u8; 3]> {
        let hex = text.get_ref().strip_prefix('#').filter(|hex| hex.len() == 6);
        let number = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let [_, red, green, blue] = number.map(u32::to_be_bytes).ok_or_else(|| {
            self.error(text.span(), format!("\"{}\" is no colour; write \"#c08040\"", text.get_ref()))
        })?;
        Ok([red, green, blue])
    }

    fn tension(&self, value: &Spanned<u8>) -> Result<u8> {
        let semitones = *value.get_ref();
        if (1..=11).contains(&semitones) {
            return Ok(semitones);
        }
        Err(self.error(value.span(), format!("a tension is {semitones}, but must be 1 to 11 semitones over the root")))
    }

    fn voice_push(&self, raw: &PartFile, kit: &[(String, u8)]) -> Result<Vec<(String, f32)>> {
        let push = |(voice, value): (&String, &Spanned<f32>)| {
            if !kit.iter().any(|(name, _)| name == voice) {
                return Err(self.error(value.span(), format!("the kit names no voice \"{voice}\"")));
            }
            Ok((voice.clone(), self.number("voice_push_ms", value, -40.0..40.0)?))
        };
        raw.voice_push_ms.iter().map(push).collect()
    }

    fn transpose(&self, raw: &PartFile) -> Result<i8> {
        let Some(value) = &raw.transpose else { return Ok(0) };
        match *value.get_ref() {
            octaves @ (-12 | 0 | 12) => Ok(octaves),
            other => Err(self.error(value.span(), format!("transpose is {other}, but must be -12, 0 or 12"))),
        }
    }

    fn sections(&self, text: &Spanned<String>) -> Result<Vec<Section>> {
        let read = |word: &str| match word {
            "a" => Ok(Section::A),
            "b" => Ok(Section::B),
            other => Err(self.error(text.span(), format!("\"{other}\" is no section; write a and b, such as \"a b\""))),
        };
        let sections: Vec<Section> = text.get_ref().split_whitespace().map(read).collect::<Result<_>>()?;
        if sections.is_empty() {
            return Err(self.error(text.span(), "sections is empty; write a and b, such as \"a b\"".to_owned()));
        }
        Ok(sections)
    }

    fn vocabulary(&self, raw: &VocabularyFile) -> Result<Vocabulary> {
        let chords: Vec<VocabularyChord> =
            raw.chords.get_ref().iter().map(|chord| self.vocabulary_chord(chord.get_ref())).collect::<Result<_>>()?;
        self.some_weight("chords", raw.chords.span(), chords.iter().map(|chord| chord.weight))?;
        let index = |name: &str, span: Range<usize>| {
            chords.iter().position(|chord| chord.chord.text == name).ok_or_else(|| {
                let known: Vec<&str> = chords.iter().map(|chord| chord.chord.text.as_str()).collect();
                self.error(span, format!("\"{name}\" is not in this vocabulary: {}", known.join(" ")))
            })
        };
        let list = |text: &Spanned<String>| -> Result<Vec<usize>> {
            let chords: Vec<usize> =
                text.get_ref().split_whitespace().map(|name| index(name, text.span())).collect::<Result<_>>()?;
            if chords.is_empty() {
                return Err(self.error(text.span(), "there is no chord here".to_owned()));
            }
            Ok(chords)
        };
        let mut moves = Vec::new();
        for row in &raw.moves {
            let words: Vec<&str> = row.get_ref().split_whitespace().collect();
            let factor = words.get(2).and_then(|word| word.parse::<f32>().ok()).filter(|factor| *factor > 0.0);
            let (&[from, to, _], Some(factor)) = (words.as_slice(), factor) else {
                let reason = format!("\"{}\" must be two chords and a factor above 0: \"V I 4\"", row.get_ref());
                return Err(self.error(row.span(), reason));
            };
            moves.push((index(from, row.span())?, index(to, row.span())?, factor));
        }
        // Bars are separated by blanks, the chords of a bar by commas.
        let bars = |text: &str, span: Range<usize>| -> Result<Vec<Vec<usize>>> {
            let bar = |bar: &str| bar.split(',').map(|name| index(name, span.clone())).collect::<Result<Vec<_>>>();
            let bars: Vec<Vec<usize>> = text.split_whitespace().map(bar).collect::<Result<_>>()?;
            if bars.is_empty() {
                return Err(self.error(span, "there is no chord here".to_owned()));
            }
            Ok(bars)
        };
        let mut progressions = Vec::new();
        for row in raw.progressions.get_ref() {
            let row = row.get_ref();
            let chords = bars(row.chords.get_ref(), row.chords.span())?;
            progressions.push((chords, self.number("weight", &row.weight, 0.0..1000.0)?));
        }
        self.some_weight("progressions", raw.progressions.span(), progressions.iter().map(|(_, weight)| *weight))?;
        let opening = list(&raw.opening)?;
        let half_cadence = list(&raw.half_cadence)?;
        let cadence = list(&raw.cadence)?;
        let turnaround = raw.turnaround.as_ref().map_or(Ok(Vec::new()), |row| bars(row.get_ref(), row.span()))?;
        let ending = raw.ending.as_ref().map_or_else(|| Ok(opening.clone()), list)?;
        Ok(Vocabulary { moves, progressions, opening, half_cadence, cadence, turnaround, ending, chords })
    }

    fn vocabulary_chord(&self, raw: &ChordFile) -> Result<VocabularyChord> {
        Ok(VocabularyChord {
            chord: self.chord(&raw.chord)?,
            weight: self.number("weight", &raw.weight, 0.0..1000.0)?,
            colours: raw.colours.iter().map(|colour| self.chord(colour)).collect::<Result<_>>()?,
        })
    }

    fn part(&self, spanned: &Spanned<PartFile>) -> Result<Part> {
        let raw = spanned.get_ref();
        let parsed = raw.preset.get_ref().split_once(':');
        let preset = parsed.and_then(|(bank, program)| {
            Some(Preset { bank: bank.trim().parse().ok()?, program: program.trim().parse().ok()? })
        });
        let Some(preset) = preset else {
            let reason = format!("\"{}\" is no preset; write bank:program, such as \"0:66\"", raw.preset.get_ref());
            return Err(self.error(raw.preset.span(), reason));
        };
        let Some(info) = self.presets.get(preset) else {
            let reason = format!("there is no sound {}", raw.preset.get_ref());
            return Err(self.error(raw.preset.span(), reason));
        };
        if (raw.rule.get_ref() == &Rule::Kit) != preset.is_kit() {
            let reason = "rule = \"kit\" goes with a preset of bank 121 or 128, and only with one".to_owned();
            return Err(self.error(raw.rule.span(), reason));
        }
        let mut register = info.keys;
        if let Some(given) = &raw.register {
            let [low, high] = *given.get_ref();
            register = (low, high);
            if low < info.keys.0 || high > info.keys.1 || high < low + 11 {
                let reason = format!(
                    "register [{low}, {high}] must span an octave within {} to {}, where {} sounds right",
                    info.keys.0, info.keys.1, info.name
                );
                return Err(self.error(given.span(), reason));
            }
        }
        let mut kit = Vec::new();
        for (voice, key) in &raw.kit {
            if !self.presets.sounds(preset, *key.get_ref()) {
                let reason = format!("the {} has no sound on key {}", info.name, key.get_ref());
                return Err(self.error(key.span(), reason));
            }
            kit.push((voice.clone(), *key.get_ref()));
        }
        let rule = *raw.rule.get_ref();
        if (rule == Rule::Melody) != (raw.role == Role::Lead) {
            let reason = "rule = \"melody\" goes with role = \"lead\", and only with it".to_owned();
            return Err(self.error(raw.rule.span(), reason));
        }
        Ok(Part {
            role: raw.role,
            preset,
            weight: self.number_or("weight", raw.weight.as_ref(), 1.0, 0.0..1000.0)?,
            chance: self.number_or("chance", raw.chance.as_ref(), 1.0, 0.0..1.0)?,
            register,
            pan: self.number_or("pan", raw.pan.as_ref(), 0.0, -1.0..1.0)?,
            gain_db: self.number("gain_db", &raw.gain_db, -40.0..12.0)?,
            reverb: self.number_or("reverb", raw.reverb.as_ref(), 0.2, 0.0..1.0)?,
            push_ms: self.number_or("push_ms", raw.push_ms.as_ref(), 0.0, -40.0..40.0)?,
            voice_push_ms: self.voice_push(raw, &kit)?,
            strip: self.strip(&raw.strip)?,
            layer: self.number_or("layer", raw.layer.as_ref(), 0.0, 0.0..1.0)?,
            sections: raw.sections.as_ref().map_or(Ok(Vec::new()), |text| self.sections(text))?,
            strum_ms: self.number_or("strum_ms", raw.strum_ms.as_ref(), 0.0, 0.0..120.0)?,
            transpose: self.transpose(raw)?,
            rule,
            voicing: raw.voicing.unwrap_or(Voicing::Close),
            voices: self.count_or("voices", raw.voices.as_ref(), 3, 1..6)?,
            gate: self.number_or("gate", raw.gate.as_ref(), 0.9, 0.05..1.0)?,
            anticipate: raw.anticipate,
            every: self.count_or("every", raw.every.as_ref(), 1, 1..16)?,
            ghosts: self.number_or("ghosts", raw.ghosts.as_ref(), 0.7, 0.0..1.0)?,
            patterns: raw.patterns.iter().map(|pattern| self.pattern(pattern, rule, &kit)).collect::<Result<_>>()?,
            kit,
        })
    }

    fn pattern(&self, spanned: &Spanned<PatternFile>, rule: Rule, kit: &[(String, u8)]) -> Result<Pattern> {
        let raw = spanned.get_ref();
        let metre = raw.metre.as_ref().map_or(Ok(Metre::default()), |metre| self.metre(metre))?;
        let allowed = match rule {
            Rule::Kit => "Xxogr",
            Rule::Degrees | Rule::Walk | Rule::Riff => "Xxo12345678Lar",
            Rule::Arp => "Xxo123456",
            _ => "Xxodum",
        };
        let mut lines = Vec::new();
        let read = |text: &Spanned<String>| {
            steps::parse(text.get_ref(), metre, allowed).map_err(|reason| self.error(text.span(), reason))
        };
        if rule == Rule::Kit {
            if let Some(steps) = &raw.steps {
                return Err(self.error(steps.span(), "a kit's pattern has hits.VOICE instead of steps".to_owned()));
            }
            for (voice, text) in &raw.hits {
                let Some((_, key)) = kit.iter().find(|(name, _)| name == voice) else {
                    return Err(self.error(text.span(), format!("the kit names no voice \"{voice}\"")));
                };
                lines.push(Line { key: *key, voice: voice.clone(), bars: read(text)? });
            }
        } else if let Some((voice, text)) = raw.hits.iter().next() {
            return Err(self.error(text.span(), format!("hits.{voice} is only for a kit; write steps")));
        } else if let Some(text) = &raw.steps {
            lines.push(Line { key: 0, voice: String::new(), bars: read(text)? });
        }
        if lines.is_empty() {
            return Err(self.error(spanned.span(), "the pattern is empty".to_owned()));
        }
        Ok(Pattern {
            metre,
            section: raw.section,
            weight: self.number_or("weight", raw.weight.as_ref(), 1.0, 0.0..1000.0)?,
            tempo: raw.tempo.as_ref().map_or(Ok((0.0, 1000.0)), |tempo| self.interval("tempo", tempo, 0.0..1000.0))?,
            lines,
        })
    }
}
