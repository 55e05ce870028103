//! Thread: audio. Beats of hosts that round them.
//!
//! Some hosts tell the position in beats in whole ticks of their own (Ardour: 1920 in a beat), which is some frames off and jumps to and fro
//! from block to block, while the position in seconds is true to the frame. Heard literally, the song would jump in every block. So
//! where a host was once seen to do that, the beats are counted from the seconds.

use super::transport::TransportStamp;
use crate::time::SampleRate;

/// No host's ticks are coarser than this, in beats. What differs more is a jump.
const COARSEST_TICK_BEATS: f64 = 1.0 / 400.0;
/// Beats that differ from the count by more than this, in frames, were rounded.
const ROUNDED_FRAMES: f64 = 0.05;

/// Follows the stamps of one host and mends them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SteadyBeats {
    run: Option<Run>,
    rounds: bool,
}

/// A stretch of song without a jump and with one tempo.
#[derive(Debug, Clone, Copy)]
struct Run {
    tempo: f64,
    /// Where the next block begins when nothing jumps.
    next_seconds: f64,
    /// Beats minus what the tempo makes of the seconds; 0 in a song with one tempo.
    offset_beats: f64,
}

impl SteadyBeats {
    /// The stamp of a block of so many frames, with steady beats.
    ///
    /// # Realtime safety
    /// Never allocates or waits.
    pub fn mend(&mut self, stamp: &TransportStamp, frames: usize, rate: SampleRate) -> TransportStamp {
        let (Some(beats), Some(seconds), Some(tempo), true) =
            (stamp.beats, stamp.seconds, stamp.tempo.map(|tempo| tempo.0), stamp.playing)
        else {
            self.run = None;
            return *stamp;
        };
        let beats_per_second = tempo / 60.0;
        let told = beats - seconds * beats_per_second;
        let half_a_frame = 0.5 / rate.hz();
        let before = self.run.filter(|run| {
            run.tempo == tempo
                && (seconds - run.next_seconds).abs() < half_a_frame
                && (told - run.offset_beats).abs() < COARSEST_TICK_BEATS
        });
        let off_frames = before.map_or(0.0, |run| (told - run.offset_beats) / beats_per_second * rate.hz());
        let found_out = !self.rounds && off_frames.abs() > ROUNDED_FRAMES;
        self.rounds |= found_out;
        let offset_beats = match before {
            Some(run) if !found_out => run.offset_beats,
            // A song with one tempo has beats and seconds in step; what is less than a tick is the rounding.
            _ if self.rounds && told.abs() < COARSEST_TICK_BEATS => 0.0,
            _ => told,
        };
        self.run = Some(Run { tempo, next_seconds: seconds + frames as f64 / rate.hz(), offset_beats });
        let steady = seconds * beats_per_second + offset_beats;
        TransportStamp { beats: Some(if self.rounds { steady } else { beats }), ..*stamp }
    }
}
