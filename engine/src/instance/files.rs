//! Thread: gui orders, worker makes. Files of variations, ready before a drag begins.

use super::state::State;
use super::{Instance, Notice, Shared};
use crate::analysis::Key;
use crate::error::Result;
use crate::export;
use crate::export::names::{exports_folder, folder_name};
use crate::export::shelf::{self, Staged, Wanted};
use crate::job_context::JobContext;
use crate::jobs::cache::Cache;
use crate::jobs::lanes::{Job, Lane, Priority};
use crate::jobs::pipeline;
use crate::rendition::Rendition;
use crate::time::{SampleRate, SongGrid};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Files that lie in the visible folder, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedFile {
    /// Of which variation.
    pub variation: u64,
    /// What of it.
    pub wanted: Wanted,
    /// The file, or the folder of [`Wanted::Everything`].
    pub path: PathBuf,
    /// Every file, in the order in which they are to be dragged.
    pub paths: Vec<PathBuf>,
}

/// Files of an instance's variations.
#[derive(Default)]
pub(crate) struct Files {
    /// Whether files are made before anybody wants them.
    ahead: bool,
    /// Where they go; `None` asks the user's settings.
    folder: Option<PathBuf>,
    prepared: Vec<(Of, PreparedFile)>,
    staged: Vec<(Of, Wanted, PathBuf, Vec<Staged>)>,
    /// What is being made.
    orders: Vec<(u64, Wanted)>,
}

/// What files were made of. A variation that was renamed or follows another tempo needs others.
#[derive(Clone, PartialEq)]
struct Of {
    variation: u64,
    name: String,
    grid: SongGrid,
    rate: SampleRate,
}

/// Files of one kind that are remembered.
const MOST_PREPARED: usize = 64;

impl Instance {
    /// Makes the mix and the notes of what plays into files before anybody wants them, out of sight. `folder` is the visible folder in place of the
    /// one the user has settled.
    pub fn stage_files(&self, folder: Option<PathBuf>) {
        let mut state = self.shared.state.lock();
        state.files.ahead = true;
        state.files.folder = folder;
    }

    /// Puts files of a variation into the visible folder, where they stay. What was made ahead is there when this returns; the rest follows
    /// as a job. The result is in [`View::prepared`](super::view::View::prepared).
    pub fn prepare_files(&self, variation: u64, wanted: Wanted) {
        self.shared.prepare_files(variation, wanted);
    }

    /// Files of a variation were dropped into a song. Its region is muted, so that nothing sounds twice, which [`Self::mute_region`] takes
    /// back; a single part cannot mute the others, so that there only a sentence says what to do.
    pub fn dragged_out(&self, variation: u64, wanted: Wanted) {
        let mut state = self.shared.state.lock();
        let Some(region) = state.region_of(variation) else { return };
        let (id, region, muted) = (region.id, region.name.clone(), region.muted);
        let name = state.variation(variation).map(|one| one.name.clone()).unwrap_or_default();
        drop(state);
        if let Wanted::Stem(role) | Wanted::MidiPart(role) = wanted {
            let role = role.name();
            return self
                .tell(format!("The {role} of {name} is in the song. Mute the {role} here, or it sounds twice."));
        }
        if !muted {
            self.mute_region(id, true);
            self.tell(format!(
                "{name} is in the song, so {region} is muted here. Unmute it to hear it from Cantus again."
            ));
        }
    }
}

impl Shared {
    fn prepare_files(self: &Arc<Self>, variation: u64, wanted: Wanted) {
        let mut state = self.state.lock();
        let Some((of, rendition, key)) = source(&mut state, variation) else {
            state.say("This variation is not ready yet: there is nothing to write.".to_owned());
            drop(state);
            return (self.notice)(Notice::Repaint);
        };
        if state.files.prepared.iter().any(|(other, file)| *other == of && file.wanted == wanted && file.is_there()) {
            return;
        }
        let staged = state.files.staged.iter().position(|(other, what, ..)| *other == of && *what == wanted);
        let staged = staged.map(|place| state.files.staged.remove(place));
        if let Some((of, wanted, folder, files)) = staged {
            drop(state);
            // A few renames; the same content that is there already is read once.
            let put = shelf::put(&folder, files);
            return self.put_down(of, wanted, put);
        }
        if state.files.orders.contains(&(variation, wanted)) {
            return;
        }
        state.files.orders.push((variation, wanted));
        let folder = state.files.folder.clone();
        drop(state);
        let Some(tools) = self.tools.get().cloned() else { return };
        let (weak, over) = (Arc::downgrade(self), Arc::downgrade(self));
        let told = self.report_failure();
        let job = self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: None,
            work: Box::new(move |context| {
                let folder = folder.unwrap_or_else(exports_folder);
                let whole = whole(&rendition, &of.name, wanted, &tools.cache, context)?;
                let put = shelf::put(&folder, shelf::stage(&folder, &whole, key, wanted, context)?);
                if let Some(shared) = weak.upgrade() {
                    shared.put_down(of, wanted, put);
                }
                Ok(())
            }),
            done: Box::new(move |result| {
                if let Some(shared) = over.upgrade() {
                    shared.state.lock().files.orders.retain(|order| *order != (variation, wanted));
                }
                told(result);
            }),
        });
        if job.is_none() {
            self.state.lock().files.orders.retain(|order| *order != (variation, wanted));
        }
    }

    /// Writes everything of a variation into a folder of its own below a folder.
    pub(super) fn export(self: &Arc<Self>, id: u64, folder: PathBuf) {
        let Some(tools) = self.tools.get().cloned() else { return };
        let Some((of, rendition, key)) = source(&mut self.state.lock(), id) else { return };
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: None,
            work: Box::new(move |context| {
                let whole = whole(&rendition, &of.name, Wanted::Everything, &tools.cache, context)?;
                let folder = unused(&folder.join(folder_name(&whole, key)));
                export::write_rendition(&folder, &whole, &export::Files { key, ..Default::default() }, context)?;
                if let Some(shared) = weak.upgrade() {
                    let mut state = shared.state.lock();
                    state.say(format!("Exported to {}", folder.display()));
                    state.exported = Some(folder);
                    drop(state);
                    (shared.notice)(Notice::Repaint);
                }
                Ok(())
            }),
            done: self.report_failure(),
        });
    }

    fn put_down(&self, of: Of, wanted: Wanted, put: Result<Vec<PathBuf>>) {
        match put {
            Ok(paths) => {
                let first = paths.first().cloned().unwrap_or_default();
                let path = match wanted {
                    Wanted::Everything => first.parent().map(PathBuf::from).unwrap_or_default(),
                    _ => first,
                };
                let file = PreparedFile { variation: of.variation, wanted, path, paths };
                let prepared = &mut self.state.lock().files.prepared;
                prepared.retain(|(_, other)| (other.variation, other.wanted) != (file.variation, wanted));
                prepared.push((of, file));
                let many = prepared.len();
                prepared.drain(..many.saturating_sub(MOST_PREPARED));
            }
            Err(error) => self.state.lock().say(error.to_string()),
        }
        (self.notice)(Notice::Repaint);
    }

    /// Makes the files of what plays in the chosen region, as far as they are not there. Thread: worker, when nobody waits.
    pub(super) fn stage_ahead(self: &Arc<Self>) {
        let Some(tools) = self.tools.get().cloned() else { return };
        if !self.state.lock().files.ahead {
            return;
        }
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Idle,
            delay: Duration::ZERO,
            key: Some(self.key("ahead")),
            work: Box::new(move |context| {
                for wanted in [Wanted::Mix, Wanted::Midi] {
                    let Some(shared) = weak.upgrade() else { return Ok(()) };
                    let mut state = shared.state.lock();
                    let Some(active) = state.chosen().active else { return Ok(()) };
                    let Some((of, rendition, key)) = source(&mut state, active) else { return Ok(()) };
                    let files = &mut state.files;
                    // What was made of something that does not play any more would only fill the disk.
                    let is_wanted = |other: &Of| *other == of;
                    files.staged.retain(|(other, ..)| is_wanted(other));
                    let made = files.staged.iter().any(|(_, what, ..)| *what == wanted);
                    let there = |(other, file): &(Of, PreparedFile)| is_wanted(other) && file.wanted == wanted;
                    if made || files.prepared.iter().any(there) {
                        continue;
                    }
                    let folder = files.folder.clone();
                    drop(state);
                    let folder = folder.unwrap_or_else(exports_folder);
                    let whole = whole(&rendition, &of.name, wanted, &tools.cache, context)?;
                    // Nobody asked for it: what cannot be made now is told when somebody does.
                    let Ok(staged) = shelf::stage(&folder, &whole, key, wanted, context) else { continue };
                    shared.state.lock().files.staged.push((of, wanted, folder, staged));
                }
                Ok(())
            }),
            done: Box::new(|_| ()),
        });
    }
}

impl PreparedFile {
    fn is_there(&self) -> bool {
        !self.paths.is_empty() && self.paths.iter().all(|path| path.exists())
    }
}

impl State {
    /// The files that are ready for variations as they are now.
    pub fn prepared_files(&self) -> Vec<PreparedFile> {
        let now = |of: &Of| {
            let mut all = self.regions().iter().flat_map(|region| &region.variations);
            all.find(|one| one.id == of.variation).is_some_and(|one| {
                one.name == of.name
                    && one.rendition().is_some_and(|rendition| rendition.grid == of.grid && rendition.rate() == of.rate)
            })
        };
        self.files.prepared.iter().filter(|(of, _)| now(of)).map(|(_, file)| file.clone()).collect()
    }

    /// Files of a variation are not what it is any more.
    pub fn forget_files(&mut self, variation: u64) {
        self.files.prepared.retain(|(of, _)| of.variation != variation);
        self.files.staged.retain(|(of, ..)| of.variation != variation);
    }
}

/// What files of a variation are made of, and the key of its melody.
fn source(state: &mut State, variation: u64) -> Option<(Of, Arc<Rendition>, Option<Key>)> {
    let region = state.region_of(variation)?;
    let key = region.corrected.as_ref().map(|corrected| corrected.melody.analysis.key.key);
    let one = region.variations.iter().find(|one| one.id == variation)?;
    let rendition = one.rendition()?;
    let (name, grid, rate) = (one.name.clone(), rendition.grid.clone(), rendition.rate());
    Some((Of { variation, name, grid, rate }, rendition, key))
}

/// The rendition under its variation's name. One that came from a project has its mix only; its stems are played again where they are wanted.
fn whole(
    rendition: &Arc<Rendition>,
    name: &str,
    wanted: Wanted,
    cache: &Cache,
    context: &JobContext,
) -> Result<Rendition> {
    let missing = !rendition.has_its_parts() && wanted.needs_stems();
    let stems = if missing {
        pipeline::again(rendition, &rendition.grid, rendition.rate(), cache, context)?
            .map_or_else(Vec::new, |again| again.stems.clone())
    } else {
        rendition.stems.clone()
    };
    Ok(Rendition { name: name.to_owned(), stems, ..(**rendition).clone() })
}

/// The folder, or the first of "folder (2)", "folder (3)", … that is not there yet: an export never writes over another.
fn unused(folder: &Path) -> PathBuf {
    let named = |number: u32| PathBuf::from(format!("{} ({number})", folder.display()));
    let mut candidates = std::iter::once(folder.to_owned()).chain((2..1_000).map(named));
    candidates.find(|candidate| !candidate.exists()).unwrap_or_else(|| folder.to_owned())
}
