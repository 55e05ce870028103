//! Cuts on the sample, in every mode.

use super::rig::{Host, Rig, number};
use cantus_engine::capture::cut::CaptureMode;
use cantus_engine::capture::take::{Take, TakeSource};
use cantus_engine::time::{Bpm, Metre, Seconds};

pub(super) const ODD: &[usize] = &[64, 1, 511, 480, 33, 2048, 7];

/// The record frame of a take's first sample and one after its last, when the samples between are all there in order.
pub(super) fn record_range(take: &Take) -> Result<(usize, usize), String> {
    let samples = &take.audio.channels[0];
    let numbers: Vec<_> = samples.iter().map(|&sample| number(sample)).collect();
    let first = numbers.first().copied().flatten().ok_or("empty or silent at its start")?;
    match numbers.iter().enumerate().find(|&(index, &number)| number != Some(first + index)) {
        Some((index, number)) => Err(format!("frame {index} is record frame {number:?}, not {}", first + index)),
        None => Ok((first, first + samples.len())),
    }
}

/// A take must be exactly the record frames at which the host's song was at `from` first (from a record frame on) and then
/// until it had gone on for `beats`; its grid must say so.
pub(super) fn check_take(rig: &Rig, take: &Take, armed_at: usize, from: f64, beats: f64) -> Result<(), String> {
    let host = &rig.host;
    let first = rig.pushed[armed_at..].iter().position(|&song| song == host.sample_of(from));
    let first = armed_at + first.ok_or("the song never was there")?;
    let frames = (host.sample_of(from + beats) - host.sample_of(from)) as usize;
    let range = record_range(take)?;
    if range != (first, first + frames) {
        return Err(format!("record frames {range:?}, not {:?}", (first, first + frames)));
    }
    if !take.on_grid || (take.grid.start.0 - from).abs() > 1e-6 || (take.length.0 - beats).abs() > 1e-6 {
        return Err(format!("grid {:?} for {:?} beats, not {from} for {beats}", take.grid, take.length));
    }
    let seconds = from * 60.0 / host.tempo;
    if (take.grid.start_seconds.0 - seconds).abs() > 1e-6 || take.grid.tempo.single() != Some(Bpm(host.tempo)) {
        return Err(format!("grid {:?}, not {seconds} s at {}", take.grid, host.tempo));
    }
    Ok(())
}

struct Row {
    name: &'static str,
    host: Host,
    mode: CaptureMode,
    /// Where the song is when it is armed.
    armed_beats: f64,
    expected_beats: f64,
    length_beats: f64,
}

fn rows() -> Vec<Row> {
    let six_eight = Metre { numerator: 6, denominator: 8 };
    let seven_eight = Metre { numerator: 7, denominator: 8 };
    let base = Host::new(48_000, 120.0);
    let row = |name, host: &Host, mode, armed_beats, expected_beats, length_beats| Row {
        name,
        host: host.clone(),
        mode,
        armed_beats,
        expected_beats,
        length_beats,
    };
    let looped = |host: &Host, start, end, splits| Host { loop_beats: Some((start, end)), splits, ..host.clone() };
    let odd = Host::new(44_100, 123.45);
    let mut rows = vec![
        row("two bars from the middle of one", &base, CaptureMode::Bars(2), 1.3, 4.0, 8.0),
        row("one bar from exactly its line", &base, CaptureMode::Bars(1), 4.0, 4.0, 4.0),
        row("bar lines between samples", &odd, CaptureMode::Bars(2), 1.3, 4.0, 8.0),
        row("six eighths", &Host { metre: six_eight, ..odd.clone() }, CaptureMode::Bars(2), 3.1, 6.0, 6.0),
        row("seven eighths", &Host { metre: seven_eight, ..odd.clone() }, CaptureMode::Bars(1), 0.5, 3.5, 3.5),
        row("96 kHz", &Host::new(96_000, 100.0), CaptureMode::Bars(1), 0.5, 4.0, 4.0),
        row("only seconds", &Host { says_beats: false, ..odd.clone() }, CaptureMode::Bars(1), 0.5, 4.0, 4.0),
        row("only beats", &Host { says_seconds: false, ..odd.clone() }, CaptureMode::Bars(1), 0.5, 4.0, 4.0),
        row("before the song's start", &base, CaptureMode::Bars(1), -6.5, -4.0, 4.0),
    ];
    for splits in [true, false] {
        let name = if splits { "a host that splits" } else { "a host that does not split" };
        rows.push(row(name, &looped(&base, 4.0, 8.0, splits), CaptureMode::LoopRegion, 5.2, 4.0, 4.0));
        rows.push(row(name, &looped(&odd, 1.37, 3.89, splits), CaptureMode::LoopRegion, 1.5, 1.37, 2.52));
        rows.push(row(name, &looped(&odd, 1.37, 3.89, splits), CaptureMode::LoopRegion, 0.2, 1.37, 2.52));
        // 551 samples, shorter than the longest block.
        rows.push(row(name, &looped(&odd, 2.0, 2.0257, splits), CaptureMode::LoopRegion, 1.9, 2.0, 0.0257));
        rows.push(row(name, &looped(&base, 0.0, 8.0, splits), CaptureMode::Bars(1), 7.0, 0.0, 4.0));
    }
    rows
}

fn record_row(row: &Row, offset: Seconds) -> (Rig, Take, usize) {
    let directory = tempfile::tempdir().unwrap();
    let mut host = row.host.clone();
    host.sample = host.sample_of(row.armed_beats) - i64::from(host.rate);
    let loop_beats = host.loop_beats.take();
    let mut rig = Rig::new(host, 1, directory.path());
    rig.set_input_offset(offset);
    // A second of lead-in up to the moment of arming.
    rig.play(row.host.rate as usize, &[row.host.rate as usize / 100]);
    rig.host.loop_beats = loop_beats;
    let armed_at = rig.pushed.len();
    rig.arm(row.mode);
    let seconds = (row.length_beats + 9.0) * 60.0 / row.host.tempo;
    rig.play((seconds * f64::from(row.host.rate)) as usize, ODD);
    let take = rig.take();
    (rig, take, armed_at)
}

#[test]
fn a_take_is_cut_on_the_sample() {
    for row in rows() {
        let (rig, take, armed_at) = record_row(&row, Seconds(0.0));
        let result = check_take(&rig, &take, armed_at, row.expected_beats, row.length_beats);
        assert_eq!(result, Ok(()), "{}, {:?}", row.name, row.mode);
        assert_eq!(take.source, row.mode.source());
        assert_eq!(take.lost_frames, 0);
        // The check itself must see one sample.
        let mut late = take.clone();
        late.audio.channels[0].remove(0);
        assert!(check_take(&rig, &late, armed_at, row.expected_beats, row.length_beats).is_err());
    }
}

#[test]
fn an_input_offset_moves_the_sound_and_not_the_song() {
    // Negative, too: the song told late rather than the sound.
    for (row, seconds) in rows().iter().flat_map(|row| [(row, 0.02), (row, -0.02)]) {
        let (rig, mut take, armed_at) = record_row(row, Seconds(seconds));
        let frames = (seconds * f64::from(row.host.rate)).round() as i64;
        // Renumbered to when it was sung, it must be the same take, even where that lies across the loop's end.
        for sample in &mut take.audio.channels[0] {
            *sample = super::rig::numbered((number(*sample).unwrap() as i64 - frames) as usize);
        }
        let result = check_take(&rig, &take, armed_at, row.expected_beats, row.length_beats);
        assert_eq!(result, Ok(()), "{}, {:?}, {seconds} s", row.name, row.mode);
    }
}

#[test]
fn clicks_that_arrive_20_ms_late_lie_on_their_beats() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(44_100, 123.45), 1, directory.path());
    rig.set_input_offset(Seconds(0.02));
    let late = (0.02_f64 * 44_100.0).round() as usize;
    let beats: Vec<i64> = (0..40).map(|beat| rig.host.sample_of(f64::from(beat))).collect();
    rig.arm(CaptureMode::Bars(2));
    rig.play_sound(44_100 * 6, ODD, |frame, songs| {
        let sung_to = frame.checked_sub(late).map(|frame| songs[frame]);
        f32::from(u8::from(sung_to.is_some_and(|song| beats.contains(&song))))
    });
    let take = rig.take();
    let check = |samples: &[f32]| {
        let clicks: Vec<i64> = (0_i64..).zip(samples).filter(|(_, sample)| **sample > 0.5).map(|(at, _)| at).collect();
        let first = take.grid.start.0 as usize;
        let expected: Vec<i64> = beats[first..first + 8].iter().map(|beat| beat - beats[first]).collect();
        clicks.len() == 8 && clicks.iter().zip(expected).all(|(click, beat)| (click - beat).abs() <= 1)
    };
    let samples = &take.audio.channels[0];
    assert!(check(samples));
    assert!(!check(&samples[2..]), "two samples early must be seen");
}

#[test]
fn a_free_take_knows_where_it_began() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host { sample: 12_345, ..Host::new(48_000, 100.0) }, 1, directory.path());
    rig.play(4_800, ODD);
    let armed_at = rig.pushed.len();
    rig.arm(CaptureMode::Free);
    rig.play(100_000, ODD);
    rig.ear.stop();
    let take = rig.take();
    assert_eq!(record_range(&take), Ok((armed_at, rig.pushed.len())));
    assert!(take.on_grid && take.source == TakeSource::Free);
    let start = rig.pushed[armed_at] as f64 / 48_000.0;
    assert!((take.grid.start_seconds.0 - start).abs() < 1e-9);
    assert!((take.grid.start.0 - start * 100.0 / 60.0).abs() < 1e-9);
    let frames = (rig.pushed.len() - armed_at) as f64;
    assert!((take.length.0 - frames / 48_000.0 * 100.0 / 60.0).abs() < 1e-9);
}

#[test]
fn a_free_take_needs_no_song() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host {
        playing: false,
        sample: 48_000,
        metre: Metre { numerator: 3, denominator: 4 },
        ..Host::new(48_000, 90.0)
    };
    let mut rig = Rig::new(host, 2, directory.path());
    // With no song there is nothing to be late for.
    rig.set_input_offset(Seconds(0.05));
    rig.arm(CaptureMode::Free);
    rig.play(50_000, ODD);
    rig.ear.stop();
    let take = rig.take();
    assert_eq!(record_range(&take), Ok((0, rig.pushed.len())));
    assert_eq!(take.audio.channels[0], take.audio.channels[1]);
    assert!(!take.on_grid);
    assert_eq!((take.grid.start.0, take.grid.start_seconds.0), (0.0, 0.0));
    assert_eq!(take.grid.tempo.single(), Some(Bpm(90.0)));
    assert_eq!(take.grid.metre.numerator, 3);
}

#[test]
fn a_song_that_starts_during_a_free_take_gives_it_its_grid() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host { playing: false, sample: 96_000, ..Host::new(48_000, 120.0) }, 1, directory.path());
    rig.arm(CaptureMode::Free);
    rig.play(24_000, &[480]);
    rig.host.playing = true;
    rig.play(48_000, &[480]);
    rig.ear.stop();
    let take = rig.take();
    // Half a second before the song's 2 s.
    assert!(take.on_grid && (take.grid.start.0 - 3.0).abs() < 1e-9 && (take.grid.start_seconds.0 - 1.5).abs() < 1e-9);
}

#[test]
fn bars_start_again_after_a_locate() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.arm(CaptureMode::Bars(2));
    rig.play(120_000, &[480]);
    rig.host.sample = rig.host.sample_of(17.5);
    let located_at = rig.pushed.len();
    rig.play(48_000 * 8, &[480]);
    let take = rig.take();
    assert_eq!(check_take(&rig, &take, located_at, 20.0, 8.0), Ok(()));
}

#[test]
fn bars_start_again_after_a_stop() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.arm(CaptureMode::Bars(2));
    rig.play(120_000, &[480]);
    rig.host.playing = false;
    rig.play(12_000, &[480]);
    rig.host.playing = true;
    rig.host.sample = rig.host.sample_of(8.0);
    let started_at = rig.pushed.len();
    rig.play(48_000 * 6, &[480]);
    assert_eq!(check_take(&rig, &rig.take(), started_at, 8.0, 8.0), Ok(()));
}

#[test]
fn more_bars_than_the_loop_holds_go_round() {
    for splits in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let host = Host { loop_beats: Some((4.0, 8.0)), splits, ..Host::new(48_000, 120.0) };
        let mut rig = Rig::new(host, 1, directory.path());
        rig.host.sample = rig.host.sample_of(5.0);
        rig.arm(CaptureMode::Bars(3));
        rig.play(48_000 * 12, &[500]);
        let take = rig.take();
        let first = rig.pushed.iter().position(|&song| song == rig.host.sample_of(4.0)).unwrap();
        assert_eq!(record_range(&take), Ok((first, first + 3 * 96_000)), "splits {splits}");
        assert_eq!((take.grid.start.0, take.length.0), (4.0, 12.0));
    }
}

#[test]
fn a_take_keeps_the_tempo_changes_inside_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.arm(CaptureMode::Bars(2));
    rig.play(96_000, &[480]);
    // From beat 4 on the host counts at half the tempo; samples 96,000 before are 4 beats at 120.
    rig.host.tempo = 60.0;
    let mut song = rig.host.clone();
    song.sample = 96_000;
    for _ in 0..600 {
        let frames = 480;
        let stamp = cantus_engine::capture::transport::TransportStamp {
            beats: Some(4.0 + (song.sample - 96_000) as f64 / 48_000.0),
            bar_start_beats: None,
            ..song.stamp()
        };
        let first = rig.pushed.len();
        rig.pushed.extend((0..frames).map(|frame| song.sample + frame));
        let samples: Vec<f32> = (first..first + frames as usize).map(super::rig::numbered).collect();
        rig.recorder.push(&stamp, &[samples], &[]);
        song.sample += frames;
    }
    let take = rig.take();
    assert_eq!(record_range(&take), Ok((0, 96_000 + 4 * 48_000)));
    let points: Vec<_> = take.grid.tempo.points().iter().map(|point| (point.at.0, point.tempo.0)).collect();
    assert_eq!(points, [(0.0, 120.0), (4.0, 60.0)]);
}

#[test]
fn the_start_of_a_cut_must_still_be_remembered() {
    use cantus_engine::capture::cut;
    use cantus_engine::capture::history::History;
    use cantus_engine::capture::ring::Block;
    use cantus_engine::time::SampleRate;
    let mut history = History::new(SampleRate(48_000), 1, Seconds(1.0));
    let mut host = Host::new(48_000, 120.0);
    for _ in 0..400 {
        let (stamp, songs) = host.blocks(480).remove(0);
        history.append(&Block { stamp, frames: songs.len(), channels: vec![vec![0.1; 480]], ..Block::default() });
    }
    let cut = cut::unfinished(&history, CaptureMode::Free, 0, u64::MAX, 0).unwrap();
    let sentence = cut::take(&history, &cut, 1).unwrap_err().to_string();
    assert!(sentence.contains("4.0 seconds ago") && sentence.contains("remembered"), "{sentence}");
    let start = history.end() - 24_000;
    let cut = cut::unfinished(&history, CaptureMode::Free, start, u64::MAX, 0).unwrap();
    assert_eq!(cut::take(&history, &cut, 1).unwrap().audio.frames(), 24_000);
}
