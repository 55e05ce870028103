//! Thread: worker. The sound set: samples, and for every preset the regions that its keys and velocities play.

use super::generator::{COUNT, Modulator, default_value, number};
use super::riff::{Fields, broken, chunks, find};
use crate::error::{Error, Result};
use crate::generation::score::Preset;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::OnceLock;

static BAND: &[u8] = include_bytes!("../../../../assets/soundfont/band.sf2");

/// Regions of all presets together. The largest sets have some tens of thousands.
const MOST_REGIONS: usize = 100_000;

/// A recorded sound: where it lies, in samples from the start of all samples, and how it is tuned.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// All of it.
    pub range: Range<u32>,
    /// The part that may be repeated.
    pub looped: Range<u32>,
    /// The rate it was recorded at.
    pub rate_hz: u32,
    /// The key it sounds at that rate.
    pub key: u8,
    /// What it is off that key, in cents, to be added.
    pub correction_cents: i8,
}

/// What sounds for some keys at some velocities.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Keys that play it.
    pub keys: RangeInclusive<u8>,
    /// Velocities that play it.
    pub velocities: RangeInclusive<u8>,
    /// Its sample, with the region's own offsets applied; never empty.
    pub sample: Sample,
    /// Parameters by the specification's number.
    pub values: [i16; COUNT],
    /// What shifts them when a key is struck.
    pub modulators: Vec<Modulator>,
}

/// Whether and how long a sample is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looping {
    /// Never: it plays to its end.
    No,
    /// As long as the sound lasts.
    Always,
    /// Until the key is let go; then it plays to its end.
    WhileHeld,
}

impl Region {
    /// Whether a key struck at a velocity plays it.
    pub fn contains(&self, key: u8, velocity: u8) -> bool {
        self.keys.contains(&key) && self.velocities.contains(&velocity)
    }

    /// How its sample is repeated.
    pub fn looping(&self) -> Looping {
        if self.sample.looped.end < self.sample.looped.start + 2 {
            return Looping::No;
        }
        match self.values[number::SAMPLE_MODE] {
            1 => Looping::Always,
            3 => Looping::WhileHeld,
            _ => Looping::No,
        }
    }

    /// The group of sounds of which one ends the others; 0 is none.
    pub fn exclusive_class(&self) -> i16 {
        self.values[number::EXCLUSIVE_CLASS]
    }
}

/// Samples, and the regions of every preset.
#[derive(Debug, Clone)]
pub struct SoundSet {
    file: Cow<'static, [u8]>,
    samples: Range<usize>,
    presets: BTreeMap<Preset, Vec<Region>>,
}

impl SoundSet {
    /// The set that is built in, read once a process.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is broken.
    pub fn embedded() -> Result<&'static Self> {
        static SET: OnceLock<Result<SoundSet>> = OnceLock::new();
        SET.get_or_init(|| Self::read(Cow::Borrowed(BAND))).as_ref().map_err(Error::clone)
    }

    /// Reads a SoundFont 2 file. Samples stay in the file's own bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] with what is wrong with the file.
    pub fn read(file: Cow<'static, [u8]>) -> Result<Self> {
        let whole = chunks(&file, 0..file.len())?;
        let inside = chunks(&file, find(&whole, b"sfbk")?)?;
        let samples = find(&chunks(&file, find(&inside, b"sdta")?)?, b"smpl")?;
        let tables = chunks(&file, find(&inside, b"pdta")?)?;
        let table = |name: &[u8; 4], size: usize| -> Result<Vec<&[u8]>> {
            let bytes = file.get(find(&tables, name)?).unwrap_or(&[]);
            if bytes.len() % size != 0 {
                return Err(broken(format!("its table \"{}\" has a piece of a row", name.escape_ascii())));
            }
            Ok(bytes.chunks_exact(size).collect())
        };
        let sample_count = u32::try_from(samples.len() / 2).map_err(|_| broken("it has too many samples"))?;
        let heads = table(b"shdr", 46)?;
        let heads = heads.iter().map(|row| read_sample(row)).collect::<Result<Vec<_>>>()?;
        let zones = |bags, generators, modulators| -> Result<Vec<Zone>> {
            read_zones(&table(bags, 4)?, &table(generators, 4)?, &table(modulators, 10)?)
        };
        let preset_zones = zones(b"pbag", b"pgen", b"pmod")?;
        let instrument_zones = zones(b"ibag", b"igen", b"imod")?;
        // Each row says where its zones begin; the next row, where they end.
        let first_zone = |row: &[u8]| Fields::new(row.get(20..).unwrap_or(&[])).u16().map(usize::from);
        let instruments = table(b"inst", 22)?;
        let mut presets = BTreeMap::new();
        let mut count = 0;
        let rows = table(b"phdr", 38)?;
        for (row, next) in rows.iter().zip(rows.iter().skip(1)) {
            let mut fields = Fields::new(&row[20..]);
            let (program, bank, first) = (fields.u16()?, fields.u16()?, usize::from(fields.u16()?));
            let end = Fields::new(&next[24..]).u16().map(usize::from)?;
            let (Ok(program), Ok(bank)) = (u8::try_from(program), u8::try_from(bank)) else { continue };
            let mut regions = Vec::new();
            for (over, instrument) in used_zones(&preset_zones, first..end, number::INSTRUMENT)? {
                let (Some(row), Some(next)) = (instruments.get(instrument), instruments.get(instrument + 1)) else {
                    return Err(broken("a preset names an instrument that is not there"));
                };
                let range = first_zone(row)?..first_zone(next)?;
                for (zone, sample) in used_zones(&instrument_zones, range, number::SAMPLE)? {
                    let head = heads.get(sample).ok_or_else(|| broken("a region names a sample that is not there"))?;
                    regions.extend(region(&zone, &over, head, sample_count));
                    count += 1;
                    if count > MOST_REGIONS {
                        return Err(broken("it has more sounds than any real one"));
                    }
                }
            }
            presets.insert(Preset { bank, program }, regions);
        }
        if presets.is_empty() {
            return Err(broken("it has no sounds"));
        }
        Ok(Self { file, samples, presets })
    }

    /// Every preset, by bank and program.
    pub fn presets(&self) -> impl Iterator<Item = Preset> + '_ {
        self.presets.keys().copied()
    }

    /// All regions of a preset; none when it is not in the set.
    pub fn regions(&self, preset: Preset) -> &[Region] {
        self.presets.get(&preset).map_or(&[], Vec::as_slice)
    }

    /// The regions a key struck at a velocity plays.
    pub fn struck(&self, preset: Preset, key: u8, velocity: u8) -> impl Iterator<Item = &Region> {
        self.regions(preset).iter().filter(move |region| region.contains(key, velocity))
    }

    /// All samples, 16 bits each in little-endian order.
    pub(super) fn sample_bytes(&self) -> &[u8] {
        self.file.get(self.samples.clone()).unwrap_or(&[])
    }
}

fn read_sample(row: &[u8]) -> Result<Sample> {
    let mut fields = Fields::new(row);
    fields.bytes::<20>()?;
    Ok(Sample {
        range: fields.u32()?..fields.u32()?,
        looped: fields.u32()?..fields.u32()?,
        rate_hz: fields.u32()?,
        key: fields.u8()?,
        correction_cents: i8::from_le_bytes([fields.u8()?]),
    })
}

/// Parameters and modulators as one zone states them.
#[derive(Debug, Clone, Default)]
struct Zone {
    values: Vec<(usize, i16)>,
    modulators: Vec<Modulator>,
}

impl Zone {
    fn value(&self, parameter: usize) -> Option<i16> {
        self.values.iter().rev().find(|(number, _)| *number == parameter).map(|(_, value)| *value)
    }

    /// The bounds of a range parameter: low in the lower byte, high in the upper one.
    fn range(&self, parameter: usize) -> RangeInclusive<u8> {
        let [low, high] = self.value(parameter).map_or([0, 127], i16::to_le_bytes);
        low..=high
    }

    /// This zone where the general one of its row does not say otherwise.
    fn over(&self, general: &Self) -> Self {
        let mut both = general.clone();
        both.values.extend(&self.values);
        for modulator in &self.modulators {
            both.modulators.retain(|other| !other.is_replaced_by(modulator));
            both.modulators.push(*modulator);
        }
        both
    }
}

fn read_zones(bags: &[&[u8]], generators: &[&[u8]], modulators: &[&[u8]]) -> Result<Vec<Zone>> {
    let bounds = |row: &[u8]| -> Result<[usize; 2]> {
        let mut fields = Fields::new(row);
        Ok([usize::from(fields.u16()?), usize::from(fields.u16()?)])
    };
    let mut zones = Vec::new();
    for (row, next) in bags.iter().zip(bags.iter().skip(1)) {
        let ([first, first_modulator], [end, end_modulator]) = (bounds(row)?, bounds(next)?);
        let rows = (generators.get(first..end), modulators.get(first_modulator..end_modulator));
        let (Some(generators), Some(modulators)) = rows else {
            return Err(broken("a zone names parameters that are not there"));
        };
        let mut zone = Zone::default();
        for row in generators {
            let mut fields = Fields::new(row);
            let parameter = usize::from(fields.u16()?);
            if parameter < COUNT {
                zone.values.push((parameter, fields.i16()?));
            }
        }
        for row in modulators {
            let mut fields = Fields::new(row);
            let modulator = Modulator::new(fields.u16()?, fields.u16()?, fields.i16()?, fields.u16()?, fields.u16()?);
            zone.modulators.retain(|other| !other.is_replaced_by(&modulator));
            zone.modulators.push(modulator);
        }
        zones.push(zone);
    }
    Ok(zones)
}

/// The zones of a row that name something to play, and what they name, with the row's general zone applied.
fn used_zones(zones: &[Zone], range: Range<usize>, names: usize) -> Result<Vec<(Zone, usize)>> {
    let zones = zones.get(range).ok_or_else(|| broken("a sound names zones that are not there"))?;
    let general = match zones.first() {
        Some(first) if first.value(names).is_none() => first.clone(),
        _ => Zone::default(),
    };
    let named = zones.iter().filter_map(|zone| Some((zone, zone.value(names)?)));
    Ok(named.map(|(zone, named)| (zone.over(&general), usize::from(named.cast_unsigned()))).collect())
}

/// A region from an instrument's zone and the preset's zone over it; `None` when nothing of it can sound.
fn region(zone: &Zone, over: &Zone, head: &Sample, sample_count: u32) -> Option<Region> {
    let both = |parameter| {
        let (one, other) = (zone.range(parameter), over.range(parameter));
        *one.start().max(other.start())..=*one.end().min(other.end())
    };
    let mut values: [i16; COUNT] = std::array::from_fn(default_value);
    for &(parameter, value) in &zone.values {
        values[parameter] = value;
    }
    for (parameter, value) in values.iter_mut().enumerate() {
        // What says which and where is no amount, and cannot be added to.
        let is_amount = super::generator::limits(parameter).is_some();
        if let Some(more) = over.value(parameter).filter(|_| is_amount) {
            *value = value.saturating_add(more);
        }
    }
    let moved = |at: u32, fine: usize, coarse: usize| {
        let offset = i64::from(values[fine]) + 32_768 * i64::from(values[coarse]);
        u32::try_from((i64::from(at) + offset).clamp(0, i64::from(sample_count))).unwrap_or(0)
    };
    let range = moved(head.range.start, number::START_OFFSET, number::START_COARSE)
        ..moved(head.range.end, number::END_OFFSET, number::END_COARSE);
    let looped = moved(head.looped.start, number::LOOP_START_OFFSET, number::LOOP_START_COARSE)
        ..moved(head.looped.end, number::LOOP_END_OFFSET, number::LOOP_END_COARSE);
    let looped = looped.start.clamp(range.start, range.end.max(range.start))..looped.end.min(range.end);
    let (keys, velocities) = (both(number::KEYS), both(number::VELOCITIES));
    let sounds =
        !range.is_empty() && (400..=192_000).contains(&head.rate_hz) && !keys.is_empty() && !velocities.is_empty();
    let mut modulators: Vec<Modulator> = Modulator::defaults().into();
    for modulator in &zone.modulators {
        modulators.retain(|other| !other.is_replaced_by(modulator));
        modulators.push(*modulator);
    }
    modulators.extend(&over.modulators);
    modulators.retain(|modulator| super::generator::limits(usize::from(modulator.parameter)).is_some());
    let sample = Sample { range, looped, ..head.clone() };
    sounds.then_some(Region { keys, velocities, sample, values, modulators })
}
