//! File takes at the playhead or a bar, on the host's grid.

use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::place::{Place, place, position};
use cantus_engine::capture::take::{Take, TakeNote, TakeSource};
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate, Seconds, SongGrid};

fn song() -> TransportStamp {
    TransportStamp {
        tempo: Some(Bpm(90.0)),
        metre: Some(Metre { numerator: 3, denominator: 4 }),
        beats: Some(10.5),
        // The song was slower before.
        seconds: Some(9.0),
        bar_start_beats: Some(9.0),
        ..TransportStamp::default()
    }
}

fn file(seconds: f64, notes: Vec<TakeNote>) -> Take {
    let rate = SampleRate(44_100);
    let sound = if notes.is_empty() { 0.5 } else { 0.0 };
    let mut samples = vec![sound; (seconds * rate.hz()).round() as usize];
    // Filled up to a whole bar at 120.
    samples.resize(samples.len().next_multiple_of(88_200), 0.0);
    Take {
        id: 0,
        source: TakeSource::File,
        audio: AudioBuffer::mono(rate, samples),
        notes,
        grid: SongGrid::at_origin(Bpm(120.0), Metre::default()),
        on_grid: false,
        length: Beats(4.0),
        lost_frames: 0,
        remarks: Vec::new(),
        margins: Default::default(),
    }
}

#[test]
fn places_are_song_positions() {
    let rows = [
        (Place::Playhead, song(), 10.5),
        (Place::PlayheadBar, song(), 9.0),
        (Place::PlayheadBar, TransportStamp { bar_start_beats: None, ..song() }, 9.0),
        (Place::Bar(1), song(), 0.0),
        (Place::Bar(5), song(), 12.0),
        (Place::Bar(-1), song(), -6.0),
        (Place::At(Beats(7.25)), song(), 7.25),
        (Place::At(Beats(f64::NAN)), song(), 0.0),
        (Place::Playhead, TransportStamp::default(), 0.0),
        (Place::Bar(2), TransportStamp::default(), 4.0),
    ];
    for (place, song, beats) in rows {
        assert!((position(place, &song).0 - beats).abs() < 1e-9, "{place:?}");
    }
}

#[test]
fn a_sound_file_keeps_its_length_and_lies_on_the_hosts_grid() {
    // 1.9 s are 2.85 beats at 90: one bar of three; 2.1 s need two.
    for (seconds, bars) in [(1.9, 1.0), (2.0, 1.0), (2.1, 2.0)] {
        let take = place(file(seconds, Vec::new()), Beats(12.0), &song());
        assert_eq!((take.grid.start, take.length, take.on_grid), (Beats(12.0), Beats(3.0 * bars), true));
        assert_eq!((take.grid.tempo.single(), take.grid.metre.numerator), (Some(Bpm(90.0)), 3));
        assert!((take.grid.start_seconds.0 - 10.0).abs() < 1e-9);
        assert_eq!(take.audio.frames(), 88_200 * bars as usize);
        let heard = take.audio.channels[0].iter().filter(|&&sample| sample != 0.0).count();
        assert_eq!(heard, (seconds * 44_100.0) as usize, "not a sample is lost");
    }
}

#[test]
fn a_midi_file_keeps_its_beats() {
    let note =
        |onset, offset| TakeNote { onset: Seconds(onset), offset: Seconds(offset), key: 60, velocity: 0.5, channel: 0 };
    let take = place(file(2.0, vec![note(0.5, 1.0)]), Beats(3.0), &song());
    // Beats 1 to 2 at 120 are beats 1 to 2 at 90; four beats are two bars of three.
    assert!((take.notes[0].onset.0 - 60.0 / 90.0).abs() < 1e-9 && (take.notes[0].offset.0 - 120.0 / 90.0).abs() < 1e-9);
    assert_eq!((take.length, take.audio.frames()), (Beats(6.0), 176_400));
}

#[test]
fn where_the_host_tells_no_tempo_the_files_own_stays() {
    let take = place(file(1.9, Vec::new()), Beats(4.0), &TransportStamp::default());
    assert_eq!(
        (take.grid.tempo.single(), take.length, take.grid.start_seconds),
        (Some(Bpm(120.0)), Beats(4.0), Seconds(2.0))
    );
}
