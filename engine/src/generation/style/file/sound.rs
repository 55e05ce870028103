//! Thread: any. Reading what a style file says about sound: strips, room, echo, master.

use super::Reader;
use super::raw::{DelayFile, MasterFile, RoomFile, StripFile};
use crate::error::Result;
use crate::generation::score::{Delay, Master, Room, Strip};

impl Reader<'_> {
    pub(super) fn strip(&self, raw: &StripFile) -> Result<Strip> {
        let share = |what: &str, value| self.number_or(what, value, 0.0, 0.0..1.0);
        Ok(Strip {
            low_cut_hz: self.number_or("low_cut_hz", raw.low_cut_hz.as_ref(), 0.0, 0.0..2_000.0)?,
            high_cut_hz: self.number_or("high_cut_hz", raw.high_cut_hz.as_ref(), 0.0, 0.0..20_000.0)?,
            tilt_db: self.number_or("tilt_db", raw.tilt_db.as_ref(), 0.0, -12.0..12.0)?,
            drive: share("drive", raw.drive.as_ref())?,
            compress: share("compress", raw.compress.as_ref())?,
            chorus: share("chorus", raw.chorus.as_ref())?,
            tremolo: share("tremolo", raw.tremolo.as_ref())?,
            crush: share("crush", raw.crush.as_ref())?,
            duck: share("duck", raw.duck.as_ref())?,
            delay: share("delay", raw.delay.as_ref())?,
            width: share("width", raw.width.as_ref())?,
        })
    }

    pub(super) fn room(&self, raw: &RoomFile) -> Result<Room> {
        Ok(Room {
            decay_seconds: self.number("decay_seconds", &raw.decay_seconds, 0.1..10.0)?,
            level_db: self.number("level_db", &raw.level_db, -60.0..0.0)?,
            kind: raw.kind,
        })
    }

    pub(super) fn delay(&self, raw: &DelayFile) -> Result<Delay> {
        Ok(Delay {
            beats: self.number("beats", &raw.beats, 0.0625..8.0)?,
            feedback: self.number("feedback", &raw.feedback, 0.0..0.9)?,
            level_db: self.number("level_db", &raw.level_db, -60.0..0.0)?,
            high_cut_hz: self.number_or("high_cut_hz", raw.high_cut_hz.as_ref(), 4_000.0, 200.0..20_000.0)?,
        })
    }

    pub(super) fn master(&self, raw: &MasterFile) -> Result<Master> {
        let share = |what: &str, value| self.number_or(what, value, 0.0, 0.0..1.0);
        Ok(Master {
            tilt_db: self.number_or("tilt_db", raw.tilt_db.as_ref(), 0.0, -12.0..12.0)?,
            glue: share("glue", raw.glue.as_ref())?,
            tape: share("tape", raw.tape.as_ref())?,
            vinyl: share("vinyl", raw.vinyl.as_ref())?,
            crush: share("crush", raw.crush.as_ref())?,
        })
    }
}
