//! Thread: any. Reading what a style file promises: facts and ranges.

use super::Reader;
use super::raw::{FactFile, PartFile, RangesFile};
use crate::error::Result;
use crate::generation::score::Role;
use crate::generation::style::facts::{Fact, Promise, Ranges, places};
use crate::time::{Beats, Metre};
use toml::Spanned;

/// Any share.
const ANY: (f32, f32) = (0.0, 1.0);

impl Reader<'_> {
    pub(super) fn fact(&self, spanned: &Spanned<FactFile>, parts: &[Spanned<PartFile>]) -> Result<Fact> {
        let raw = spanned.get_ref();
        let what = raw.what.get_ref();
        let is_role = Role::ALL.iter().any(|role| role.name() == what);
        if !is_role && !parts.iter().any(|part| part.get_ref().kit.contains_key(what)) {
            let reason = format!("\"{what}\" is neither a role nor a voice of one of the style's kits");
            return Err(self.error(raw.what.span(), reason));
        }
        let metre = raw.metre.as_ref().map_or(Ok(Metre::default()), |metre| self.metre(metre))?;
        let read = |text: &Spanned<String>| -> Result<Vec<Beats>> {
            places(text.get_ref(), metre).map_err(|reason| self.error(text.span(), reason))
        };
        let share = self.number_or("share", raw.share.as_ref(), 1.0, 0.0..1.0)?;
        let mut promises = Vec::new();
        if let Some(text) = &raw.never {
            promises.push(Promise::Never(read(text)?));
        }
        if let Some(text) = &raw.always {
            promises.push(Promise::Always(read(text)?, share));
        }
        if let Some(text) = &raw.only {
            promises.push(Promise::Only(read(text)?, share));
        }
        if let Some(range) = &raw.swing {
            let (low, high) = self.interval("swing", range, 0.3..0.9)?;
            promises.push(Promise::Swing(low, high));
        }
        if let Some(range) = &raw.late_ms {
            let (low, high) = self.interval("late_ms", range, -60.0..60.0)?;
            promises.push(Promise::Late(low, high));
        }
        if let Some(range) = &raw.density {
            let (low, high) = self.interval("density", range, 0.0..256.0)?;
            promises.push(Promise::Density(low, high));
        }
        if raw.repeats.is_some() {
            promises.push(Promise::Repeats(self.count_or("repeats", raw.repeats.as_ref(), 1, 1..16)?));
        }
        let only = promises.pop().filter(|_| promises.is_empty());
        let Some(promise) = only else {
            let reason = "a fact has exactly one of never, always, only, swing, late_ms, density, repeats".to_owned();
            return Err(self.error(spanned.span(), reason));
        };
        let tempo = raw.tempo.as_ref().map_or(Ok((0.0, 1000.0)), |tempo| self.interval("tempo", tempo, 0.0..1000.0))?;
        Ok(Fact { what: what.clone(), metre, section: raw.section, tempo, promise })
    }

    pub(super) fn ranges(&self, raw: &RangesFile) -> Result<Ranges> {
        let range = |what: &str, value: &Option<Spanned<[f32; 2]>>, any: (f32, f32)| {
            value.as_ref().map_or(Ok(any), |value| self.interval(what, value, any.0..any.1))
        };
        Ok(Ranges {
            scale: range("scale", &raw.scale, ANY)?,
            groove: range("groove", &raw.groove, ANY)?,
            density: range("density", &raw.density, (0.0, 512.0))?,
            swing: range("swing", &raw.swing, ANY)?,
            repetition: range("repetition", &raw.repetition, ANY)?,
        })
    }
}
