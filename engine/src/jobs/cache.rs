//! Thread: worker. Remembers expensive results by the hash of what made them, the most recently used ones within a budget.

use crate::analysis::Analysis;
use crate::analysis::edit::Edits;
use crate::audio::AudioBuffer;
use crate::capture::take::Take;
use crate::generation::Recipe;
use crate::generation::score::Score;
use crate::rendition::Rendition;
use crate::time::{SampleRate, SongGrid};
use parking_lot::Mutex;
use serde::Serialize;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Hash of everything a result depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InputHash(u128);

/// Megabytes that renditions in the cache may take together, unless the environment names another number. One of 8 bars with six stems is
/// about 50 MB.
const BUDGET_MB: usize = 256;
const BUDGET_VARIABLE: &str = "CANTUS_CACHE_MB";
const MOST_ANALYSES: usize = 16;

/// Results that can be made again, kept because making them takes time.
pub struct Cache {
    shelves: Mutex<Shelves>,
    /// Bytes.
    budget: usize,
}

impl Default for Cache {
    fn default() -> Self {
        let named = std::env::var(BUDGET_VARIABLE).ok().and_then(|text| text.trim().parse::<usize>().ok());
        Self { shelves: Mutex::default(), budget: named.unwrap_or(BUDGET_MB).saturating_mul(1 << 20) }
    }
}

#[derive(Default)]
struct Shelves {
    /// Most recently used last.
    analyses: Vec<(InputHash, Arc<Analysis>)>,
    renditions: Vec<(InputHash, Arc<Rendition>)>,
}

impl InputHash {
    /// Of a take: its samples, its notes, its place.
    pub fn of_take(take: &Take) -> Self {
        let mut hash = Xxh3::new();
        add_samples(&mut hash, &take.audio);
        add(&mut hash, &(&take.notes, &take.grid, take.on_grid, take.length, &take.remarks));
        Self(hash.digest128())
    }

    /// Of a take's melody with corrections.
    pub fn of_edits(take: Self, edits: &Edits) -> Self {
        let mut hash = Xxh3::new();
        hash.update(&take.0.to_le_bytes());
        add(&mut hash, &("corrected", edits));
        Self(hash.digest128())
    }

    /// Of a rendition made from a take by a recipe, with the styles of a library's revision.
    pub fn of_rendition(take: Self, recipe: &Recipe, rate: SampleRate, styles: u64) -> Self {
        let mut hash = Xxh3::new();
        hash.update(&take.0.to_le_bytes());
        add(&mut hash, &(recipe, rate, styles));
        Self(hash.digest128())
    }

    /// Of a rendition's audio brought to a tempo and a rate.
    pub fn of_audio(rendition: &Rendition, grid: &SongGrid, rate: SampleRate) -> Self {
        let mut hash = Xxh3::new();
        add_samples(&mut hash, &rendition.mix);
        add(&mut hash, &(&rendition.name, &rendition.grid, grid, rate));
        Self(hash.digest128())
    }

    /// Of a score rendered at a tempo and a rate.
    pub fn of_score(score: &Score, grid: &SongGrid, rate: SampleRate) -> Self {
        let mut hash = Xxh3::new();
        add(&mut hash, &(score, grid, rate));
        Self(hash.digest128())
    }
}

fn add_samples(hash: &mut Xxh3, audio: &AudioBuffer) {
    hash.update(&audio.rate.0.to_le_bytes());
    for channel in &audio.channels {
        for sample in channel {
            hash.update(&sample.to_bits().to_le_bytes());
        }
    }
}

fn add(hash: &mut Xxh3, value: &impl Serialize) {
    // Plain data always serialises; if it ever did not, the entry would only be missed.
    hash.update(&serde_json::to_vec(value).unwrap_or_default());
}

impl Cache {
    /// An analysis made before.
    pub fn analysis(&self, input: InputHash) -> Option<Arc<Analysis>> {
        touch(&mut self.shelves.lock().analyses, input)
    }

    /// Keeps an analysis.
    pub fn keep_analysis(&self, input: InputHash, analysis: Arc<Analysis>) {
        let shelf = &mut self.shelves.lock().analyses;
        shelf.retain(|(other, _)| *other != input);
        shelf.push((input, analysis));
        if shelf.len() > MOST_ANALYSES {
            shelf.remove(0);
        }
    }

    /// A rendition made before.
    pub fn rendition(&self, input: InputHash) -> Option<Arc<Rendition>> {
        touch(&mut self.shelves.lock().renditions, input)
    }

    /// Keeps a rendition, letting go of the ones unused for longest.
    pub fn keep_rendition(&self, input: InputHash, rendition: Arc<Rendition>) {
        let shelf = &mut self.shelves.lock().renditions;
        shelf.retain(|(other, _)| *other != input);
        shelf.push((input, rendition));
        let mut total: usize = shelf.iter().map(|(_, rendition)| size_of_audio(rendition)).sum();
        while total > self.budget && shelf.len() > 1 {
            total -= size_of_audio(&shelf.remove(0).1);
        }
    }
}

fn touch<T>(shelf: &mut Vec<(InputHash, Arc<T>)>, input: InputHash) -> Option<Arc<T>> {
    let index = shelf.iter().position(|(other, _)| *other == input)?;
    let entry = shelf.remove(index);
    shelf.push(entry);
    shelf.last().map(|(_, value)| value.clone())
}

fn size_of_audio(rendition: &Rendition) -> usize {
    (rendition.stems.len() + 1) * rendition.mix.frames() * rendition.mix.channels.len() * size_of::<f32>()
}
