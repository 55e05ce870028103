//! Thread: worker. The first track of a file: tempo, metre, key, chords and sections.

use super::{Timed, ticks};
use crate::analysis::{Key, Mode};
use crate::generation::score::Score;
use crate::time::{Beats, Bpm, Metre};
use midly::num::u24;
use midly::{MetaMessage, TrackEventKind};

/// How sections are written, so that nobody takes them for chords.
pub(super) fn section_names(score: &Score) -> Vec<String> {
    score.sections.iter().map(|section| format!("Section {}", section.name)).collect()
}

/// The events of the track. `sections` come from [`section_names`].
pub(super) fn conductor<'a>(score: &'a Score, name: &'a str, sections: &'a [String]) -> Vec<Timed<'a>> {
    let meta = |at, message| (at, 1, TrackEventKind::Meta(message));
    let start = score.grid.start;
    let mut events = vec![meta(0, MetaMessage::TrackName(name.as_bytes()))];
    match pickup(score) {
        // A first bar of its own length, so that the sequencer's bar lines fall on the song's.
        Some((short, rest)) => {
            events.push(meta(0, time_signature(short)));
            events.push(meta(ticks(rest), time_signature(score.grid.metre)));
        }
        None => events.push(meta(0, time_signature(score.grid.metre))),
    }
    events.push(meta(0, tempo_message(score.grid.tempo.tempo_at(start))));
    if let Some(key) = score.key {
        events.push(meta(0, key_signature(key)));
    }
    let inside = |at: Beats| at > start && at < start + score.length;
    for point in score.grid.tempo.points().iter().filter(|point| inside(point.at)) {
        events.push(meta(ticks(point.at - start), tempo_message(point.tempo)));
    }
    for (section, name) in score.sections.iter().zip(sections) {
        events.push(meta(ticks(section.start - start), MetaMessage::Marker(name.as_bytes())));
    }
    for chord in score.chords.iter().filter(|chord| chord.start < start + score.length) {
        events.push(meta(ticks(chord.start - start), MetaMessage::Marker(chord.symbol.as_bytes())));
    }
    events
}

/// The metre of an incomplete first bar and its length, when the score starts inside a bar at a place that notes can name.
fn pickup(score: &Score) -> Option<(Metre, Beats)> {
    let bar = score.grid.metre.bar().0;
    let bars = score.length.0 / bar;
    // Whole bars start on a bar line, wherever in the song they lie.
    if (bars - bars.round()).abs() < 1e-3 {
        return None;
    }
    let rest = bar - (score.grid.start - score.grid.bar_line()).0;
    if rest < 1e-3 || rest > bar - 1e-3 || rest >= score.length.0 {
        return None;
    }
    [4_u8, 8, 16, 32].into_iter().find_map(|denominator| {
        let count = rest * f64::from(denominator) / 4.0;
        let whole = count.round();
        ((count - whole).abs() < 1e-3 && whole >= 1.0)
            .then_some((Metre { numerator: whole as u8, denominator }, Beats(rest)))
    })
}

pub(super) fn tempo_message(tempo: Bpm) -> MetaMessage<'static> {
    let microseconds = (60_000_000.0 / tempo.0).round().clamp(1.0, 16_777_215.0) as u32;
    MetaMessage::Tempo(u24::new(microseconds))
}

pub(super) fn time_signature(metre: Metre) -> MetaMessage<'static> {
    MetaMessage::TimeSignature(metre.numerator, metre.denominator.max(1).ilog2() as u8, 24, 8)
}

/// Sharps (or flats, when negative) of a key's signature, at most six.
pub(super) fn key_signature(key: Key) -> MetaMessage<'static> {
    let major = match key.mode {
        Mode::Major => key.tonic % 12,
        Mode::Minor => (key.tonic + 3) % 12,
    };
    // Each fifth up is a sharp more; from seven sharps on the flats are fewer.
    let sharps = i8::try_from(u16::from(major) * 7 % 12).unwrap_or(0);
    let sharps = if sharps > 6 { sharps - 12 } else { sharps };
    MetaMessage::KeySignature(sharps, key.mode == Mode::Minor)
}
