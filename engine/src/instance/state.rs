//! Thread: gui, worker. What an instance knows, behind one short lock that the audio thread never takes.

use super::recovered::Recovered;
use super::region::{Region, RegionId, free_seat};
use crate::audio::AudioBuffer;
use crate::capture::loopback::MeasuredOffset;
use crate::capture::take::Take;
use crate::generation::direction::Direction;
use crate::generation::{EngineKind, Recipe};
use crate::jobs::lanes::JobHandle;
use crate::playback::handoff::ClipSender;
use crate::playback::player::{MOST_REGIONS, PlayerTelemetry};
use crate::playback::standing::Standing;
use crate::rendition::Rendition;
use crate::session::container::Chunk;
use crate::session::packed::PackedAudio;
use crate::session::{SongSheet, VariationFacts};
use crate::time::{SampleRate, SongGrid};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

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
    /// The rendition of before, when the one that is there now has the very same mix in the same place.
    pub same_mix: Option<Weak<Rendition>>,
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
    /// One a seat.
    pub senders: [ClipSender; MOST_REGIONS],
    pub telemetry: Arc<PlayerTelemetry>,
    pub rate: SampleRate,
    /// What the audio thread must know of the regions.
    pub standing: Arc<Standing>,
}

/// Everything an instance knows.
pub(crate) struct State {
    pub prompt: String,
    pub engine: EngineKind,
    /// What the musician tells the band.
    pub direction: Direction,
    /// The song around the melodies.
    pub song: SongSheet,
    /// The places of the song, in the order they are shown; at least one.
    pub(super) regions: Vec<Region>,
    /// The one that orders speak of.
    pub(super) chosen: RegionId,
    /// Where the capture that is under way belongs, whatever is chosen meanwhile.
    pub capturing: Option<RegionId>,
    /// Variations that were deleted, the newest last.
    pub(super) deleted: Vec<super::again::Deleted>,
    /// The ear's numbers of the takes that arrived lately, and ours: what is heard after a take finds it by that.
    pub heard: VecDeque<(u64, u64)>,
    /// The input offset as it was measured last.
    pub measured_offset: Option<MeasuredOffset>,
    pub next_id: u64,
    pub messages: VecDeque<String>,
    pub recovered: Vec<Recovered>,
    /// What was recovered and is in use: its files are kept until the instance goes.
    pub restored: Vec<Recovered>,
    /// The project holds notes, and sound only of what cannot be played again.
    pub without_sound: bool,
    /// Variations that sound as they were saved, and would sound otherwise if they were played again.
    pub as_saved: Vec<u64>,
    /// Files for dragging.
    pub files: super::files::Files,
    pub connection: Option<Connection>,
    pub exported: Option<std::path::PathBuf>,
    /// The takes themselves are heard in place of their renditions.
    pub comparing: bool,
    pub unknown: Vec<Chunk>,
}

impl Default for State {
    fn default() -> Self {
        let id = RegionId(1);
        Self {
            prompt: String::new(),
            engine: EngineKind::default(),
            direction: Direction::default(),
            song: SongSheet::default(),
            regions: vec![Region { id, name: "Region 1".to_owned(), ..Region::default() }],
            chosen: id,
            capturing: None,
            deleted: Vec::new(),
            heard: VecDeque::new(),
            measured_offset: None,
            next_id: 1,
            messages: VecDeque::new(),
            recovered: Vec::new(),
            restored: Vec::new(),
            without_sound: false,
            as_saved: Vec::new(),
            files: super::files::Files::default(),
            connection: None,
            exported: None,
            comparing: false,
            unknown: Vec::new(),
        }
    }
}

/// Messages the window shows at most.
const MOST_MESSAGES: usize = 64;

impl State {
    /// A number no take or variation of this session has.
    pub fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Keeps the packed form of a take, unless another has taken its place.
    pub fn keep_packed_take(&mut self, take: &Arc<Take>, packed: PackedAudio) {
        let mut takes = self.regions.iter_mut().filter_map(|region| region.take.as_mut());
        if let Some(current) = takes.find(|current| Arc::ptr_eq(&current.take, take)) {
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

    /// A variation of any region.
    pub fn variation(&mut self, id: u64) -> Option<&mut Variation> {
        self.regions.iter_mut().flat_map(|region| &mut region.variations).find(|variation| variation.id == id)
    }

    /// The region that has a variation.
    pub fn region_of(&mut self, variation: u64) -> Option<&mut Region> {
        self.regions.iter_mut().find(|region| region.variations.iter().any(|one| one.id == variation))
    }

    /// The regions, in the order they are shown.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The regions, to be changed one by one.
    pub fn regions_mut(&mut self) -> &mut [Region] {
        &mut self.regions
    }

    /// A region.
    pub fn region(&mut self, id: RegionId) -> Option<&mut Region> {
        self.regions.iter_mut().find(|region| region.id == id)
    }

    /// The region that orders speak of.
    pub fn chosen(&self) -> &Region {
        // PANIC: there is always one, see `add_region`, `remove_region` and `replace_regions`.
        self.regions.iter().find(|region| region.id == self.chosen).unwrap_or(&self.regions[0])
    }

    /// The region that orders speak of, to be changed.
    pub fn chosen_mut(&mut self) -> &mut Region {
        let place = self.regions.iter().position(|region| region.id == self.chosen).unwrap_or(0);
        // PANIC: as in `chosen`.
        &mut self.regions[place]
    }

    /// Lets orders speak of another region; false when there is none of that name.
    pub fn choose(&mut self, id: RegionId) -> bool {
        let there = self.regions.iter().any(|region| region.id == id);
        if there {
            self.chosen = id;
        }
        there
    }

    /// Adds an empty region behind the others and chooses it; `None` when there are as many as can be.
    pub fn add_region(&mut self) -> Option<RegionId> {
        let seat = free_seat(&self.regions)?;
        let id = RegionId(self.fresh_id());
        let named = |number: usize| format!("Region {number}");
        let taken = |name: &String| self.regions.iter().any(|region| region.name == *name);
        let name = (self.regions.len() + 1..).map(named).find(|name| !taken(name)).unwrap_or_default();
        self.regions.push(Region { id, name, seat, ..Region::default() });
        self.chosen = id;
        Some(id)
    }

    /// Takes a region out, and puts an empty one in the place of the last.
    pub fn remove_region(&mut self, id: RegionId) -> Option<Region> {
        let place = self.regions.iter().position(|region| region.id == id)?;
        let removed = self.regions.remove(place);
        if self.regions.is_empty() {
            let id = RegionId(self.fresh_id());
            self.regions.push(Region { id, name: "Region 1".to_owned(), seat: removed.seat, ..Region::default() });
        }
        if self.chosen == id {
            let next = place.min(self.regions.len() - 1);
            self.chosen = self.regions[next].id;
        }
        Some(removed)
    }

    /// Puts other regions in the place of all, the chosen one by its place. None at all changes nothing: there is always one.
    pub fn replace_regions(&mut self, regions: Vec<Region>, chosen: usize) {
        if regions.is_empty() {
            return;
        }
        self.chosen = regions.get(chosen).unwrap_or(&regions[0]).id;
        self.regions = regions;
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
}
