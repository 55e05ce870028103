//! Thread: gui. What the window shows: a snapshot, cheap to make and to keep.

use super::Instance;
use super::files::PreparedFile;
use super::recovered::Recovered;
use super::region::{Region, RegionId};
use super::state::VariationStage;
use crate::analysis::Analysis;
use crate::analysis::edit::NoteId;
use crate::capture::collector::EarSnapshot;
use crate::capture::loopback::MeasuredOffset;
use crate::capture::passes::PassFacts;
use crate::capture::take::Take;
use crate::generation::EngineKind;
use crate::generation::direction::Direction;
use crate::job_context::Progress;
use crate::jobs::lanes::JobHandle;
use crate::playback::player::PlayerTelemetry;
use crate::rendition::Rendition;
use crate::session::SongSheet;
use crate::time::{Beats, SampleRate};
use std::path::PathBuf;
use std::sync::Arc;

/// A moment of an instance.
pub struct View {
    /// The free prompt; empty when the style parameter decides.
    pub prompt: String,
    /// Who makes new variations.
    pub engine: EngineKind,
    /// What the musician tells the band.
    pub direction: Direction,
    /// The song around the melody.
    pub song: SongSheet,
    /// The takes themselves are heard in place of their renditions.
    pub comparing: bool,
    /// Level, position, capture. `None` before the first activation.
    pub ear: Option<EarSnapshot>,
    /// The places of the song, in the order they are shown.
    pub regions: Vec<RegionView>,
    /// The chosen one, which the fields from `take` to `active` speak of.
    pub region: RegionId,
    /// The take.
    pub take: Option<Arc<Take>>,
    /// What was understood of it, with what the user corrected.
    pub analysis: Option<Arc<Analysis>>,
    /// What can be corrected, and what was.
    pub corrections: CorrectionsView,
    /// The analysis is under way.
    pub analysing: Option<Progress>,
    /// Oldest first.
    pub variations: Vec<VariationView>,
    /// The one that plays.
    pub active: Option<u64>,
    /// The name of the deleted variation that `undo_delete` would bring back.
    pub last_deleted: Option<String>,
    /// What the window should tell, newest last.
    pub messages: Vec<String>,
    /// What killed hosts left behind, in words: takes, and whole sessions.
    pub recovered: Vec<String>,
    /// Where playback is.
    pub player: Option<Arc<PlayerTelemetry>>,
    /// The rate of the current activation.
    pub rate: Option<SampleRate>,
    /// Where the last export went.
    pub exported: Option<PathBuf>,
    /// Files that can be dragged now.
    pub prepared: Vec<PreparedFile>,
    /// What the session takes in the project, in bytes.
    pub session_bytes: u64,
    /// Whether the sound of active and starred variations is kept in the project.
    pub embed_sound: bool,
    /// The passes of the loop that was captured last, oldest first, which can be chosen.
    pub passes: Vec<PassFacts>,
    /// The input offset as it was measured last; the window sets the parameter.
    pub measured_offset: Option<MeasuredOffset>,
}

impl View {
    /// The chosen region's place in the player.
    pub fn seat(&self) -> usize {
        self.regions.iter().find(|region| region.id == self.region).map_or(0, |region| region.seat)
    }
}

/// A region in the list.
pub struct RegionView {
    /// Names it in orders.
    pub id: RegionId,
    /// Human name.
    pub name: String,
    /// Its place in the player.
    pub seat: usize,
    /// Silent, and the track is heard as it is.
    pub muted: bool,
    /// Where its take lies in the song: start and end.
    pub span: Option<(Beats, Beats)>,
    /// How many variations it has.
    pub variations: usize,
    /// A capture that is under way belongs to it.
    pub capturing: bool,
}

/// What a user corrected about the melody.
#[derive(Default)]
pub struct CorrectionsView {
    /// The name of each note of the analysis, to correct it by.
    pub ids: Arc<[NoteId]>,
    /// Whether a note of the analysis is other than it was heard.
    pub changed: Arc<[bool]>,
    /// Corrections in force.
    pub count: usize,
    /// The last of them can be taken back.
    pub can_undo: bool,
    /// One that was taken back can be made again.
    pub can_redo: bool,
}

/// A variation in the list.
pub struct VariationView {
    /// Names it in orders.
    pub id: u64,
    /// Human name.
    pub name: String,
    /// Kept by the user.
    pub starred: bool,
    /// It sounds as an older Cantus saved it; this one would play it differently, when told to render it anew.
    pub as_saved: bool,
    /// How far it is.
    pub status: VariationStatus,
}

/// How far a variation is.
pub enum VariationStatus {
    /// Being made.
    Pending(Progress),
    /// Done.
    Ready(Arc<Rendition>),
    /// Known by its notes; select it to hear it.
    Silent,
    /// It could not be made, and why.
    Failed(String),
}

impl Instance {
    /// What the window shows now.
    pub fn view(&self) -> View {
        let ear = self.ear.lock().as_ref().map(crate::capture::collector::Ear::snapshot);
        let passes = self.passes();
        let state = self.shared.state.lock();
        let region = state.chosen();
        View {
            prompt: state.prompt.clone(),
            engine: state.engine.clone(),
            direction: state.direction.clone(),
            song: state.song.clone(),
            ear,
            regions: state.regions().iter().map(|region| region.view(state.capturing)).collect(),
            region: region.id,
            take: region.take.as_ref().map(|current| current.take.clone()),
            analysis: region.corrected.as_ref().map(|corrected| corrected.melody.analysis.clone()),
            corrections: region.corrections(),
            analysing: region.analysis_job.as_ref().filter(|job| !job.is_over()).map(JobHandle::progress),
            variations: region
                .variations
                .iter()
                .map(|variation| VariationView {
                    id: variation.id,
                    name: variation.name.clone(),
                    starred: variation.starred,
                    as_saved: state.as_saved.contains(&variation.id),
                    status: match &variation.stage {
                        VariationStage::Pending(job) => VariationStatus::Pending(job.progress()),
                        VariationStage::Ready(rendition) => VariationStatus::Ready(rendition.clone()),
                        VariationStage::Silent(_) => VariationStatus::Silent,
                        VariationStage::Failed(message) => VariationStatus::Failed(message.clone()),
                    },
                })
                .collect(),
            active: region.active,
            last_deleted: state.last_deleted(),
            messages: state.messages.iter().cloned().collect(),
            recovered: state.recovered.iter().map(Recovered::describe).collect(),
            player: state.connection.as_ref().map(|connection| connection.telemetry.clone()),
            rate: state.connection.as_ref().map(|connection| connection.rate),
            exported: state.exported.clone(),
            prepared: state.prepared_files(),
            session_bytes: self.shared.session_bytes(&state),
            embed_sound: !state.without_sound,
            passes,
            measured_offset: state.measured_offset,
            comparing: state.comparing,
        }
    }
}

impl Region {
    fn view(&self, capturing: Option<RegionId>) -> RegionView {
        let span = self.take.as_ref().map(|current| {
            let start = current.take.grid.start;
            (start, start + current.take.length)
        });
        RegionView {
            id: self.id,
            name: self.name.clone(),
            seat: self.seat,
            muted: self.muted,
            span,
            variations: self.variations.len(),
            capturing: capturing == Some(self.id),
        }
    }
}
