//! What I just hummed: cut out of what is remembered, in one piece of song.

use super::cuts::{ODD, record_range};
use super::rig::{Host, Rig, number, numbered};
use cantus_engine::capture::cut::Recall;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::take::{Take, TakeSource};
use cantus_engine::time::{Bpm, Metre, Seconds};

/// A take must be record frames `frames`, on the song from a position on or beside it (`None`).
fn check(take: &Take, frames: (usize, usize), from: Option<f64>, tempo: f64) -> Result<(), String> {
    let range = record_range(take)?;
    if range != frames {
        return Err(format!("record frames {range:?}, not {frames:?}"));
    }
    let start = from.unwrap_or(0.0);
    let seconds = start * 60.0 / tempo;
    let grid = &take.grid;
    let right = (grid.start.0 - start).abs() < 1e-6 && (grid.start_seconds.0 - seconds).abs() < 1e-6;
    if !right || take.on_grid != from.is_some() || grid.tempo.single() != Some(Bpm(tempo)) {
        return Err(format!("{grid:?}, on grid {}, not {from:?}", take.on_grid));
    }
    let beats = (frames.1 - frames.0) as f64 / f64::from(take.audio.rate.0) * tempo / 60.0;
    let frame = tempo / 60.0 / f64::from(take.audio.rate.0);
    if (take.length.0 - beats).abs() > frame {
        return Err(format!("{:?} long, not {beats}", take.length));
    }
    Ok(())
}

struct Row {
    name: &'static str,
    host: Host,
    offset: f64,
    /// Played after a second at rest.
    play: fn(&mut Rig),
    what: Recall,
    /// Record frames, and where in the song.
    frames: (usize, usize),
    from: Option<f64>,
    /// What must be remarked, one word each.
    remarks: &'static [&'static str],
}

fn sing(rig: &mut Rig, seconds: f64) {
    rig.play((seconds * f64::from(rig.host.rate)) as usize, &[500]);
}

fn rest(rig: &mut Rig, seconds: f64) {
    rig.play_sound((seconds * f64::from(rig.host.rate)) as usize, &[500], |_, _| 0.0);
}

/// In blocks of 500 at 48 kHz and 120 BPM a beat is 24,000 frames; a second at rest comes before everything.
#[allow(clippy::too_many_lines, reason = "rows of a table")]
fn rows() -> Vec<Row> {
    let base = Host::new(48_000, 120.0);
    let looped = |splits| Host { loop_beats: Some((4.0, 8.0)), splits, sample: 96_000, ..base.clone() };
    let row = |name, host: &Host, play, what, frames, from, remarks| Row {
        name,
        host: host.clone(),
        offset: 0.0,
        play,
        what,
        frames,
        from,
        remarks,
    };
    let mut rows = vec![
        row(
            "whole bars while the song plays",
            &base,
            |rig| sing(rig, 10.25),
            Recall::Bars(2),
            (48_000 + 288_000, 48_000 + 480_000),
            Some(12.0),
            &[],
        ),
        row(
            "seconds while the song plays",
            &base,
            |rig| sing(rig, 10.0),
            Recall::Seconds(Seconds(1.5)),
            (48_000 + 408_000, 48_000 + 480_000),
            Some(17.0),
            &[],
        ),
        row(
            "six eighths",
            &Host { metre: Metre { numerator: 6, denominator: 8 }, ..base.clone() },
            |rig| sing(rig, 10.0),
            Recall::Bars(1),
            (48_000 + 360_000, 48_000 + 432_000),
            Some(15.0),
            &[],
        ),
        row(
            "more than there is",
            &base,
            |rig| sing(rig, 5.0),
            Recall::Bars(16),
            (48_000, 48_000 + 192_000),
            Some(0.0),
            &["started"],
        ),
        row(
            "after a locate only what came after it, when that is more",
            &base,
            |rig| {
                sing(rig, 2.0);
                rig.host.sample = rig.host.sample_of(41.0);
                sing(rig, 6.0);
            },
            Recall::Bars(4),
            (48_000 + 96_000, 48_000 + 96_000 + 264_000),
            Some(41.0),
            &["jumped"],
        ),
        row(
            "the song was stopped in a bar and sung to up to there",
            &base,
            |rig| {
                sing(rig, 5.0);
                rig.host.playing = false;
                rest(rig, 3.0);
            },
            Recall::Bars(1),
            (48_000 + 96_000, 48_000 + 240_000),
            Some(4.0),
            &[],
        ),
        row(
            "the song was stopped after a silent rest of the bar",
            &base,
            |rig| {
                sing(rig, 4.0);
                rest(rig, 1.0);
                rig.host.playing = false;
                rest(rig, 3.0);
            },
            Recall::Bars(1),
            (48_000 + 96_000, 48_000 + 192_000),
            Some(4.0),
            &[],
        ),
        row(
            "hummed after the song",
            &base,
            |rig| {
                sing(rig, 4.0);
                rig.host.playing = false;
                rest(rig, 1.0);
                sing(rig, 2.5);
            },
            Recall::Seconds(Seconds(2.0)),
            (48_000 + 192_000 + 48_000 + 24_000, 48_000 + 192_000 + 48_000 + 120_000),
            None,
            &[],
        ),
        row(
            "hummed where no song ever ran, in bars",
            &Host { playing: false, ..base.clone() },
            |rig| sing(rig, 5.0),
            Recall::Bars(2),
            (48_000 + 48_000, 48_000 + 240_000),
            None,
            &[],
        ),
    ];
    for splits in [true, false] {
        rows.push(row(
            "in the middle of a loop, the last whole pass",
            &looped(splits),
            |rig| sing(rig, 7.0),
            Recall::Bars(1),
            (48_000 + 192_000, 48_000 + 288_000),
            Some(4.0),
            &["jumped"],
        ));
    }
    rows
}

/// Plays a row and recalls; gives the record frame at which the song began, too.
fn recalled(row: &Row) -> Result<Take, String> {
    let directory = tempfile::tempdir().unwrap();
    let playing = row.host.playing;
    let mut rig = Rig::new(Host { playing: false, ..row.host.clone() }, 1, directory.path());
    rig.set_input_offset(Seconds(row.offset));
    rest(&mut rig, 1.0);
    rig.host.playing = playing;
    (row.play)(&mut rig);
    rig.recall(row.what)
}

#[test]
fn what_was_just_hummed_lies_in_one_piece_of_song() {
    for row in rows() {
        let take = recalled(&row).unwrap();
        assert_eq!(check(&take, row.frames, row.from, row.host.tempo), Ok(()), "{}", row.name);
        assert_eq!(take.source, TakeSource::Recall, "{}", row.name);
        assert_eq!(take.remarks.is_empty(), row.remarks.is_empty(), "{}: {:?}", row.name, take.remarks);
        for word in row.remarks {
            assert!(take.remarks.iter().any(|remark| remark.contains(word)), "{}: {:?}", row.name, take.remarks);
        }
        // The check must see one sample, and one beat.
        let mut late = take.clone();
        late.audio.channels[0].remove(0);
        assert!(check(&late, row.frames, row.from, row.host.tempo).is_err());
        let mut elsewhere = take;
        elsewhere.grid.start.0 += 1.0;
        assert!(check(&elsewhere, row.frames, row.from, row.host.tempo).is_err());
    }
}

#[test]
fn what_was_hummed_late_lies_where_it_was_meant() {
    let inside = ["whole bars while the song plays", "six eighths", "in the middle of a loop, the last whole pass"];
    for row in rows().iter().filter(|row| inside.contains(&row.name)) {
        for offset in [0.03, -0.03] {
            let moved = (offset * 48_000.0) as i64;
            let mut take = recalled(&Row { host: row.host.clone(), offset, ..*row }).unwrap();
            let check_moved = |take: &Take| check(take, row.frames, row.from, row.host.tempo);
            assert!(check_moved(&take).is_err(), "the sound must have moved");
            // Renumbered to when it was sung, it is the same take.
            for sample in &mut take.audio.channels[0] {
                *sample = numbered((number(*sample).unwrap() as i64 - moved) as usize);
            }
            assert_eq!(check_moved(&take), Ok(()), "{}, {offset} s", row.name);
        }
    }
}

#[test]
fn silence_is_no_take_and_notes_are_no_silence() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    let sentence = rig.recall(Recall::Bars(2)).unwrap_err();
    assert!(sentence.contains("nothing has been heard"), "{sentence}");
    // A hiss is no melody, however long it lasts.
    let hiss = |frame: usize, _: &[i64]| if frame.wrapping_mul(2_654_435_761) & 0x8000 == 0 { 0.003 } else { -0.003 };
    rig.play_sound(48_000 * 4, &[500], hiss);
    let sentence = rig.recall(Recall::Bars(2)).unwrap_err();
    assert!(sentence.contains("silent") && sentence.contains("Hum"), "{sentence}");
    // The same with a melody over it is heard, and with a few notes of a keyboard.
    let note = |frame, velocity| MidiEvent { frame, key: 60, channel: 0, velocity };
    rig.push_midi(480, &[note(10, 0.5)]);
    rig.push_midi(480, &[note(10, 0.0)]);
    rig.play_sound(48_000 * 4 - 960, &[480], |_, _| 0.0);
    let take = rig.recall(Recall::Bars(4)).unwrap();
    assert_eq!(take.notes.len(), 1);
    rig.play_sound(48_000, &[500], |frame, _| 0.05 * (frame as f32 * 0.03).sin());
    assert!(rig.recall(Recall::Seconds(Seconds(1.0))).is_ok());
}

#[test]
fn more_than_is_remembered_gives_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(8_000, 120.0), 1, directory.path());
    rig.play(8_000 * 80, &[800]);
    let take = rig.recall(Recall::Bars(64)).unwrap();
    let (first, end) = record_range(&take).unwrap();
    // The last bar line is that of bar 40, at 80 s, or the one before, where rounding puts it.
    assert!(end == 8_000 * 80 && (60..=61).contains(&((end - first) / 8_000)), "{first} to {end}");
    assert!(take.remarks.iter().any(|remark| remark.contains("remembered")), "{:?}", take.remarks);
    assert!((take.grid.start.0 - first as f64 / 4_000.0).abs() < 1e-6);
}

#[test]
fn a_recall_leaves_a_capture_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.play(96_000, ODD);
    rig.arm(cantus_engine::capture::cut::CaptureMode::Bars(2));
    rig.play(192_000, ODD);
    assert!(rig.recall(Recall::Bars(1)).is_ok());
    rig.play(192_000, ODD);
    assert_eq!(rig.take().length.0, 8.0);
}
