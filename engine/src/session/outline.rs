//! Thread: any. Outline: a session whose large parts are pieces already. Writing one is a copy.

use super::container::{self, Chunk};
use super::manifest::{Manifest, ManifestRegion, ManifestTake, ManifestVariation};
use super::packed::PackedAudio;
use super::piece::{self, Piece};
use super::{SESSION_VERSION, SongSheet, TakeFacts, VariationFacts, corrections};
use crate::analysis::Analysis;
use crate::analysis::edit::EditHistory;
use crate::error::{Error, Result};
use crate::generation::EngineKind;
use crate::generation::direction::Direction;
use crate::generation::score::Score;
use crate::rendition::audio::AudioMade;
use serde::{Deserialize, Serialize};

pub(super) const MANIFEST: [u8; 4] = *b"MANI";

/// A session whose large parts are pieces.
#[derive(Debug, Clone)]
pub struct Outline {
    /// As in a [`super::Session`].
    pub prompt: String,
    /// As in a session.
    pub engine: EngineKind,
    /// As in a session.
    pub direction: Direction,
    /// As in a session.
    pub song: SongSheet,
    /// As in a session.
    pub without_sound: bool,
    /// As in a session.
    pub regions: Vec<OutlineRegion>,
    /// As in a session.
    pub chosen: usize,
    /// As in a session.
    pub unknown: Vec<Chunk>,
}

/// A region of an outline.
#[derive(Debug, Clone)]
pub struct OutlineRegion {
    /// As in a session.
    pub name: String,
    /// As in a session.
    pub muted: bool,
    /// The take with its audio.
    pub take: Option<(TakeFacts, PackedAudio)>,
    /// The analysis, and the name of its melody that corrections belong to.
    pub heard: Option<(Piece, u64)>,
    /// As in a session.
    pub edits: EditHistory,
    /// As in a session.
    pub variations: Vec<OutlineVariation>,
    /// As in a session.
    pub active: Option<u64>,
}

/// A variation of an outline.
#[derive(Debug, Clone)]
pub struct OutlineVariation {
    /// Everything but the notes.
    pub facts: VariationFacts,
    /// A [`Notes`], when there are any.
    pub notes: Option<Piece>,
    /// The mix.
    pub mix: Option<PackedAudio>,
}

/// The large part of a variation's facts.
#[derive(Debug, Serialize)]
pub struct Notes<'a> {
    /// The notes.
    pub score: Option<&'a Score>,
    /// What is known of music that was made as audio.
    pub made: Option<&'a AudioMade>,
}

/// The same, as it is read.
#[derive(Deserialize)]
pub(super) struct ReadNotes {
    pub score: Option<Score>,
    pub made: Option<AudioMade>,
}

/// The name of a melody that corrections belong to.
pub fn melody_name(analysis: &Analysis) -> u64 {
    corrections::name(Some(analysis))
}

impl Outline {
    /// The container's bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] when the contents list cannot be written, which would be a bug.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let chunks: Vec<Chunk> = self.pieces()?.iter().map(|piece| piece.chunk().clone()).collect();
        Ok(container::write(&chunks))
    }

    /// The container as text.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_text(&self) -> Result<String> {
        Ok(piece::join(&self.pieces()?))
    }

    /// Every chunk of the container, the contents list first.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn pieces(&self) -> Result<Vec<Piece>> {
        let mut audio = Vec::new();
        let mut parts = Vec::new();
        let mut corrected = Vec::new();
        let mut regions = Vec::new();
        for (place, region) in self.regions.iter().enumerate() {
            let name = region.heard.as_ref().map(|(_, name)| *name);
            corrected.extend(corrections::chunk(place, &region.edits, name)?);
            regions.push(region.manifest(&mut audio, &mut parts));
        }
        let manifest = Manifest {
            version: SESSION_VERSION,
            prompt: self.prompt.clone(),
            engine: self.engine.clone(),
            direction: self.direction.clone(),
            song: self.song.clone(),
            without_sound: self.without_sound,
            regions,
            chosen: self.chosen,
            only: ManifestRegion::default(),
        };
        let list = serde_json::to_vec(&manifest).map_err(|error| Error::internal("saving", error))?;
        let mut pieces = vec![Piece::new(MANIFEST, super::packed::deflate(&list).into())];
        pieces.append(&mut audio);
        pieces.append(&mut parts);
        // Corrections that only a newer version could read give way to those made with this one.
        let kept = self.unknown.iter().filter(|chunk| chunk.tag != corrections::TAG || corrected.is_empty());
        pieces.extend(kept.chain(&corrected).map(|chunk| Piece::new(chunk.tag, chunk.bytes.clone())));
        Ok(pieces)
    }
}

impl OutlineRegion {
    /// Its place in the contents list; what is large is put aside.
    fn manifest(&self, audio: &mut Vec<Piece>, parts: &mut Vec<Piece>) -> ManifestRegion {
        fn put(pieces: &mut Vec<Piece>, piece: &Piece) -> usize {
            pieces.push(piece.clone());
            pieces.len() - 1
        }
        ManifestRegion {
            name: self.name.clone(),
            muted: self.muted,
            take: self
                .take
                .as_ref()
                .map(|(facts, sound)| ManifestTake { facts: facts.clone(), audio: put(audio, sound.piece()) }),
            analysis: None,
            heard: self.heard.as_ref().map(|(piece, _)| put(parts, piece)),
            variations: self
                .variations
                .iter()
                .map(|variation| ManifestVariation {
                    facts: variation.facts.clone(),
                    notes: variation.notes.as_ref().map(|piece| put(parts, piece)),
                    mix: variation.mix.as_ref().map(|mix| put(audio, mix.piece())),
                })
                .collect(),
            active: self.active,
        }
    }
}
