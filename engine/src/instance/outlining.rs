//! Thread: gui, worker. What a project saves of an instance, with large parts that are made once.

use super::Shared;
use super::region::Region;
use super::state::{Variation, VariationStage};
use crate::analysis::Analysis;
use crate::capture::take::Take;
use crate::error::Result;
use crate::rendition::Rendition;
use crate::session::outline::{Notes, Outline, OutlineRegion, OutlineVariation, melody_name};
use crate::session::packed::PackedAudio;
use crate::session::piece::Piece;
use crate::session::{TakeFacts, VariationFacts};
use crate::time::SongGrid;
use std::sync::{Arc, Weak};

/// Parts of sessions that were made before.
#[derive(Default)]
pub(crate) struct Pieces {
    /// The notes of a variation. They are the same as long as they lie on the same grid.
    notes: Vec<(u64, SongGrid, Piece)>,
    /// An analysis, and the name of its melody.
    heard: Vec<(Weak<Analysis>, (Piece, u64))>,
}

/// Where the notes of a variation are.
enum Holder {
    Rendition(Arc<Rendition>),
    /// What a variation without sound holds; only copied when it has not become a piece yet.
    Facts(Box<VariationFacts>),
    /// A piece that is there.
    Piece(Option<Piece>),
}

/// A region as it was at one moment.
struct Moment {
    name: String,
    muted: bool,
    take: Option<(Arc<Take>, Option<PackedAudio>)>,
    heard: Option<Arc<Analysis>>,
    edits: crate::analysis::edit::EditHistory,
    variations: Vec<(VariationFacts, Holder, Option<Sound>)>,
    active: Option<u64>,
}

/// The sound of a variation that is saved.
enum Sound {
    Packed(PackedAudio),
    Unpacked(Arc<Rendition>),
}

impl Shared {
    /// What a project saves now. In haste, what is not packed is taken as it is; else it is made as small as may be, and kept.
    pub(super) fn outline(&self, haste: bool) -> Result<Outline> {
        let state = self.state.lock();
        let embed = !state.without_sound;
        let moments: Vec<Moment> = state.regions().iter().map(|region| self.moment(region, embed)).collect();
        let chosen = state.regions().iter().position(|region| region.id == state.chosen().id).unwrap_or(0);
        let outline = Outline {
            prompt: state.prompt.clone(),
            engine: state.engine.clone(),
            direction: state.direction.clone(),
            song: state.song.clone(),
            without_sound: state.without_sound,
            regions: Vec::new(),
            chosen,
            unknown: state.unknown.clone(),
        };
        // Workers and the collector need the lock.
        drop(state);
        let regions: Vec<OutlineRegion> =
            moments.into_iter().map(|moment| self.outlined(moment, haste)).collect::<Result<_>>()?;
        if !haste {
            let mut pieces = self.pieces.lock();
            let used = |id: u64| regions.iter().flat_map(|region| &region.variations).any(|one| one.facts.id == id);
            pieces.notes.retain(|(id, ..)| used(*id));
            pieces.heard.retain(|(analysis, _)| analysis.strong_count() > 0);
        }
        Ok(Outline { regions, ..outline })
    }

    /// Bytes that the session takes in a project, as far as its parts are made: four letters stand for three bytes.
    pub(super) fn session_bytes(&self, state: &super::state::State) -> u64 {
        let embed = !state.without_sound;
        let mut bytes = 0;
        for region in state.regions() {
            bytes +=
                region.take.as_ref().and_then(|take| take.packed.as_ref()).map_or(0, |packed| packed.bytes().len());
            let kept = region.variations.iter().filter(|one| region.keeps_sound_of(one, embed));
            bytes += kept.filter_map(|one| Some(one.packed.as_ref()?.bytes().len())).sum::<usize>();
        }
        let pieces = self.pieces.lock();
        let notes = pieces.notes.iter().map(|(.., piece)| piece);
        bytes += notes
            .chain(pieces.heard.iter().map(|(_, (piece, _))| piece))
            .map(|piece| piece.chunk().bytes.len())
            .sum::<usize>();
        bytes as u64 * 4 / 3
    }

    fn moment(&self, region: &Region, embed: bool) -> Moment {
        let variations = region.variations.iter().filter_map(|one| {
            let (facts, kept) = one.light_facts()?;
            let known = self.known_notes(facts.id, &facts.grid);
            let holder = match (&known, &kept, &one.stage) {
                (Some(piece), ..) => Holder::Piece(Some(piece.clone())),
                (None, Some(kept), _) => Holder::Rendition(kept.clone()),
                (None, None, VariationStage::Silent(silent)) => Holder::Facts(silent.clone()),
                (None, None, _) => Holder::Piece(None),
            };
            let sound = kept.filter(|_| region.keeps_sound_of(one, embed)).map(|kept| match &one.packed {
                Some(packed) => Sound::Packed(packed.clone()),
                None => Sound::Unpacked(kept),
            });
            Some((facts, holder, sound))
        });
        Moment {
            name: region.name.clone(),
            muted: region.muted,
            take: region.take.as_ref().map(|current| (current.take.clone(), current.packed.clone())),
            heard: region.melody.as_ref().map(|melody| melody.analysis.clone()),
            edits: region.edits.clone(),
            variations: variations.collect(),
            active: region.active,
        }
    }

    fn known_notes(&self, id: u64, grid: &SongGrid) -> Option<Piece> {
        let pieces = self.pieces.lock();
        pieces.notes.iter().find(|(other, on, _)| *other == id && on == grid).map(|(.., piece)| piece.clone())
    }

    fn outlined(&self, moment: Moment, haste: bool) -> Result<OutlineRegion> {
        let audio = |sound: &crate::audio::AudioBuffer| {
            if haste { PackedAudio::plain(sound) } else { PackedAudio::pack(sound) }
        };
        let variation = |(facts, holder, sound): (VariationFacts, Holder, Option<Sound>)| -> Result<OutlineVariation> {
            let mix = sound.map(|sound| match sound {
                Sound::Packed(packed) => packed,
                Sound::Unpacked(rendition) => audio(&rendition.mix),
            });
            let notes = match &holder {
                Holder::Piece(piece) => piece.clone(),
                Holder::Rendition(of) => self.written(&facts, (of.score.as_ref(), of.made.as_ref()), haste)?,
                Holder::Facts(of) => self.written(&facts, (of.score.as_ref(), of.made.as_ref()), haste)?,
            };
            Ok(OutlineVariation { facts, notes, mix })
        };
        Ok(OutlineRegion {
            name: moment.name,
            muted: moment.muted,
            take: moment
                .take
                .map(|(take, packed)| (TakeFacts::of(&take), packed.unwrap_or_else(|| audio(&take.whole_audio())))),
            heard: moment.heard.map(|analysis| self.written_analysis(&analysis, haste)).transpose()?,
            edits: moment.edits,
            variations: moment.variations.into_iter().map(variation).collect::<Result<_>>()?,
            active: moment.active,
        })
    }

    fn written(
        &self,
        facts: &VariationFacts,
        (score, made): (Option<&crate::generation::score::Score>, Option<&crate::rendition::audio::AudioMade>),
        haste: bool,
    ) -> Result<Option<Piece>> {
        if score.is_none() && made.is_none() {
            return Ok(None);
        }
        let notes = Notes { score, made };
        if haste {
            return Piece::hasty(&notes).map(Some);
        }
        let piece = Piece::of(&notes)?;
        let mut pieces = self.pieces.lock();
        pieces.notes.retain(|(id, ..)| *id != facts.id);
        pieces.notes.push((facts.id, facts.grid.clone(), piece.clone()));
        Ok(Some(piece))
    }

    fn written_analysis(&self, analysis: &Arc<Analysis>, haste: bool) -> Result<(Piece, u64)> {
        let of = Arc::downgrade(analysis);
        let known =
            self.pieces.lock().heard.iter().find(|(other, _)| other.ptr_eq(&of)).map(|(_, known)| known.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let piece = if haste { Piece::hasty(&**analysis)? } else { Piece::of(&**analysis)? };
        let named = (piece, melody_name(analysis));
        if !haste {
            self.pieces.lock().heard.push((of, named.clone()));
        }
        Ok(named)
    }
}

impl Variation {
    /// What a project saves of it without its notes, and the rendition it saves; nothing while it has no notes yet.
    fn light_facts(&self) -> Option<(VariationFacts, Option<Arc<Rendition>>)> {
        let kept = self.kept();
        let (grid, region, fidelity, loudness, timings) = match (&kept, &self.stage) {
            (Some(kept), _) => (kept.grid.clone(), kept.region, kept.fidelity, kept.loudness, kept.timings),
            (None, VariationStage::Silent(silent)) => {
                (silent.grid.clone(), silent.region, silent.fidelity, silent.loudness, silent.timings)
            }
            _ => return None,
        };
        let facts = VariationFacts {
            id: self.id,
            name: self.name.clone(),
            recipe: self.recipe.clone(),
            starred: self.starred,
            score: None,
            grid,
            region,
            fidelity,
            loudness,
            timings,
            made: None,
        };
        Some((facts, kept))
    }
}
