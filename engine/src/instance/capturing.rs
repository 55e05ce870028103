//! Thread: gui, collector, worker. Orders about captures beyond arming: recalling, passes of a loop, trimming, files in the song, and the
//! input offset.

use super::region::RegionId;
use super::state::{CurrentTake, State};
use super::{Instance, Notice, Shared};
use crate::capture::collector::{CaptureMode, Ear};
use crate::capture::cut::Recall;
use crate::capture::file::read_take;
use crate::capture::loopback::MeasuredOffset;
use crate::capture::passes::PassFacts;
use crate::capture::place::{self, Place};
use crate::capture::take::Take;
use crate::capture::transport::TransportStamp;
use crate::capture::trim::Tail;
use crate::error::Result;
use crate::jobs::lanes::{Job, Lane, Priority};
use crate::time::{Beats, Bpm, Metre};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Takes whose tail may still be on its way: passes of short loops follow each other quickly.
const MOST_TAILS: usize = 16;

impl Instance {
    /// Makes what was just hummed the take of the chosen region, whether the song plays or not. What was done is said.
    pub fn recall(&self, what: Recall) {
        self.with_ear(|ear| ear.recall(what));
    }

    /// Ends a capture and keeps what is there.
    pub fn stop_capture(&self) {
        self.with_ear(Ear::stop);
    }

    /// The passes of the loop that was captured last, oldest first.
    pub fn passes(&self) -> Vec<PassFacts> {
        self.ear.lock().as_ref().map(Ear::passes).unwrap_or_default()
    }

    /// Makes an earlier pass of the loop the take; later ones replace it no more.
    pub fn choose_pass(&self, number: u32) {
        self.with_ear(|ear| ear.choose_pass(number));
    }

    /// Arms in a mode whenever the song begins to play, or no longer. The shell's parameter says so at every change.
    pub fn set_auto_arm(&self, mode: Option<CaptureMode>) {
        self.with_ear(|ear| ear.set_auto_arm(mode));
    }

    /// Bars that are counted before a take begins, 0 to 4.
    pub fn set_count_in(&self, bars: u32) {
        self.with_ear(|ear| ear.set_count_in(bars));
    }

    /// Sounds four quiet clicks and measures when they come back. [`super::view::View::measured_offset`] tells what came of it.
    pub fn measure_offset(&self) {
        self.shared.state.lock().measured_offset = None;
        self.with_ear(Ear::measure_offset);
    }

    /// Opens a sound or MIDI file as the take of the chosen region, at a place in the song and on the host's grid there. `tempo` is the
    /// file's own where it is known.
    pub fn place_file_at(&self, path: PathBuf, tempo: Option<Bpm>, metre: Metre, at: Place) {
        let song = self.ear.lock().as_ref().map_or_else(TransportStamp::default, |ear| ear.snapshot().stamp);
        self.open(path, tempo, metre, move |take| place::place(take, place::position(at, &song), &song));
    }

    /// Makes what is made of a file the take of the region that is chosen now.
    pub(super) fn open(
        &self,
        path: PathBuf,
        tempo: Option<Bpm>,
        metre: Metre,
        made: impl FnOnce(Take) -> Take + Send + 'static,
    ) {
        let region = self.shared.state.lock().chosen().id;
        let weak = Arc::downgrade(&self.shared);
        self.shared.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: Some(self.shared.key("open")),
            work: Box::new(move |context| {
                let take = made(read_take(&path, tempo, metre)?);
                context.check()?;
                if let Some(shared) = weak.upgrade() {
                    shared.take_arrived(Some(region), take);
                }
                Ok(())
            }),
            done: self.shared.report_failure(),
        });
    }

    /// Makes another piece of the same recording the take of the chosen region, between two song positions. The margins stay, so that
    /// [`Self::untrim_take`] takes it back. The melody is heard anew.
    ///
    /// # Errors
    /// [`crate::error::Error::OutOfRange`] when less than 50 ms would be left.
    pub fn trim_take(&self, start: Beats, end: Beats) -> Result<()> {
        self.shared.cut_take(|take| take.trimmed(start, end))
    }

    /// Takes all trimming of the chosen region's take back.
    pub fn untrim_take(&self) {
        // It cannot fail: what was captured is there.
        let _ = self.shared.cut_take(|take| Ok(take.untrimmed()));
    }
}

impl State {
    /// A number for a take that arrives, and a note of the ear's own, by which its tail will find it.
    pub(super) fn heard_as(&mut self, number: u64) -> u64 {
        let id = self.fresh_id();
        if number > 0 {
            self.heard.push_back((number, id));
            while self.heard.len() > MOST_TAILS {
                self.heard.pop_front();
            }
        }
        id
    }

    fn take(&self, id: u64) -> Option<&CurrentTake> {
        self.regions().iter().filter_map(|region| region.take.as_ref()).find(|current| current.take.id == id)
    }
}

impl Shared {
    /// Thread: collector. What was just hummed belongs to the region that is chosen now, whatever else is being captured.
    pub(super) fn recalled(self: &Arc<Self>, take: Take) {
        let remarks = take.remarks.clone();
        self.take_arrived(None, take);
        remarks.into_iter().for_each(|remark| self.say(remark));
    }

    /// Thread: collector. Adds what was heard after a take to its margin, on a worker: a take can be long.
    pub(super) fn tail_arrived(self: &Arc<Self>, tail: Tail) {
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Normal,
            delay: Duration::ZERO,
            key: None,
            work: Box::new(move |context| {
                while let Some(shared) = weak.upgrade() {
                    context.check()?;
                    if shared.add_tail(&tail) {
                        break;
                    }
                }
                Ok(())
            }),
            done: Box::new(|_| ()),
        });
    }

    /// False when the take became another one meanwhile.
    fn add_tail(&self, tail: &Tail) -> bool {
        let state = self.state.lock();
        let known = state.heard.iter().rev().find(|(number, _)| *number == tail.capture);
        let Some(take) = known.and_then(|&(_, id)| state.take(id)).map(|current| current.take.clone()) else {
            return true;
        };
        drop(state);
        let longer = Arc::new((*take).clone().with_tail(tail));
        if !self.exchange(&take, &longer) {
            return false;
        }
        (self.notice)(Notice::Dirty);
        true
    }

    /// Puts a take in the place of one with the same melody.
    fn exchange(&self, old: &Arc<Take>, new: &Arc<Take>) -> bool {
        let mut state = self.state.lock();
        let takes = state.regions_mut().iter_mut().filter_map(|region| region.take.as_mut());
        let mut same = takes.filter(|current| Arc::ptr_eq(&current.take, old));
        let Some(current) = same.next() else { return false };
        *current = CurrentTake { take: new.clone(), packed: None };
        true
    }

    fn cut_take(self: &Arc<Self>, cut: impl FnOnce(&Take) -> Result<Take>) -> Result<()> {
        let mut state = self.state.lock();
        let region: RegionId = state.chosen().id;
        let Some(old) = state.chosen().take.as_ref().map(|current| current.take.clone()) else { return Ok(()) };
        let mut new = cut(&old)?;
        if new == *old {
            return Ok(());
        }
        // Another piece is another melody, and so another take.
        new.id = state.fresh_id();
        for (_, id) in state.heard.iter_mut().filter(|(_, id)| *id == old.id) {
            *id = new.id;
        }
        let new = Arc::new(new);
        let chosen = state.chosen_mut();
        chosen.take = Some(CurrentTake { take: new.clone(), packed: None });
        chosen.forget_melody();
        drop(state);
        (self.notice)(Notice::Dirty);
        self.analyse(region, new);
        Ok(())
    }

    /// Thread: collector.
    pub(super) fn offset_measured(self: &Arc<Self>, measured: MeasuredOffset) {
        self.state.lock().measured_offset = Some(measured);
        let (offset_ms, percent) = (measured.offset.0 * 1e3, measured.confidence * 100.0);
        self.say(format!("The input comes {offset_ms:.1} ms after the song (sure to {percent:.0} %)."));
    }
}
