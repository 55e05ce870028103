//! Thread: any. Session: what a saved project holds, as one versioned container.
//!
//! A [`Session`] is plain data. [`Session::encode`] joins audio that was packed when it was made with a small manifest, so saving is a
//! copy; [`Session::decode`] reads and checks everything before it returns anything, so a damaged project changes nothing.

pub mod container;
mod corrections;
pub mod packed;

use crate::analysis::Analysis;
use crate::analysis::edit::EditHistory;
use crate::audio::AudioBuffer;
use crate::capture::take::{Take, TakeNote, TakeSource};
use crate::capture::trim::{MarginFacts, Margins};
use crate::error::{Error, Result};
use crate::generation::direction::Direction;
use crate::generation::score::Score;
use crate::generation::song::SongContext;
use crate::generation::{EngineKind, Recipe};
use crate::rendition::audio::AudioMade;
use crate::rendition::{Fidelity, Loudness, Rendition, Timings};
use crate::time::{Beats, Frames, SongGrid};
use base64::Engine as _;
use container::Chunk;
use packed::PackedAudio;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Version of the manifest. Older ones are migrated in [`Session::decode`]; newer ones are refused with a sentence.
pub const SESSION_VERSION: u32 = 2;

/// Sessions before this version held one region, whose fields stood among the session's own.
const FIRST_WITH_REGIONS: u32 = 2;

/// A take as it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedTake {
    /// Everything but the audio.
    pub facts: TakeFacts,
    /// The audio, losslessly.
    pub audio: PackedAudio,
}

/// The part of a take that is not audio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakeFacts {
    /// Unique within a session.
    pub id: u64,
    /// How it was captured.
    pub source: TakeSource,
    /// MIDI that arrived meanwhile.
    pub notes: Vec<TakeNote>,
    /// Where it lies.
    pub grid: SongGrid,
    /// Whether the grid is the host's.
    pub on_grid: bool,
    /// Length in song time.
    pub length: Beats,
    /// Frames lost inside it.
    pub lost_frames: u64,
    /// What there is to know about how it was read.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// How much of the saved audio lies around the take: it is saved with its margins.
    #[serde(default, skip_serializing_if = "MarginFacts::is_empty")]
    pub margins: MarginFacts,
}

impl TakeFacts {
    /// Of a take.
    pub fn of(take: &Take) -> Self {
        Self {
            id: take.id,
            source: take.source,
            notes: take.notes.clone(),
            grid: take.grid.clone(),
            on_grid: take.on_grid,
            length: take.length,
            lost_frames: take.lost_frames,
            remarks: take.remarks.clone(),
            margins: take.margin_facts(),
        }
    }

    /// The take again, from the audio of its whole stretch ([`Take::whole_audio`]).
    pub fn with_audio(self, mut audio: AudioBuffer) -> Take {
        let margins = Margins::split(&mut audio, self.margins);
        Take {
            id: self.id,
            source: self.source,
            audio,
            notes: self.notes,
            grid: self.grid,
            on_grid: self.on_grid,
            length: self.length,
            lost_frames: self.lost_frames,
            remarks: self.remarks,
            margins,
        }
    }
}

/// The song around the melody, and how its chords were typed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SongSheet {
    /// What arrangements are made for.
    pub context: SongContext,
    /// The chords as they were typed; empty when they came from elsewhere.
    pub typed: String,
}

/// A variation as it is saved: the recipe and the notes always, the sound of the one that plays.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedVariation {
    /// Everything but the audio.
    pub facts: VariationFacts,
    /// The mastered mix; kept for the active and the starred variations.
    pub mix: Option<PackedAudio>,
}

/// The part of a variation that is not audio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariationFacts {
    /// Unique within a session.
    pub id: u64,
    /// Human name.
    pub name: String,
    /// What was asked for.
    pub recipe: Recipe,
    /// Kept by the user.
    pub starred: bool,
    /// The notes.
    pub score: Option<Score>,
    /// Where it lies, at the tempo it was rendered for.
    pub grid: SongGrid,
    /// Frames of the region at the rate of the mix.
    pub region: Frames,
    /// How it keeps the melody.
    pub fidelity: Fidelity,
    /// Its levels.
    pub loudness: Loudness,
    /// How long it took.
    pub timings: Timings,
    /// What is known of music that was made as audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<AudioMade>,
}

impl VariationFacts {
    /// The rendition again, with a sound of it but without stems.
    pub fn with_mix(self, mix: AudioBuffer) -> Rendition {
        Rendition {
            recipe: self.recipe,
            name: self.name,
            grid: self.grid,
            region: self.region,
            mix,
            stems: Vec::new(),
            score: self.score,
            fidelity: self.fidelity,
            loudness: self.loudness,
            timings: self.timings,
            made: self.made,
        }
    }
}

/// A place of the song as it is saved.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SavedRegion {
    /// Human name.
    pub name: String,
    /// Silent, and the track is heard as it is.
    pub muted: bool,
    /// The take, when there is one.
    pub take: Option<SavedTake>,
    /// What was understood of it, as it was heard.
    pub analysis: Option<Analysis>,
    /// What the user corrected about it.
    pub edits: EditHistory,
    /// The variations, oldest first.
    pub variations: Vec<SavedVariation>,
    /// The variation that plays.
    pub active: Option<u64>,
}

/// Everything a project holds besides the host's parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Session {
    /// The free prompt; empty means that the style parameter decides.
    pub prompt: String,
    /// Who makes new variations.
    pub engine: EngineKind,
    /// What the musician tells the band.
    pub direction: Direction,
    /// The song around the melody.
    pub song: SongSheet,
    /// The places of the song, in the order they are shown.
    pub regions: Vec<SavedRegion>,
    /// Which of them orders speak of.
    pub chosen: usize,
    /// Chunks a newer version wrote and we do not know: kept, and written back.
    pub unknown: Vec<Chunk>,
}

const MANIFEST: [u8; 4] = *b"MANI";
/// Bytes of the largest contents list that is read.
const MOST_MANIFEST: usize = 256 << 20;
const AUDIO: [u8; 4] = *b"AUDI";

#[derive(Serialize, Deserialize)]
struct Manifest {
    version: u32,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    engine: EngineKind,
    #[serde(default)]
    direction: Direction,
    #[serde(default)]
    song: SongSheet,
    #[serde(default)]
    regions: Vec<ManifestRegion>,
    #[serde(default)]
    chosen: usize,
    /// What version 1 held in place of regions.
    #[serde(flatten, skip_serializing)]
    only: ManifestRegion,
}

#[derive(Serialize, Deserialize, Default)]
struct ManifestRegion {
    #[serde(default)]
    name: String,
    #[serde(default)]
    muted: bool,
    #[serde(default)]
    take: Option<ManifestTake>,
    #[serde(default)]
    analysis: Option<Analysis>,
    #[serde(default)]
    variations: Vec<ManifestVariation>,
    #[serde(default)]
    active: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct ManifestTake {
    #[serde(flatten)]
    facts: TakeFacts,
    /// Index among the audio chunks.
    audio: usize,
}

#[derive(Serialize, Deserialize)]
struct ManifestVariation {
    #[serde(flatten)]
    facts: VariationFacts,
    /// Index among the audio chunks.
    mix: Option<usize>,
}

impl Session {
    /// The container's bytes. Infallible for sessions made by this program.
    ///
    /// # Errors
    /// [`Error::Internal`] when the manifest cannot be written, which would be a bug.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut audio = Vec::new();
        let mut place = |packed: &PackedAudio| {
            audio.push(Chunk { tag: AUDIO, bytes: packed.bytes().clone() });
            audio.len() - 1
        };
        let manifest = Manifest {
            version: SESSION_VERSION,
            prompt: self.prompt.clone(),
            engine: self.engine.clone(),
            direction: self.direction.clone(),
            song: self.song.clone(),
            regions: self.regions.iter().map(|region| region.manifest(&mut place)).collect(),
            chosen: self.chosen,
            only: ManifestRegion::default(),
        };
        let text = serde_json::to_vec(&manifest).map_err(|error| Error::internal("saving", error))?;
        let mut chunks = vec![Chunk { tag: MANIFEST, bytes: packed::deflate(&text).into() }];
        chunks.append(&mut audio);
        let mut corrected = Vec::new();
        for (place, region) in self.regions.iter().enumerate() {
            corrected.extend(corrections::chunk(place, &region.edits, region.analysis.as_ref())?);
        }
        // Corrections that only a newer version could read give way to those made with this one.
        let kept = self.unknown.iter().filter(|chunk| chunk.tag != corrections::TAG || corrected.is_empty());
        chunks.extend(kept.cloned());
        chunks.append(&mut corrected);
        Ok(container::write(&chunks))
    }

    /// Reads a container whole.
    ///
    /// # Errors
    /// [`Error::Session`] with what is wrong: not a container, cut off, damaged, or of a newer version.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut manifest = None;
        let mut audio = Vec::new();
        let mut unknown = Vec::new();
        let mut corrected = Vec::new();
        for chunk in container::read(bytes)? {
            match chunk.tag {
                MANIFEST => manifest = Some(packed::inflate(&chunk.bytes, MOST_MANIFEST)?),
                AUDIO => audio.push(PackedAudio::from_bytes(chunk.bytes)?),
                corrections::TAG => match corrections::read(&chunk)? {
                    Some(read) => corrected.push(read),
                    None => unknown.push(chunk),
                },
                _ => unknown.push(chunk),
            }
        }
        let text = manifest.ok_or_else(|| unreadable("it has no contents list"))?;
        let Manifest { prompt, engine, direction, song, regions, chosen, .. } = parse_manifest(&text)?;
        let mut regions: Vec<SavedRegion> =
            regions.into_iter().map(|region| region.with_audio(&audio)).collect::<Result<_>>()?;
        for read in corrected {
            if let Some(region) = regions.get_mut(read.region()) {
                region.edits = read.fitting(region.analysis.as_ref());
            }
        }
        Ok(Self { prompt, engine, direction, song, regions, chosen, unknown })
    }

    /// A session of one region.
    pub fn of_region(region: SavedRegion) -> Self {
        Self { regions: vec![region], ..Self::default() }
    }

    /// The region that orders speak of; an empty one when there is none.
    pub fn region(&self) -> &SavedRegion {
        static EMPTY: OnceLock<SavedRegion> = OnceLock::new();
        let chosen = self.regions.get(self.chosen).or_else(|| self.regions.first());
        chosen.unwrap_or_else(|| EMPTY.get_or_init(SavedRegion::default))
    }

    /// The same, to be changed; it is put there when there is none.
    pub fn region_mut(&mut self) -> &mut SavedRegion {
        if self.regions.is_empty() {
            self.regions.push(SavedRegion::default());
        }
        let place = self.chosen.min(self.regions.len() - 1);
        &mut self.regions[place]
    }

    /// As text, for hosts' states that hold JSON.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_text(&self) -> Result<String> {
        Ok(base64::engine::general_purpose::STANDARD.encode(self.encode()?))
    }

    /// From text made by [`Self::encode_text`]. The empty text is the empty session.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_text(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|_| unreadable("it contains characters that do not belong there"))?;
        Self::decode(&bytes)
    }
}

impl SavedRegion {
    /// Its place in the contents list; `place` puts audio into the container and says where.
    fn manifest(&self, place: &mut impl FnMut(&PackedAudio) -> usize) -> ManifestRegion {
        ManifestRegion {
            name: self.name.clone(),
            muted: self.muted,
            take: self.take.as_ref().map(|take| ManifestTake { facts: take.facts.clone(), audio: place(&take.audio) }),
            analysis: self.analysis.clone(),
            variations: self
                .variations
                .iter()
                .map(|variation| ManifestVariation {
                    facts: variation.facts.clone(),
                    mix: variation.mix.as_ref().map(&mut *place),
                })
                .collect(),
            active: self.active,
        }
    }
}

impl ManifestRegion {
    /// The region with its audio, once checked.
    fn with_audio(self, audio: &[PackedAudio]) -> Result<SavedRegion> {
        self.check()?;
        let find = |index: usize| audio.get(index).cloned().ok_or_else(|| unreadable("a recording is missing"));
        let named = |variation: ManifestVariation| {
            let mix = variation.mix.map(find).transpose()?;
            Ok(SavedVariation { facts: variation.facts, mix })
        };
        // A choice of what is not there is no choice.
        let active = self.active.filter(|id| self.variations.iter().any(|variation| variation.facts.id == *id));
        let take = match self.take {
            Some(take) => Some(SavedTake { facts: take.facts, audio: find(take.audio)? }),
            None => None,
        };
        Ok(SavedRegion {
            name: self.name,
            muted: self.muted,
            take,
            analysis: self.analysis,
            edits: EditHistory::default(),
            variations: self.variations.into_iter().map(named).collect::<Result<_>>()?,
            active,
        })
    }

    /// Nothing is used that could not be: positions, metres, lengths.
    fn check(&self) -> Result<()> {
        let take = self.take.iter().map(|take| (&take.facts.grid, take.facts.length.0));
        let analysis = self.analysis.iter().map(|analysis| (&analysis.grid, analysis.length.0));
        let variations = self.variations.iter().map(|variation| (&variation.facts.grid, 0.0));
        let made = self.variations.iter().filter_map(|variation| Some(&variation.facts.made.as_ref()?.melody));
        let scores = self.variations.iter().filter_map(|variation| variation.facts.score.as_ref());
        let scores = scores.chain(made).map(|score| (&score.grid, score.length.0));
        let sane = |(grid, beats): (&SongGrid, f64)| grid.is_sane() && (0.0..MOST_BEATS).contains(&beats);
        if !take.chain(analysis).chain(variations).chain(scores).all(sane) {
            return Err(unreadable("it lies where no song is"));
        }
        if !self.variations.iter().all(|variation| (0..MOST_FRAMES).contains(&variation.facts.region.0)) {
            return Err(unreadable("a variation has no length"));
        }
        Ok(())
    }
}

/// A region is shorter than this.
const MOST_BEATS: f64 = 1e5;
const MOST_FRAMES: i64 = 1 << 34;

fn parse_manifest(text: &[u8]) -> Result<Manifest> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } =
        serde_json::from_slice(text).map_err(|_| unreadable("its contents list has no version"))?;
    if version > SESSION_VERSION {
        return Err(unreadable(&format!(
            "it was saved by a newer Cantus (format {version}; this one reads up to {SESSION_VERSION}). Please update Cantus"
        )));
    }
    let mut manifest: Manifest =
        serde_json::from_slice(text).map_err(|error| unreadable(&format!("its contents list is damaged ({error})")))?;
    if version < FIRST_WITH_REGIONS {
        manifest.regions = vec![ManifestRegion { name: "Region 1".to_owned(), ..std::mem::take(&mut manifest.only) }];
    }
    Ok(manifest)
}

fn unreadable(reason: &str) -> Error {
    Error::Session { reason: reason.to_owned() }
}
