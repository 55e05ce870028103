//! What was heard around a take: trimming moves its edges on the sample, and nothing is lost by it.

use super::cuts::{ODD, record_range};
use super::rig::{Host, Rig, number};
use cantus_engine::capture::collector::CaptureEvent;
use cantus_engine::capture::cut::CaptureMode;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::take::Take;
use cantus_engine::capture::trim::{MarginFacts, Margins, Tail};
use cantus_engine::time::{Beats, Seconds};
use std::time::Duration;

/// A take of the bar from beat 4 on at 123.45 BPM, its tail, and the record frame that beat 4 is.
fn captured(offset: f64) -> (Take, Tail, usize) {
    let directory = tempfile::tempdir().unwrap();
    let host = Host { sample: -88_200, ..Host::new(44_100, 123.45) };
    let mut rig = Rig::new(host, 1, directory.path());
    rig.set_input_offset(Seconds(offset));
    let note = |frame, key, velocity| MidiEvent { frame, key, channel: 0, velocity };
    rig.play(132_300, ODD);
    rig.arm(CaptureMode::Bars(1));
    // Held from before the take into it.
    rig.push_midi(480, &[note(7, 60, 0.7)]);
    rig.play(66_150, &[441]);
    rig.push_midi(480, &[note(9, 60, 0.0), note(11, 64, 0.9)]);
    rig.play(80_000, &[441]);
    let take = rig.take();
    rig.push_midi(480, &[note(3, 64, 0.0)]);
    rig.play(44_100 * 3, &[441]);
    loop {
        match rig.events.recv_timeout(Duration::from_secs(20)).unwrap() {
            CaptureEvent::TailArrived(tail) => {
                let first = rig.pushed.iter().position(|&song| song == rig.host.sample_of(4.0)).unwrap();
                return (take, tail, first);
            }
            CaptureEvent::Armed => {}
            other => panic!("{other:?}"),
        }
    }
}

/// A trimmed take must be the record frames that the song's positions are, late by an offset.
fn check(take: &Take, first: usize, late: i64, from: f64, to: f64) -> Result<(), String> {
    let frame = |beats: f64| (beats * 60.0 / 123.45 * 44_100.0).round() as i64;
    let at = |beats: f64| (first as i64 + late + frame(beats) - frame(4.0)) as usize;
    let range = record_range(take)?;
    if range != (at(from), at(to)) {
        return Err(format!("{range:?}, not {:?}", (at(from), at(to))));
    }
    let seconds = from * 60.0 / 123.45;
    let near = (take.grid.start.0 - from).abs() < 1e-9 && (take.grid.start_seconds.0 - seconds).abs() < 1e-9;
    if !near || (take.length.0 - (to - from)).abs() > 1e-9 {
        return Err(format!("{:?} for {:?}", take.grid, take.length));
    }
    Ok(())
}

#[test]
fn a_take_is_trimmed_on_the_sample_and_back_again() {
    for offset in [0.0, 0.02] {
        let (take, tail, first) = captured(offset);
        let late = (offset * 44_100.0_f64).round() as i64;
        assert_eq!(tail.capture, take.id);
        let take = take.with_tail(&tail);
        assert_eq!(check(&take, first, late, 4.0, 8.0), Ok(()));
        let (earliest, latest) = take.extent();
        let two_seconds = 2.0 * 123.45 / 60.0;
        assert!((earliest.0 - (4.0 - two_seconds)).abs() < 1e-4 && (latest.0 - (8.0 + two_seconds)).abs() < 1e-4);
        let mut now = take.clone();
        // Each from the one before: only the last counts.
        for (from, to) in [(5.0, 7.0), (3.1, 8.9), (0.5, 4.25), (6.123, 6.987), (4.0, 9.0)] {
            now = now.trimmed(Beats(from), Beats(to)).unwrap();
            assert!(now.is_trimmed());
            assert_eq!(check(&now, first, late, from, to), Ok(()), "{from} to {to}");
            assert_eq!(now, take.trimmed(Beats(from), Beats(to)).unwrap());
            // The check itself must see one sample.
            let mut wrong = now.clone();
            wrong.audio.channels[0].pop();
            assert!(check(&wrong, first, late, from, to).is_err());
            assert_eq!(now.untrimmed(), take);
            assert_eq!(now.whole_audio(), take.whole_audio());
        }
        assert_eq!(now.trimmed(Beats(4.0), Beats(8.0)).unwrap(), take);
        // Beyond what was kept it is cut off there.
        let all = now.trimmed(Beats(-1e9), Beats(1e9)).unwrap();
        assert_eq!(all.audio, take.whole_audio());
        assert!((all.grid.start.0 - earliest.0).abs() < 1e-9);
    }
}

#[test]
fn notes_move_with_the_edges() {
    let (take, tail, first) = captured(0.0);
    let take = take.with_tail(&tail);
    let frames = |take: &Take| -> Vec<_> {
        let at = |time: Seconds| (time.0 * 44_100.0).round() as i64;
        take.notes.iter().map(|note| (note.key, at(note.onset), at(note.offset))).collect()
    };
    // As captured, 60 was struck long before, and 64 is held to the end.
    let [(64, onset, offset)] = frames(&take)[..] else { panic!("{:?}", take.notes) };
    assert_eq!(offset, take.audio.frames() as i64);
    let longer = take.trimmed(Beats(0.5), Beats(9.5)).unwrap();
    let moved = number(take.audio.channels[0][0]).unwrap() - number(longer.audio.channels[0][0]).unwrap();
    let [(60, early, off), (64, later, end)] = frames(&longer)[..] else { panic!("{:?}", longer.notes) };
    assert_eq!((later - onset, off), (moved as i64, later - 2));
    assert!(early > 0 && end > offset + moved as i64, "{end}");
    assert!(first > 0 && longer.untrimmed().notes == take.notes);
}

#[test]
fn what_would_leave_nothing_is_refused() {
    let (take, tail, _) = captured(0.0);
    let take = take.with_tail(&tail);
    let nothing =
        [(5.0, 5.0), (7.0, 5.0), (5.0, 5.01), (f64::NAN, 5.0), (5.0, f64::NAN), (1e12, 1e13), (-1e300, -1e299)];
    for (from, to) in nothing {
        match take.trimmed(Beats(from), Beats(to)) {
            Err(error) => assert!(error.to_string().contains("50 ms"), "{from} {to}: {error}"),
            // What is no number is the start.
            Ok(trimmed) => assert!(from.is_nan() && trimmed.audio.frames() > 0, "{from} {to}"),
        }
    }
}

#[test]
fn margins_come_back_from_a_project_and_damaged_ones_lose_no_take() {
    let (take, tail, _) = captured(0.0);
    let trimmed = take.with_tail(&tail).trimmed(Beats(5.0), Beats(6.0)).unwrap();
    let back = |facts: MarginFacts| {
        let mut audio = trimmed.whole_audio();
        let margins = Margins::split(&mut audio, facts);
        Take { audio, margins, ..trimmed.clone() }
    };
    let facts = trimmed.margin_facts();
    assert_eq!(back(facts.clone()), trimmed);
    let read: MarginFacts = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
    assert_eq!(back(read).untrimmed().audio, trimmed.untrimmed().audio);
    assert!(!facts.is_empty() && serde_json::from_str::<MarginFacts>("{}").unwrap().is_empty());
    let whole = trimmed.whole_audio().frames();
    let damaged: [fn(&mut MarginFacts); 4] = [
        |facts| facts.before = usize::MAX,
        |facts| facts.after = 1 << 40,
        |facts| facts.captured.as_mut().unwrap().frames.0 = i64::MAX,
        |facts| facts.captured.as_mut().unwrap().grid.start = Beats(f64::INFINITY),
    ];
    for (index, damage) in damaged.into_iter().enumerate() {
        let mut facts = facts.clone();
        damage(&mut facts);
        let take = back(facts);
        assert_eq!(take.whole_audio().frames(), whole, "{index}");
        assert!(take.audio.frames() > 0 && !take.is_trimmed());
        let _ = take.untrimmed();
        let _ = take.trimmed(Beats(4.5), Beats(5.5));
    }
}
