//! Thread: gui. Opening a saved session in place of what an instance holds.

use super::region::{Region, RegionId};
use super::state::{CurrentTake, State, Variation, VariationStage};
use super::{Notice, Shared};
use crate::audio::AudioBuffer;
use crate::capture::take::Take;
use crate::error::Result;
use crate::jobs::cache::InputHash;
use crate::jobs::pipeline::Melody;
use crate::playback::player::MOST_REGIONS;
use crate::rendition::Rendition;
use crate::session::packed::PackedAudio;
use crate::session::{SavedRegion, SavedVariation, Session};
use crate::time::SongGrid;
use std::borrow::Cow;
use std::sync::Arc;

/// Sound that is there already. Undo in a host opens states that differ little from what there is.
pub(super) enum Known {
    Take(Option<PackedAudio>, Arc<Take>),
    Variation(u64, Option<PackedAudio>, Arc<Rendition>, Option<Arc<Rendition>>),
}

impl Shared {
    /// Replaces everything by a saved session. What sounds the same before and after goes on sounding.
    ///
    /// # Errors
    /// [`crate::Error::Session`] when a recording in it cannot be unpacked; nothing is changed then.
    pub(super) fn restore(self: &Arc<Self>, session: Session) -> Result<()> {
        let known = self.state.lock().known_sounds();
        let saved = session.regions.into_iter().take(MOST_REGIONS);
        let regions: Vec<Region> = saved.map(|region| unpacked(region, &known)).collect::<Result<_>>()?;
        self.cancel_everything();
        let mut state = self.state.lock();
        let playing: Vec<(usize, u64)> = state.regions().iter().filter_map(Region::playing).collect();
        let mut fresh = State {
            prompt: session.prompt,
            engine: session.engine,
            direction: session.direction,
            song: session.song,
            without_sound: session.without_sound,
            unknown: session.unknown,
            // Numbers go on, so that a result of before never meets another variation of now.
            next_id: state.next_id,
            connection: state.connection.take(),
            recovered: std::mem::take(&mut state.recovered),
            restored: std::mem::take(&mut state.restored),
            files: std::mem::take(&mut state.files),
            ..State::default()
        };
        let mut numbered = Vec::new();
        let mut used = Vec::new();
        for (seat, mut region) in regions.into_iter().enumerate() {
            region.id = RegionId(fresh.fresh_id());
            region.seat = seat;
            region.renumber(|variation| {
                // What is there already keeps the number it has.
                let same = known.iter().find_map(|sound| sound.number_of(variation)).filter(|id| !used.contains(id));
                let id = same.unwrap_or_else(|| fresh.fresh_id());
                used.push(id);
                id
            });
            numbered.push(region);
        }
        let goes_on: Vec<(usize, u64)> =
            numbered.iter().filter_map(Region::playing).filter(|now| playing.contains(now)).collect();
        let rate = fresh.connection.as_ref().map(|connection| connection.rate);
        let settled = numbered.iter().filter(|region| {
            let on = region.playing().is_some_and(|now| goes_on.contains(&now));
            // One whose stems are still missing asks for them again.
            on && region.active_rendition().is_some_and(|one| Some(one.rate()) == rate && one.has_its_parts())
        });
        let settled: Vec<RegionId> = settled.map(|region| region.id).collect();
        let silent = numbered.iter().filter(|region| region.is_silent()).count();
        fresh.replace_regions(numbered, session.chosen);
        if silent > 0 {
            fresh.say("The project holds notes without their sound: this Cantus plays them again.".to_owned());
        }
        *state = fresh;
        if let Some(connection) = &mut state.connection {
            for (seat, sender) in connection.senders.iter_mut().enumerate() {
                if goes_on.iter().all(|(other, _)| *other != seat) {
                    sender.send(None);
                }
            }
        }
        drop(state);
        self.opened();
        self.catch_up_but(&settled);
        (self.notice)(Notice::Repaint);
        Ok(())
    }
}

impl State {
    fn known_sounds(&self) -> Vec<Known> {
        let takes = self.regions().iter().filter_map(|region| region.take.as_ref());
        let takes = takes.map(|take| Known::Take(take.packed.clone(), take.take.clone()));
        let variations = self.regions().iter().flat_map(|region| &region.variations);
        let variations = variations.filter_map(|one| {
            Some(Known::Variation(one.id, one.packed.clone(), one.rendition()?, one.original.clone()))
        });
        takes.chain(variations).collect()
    }
}

impl Known {
    /// The number of a variation that was made of this sound.
    fn number_of(&self, variation: &Variation) -> Option<u64> {
        let (Self::Variation(id, _, rendition, _), VariationStage::Ready(now)) = (self, &variation.stage) else {
            return None;
        };
        Arc::ptr_eq(rendition, now).then_some(*id)
    }

    fn take(&self, saved: &PackedAudio) -> Option<Arc<Take>> {
        match self {
            Self::Take(packed, take) if is_of(saved, packed.as_ref(), || Cow::Owned(take.whole_audio())) => {
                Some(take.clone())
            }
            _ => None,
        }
    }

    /// The rendition as it is, and as it was made, when a saved variation is this very one.
    fn rendition(&self, saved: &SavedVariation) -> Option<(Arc<Rendition>, Option<Arc<Rendition>>)> {
        let Self::Variation(_, packed, rendition, original) = self else { return None };
        let kept = original.as_ref().unwrap_or(rendition);
        let placed = saved.facts.region == kept.region && is_near(&saved.facts.grid, &kept.grid);
        let same =
            placed && saved.mix.as_ref().is_some_and(|mix| is_of(mix, packed.as_ref(), || Cow::Borrowed(&kept.mix)));
        same.then(|| (rendition.clone(), original.clone()))
    }
}

/// Whether saved audio is that of a buffer, which is only looked at when it is not packed yet.
fn is_of<'a>(saved: &PackedAudio, packed: Option<&PackedAudio>, audio: impl FnOnce() -> Cow<'a, AudioBuffer>) -> bool {
    match packed {
        Some(packed) => saved == packed,
        None => saved.unpack().is_ok_and(|saved| saved == *audio()),
    }
}

/// Whether two grids are one: times may be rounded in their last digit on their way through text.
fn is_near(a: &SongGrid, b: &SongGrid) -> bool {
    const HAIR: f64 = 1e-9;
    let near = |a: f64, b: f64| (a - b).abs() <= HAIR * a.abs().max(1.0);
    let (one, other) = (a.tempo.points(), b.tempo.points());
    near(a.start.0, b.start.0)
        && near(a.start_seconds.0, b.start_seconds.0)
        && a.metre == b.metre
        && one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| near(a.at.0, b.at.0) && near(a.tempo.0, b.tempo.0))
}

impl Region {
    /// Its seat and what plays there.
    fn playing(&self) -> Option<(usize, u64)> {
        self.active_rendition().filter(|_| !self.muted)?;
        Some((self.seat, self.active?))
    }

    /// It should sound, but only its notes are there.
    fn is_silent(&self) -> bool {
        let active = self.variations.iter().find(|one| Some(one.id) == self.active);
        active.is_some_and(|one| matches!(one.stage, VariationStage::Silent(_)))
    }
}

/// A region as it was saved, still with the numbers it was saved with. What is known already is not unpacked again.
pub(super) fn unpacked(saved: SavedRegion, known: &[Known]) -> Result<Region> {
    let mut region = Region { name: saved.name, muted: saved.muted, active: saved.active, ..Region::default() };
    if let Some(saved_take) = saved.take {
        let same = known.iter().find_map(|sound| sound.take(&saved_take.audio));
        let audio = match same {
            Some(take) => take.whole_audio(),
            None => saved_take.audio.unpack()?,
        };
        let take = saved_take.facts.with_audio(audio);
        let input = InputHash::of_take(&take);
        region.take = Some(CurrentTake { take: Arc::new(take), packed: small(saved_take.audio) });
        region.edits = saved.edits;
        if let Some(analysis) = saved.analysis {
            // What was read was fitted to this very analysis: nothing is lost now.
            region.hear(Melody { input, analysis: Arc::new(analysis), analysis_ms: 0.0 });
        }
    }
    for saved in saved.variations {
        let same = known.iter().find_map(|sound| sound.rendition(&saved));
        let facts = saved.facts;
        let (id, name, recipe, starred) = (facts.id, facts.name.clone(), facts.recipe.clone(), facts.starred);
        let (stage, original) = match (same, &saved.mix) {
            (Some((rendition, original)), _) => (VariationStage::Ready(rendition), original),
            (None, Some(packed)) => {
                let rendition = Arc::new(facts.with_mix(packed.unpack()?));
                let original = rendition.made.is_some().then(|| rendition.clone());
                (VariationStage::Ready(rendition), original)
            }
            (None, None) => (VariationStage::Silent(Box::new(facts)), None),
        };
        region.variations.push(Variation {
            id,
            name,
            recipe,
            starred,
            stage,
            original,
            packed: saved.mix.and_then(small),
            same_mix: None,
        });
    }
    Ok(region)
}

/// What was saved in haste is packed again.
fn small(packed: PackedAudio) -> Option<PackedAudio> {
    (!packed.is_plain()).then_some(packed)
}
