//! Thread: any. Session: what a saved project holds, as one versioned container.
//!
//! A [`Session`] is plain data. [`Session::decode`] reads and checks everything before it returns anything, so a damaged project changes
//! nothing. An [`outline::Outline`] is a session whose large parts were packed when they were made, so that saving is a copy;
//! a [`journal`] keeps one on disk until the project is saved.

pub mod container;
mod corrections;
pub mod journal;
mod manifest;
pub mod outline;
pub mod packed;
pub mod piece;
mod sane;

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
use container::Chunk;
use outline::{Notes, Outline, OutlineRegion, OutlineVariation};
use packed::PackedAudio;
use piece::Piece;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Version of the manifest. Older ones are migrated in [`Session::decode`]; newer ones are refused with a sentence.
pub const SESSION_VERSION: u32 = 2;

/// A take as it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedTake {
    /// Everything but the audio.
    pub facts: TakeFacts,
    /// The audio, losslessly.
    pub audio: PackedAudio,
}

impl SavedTake {
    /// The take again, with what was heard around it beside it.
    ///
    /// # Errors
    /// [`Error::Session`] when the audio is damaged.
    pub fn take(&self) -> Result<Take> {
        Ok(self.facts.clone().with_audio(self.audio.unpack()?))
    }
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
    /// The musician wants a small project: notes are saved, and sound only of what cannot be played again.
    pub without_sound: bool,
    /// Chunks a newer version wrote and we do not know: kept, and written back.
    pub unknown: Vec<Chunk>,
}

impl Session {
    /// The container's bytes. Infallible for sessions made by this program.
    ///
    /// # Errors
    /// [`Error::Internal`] when the contents list cannot be written, which would be a bug.
    pub fn encode(&self) -> Result<Vec<u8>> {
        self.outline()?.encode()
    }

    /// Reads a container whole. Whether its recordings can be unpacked turns out when they are.
    ///
    /// # Errors
    /// [`Error::Session`] with what is wrong: not a container, cut off, damaged, of a newer version, or nothing that could be used.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        manifest::decode(container::read(bytes)?)
    }

    /// The same with its large parts packed.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn outline(&self) -> Result<Outline> {
        Ok(Outline {
            prompt: self.prompt.clone(),
            engine: self.engine.clone(),
            direction: self.direction.clone(),
            song: self.song.clone(),
            without_sound: self.without_sound,
            regions: self.regions.iter().map(SavedRegion::outline).collect::<Result<_>>()?,
            chosen: self.chosen,
            unknown: self.unknown.clone(),
        })
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
        self.outline()?.encode_text()
    }

    /// From text made by [`Self::encode_text`], or by one that knew no pieces. The empty text is the empty session.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_text(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::decode(&piece::split(text)?)
    }
}

impl SavedRegion {
    fn outline(&self) -> Result<OutlineRegion> {
        let heard = |analysis: &Analysis| Ok((Piece::of(analysis)?, outline::melody_name(analysis)));
        Ok(OutlineRegion {
            name: self.name.clone(),
            muted: self.muted,
            take: self.take.as_ref().map(|take| (take.facts.clone(), take.audio.clone())),
            heard: self.analysis.as_ref().map(heard).transpose()?,
            edits: self.edits.clone(),
            variations: self.variations.iter().map(SavedVariation::outline).collect::<Result<_>>()?,
            active: self.active,
        })
    }
}

impl SavedVariation {
    fn outline(&self) -> Result<OutlineVariation> {
        let notes = Notes { score: self.facts.score.as_ref(), made: self.facts.made.as_ref() };
        let any = notes.score.is_some() || notes.made.is_some();
        Ok(OutlineVariation {
            notes: any.then(|| Piece::of(&notes)).transpose()?,
            facts: VariationFacts { score: None, made: None, ..self.facts.clone() },
            mix: self.mix.clone(),
        })
    }
}

fn unreadable(reason: &str) -> Error {
    Error::Session { reason: reason.to_owned() }
}
