//! Thread: collector. The course of a capture: armed, counted in, growing, over.

use super::{Capture, Growing, SHORTEST_PASS, Slot};
use crate::capture::count_in::{self, Count};
use crate::capture::cut::{self, CaptureMode, Progress};
use crate::capture::ear::CaptureEvent;
use crate::capture::spool::{self, Spool};
use crate::capture::trim::MARGIN;
use crate::time::{Beats, Frames};

impl Slot {
    pub fn arm(&mut self, mode: CaptureMode, at: Option<u64>) {
        self.drop_capture();
        let now = self.history.end();
        self.begin(mode, at.map_or(now, |at| at.clamp(self.history.first(), now)), false);
        self.watch();
    }

    pub(super) fn begin(&mut self, mode: CaptureMode, at: u64, auto: bool) {
        // A loop begins where it begins; there is nothing to count.
        let count_in = if mode == CaptureMode::LoopRegion { 0 } else { self.count_in };
        self.capture = Some(Capture { mode, at, count_in, auto, passes: 0, delivered: 0, growing: None });
        self.tell(CaptureEvent::Armed);
    }

    /// Looks whether an armed take begins or a growing one is complete. One round may bring several passes of a loop.
    pub(super) fn watch(&mut self) {
        while let Some(capture) = &mut self.capture {
            if capture.count_in > 0 {
                let Count::Over(at) = count_in::count(&self.history, capture.at, capture.count_in) else { break };
                (capture.at, capture.count_in) = (at, 0);
            }
            let (mode, at) = (capture.mode, capture.at);
            match cut::progress(&self.history, mode, at, self.offset_frames()) {
                Progress::Waiting => {
                    // The song jumped: what had begun is not what was asked for.
                    self.drop_growing();
                    break;
                }
                Progress::Recording { start, target } => {
                    self.record(mode, start, target);
                    let longest = spool::LONGEST.frames(self.history.rate()).0.unsigned_abs();
                    if self.history.end().saturating_sub(start) >= longest {
                        let text = "The recording has reached an hour and was ended; it is kept.";
                        self.tell(CaptureEvent::Problem(text.to_owned()));
                        self.end_now(None);
                    }
                    break;
                }
                Progress::Complete(cut) => {
                    // A take that began and ended between two rounds was never written; now it is.
                    self.record(mode, cut.start, Some(cut.length));
                    let seconds =
                        Frames(i64::try_from(cut.end - cut.start).unwrap_or(i64::MAX)).seconds(self.history.rate());
                    if mode == CaptureMode::LoopRegion && seconds >= SHORTEST_PASS {
                        self.pass_finished(&cut);
                    } else {
                        self.finish(&cut);
                    }
                }
            }
        }
        self.watch_stop();
    }

    /// When the song stops, so does a capture that nobody stops by hand.
    pub(super) fn watch_stop(&mut self) {
        let Some(capture) = &self.capture else { return };
        let stopped = self.history.segments().last().filter(|segment| !segment.stamp.playing);
        // What was sung to the last moment of the song is still on its way.
        let Some(stopped_at) = stopped
            .filter(|segment| segment.frames >= self.offset_frames().max(0).unsigned_abs())
            .map(|segment| segment.start)
        else {
            return;
        };
        match (capture.mode, &capture.growing) {
            (CaptureMode::Free, Some(_)) if capture.auto => {
                let late = self.offset_frames().max(0).unsigned_abs();
                self.end_now(Some(stopped_at + late));
            }
            _ if capture.auto || capture.delivered > 0 => self.over(CaptureEvent::Ended),
            _ => {}
        }
    }

    pub(super) fn record(&mut self, mode: CaptureMode, begin: u64, length: Option<Beats>) {
        if let Some(Growing { start, target, .. }) = self.growing()
            && *start == begin
        {
            *target = length;
            return;
        }
        self.drop_growing();
        let margin = MARGIN.frames(self.history.rate()).0.unsigned_abs();
        self.history.pin(Some(begin.saturating_sub(margin)));
        let spool = self.open_spool(mode, begin);
        if let Some(capture) = &mut self.capture {
            capture.growing = Some(Growing { start: begin, target: length, spool });
        }
    }

    pub(super) fn growing(&mut self) -> Option<&mut Growing> {
        self.capture.as_mut()?.growing.as_mut()
    }

    pub(super) fn open_spool(&self, mode: CaptureMode, start: u64) -> Option<Spool> {
        let dir = self.settings.spool_dir.as_ref()?;
        let form = (self.history.rate(), self.history.channels());
        let opened = Spool::create(dir, form, mode, self.offset_frames()).and_then(|mut spool| {
            // Notes struck a little early belong to the take too; a free take begins where it was ordered.
            let early = match mode {
                CaptureMode::Free => 0,
                CaptureMode::Bars(_) | CaptureMode::LoopRegion => {
                    cut::EARLY.frames(self.history.rate()).0.unsigned_abs()
                }
            };
            for block in self.history.blocks_from(start.saturating_sub(early).max(self.history.first())) {
                spool.write(&block)?;
            }
            Ok(spool)
        });
        opened
            .inspect_err(|error| {
                let text = format!("{error} The recording is kept in memory; it would not survive a crash.");
                self.tell(CaptureEvent::Problem(text));
            })
            .ok()
    }

    pub fn stop(&mut self, at: Option<u64>) {
        self.watch();
        self.end_now(at);
    }

    pub(super) fn end_now(&mut self, at: Option<u64>) {
        let Some(capture) = &self.capture else { return };
        match &capture.growing {
            _ if capture.delivered > 0 => self.over(CaptureEvent::Ended),
            None => self.cancel(),
            Some(growing) => {
                let until = at.unwrap_or(u64::MAX);
                let (mode, start) = (capture.mode, growing.start);
                match cut::unfinished(&self.history, mode, start, until, self.offset_frames()) {
                    Ok(cut) => self.finish(&cut),
                    Err(error) => {
                        self.cancel();
                        self.tell(CaptureEvent::Problem(error.to_string()));
                    }
                }
            }
        }
    }

    pub fn cancel(&mut self) {
        self.over(CaptureEvent::Cancelled);
    }

    /// Ends a capture whose take is there already.
    pub fn keep(&mut self) {
        if self.capture.as_ref().is_some_and(|capture| capture.delivered > 0) {
            self.over(CaptureEvent::Ended);
        }
    }

    pub(super) fn over(&mut self, event: CaptureEvent) {
        if self.capture.is_some() {
            self.drop_capture();
            self.finished_captures += 1;
            self.tell(event);
        }
    }

    pub(super) fn drop_capture(&mut self) {
        self.drop_growing();
        self.capture = None;
        self.history.pin(None);
    }

    /// Forgets what has begun; the capture waits again, for what comes from now on.
    pub(super) fn drop_growing(&mut self) {
        let end = self.history.end();
        let Some(capture) = &mut self.capture else { return };
        if let Some(growing) = capture.growing.take() {
            capture.at = end;
            growing.spool.into_iter().for_each(Spool::delete);
            self.history.pin(None);
        }
    }
}
