//! Thread: collector. Takes as they are delivered: complete ones, passes of a loop, what was just hummed, and what is heard afterwards.

use super::{Slot, decibels};
use crate::capture::cut::{self, Cut, Recall, Tailless};
use crate::capture::ear::CaptureEvent;
use crate::capture::passes::PassFacts;
use crate::capture::recall;
use crate::capture::sound::{self, Gate};
use crate::capture::spool::Spool;
use crate::capture::take::Take;
use crate::capture::trim::MARGIN;
use crate::error::Result;

/// Spools of finished takes that are kept at most.
const MOST_SPOOLS: usize = 3;

impl Slot {
    pub(super) fn take_of(&mut self, cut: &Cut) -> Result<Take> {
        self.takes += 1;
        let take = cut::take(&self.history, cut, self.takes)?;
        self.tailless.extend(Tailless::of(&self.history, cut, self.takes));
        Ok(take)
    }

    pub(super) fn has_sound(&self, cut: &Cut) -> bool {
        let (from, to) = cut.audio();
        let frame = |at: i64| u64::try_from(at).unwrap_or(0);
        Gate::of(&self.history).sound(&self.history, frame(from), frame(to)) >= sound::LEAST
    }

    /// A capture is complete, and over.
    pub(super) fn finish(&mut self, cut: &Cut) {
        if self.capture.as_ref().is_some_and(|capture| capture.auto) && !self.has_sound(cut) {
            self.over(CaptureEvent::Ended);
            return;
        }
        let capture = self.capture.take();
        let take = self.take_of(cut);
        self.history.pin(None);
        self.finished_captures += 1;
        let delivered = match take {
            Ok(take) => {
                self.forget_passes();
                self.tell(CaptureEvent::TakeFinished(take))
            }
            Err(error) => {
                self.tell(CaptureEvent::Problem(error.to_string()));
                false
            }
        };
        // A spool whose take nobody got is left on disk, to be offered next time.
        let spool = capture.and_then(|capture| capture.growing?.spool);
        self.keep_spools(spool.filter(|_| delivered));
    }

    /// A pass of the loop is complete, and the capture goes on. The first is the take; later ones are when they have sound.
    pub(super) fn pass_finished(&mut self, cut: &Cut) {
        let has_sound = self.has_sound(cut);
        let take = self.take_of(cut);
        let Some(capture) = &mut self.capture else { return };
        capture.at = cut.end;
        capture.passes += 1;
        let number = capture.passes;
        let first = capture.delivered == 0;
        let deliver = has_sound || first && !capture.auto;
        let spool = capture.growing.take().and_then(|growing| growing.spool);
        self.history.pin(Some(cut.end.saturating_sub(MARGIN.frames(self.history.rate()).0.unsigned_abs())));
        let take = match take {
            // Passes in which nobody sang before the first are nothing to choose from.
            Ok(take) if deliver || !first => take,
            other => {
                spool.into_iter().for_each(Spool::delete);
                if let Err(error) = other {
                    self.tell(CaptureEvent::Problem(error.to_string()));
                }
                return;
            }
        };
        if first {
            self.forget_passes();
        }
        let peak = take.audio.peak();
        let facts = PassFacts {
            number,
            start: take.grid.start,
            seconds: take.audio.length().seconds(take.audio.rate),
            level_dbfs: decibels(peak),
            has_sound,
            is_take: deliver,
        };
        self.passes.add(facts, take.clone(), spool);
        if deliver {
            if let Some(capture) = &mut self.capture {
                capture.delivered += 1;
            }
            self.tell(CaptureEvent::TakeFinished(take));
        }
    }

    pub(super) fn forget_passes(&mut self) {
        let of_take = self.passes.clear();
        self.keep_spools(of_take);
    }

    /// Keeps the spools of the last few takes: the project may not be saved yet.
    fn keep_spools(&mut self, spools: impl IntoIterator<Item = Spool>) {
        self.spools.extend(spools);
        let too_many = self.spools.len().saturating_sub(MOST_SPOOLS);
        self.spools.drain(..too_many).for_each(Spool::delete);
    }

    /// Adds what was heard after takes to them.
    pub(super) fn complete_tails(&mut self, nothing_more: bool) {
        let mut waiting = std::mem::take(&mut self.tailless);
        waiting.retain(|tailless| {
            let Some(tail) = tailless.tail(&self.history, nothing_more) else { return !nothing_more };
            self.passes.add_tail(&tail);
            self.tell(CaptureEvent::TailArrived(tail));
            false
        });
        self.tailless = waiting;
    }

    /// Makes a take of what was just heard.
    pub fn recall(&mut self, what: Recall, at: u64) {
        self.watch();
        let recalled = recall::recall(&self.history, what, at, self.offset_frames());
        let made = recalled.and_then(|(cut, remarks)| Ok((self.take_of(&cut)?, remarks)));
        match made {
            Ok((mut take, remarks)) => {
                self.keep();
                take.remarks = remarks;
                self.tell(CaptureEvent::Recalled(take));
            }
            Err(error) => {
                self.tell(CaptureEvent::Problem(error.to_string()));
            }
        }
    }

    /// Delivers an earlier pass.
    pub fn choose_pass(&mut self, number: u32) {
        let event = match self.passes.choose(number) {
            Some(take) => {
                self.keep();
                CaptureEvent::TakeFinished(take)
            }
            None => CaptureEvent::Problem(format!("Pass {number} of the loop is no longer there. Choose another one.")),
        };
        self.tell(event);
    }
}
