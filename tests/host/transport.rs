//! Thread: audio. The song clock in CLAP's words.

use crate::clock::{SongClock, Span, TransportReport};
use clack_host::events::event_types::{TransportEvent, TransportFlags};
use clack_host::events::{EventFlags, EventHeader};
use clack_host::utils::{BeatTime, SecondsTime};

/// The transport at the first frame of a block; `None` when this host tells nothing.
pub fn event(clock: &SongClock, span: &Span) -> Option<TransportEvent> {
    if clock.report == TransportReport::Nothing {
        return None;
    }
    let mut flags = TransportFlags::HAS_TEMPO
        | TransportFlags::HAS_BEATS_TIMELINE
        | TransportFlags::HAS_SECONDS_TIMELINE
        | TransportFlags::HAS_TIME_SIGNATURE;
    flags.set(TransportFlags::IS_PLAYING, span.playing);
    flags.set(TransportFlags::IS_RECORDING, clock.recording && span.playing);
    let region = clock.loop_region().filter(|_| clock.report == TransportReport::Everything);
    flags.set(TransportFlags::IS_LOOP_ACTIVE, region.is_some());
    let seconds = |frame: i64| SecondsTime::from_float(frame as f64 / f64::from(clock.rate()));
    let (bar_start, bar_number) = clock.bar_at(span.beats);
    let (numerator, denominator) = clock.metre();
    Some(TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags,
        song_pos_beats: BeatTime::from_float(span.beats),
        song_pos_seconds: SecondsTime::from_float(span.seconds),
        tempo: span.bpm,
        tempo_inc: 0.0,
        loop_start_beats: BeatTime::from_float(region.map_or(0.0, |region| region.start_beats)),
        loop_end_beats: BeatTime::from_float(region.map_or(0.0, |region| region.end_beats)),
        loop_start_seconds: seconds(region.map_or(0, |region| region.start_frame)),
        loop_end_seconds: seconds(region.map_or(0, |region| region.end_frame)),
        bar_start: BeatTime::from_float(bar_start),
        bar_number,
        time_signature_numerator: numerator,
        time_signature_denominator: denominator,
    })
}
