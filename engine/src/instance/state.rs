//! Thread: gui, worker. What an instance knows, behind one short lock that the audio thread never takes.

use crate::analysis::edit::EditHistory;
use crate::audio::AudioBuffer;
use crate::capture::spool::RecoveredTake;
use crate::capture::take::Take;
use crate::generation::direction::Direction;
use crate::generation::{EngineKind, Recipe};
use crate::jobs::lanes::JobHandle;
use crate::jobs::pipeline::{Corrected, Melody};
use crate::playback::handoff::ClipSender;
use crate::playback::player::PlayerTelemetry;
use crate::rendition::Rendition;
use crate::session::container::Chunk;
use crate::session::packed::PackedAudio;
use crate::session::{SongSheet, VariationFacts};
use crate::time::{Bpm, SampleRate, SongGrid};
use std::collections::VecDeque;
use std::sync::Arc;

/// A variation and how far it is.
pub(crate) struct Variation {
    pub id: u64,
    pub name: String,
    pub recipe: Recipe,
    pub starred: bool,
    pub stage: VariationStage,
    /// Music that was made as audio, as it was made: what is saved, and what every other tempo and rate is made from, because
    /// stretching twice sounds worse than stretching once.
    pub original: Option<Arc<Rendition>>,
    /// The mix as it will be saved, once packed.
    pub packed: Option<PackedAudio>,
}

/// How far a variation is.
pub(crate) enum VariationStage {
    /// Being made.
    Pending(JobHandle),
    /// Done.
    Ready(Arc<Rendition>),
    /// Loaded from a project without sound: it can be rendered from its score when wanted.
    Silent(Box<VariationFacts>),
    /// It could not be made.
    Failed(String),
}

/// The take and its saved form.
pub(crate) struct CurrentTake {
    pub take: Arc<Take>,
    pub packed: Option<PackedAudio>,
}

/// The connection to the audio thread of the current activation.
pub(crate) struct Connection {
    pub sender: ClipSender,
    pub telemetry: Arc<PlayerTelemetry>,
    pub rate: SampleRate,
}

/// Everything an instance knows.
#[derive(Default)]
pub(crate) struct State {
    pub prompt: String,
    pub engine: EngineKind,
    /// What the musician tells the band.
    pub direction: Direction,
    /// The song around the melody.
    pub song: SongSheet,
    pub take: Option<CurrentTake>,
    /// What was heard.
    pub melody: Option<Melody>,
    /// What the user corrected about it.
    pub edits: EditHistory,
    /// The melody with the corrections.
    pub corrected: Option<Corrected>,
    pub analysis_job: Option<JobHandle>,
    pub variations: Vec<Variation>,
    pub active: Option<u64>,
    pub next_id: u64,
    pub messages: VecDeque<String>,
    pub recovered: Vec<RecoveredTake>,
    /// Recovered takes in use: their files are kept until the instance goes.
    pub restored: Vec<RecoveredTake>,
    /// The rendering for another tempo that is under way.
    pub following: Option<(u64, Bpm, JobHandle)>,
    pub connection: Option<Connection>,
    pub exported: Option<std::path::PathBuf>,
    pub unknown: Vec<Chunk>,
}

/// Messages the window shows at most.
const MOST_MESSAGES: usize = 6;

impl State {
    /// A number no take or variation of this session has.
    pub fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The number after the largest that variations of a label have.
    pub fn next_number(&self, label: &str) -> u64 {
        let number = |variation: &Variation| variation.name.strip_prefix(label)?.trim().parse::<u64>().ok();
        self.variations.iter().filter_map(number).max().unwrap_or(0) + 1
    }

    /// Whether a project keeps the sound of a variation. Notes can be played again quickly; music that was made as audio cannot.
    pub fn keeps_sound_of(&self, variation: &Variation) -> bool {
        Some(variation.id) == self.active || variation.starred || variation.original.is_some()
    }

    /// The take, while nobody has listened to it and nobody does.
    pub fn unheard_take(&self) -> Option<Arc<Take>> {
        let idle = self.melody.is_none() && self.analysis_job.as_ref().is_none_or(JobHandle::is_over);
        self.take.as_ref().filter(|_| idle).map(|current| current.take.clone())
    }

    /// Keeps the packed form of a take, unless another has taken its place.
    pub fn keep_packed_take(&mut self, take: &Arc<Take>, packed: PackedAudio) {
        if let Some(current) = self.take.as_mut().filter(|current| Arc::ptr_eq(&current.take, take)) {
            current.packed = Some(packed);
        }
    }

    /// Keeps the packed form of a mix, unless another has taken its place.
    pub fn keep_packed_mix(&mut self, id: u64, rendition: &Arc<Rendition>, packed: PackedAudio) {
        let variation = self.variation(id);
        if let Some(one) = variation.filter(|one| one.kept().is_some_and(|kept| Arc::ptr_eq(&kept, rendition))) {
            one.packed = Some(packed);
        }
    }

    /// Shows a sentence in the window.
    pub fn say(&mut self, message: String) {
        self.messages.push_back(message);
        while self.messages.len() > MOST_MESSAGES {
            self.messages.pop_front();
        }
    }

    pub fn variation(&mut self, id: u64) -> Option<&mut Variation> {
        self.variations.iter_mut().find(|variation| variation.id == id)
    }

    /// The rendition that plays.
    pub fn active_rendition(&self) -> Option<Arc<Rendition>> {
        let active = self.active?;
        self.variations.iter().find(|variation| variation.id == active).and_then(Variation::rendition)
    }
}

impl Variation {
    pub fn rendition(&self) -> Option<Arc<Rendition>> {
        match &self.stage {
            VariationStage::Ready(rendition) => Some(rendition.clone()),
            _ => None,
        }
    }

    /// The rendition that a project saves.
    pub fn kept(&self) -> Option<Arc<Rendition>> {
        self.original.clone().or_else(|| self.rendition())
    }

    /// Where it lies in the song, once that can be played.
    pub fn grid(&self) -> Option<&SongGrid> {
        match &self.stage {
            VariationStage::Ready(rendition) => Some(&rendition.grid),
            VariationStage::Silent(facts) => Some(&facts.score.as_ref()?.grid),
            _ => None,
        }
    }

    /// What to render again from: the notes, and the sound as far as it is there.
    pub fn source(&self, rate: SampleRate) -> Option<Arc<Rendition>> {
        if let Some(original) = &self.original {
            return Some(original.clone());
        }
        match &self.stage {
            VariationStage::Ready(rendition) => Some(rendition.clone()),
            VariationStage::Silent(facts) => {
                Some(Arc::new((**facts).clone().with_mix(AudioBuffer::silent(rate, 2, 0))))
            }
            VariationStage::Pending(_) | VariationStage::Failed(_) => None,
        }
    }

    /// What a project saves of it; nothing while it has no notes yet.
    pub fn facts(&self) -> Option<VariationFacts> {
        if let Some(rendition) = self.kept() {
            return Some(VariationFacts {
                id: self.id,
                name: self.name.clone(),
                recipe: self.recipe.clone(),
                starred: self.starred,
                score: rendition.score.clone(),
                grid: rendition.grid.clone(),
                region: rendition.region,
                fidelity: rendition.fidelity,
                loudness: rendition.loudness,
                timings: rendition.timings,
                made: rendition.made.clone(),
            });
        }
        match &self.stage {
            VariationStage::Silent(facts) => {
                Some(VariationFacts { name: self.name.clone(), starred: self.starred, ..(**facts).clone() })
            }
            _ => None,
        }
    }
}
