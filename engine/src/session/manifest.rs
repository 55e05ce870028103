//! Thread: any. The contents list of a session, and the session that it and the other chunks make.

use super::container::Chunk;
use super::outline::{MANIFEST, ReadNotes};
use super::packed::{self, AUDIO, PackedAudio};
use super::piece::{DEFLATED, HASTY};
use super::{SESSION_VERSION, SavedRegion, SavedTake, SavedVariation, Session, SongSheet, TakeFacts, VariationFacts};
use super::{corrections, piece, sane, unreadable};
use crate::analysis::Analysis;
use crate::analysis::edit::EditHistory;
use crate::error::Result;
use crate::generation::EngineKind;
use crate::generation::direction::Direction;
use crate::playback::player::MOST_REGIONS;
use serde::{Deserialize, Serialize};

/// Sessions before this version held one region, whose fields stood among the session's own.
const FIRST_WITH_REGIONS: u32 = 2;
/// Bytes of the largest contents list that is read.
const MOST_BYTES: usize = 64 << 20;

#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    pub version: u32,
    #[serde(default)]
    pub prompt: String,
    #[serde(default)]
    pub engine: EngineKind,
    #[serde(default)]
    pub direction: Direction,
    #[serde(default)]
    pub song: SongSheet,
    #[serde(default)]
    pub without_sound: bool,
    #[serde(default)]
    pub regions: Vec<ManifestRegion>,
    #[serde(default)]
    pub chosen: usize,
    /// What version 1 held in place of regions.
    #[serde(flatten, skip_serializing)]
    pub only: ManifestRegion,
}

#[derive(Serialize, Deserialize, Default)]
pub(super) struct ManifestRegion {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub muted: bool,
    #[serde(default)]
    pub take: Option<ManifestTake>,
    /// The analysis itself, in version 1.
    #[serde(default, skip_serializing)]
    pub analysis: Option<Analysis>,
    /// Its index among the parts.
    #[serde(default)]
    pub heard: Option<usize>,
    #[serde(default)]
    pub variations: Vec<ManifestVariation>,
    #[serde(default)]
    pub active: Option<u64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ManifestTake {
    #[serde(flatten)]
    pub facts: TakeFacts,
    /// Index among the audio chunks.
    pub audio: usize,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ManifestVariation {
    /// With the notes in version 1.
    #[serde(flatten)]
    pub facts: VariationFacts,
    /// Index of the notes among the parts.
    #[serde(default)]
    pub notes: Option<usize>,
    /// Index among the audio chunks.
    pub mix: Option<usize>,
}

/// What a contents list refers to.
#[derive(Default)]
struct Contents {
    audio: Vec<PackedAudio>,
    parts: Vec<Chunk>,
}

/// The session in a container's chunks.
///
/// # Errors
/// [`crate::Error::Session`].
pub(super) fn decode(chunks: Vec<Chunk>) -> Result<Session> {
    let mut list = None;
    let mut contents = Contents::default();
    let mut unknown = Vec::new();
    let mut corrected = Vec::new();
    for chunk in chunks {
        match chunk.tag {
            MANIFEST => list = Some(packed::inflate(&chunk.bytes, MOST_BYTES)?),
            AUDIO => contents.audio.push(PackedAudio::from_bytes(chunk.bytes)?),
            DEFLATED | HASTY => contents.parts.push(chunk),
            corrections::TAG => match corrections::read(&chunk)? {
                Some(read) => corrected.push(read),
                None => unknown.push(chunk),
            },
            _ => unknown.push(chunk),
        }
    }
    let list = list.ok_or_else(|| unreadable("it has no contents list"))?;
    let Manifest { mut prompt, engine, direction, mut song, without_sound, regions, chosen, .. } = parse(&list)?;
    if regions.len() > MOST_REGIONS {
        return Err(unreadable("it has more regions than this Cantus can hold"));
    }
    let variations: usize = regions.iter().map(|region| region.variations.len()).sum();
    if variations > sane::MOST_VARIATIONS {
        return Err(unreadable("it has more variations than anybody keeps"));
    }
    sane::shorten(&mut prompt, sane::LONGEST_TEXT);
    sane::shorten(&mut song.typed, sane::LONGEST_TEXT);
    let mut regions: Vec<SavedRegion> =
        regions.into_iter().map(|region| region.with(&contents)).collect::<Result<_>>()?;
    for read in corrected {
        if let Some(region) = regions.get_mut(read.region()) {
            region.edits = read.fitting(region.analysis.as_ref());
        }
    }
    Ok(Session { prompt, engine, direction, song, without_sound, regions, chosen, unknown })
}

impl ManifestRegion {
    /// The region with what it refers to, once checked.
    fn with(self, contents: &Contents) -> Result<SavedRegion> {
        let find =
            |index: usize| contents.audio.get(index).cloned().ok_or_else(|| unreadable("a recording is missing"));
        let analysis: Option<Analysis> = match self.heard {
            Some(index) => Some(contents.part(index)?),
            None => self.analysis,
        };
        analysis.iter().try_for_each(sane::analysis)?;
        let take = self.take.map(|take| Ok(SavedTake { facts: take.facts, audio: find(take.audio)? })).transpose()?;
        take.iter().try_for_each(|take: &SavedTake| sane::place(&take.facts.grid, take.facts.length.0))?;
        // A choice of what is not there is no choice.
        let active = self.active.filter(|id| self.variations.iter().any(|variation| variation.facts.id == *id));
        let whole = |variation: ManifestVariation| -> Result<SavedVariation> {
            let mut facts = variation.facts;
            if let Some(index) = variation.notes {
                let notes: ReadNotes = contents.part(index)?;
                (facts.score, facts.made) = (notes.score, notes.made);
            }
            sane::variation(&facts)?;
            sane::shorten(&mut facts.name, sane::LONGEST_NAME);
            Ok(SavedVariation { facts, mix: variation.mix.map(find).transpose()? })
        };
        let mut name = self.name;
        sane::shorten(&mut name, sane::LONGEST_NAME);
        Ok(SavedRegion {
            name,
            muted: self.muted,
            take,
            analysis,
            edits: EditHistory::default(),
            variations: self.variations.into_iter().map(whole).collect::<Result<_>>()?,
            active,
        })
    }
}

impl Contents {
    fn part<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T> {
        piece::read(self.parts.get(index).ok_or_else(|| unreadable("a part of it is missing"))?)
    }
}

fn parse(list: &[u8]) -> Result<Manifest> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    if list.len() > MOST_BYTES || !sane::numbers_fit(list) {
        return Err(unreadable("its contents list is larger than anything Cantus writes"));
    }
    let Version { version } =
        serde_json::from_slice(list).map_err(|_| unreadable("its contents list has no version"))?;
    if version > SESSION_VERSION {
        return Err(unreadable(&format!(
            "it was saved by a newer Cantus (format {version}; this one reads up to {SESSION_VERSION}). Please update Cantus"
        )));
    }
    let mut manifest: Manifest =
        serde_json::from_slice(list).map_err(|error| unreadable(&format!("its contents list is damaged ({error})")))?;
    if version < FIRST_WITH_REGIONS {
        manifest.regions = vec![ManifestRegion { name: "Region 1".to_owned(), ..std::mem::take(&mut manifest.only) }];
    }
    Ok(manifest)
}
