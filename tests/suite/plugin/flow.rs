//! The whole way inside the host: hum, capture, generate, hear.

use super::{
    HUM_BEATS, HUM_RATE, bundle, capture_hum, generate, instance_with_hum, instance_with_rendition, run_until, session,
    song_with_hum, turn,
};
use cantus_engine::capture::take::TakeSource;
use cantus_host::{AudioSetup, Clip, Pace, Placement, Song, SongClock, SongNote};
use std::time::Duration;

#[test]
fn a_hum_in_a_loop_becomes_a_rendition_that_plays_in_sync() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup { rate: HUM_RATE, max_block: 1_000, block_pattern: vec![512, 1_000, 31] }).unwrap();
    let mut song = song_with_hum();
    let dirty_before = instance.notices().dirty();

    let captured = capture_hum(&mut instance, &mut song);
    let take = captured.region().take.clone().unwrap();
    assert_eq!(take.facts.source, TakeSource::Loop);
    assert!((take.facts.grid.start.0 - 4.0).abs() < 1e-9 && (take.facts.length.0 - HUM_BEATS).abs() < 1e-9);
    let recorded = take.take().unwrap().audio;
    let sung = super::hum();
    assert_eq!(recorded.to_mono(), sung, "the take is the hum, sample for sample");
    let analysis = captured.region().analysis.clone().unwrap();
    assert!(analysis.notes.len() >= 25, "{} notes", analysis.notes.len());

    let done = generate(&mut instance, &mut song);
    let variation = &done.region().variations[0];
    assert_eq!(done.region().active, Some(variation.facts.id), "the first variation plays without being asked");
    assert!(instance.notices().dirty() > dirty_before, "a new take and a variation mark the project dirty");

    song.clips.clear();
    song.clock.locate_beats(2.0);
    let frames = song.clock.frame_at(4.0 + HUM_BEATS) - song.clock.position();
    let heard = instance.run(&mut song, frames as usize, Pace::Unbounded).unwrap();
    let mix = variation.mix.as_ref().unwrap().unpack().unwrap();
    let at = heard.passes_of(song.clock.frame_at(4.0))[0];
    let length = heard.frames() - at;
    assert_eq!(
        heard.cut(0, at, length)[0],
        mix.channels[0][..length],
        "what the host hears is the saved mix, from its first frame on"
    );
    // The jump away from where the song was fades for 3 ms.
    let faded = HUM_RATE as usize / 250;
    assert!(heard.cut(0, faded, at - faded).iter().flatten().all(|sample| *sample == 0.0), "nothing before the region");
    let stems = (1..=8).filter(|&port| heard.peak(port) > 0.01).count();
    assert!(stems >= 4, "{stems} stems sound");
    assert_eq!(heard.non_finite_samples, 0);
}

#[test]
fn a_live_hum_delayed_by_twenty_milliseconds_lands_where_it_was_meant() {
    let _turn = turn();
    let rate = 48_000;
    let delay = rate / 50;
    let impulse_beats = [4.5, 6.0, 9.25, 11.9];
    let mut landed = Vec::new();
    for offset_ms in ["20", "0"] {
        let mut instance = bundle().instance().unwrap();
        instance.activate(&AudioSetup::new(rate, 256)).unwrap();
        let mut clock = SongClock::new(rate, 100.0);
        clock.set_loop(Some((4.0, 12.0)));
        clock.locate_beats(3.5);
        clock.play();
        let start = clock.frame_at(4.0);
        let meant: Vec<i64> = impulse_beats.iter().map(|&beats| clock.frame_at(beats) - start).collect();
        let mut samples = vec![0.0; (clock.frame_at(12.0) - start) as usize];
        meant.iter().for_each(|&frame| samples[frame as usize] = 0.8);
        let mut song = Song::new(clock);
        // Live: counted in host time, so that the late end of the performance is heard after the loop has jumped back.
        let until_start = (start - song.clock.position()) as u64;
        let clip = Clip {
            placement: Placement::Live(until_start),
            channels: vec![samples].into(),
            delay: i64::from(delay),
            port: 0,
        };
        song.clips.push(clip);
        instance.set_text("Input offset", offset_ms).unwrap();
        instance.switch("Capture", true).unwrap();
        instance.run(&mut song, (10.0 * 0.6 * f64::from(rate)) as usize, Pace::Times(20.0)).unwrap();
        let session = run_until(&mut instance, &mut song, "the take", |session| session.region().take.is_some());
        let audio = session.region().take.as_ref().unwrap().take().unwrap().audio;
        let found = super::loud_frames(&audio.channels[0], 0.5);
        let off: Vec<i64> = found.iter().zip(&meant).map(|(&found, meant)| found as i64 - meant).collect();
        landed.push((found.len(), off));
    }
    assert_eq!(landed[0], (4, vec![0; 4]), "with the offset set");
    let late = i64::from(delay);
    assert_eq!(landed[1].0, 4, "all four are in the take");
    assert!(landed[1].1.iter().all(|&off| off == late), "without it the same check sees the delay: {:?}", landed[1]);
    println!("live impulses 20 ms late, offset set: 0 samples off");
}

#[test]
fn free_and_bar_captures_cut_what_was_sung() {
    let _turn = turn();
    let rate = 44_100;
    for (mode, bars) in [("Next bars", 2), ("Free", 0)] {
        let mut instance = bundle().instance().unwrap();
        instance.activate(&AudioSetup::new(rate, 480)).unwrap();
        let mut clock = SongClock::new(rate, 100.0);
        clock.locate_beats(1.3);
        clock.play();
        let mut song = Song::new(clock);
        // A ramp names every frame of the song by its value.
        song.clips.push(Clip::mono_at(0, (0..1_000_000).map(|frame| frame as f32 / 1_048_576.0).collect()));
        instance.set_text("Capture mode", mode).unwrap();
        if bars > 0 {
            instance.set_text("Capture bars", &bars.to_string()).unwrap();
        }
        instance.run(&mut song, 4_800, Pace::Times(20.0)).unwrap();
        instance.switch("Capture", true).unwrap();
        instance.run(&mut song, 12 * 26_460, Pace::Times(20.0)).unwrap();
        if mode == "Free" {
            instance.switch("Capture", false).unwrap();
            instance.run(&mut song, 4_800, Pace::Times(20.0)).unwrap();
        }
        let session = run_until(&mut instance, &mut song, mode, |session| session.region().take.is_some());
        let take = session.region().take.clone().unwrap();
        let audio = take.take().unwrap().audio;
        let first = f64::from(audio.channels[0][0] * 1_048_576.0);
        let expected = song.clock.frame_at(take.facts.grid.start.0) as f64;
        assert!((first - expected).abs() < 0.5, "{mode}: starts at frame {first}, the grid says {expected}");
        if bars > 0 {
            assert_eq!((take.facts.grid.start.0, take.facts.length.0), (4.0, 8.0));
            assert_eq!(audio.frames() as i64, song.clock.frame_at(12.0) - song.clock.frame_at(4.0));
        } else {
            assert!(take.facts.on_grid && take.facts.length.0 > 10.0, "{:?}", take.facts.length);
        }
    }
}

#[test]
fn midi_played_into_the_plugin_is_kept_passed_on_and_made_a_melody() {
    let _turn = turn();
    let rate = 48_000;
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup::new(rate, 300)).unwrap();
    let mut clock = SongClock::new(rate, 120.0);
    clock.set_loop(Some((4.0, 12.0)));
    clock.locate_beats(3.0);
    clock.play();
    let mut song = Song::new(clock);
    for (index, key) in [60, 62, 64, 65, 67, 65, 64, 62].into_iter().enumerate() {
        let start = 4.0 + index as f64;
        let (start, end) = (song.clock.frame_at(start), song.clock.frame_at(start + 0.9));
        song.notes.push(SongNote { start, end, key, velocity: 0.8, channel: 0 });
    }
    instance.switch("Capture", true).unwrap();
    let heard = instance.run(&mut song, 10 * 24_000, Pace::Times(10.0)).unwrap();
    assert!(heard.notes.len() >= 16, "{} note events passed on", heard.notes.len());
    let session = run_until(&mut instance, &mut song, "the analysis", |session| session.region().analysis.is_some());
    let kept: Vec<_> = session.region().take.clone().unwrap().facts.notes.iter().map(|note| note.key).collect();
    assert_eq!(kept, [60, 62, 64, 65, 67, 65, 64, 62]);
    let understood: Vec<_> = session.region().analysis.clone().unwrap().notes.iter().map(|note| note.key).collect();
    assert_eq!(understood, kept);
}

#[test]
fn the_sidechain_can_be_what_is_captured() {
    let _turn = turn();
    let rate = 48_000;
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup::new(rate, 256)).unwrap();
    let mut clock = SongClock::new(rate, 120.0);
    clock.set_loop(Some((0.0, 4.0)));
    clock.play();
    let mut song = Song::new(clock);
    let tone: Vec<f32> = (0..96_000).map(|frame| (frame as f32 * 0.03).sin() * 0.5).collect();
    song.clips.push(Clip { port: 1, ..Clip::mono_at(0, tone.clone()) });
    instance.set_text("Input", "Sidechain").unwrap();
    instance.run(&mut song, 48_000, Pace::Times(10.0)).unwrap();
    instance.switch("Capture", true).unwrap();
    instance.run(&mut song, 4 * 96_000, Pace::Times(20.0)).unwrap();
    let session = run_until(&mut instance, &mut song, "the take", |session| session.region().take.is_some());
    assert_eq!(session.region().take.as_ref().unwrap().take().unwrap().audio.to_mono(), tone);
}

#[test]
fn offline_rendering_loses_nothing_of_a_capture() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.set_offline(true).unwrap();
    instance.activate(&AudioSetup::new(HUM_RATE, 2_048)).unwrap();
    let mut song = song_with_hum();
    instance.switch("Capture", true).unwrap();
    instance.run(&mut song, 64, Pace::Unbounded).unwrap();
    instance.idle(Duration::from_millis(100));
    // As fast as the machine can: far more than the ring holds, many times faster than it sounds.
    instance.run(&mut song, 40 * HUM_RATE as usize, Pace::Unbounded).unwrap();
    let session = run_until(&mut instance, &mut song, "the take", |session| session.region().take.is_some());
    let take = session.region().take.clone().unwrap();
    assert_eq!(take.facts.lost_frames, 0);
    assert_eq!(take.take().unwrap().audio.to_mono(), super::hum());
}

#[test]
fn a_tempo_change_swaps_in_a_rendition_at_the_new_tempo_and_stays_on_the_beat() {
    let _turn = turn();
    let (mut instance, mut song) = instance_with_rendition();
    song.clips.clear();
    song.clock.stop();
    song.clock.set_tempo_from(0, 120.0);
    song.clock.set_loop(Some((4.0, 4.0 + HUM_BEATS)));
    song.clock.locate_beats(4.0);
    song.clock.play();
    let session = run_until(&mut instance, &mut song, "the new tempo", |session| {
        session.region().variations[0].facts.grid.tempo.single().is_some_and(|tempo| (tempo.0 - 120.0).abs() < 1e-9)
    });
    let region = session.region().variations[0].facts.region.0;
    let expected = song.clock.frame_at(4.0 + HUM_BEATS) - song.clock.frame_at(4.0);
    assert_eq!(region, expected, "exactly as long as the region at the new tempo");
    let mix = session.region().variations[0].mix.as_ref().unwrap().unpack().unwrap();
    instance.run(&mut song, 512, Pace::Unbounded).unwrap();
    song.clock.locate_beats(3.0);
    let heard = instance.run(&mut song, 4 * HUM_RATE as usize, Pace::Unbounded).unwrap();
    let at = heard.passes_of(song.clock.frame_at(4.0))[0];
    let length = heard.frames() - at;
    assert_eq!(heard.cut(0, at, length)[0], mix.channels[0][..length]);
}

#[test]
fn dropping_the_plugin_while_it_generates_is_quick_and_clean() {
    let _turn = turn();
    let before = cantus_host::ThreadCensus::take();
    let (mut instance, mut song) = instance_with_hum();
    instance.set_text("Variations", "8").unwrap();
    instance.switch("Generate", true).unwrap();
    instance.run(&mut song, 4_096, Pace::Times(1.0)).unwrap();
    let begun = std::time::Instant::now();
    drop(instance);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let left: Vec<_> =
        cantus_host::ThreadCensus::take().since(&before).into_iter().filter(|name| name.contains("cantus")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn generating_without_a_take_and_cancelling_nothing_do_no_harm() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup::new(48_000, 512)).unwrap();
    let mut song = Song::new(SongClock::new(48_000, 120.0));
    instance.switch("Generate", true).unwrap();
    instance.switch("Cancel", true).unwrap();
    instance.run(&mut song, 4_800, Pace::Unbounded).unwrap();
    instance.idle(Duration::from_millis(50));
    assert!(session(&mut instance).region().variations.is_empty());
}
