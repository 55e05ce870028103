//! Playback against the host's grid, measured in the host's output with clicks that a project brings along.
//!
//! The expected frames come from the test host's own clock, which shares no arithmetic with the engine.

use super::{bundle, left, loud_frames, turn};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::{EngineKind, Recipe, Timing};
use cantus_engine::rendition::{Fidelity, Loudness, Timings};
use cantus_engine::session::packed::PackedAudio;
use cantus_engine::session::{SavedRegion, SavedVariation, Session, VariationFacts};
use cantus_engine::time::{Beats, Bpm, Frames, Metre, SampleRate, Seconds, SongGrid, TempoMap};
use cantus_host::{AudioSetup, Heard, Instance, Pace, Project, Song, SongClock, TransportReport};

const CLICK: f32 = 0.75;
const REGION_BEATS: i32 = 8;

/// A project whose one variation is a click on every beat, `late` frames after where the host's grid has it.
fn click_session(clock: &SongClock, bpm: f64, start: f64, late: i64) -> Session {
    let first = clock.frame_at(start);
    let region = clock.frame_at(start + f64::from(REGION_BEATS)) - first;
    let mut mix = AudioBuffer::silent(SampleRate(clock.rate()), 2, region as usize + 100);
    for beat in 0..REGION_BEATS {
        let frame = (clock.frame_at(start + f64::from(beat)) - first + late) as usize;
        for channel in &mut mix.channels {
            channel[frame] = CLICK;
        }
    }
    let facts = VariationFacts {
        id: 1,
        name: "Clicks".to_owned(),
        recipe: Recipe {
            engine: EngineKind::Band,
            prompt: "jazz".to_owned(),
            seed: 0,
            freedom: 0.0,
            timing: Timing::AsSung,
            direction: Default::default(),
            song: Default::default(),
            engine_version: 0,
        },
        starred: false,
        score: None,
        grid: SongGrid {
            start: Beats(start),
            start_seconds: Seconds(start * 60.0 / bpm),
            tempo: TempoMap::constant(Bpm(bpm)),
            metre: Metre::default(),
        },
        region: Frames(region),
        fidelity: Fidelity::default(),
        loudness: Loudness::default(),
        timings: Timings::default(),
        made: None,
    };
    let variations = vec![SavedVariation { facts, mix: Some(PackedAudio::pack(&mix)) }];
    Session::of_region(SavedRegion { variations, active: Some(1), ..SavedRegion::default() })
}

fn instance_with_clicks(song: &Song, bpm: f64, start: f64, late: i64, setup: &AudioSetup) -> Instance {
    instance_with(&click_session(&song.clock, bpm, start, late), setup)
}

fn instance_with(session: &Session, setup: &AudioSetup) -> Instance {
    let mut instance = bundle().instance().unwrap();
    let mut project = Project::read(&instance.save_state().unwrap()).unwrap();
    project.set_session_text(&session.encode_text().unwrap());
    instance.load_state(&project.write()).unwrap();
    instance.activate(setup).unwrap();
    instance
}

/// Frames of a run at which the host's grid has a beat of the region.
fn expected(song: &Song, heard: &Heard, start: f64) -> Vec<usize> {
    let beats = (0..REGION_BEATS).map(|beat| song.clock.frame_at(start + f64::from(beat)));
    let mut frames: Vec<usize> = beats.flat_map(|frame| heard.passes_of(frame)).collect();
    frames.sort_unstable();
    frames
}

/// A step of a transport scenario.
enum Step {
    Locate(f64),
    LocateFrame(i64),
    Play,
    Stop,
    Loop(Option<(f64, f64)>),
    Run(f64),
    /// A tempo from here on.
    Tempo(f64),
    Metre(u16, u16),
}

use Step::{Locate, LocateFrame, Loop, Metre as Bars, Play, Run, Stop, Tempo};

struct Scenario {
    name: &'static str,
    report: TransportReport,
    split_at_loop: bool,
    steps: Vec<Step>,
}

fn scenarios() -> Vec<Scenario> {
    let plain = |name, steps| Scenario { name, report: TransportReport::Everything, split_at_loop: true, steps };
    vec![
        plain("from before the region to behind it", vec![Locate(1.0), Play, Run(14.0)]),
        plain("start in the middle", vec![Locate(6.37), Play, Run(8.0)]),
        plain("start exactly on a click", vec![Locate(6.0), Play, Run(8.0)]),
        plain("negative start", vec![Locate(-2.0), Play, Run(14.0)]),
        plain("stop and go on", vec![Locate(3.0), Play, Run(3.2), Stop, Run(1.0), Play, Run(4.0)]),
        plain("locate while playing", vec![Locate(4.0), Play, Run(2.5), Locate(8.8), Run(2.0), Locate(4.9), Run(5.0)]),
        plain("locate by one frame", vec![LocateFrame(90_001), Play, Run(1.5), LocateFrame(90_002), Run(4.0)]),
        plain("loop over the region", vec![Loop(Some((4.0, 12.0))), Locate(4.0), Play, Run(25.0)]),
        plain("loop inside the region", vec![Loop(Some((5.5, 7.25))), Locate(4.0), Play, Run(12.0)]),
        plain("loop shorter than a block", vec![Loop(Some((5.98, 6.02))), Locate(5.0), Play, Run(3.0)]),
        Scenario {
            split_at_loop: false,
            ..plain("loop that wraps inside blocks", vec![Loop(Some((4.0, 7.0))), Locate(4.0), Play, Run(16.0)])
        },
        Scenario {
            split_at_loop: false,
            ..plain("short loop inside blocks", vec![Loop(Some((5.98, 6.02))), Locate(5.0), Play, Run(3.0)])
        },
        plain("a first block at a wrong position", vec![Locate(9.3), Play, Run(0.01), Locate(4.0), Run(9.0)]),
        plain("a first block far behind the region", vec![Locate(900.0), Play, Run(0.01), Locate(5.9), Run(3.0)]),
        plain(
            "metres that change",
            vec![Bars(7, 8), Locate(3.0), Play, Run(3.1), Bars(3, 4), Run(3.3), Bars(4, 4), Run(4.0)],
        ),
        plain(
            "a tempo that changes",
            vec![Locate(3.0), Play, Run(3.37), Tempo(131.0), Run(1.51), Tempo(77.7), Run(6.0)],
        ),
        plain(
            "another tempo all along",
            vec![Locate(0.0), Tempo(87.3), Locate(3.3), Play, Run(5.0), Locate(7.1), Run(6.0)],
        ),
        Scenario {
            report: TransportReport::WithoutLoop,
            ..plain("host that does not tell its loop", vec![Loop(Some((5.0, 9.0))), Locate(4.5), Play, Run(14.0)])
        },
    ]
}

fn check_scenario(scenario: &Scenario, rate: u32, bpm: f64, start: f64, pattern: &[usize], late: i64) -> Vec<String> {
    let clock = SongClock::new(rate, bpm);
    let mut song = Song::new(clock);
    song.clock.report = scenario.report;
    song.clock.split_at_loop = scenario.split_at_loop;
    let setup =
        AudioSetup { rate, max_block: pattern.iter().copied().max().unwrap_or(512), block_pattern: pattern.to_vec() };
    let mut instance = instance_with_clicks(&song, bpm, start, late, &setup);
    // The clip travels in on its ring; one block of a standing song lets it arrive.
    instance.run(&mut song, 64, Pace::Unbounded).unwrap();
    let mut wrong = Vec::new();
    for step in &scenario.steps {
        match step {
            Locate(beats) => song.clock.locate_beats(*beats),
            LocateFrame(frame) => song.clock.locate(*frame),
            Play => song.clock.play(),
            Stop => song.clock.stop(),
            Loop(region) => song.clock.set_loop(*region),
            Tempo(bpm) => song.clock.set_tempo_from(song.clock.position(), *bpm),
            Bars(numerator, denominator) => song.clock.set_metre(*numerator, *denominator),
            Run(beats) => {
                let frames = (beats * 60.0 / bpm * f64::from(rate)) as usize;
                let heard = instance.run(&mut song, frames, Pace::Unbounded).unwrap();
                let (expected, clicks) = (expected(&song, &heard, start), loud_frames(left(&heard), CLICK * 0.9));
                if expected != clicks {
                    wrong.push(format!(
                        "{} at {rate} Hz, {bpm} BPM, start {start}, blocks {pattern:?}: expected {expected:?}, heard {clicks:?}",
                        scenario.name
                    ));
                }
            }
        }
    }
    wrong
}

#[test]
fn clicks_lie_on_the_hosts_grid_to_the_sample_in_every_transport_case() {
    let _turn = turn();
    let mut wrong = Vec::new();
    let mut cases = 0;
    let settings = [
        (44_100, 100.0, 4.0, vec![512]),
        (48_000, 123.45, 4.0, vec![64, 1, 777, 128, 3]),
        (96_000, 100.0, 4.25, vec![8_192]),
        (44_100, 123.45, 4.0, vec![1_024, 17, 4_096, 1]),
        (48_000, 100.0, 4.0, vec![256]),
        (88_200, 123.45, 4.0, vec![8_192, 1, 441]),
        (192_000, 187.3, 4.0, vec![333, 8_192]),
    ];
    for (rate, bpm, start, pattern) in &settings {
        for scenario in scenarios() {
            // Until it is rendered anew, a clip at another tempo lies on the grid with its beats, and runs at its own pace inside them.
            let other_tempo = scenario.steps.iter().any(|step| matches!(step, Tempo(_)));
            let start = if other_tempo { f64::floor(*start) } else { *start };
            wrong.extend(check_scenario(&scenario, *rate, *bpm, start, pattern, 0));
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
    println!("{cases} transport cases, 0 samples off the grid");
}

#[test]
fn blocks_of_one_frame_are_as_exact() {
    let _turn = turn();
    let scenario = Scenario {
        name: "blocks of one frame",
        report: TransportReport::Everything,
        split_at_loop: true,
        steps: vec![Loop(Some((4.0, 5.5))), Locate(3.9), Play, Run(3.0)],
    };
    assert_eq!(check_scenario(&scenario, 48_000, 123.45, 4.0, &[1], 0), Vec::<String>::new());
}

#[test]
fn a_rendition_one_sample_late_is_found() {
    let _turn = turn();
    let scenario = &scenarios()[0];
    assert!(!check_scenario(scenario, 48_000, 100.0, 4.0, &[256], 1).is_empty());
}

#[test]
fn every_region_of_an_instance_lies_on_the_hosts_grid() {
    let _turn = turn();
    for (late, rate) in [(0, 48_000), (0, 192_000), (1, 48_000)] {
        let mut song = Song::new(SongClock::new(rate, 123.45));
        let mut whole = click_session(&song.clock, 123.45, 4.0, 0);
        for (seat, start) in [12.0, 21.5, 33.0].into_iter().enumerate() {
            let late = if seat == 1 { late } else { 0 };
            whole.regions.extend(click_session(&song.clock, 123.45, start, late).regions);
        }
        let setup = AudioSetup { rate, max_block: 1_024, block_pattern: vec![1_024, 7, 512] };
        let mut instance = instance_with(&whole, &setup);
        instance.run(&mut song, 64, Pace::Unbounded).unwrap();
        song.clock.locate_beats(3.0);
        song.clock.play();
        let frames = song.clock.frame_at(40.0) as usize;
        let heard = instance.run(&mut song, frames, Pace::Unbounded).unwrap();
        let expected: Vec<usize> =
            [4.0, 12.0, 21.5, 33.0].iter().flat_map(|&start| expected(&song, &heard, start)).collect();
        assert_eq!(loud_frames(left(&heard), CLICK * 0.9) == expected, late == 0, "{rate} Hz, {late} late");
    }
}

#[test]
fn a_free_loop_and_a_key_play_the_region_from_their_own_frame() {
    let _turn = turn();
    for (rate, pattern) in [(44_100, vec![512]), (96_000, vec![8_192, 3]), (192_000, vec![1_000])] {
        let bpm = 100.0;
        let mut song = Song::new(SongClock::new(rate, bpm));
        let max_block = pattern.iter().copied().max().unwrap();
        let setup = AudioSetup { rate, max_block, block_pattern: pattern };
        let mut instance = instance_with_clicks(&song, bpm, 4.0, 0, &setup);
        instance.run(&mut song, 64, Pace::Unbounded).unwrap();
        let beat = 60 * rate as usize / 100;

        instance.set_text("Playback", "Loop freely").unwrap();
        song.clock.locate_beats(100.3);
        song.clock.play();
        let mut heard = instance.run(&mut song, 5 * beat, Pace::Unbounded).unwrap();
        assert_eq!(loud_frames(left(&heard), CLICK * 0.9), (0..5).map(|n| n * beat).collect::<Vec<_>>(), "{rate} Hz");
        // It goes on counting wherever the song jumps, and round its eight beats.
        song.clock.locate_beats(7.77);
        heard = instance.run(&mut song, 5 * beat, Pace::Unbounded).unwrap();
        assert_eq!(loud_frames(left(&heard), CLICK * 0.9), (0..5).map(|n| n * beat).collect::<Vec<_>>(), "{rate} Hz");
        song.clock.stop();
        instance.run(&mut song, 4_096, Pace::Unbounded).unwrap();

        instance.set_text("Playback", "MIDI trigger").unwrap();
        instance.run(&mut song, 4_096, Pace::Unbounded).unwrap();
        song.clock.locate_beats(200.0);
        song.clock.play();
        let start = song.clock.position() + 12_345;
        song.notes =
            vec![cantus_host::SongNote { start, end: start + 3 * beat as i64 / 2, key: 60, velocity: 0.3, channel: 7 }];
        heard = instance.run(&mut song, 4 * beat, Pace::Unbounded).unwrap();
        assert_eq!(loud_frames(left(&heard), CLICK * 0.9), [12_345, 12_345 + beat], "{rate} Hz");
    }
}

#[test]
fn no_latency_is_reported_and_there_is_none() {
    let _turn = turn();
    for rate in [44_100, 192_000] {
        let song = Song::new(SongClock::new(rate, 100.0));
        let mut instance = instance_with_clicks(&song, 100.0, 4.0, 0, &AudioSetup::new(rate, 512));
        // That renditions lie on the grid without any is what the other tests measure.
        assert_eq!(instance.latency(), 0);
    }
}
