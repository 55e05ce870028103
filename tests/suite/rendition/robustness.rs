//! Repeatable, quick to stop, quick to make, and unimpressed by odd scores and rates.

use super::demo::{STYLES, arranged, rendition};
use super::scores::{band, note, request_for, score, track};
use super::{all_finite, rendered, rms_db};
use cantus_engine::Error;
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::job_context::{CancelToken, JobContext, Progress};
use cantus_engine::rendition::{Rendition, Timings, render};
use cantus_engine::time::{Beats, SampleRate};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[test]
fn same_score_same_samples() {
    let without_times = |rendition: Rendition| Rendition { timings: Timings::default(), ..rendition };
    let first = without_times(rendered(&band(), 48_000));
    assert!(first == without_times(rendered(&band(), 48_000)), "two renditions of one score differ");
    let mut other = band();
    other.tracks[0].notes[3].velocity += 1;
    assert!(first != without_times(rendered(&other, 48_000)), "a changed note changes nothing");
}

#[test]
fn rates_from_telephone_to_studio() {
    for rate in [8_000, 22_050, 44_100, 88_200, 192_000] {
        let mut short = band();
        short.length = Beats(8.0);
        let rendition = rendered(&short, rate);
        assert!(all_finite(&rendition.mix), "{rate} Hz");
        assert_eq!(rendition.region.0, (8.0 * 0.6 * f64::from(rate)).round() as i64);
        assert!((rendition.loudness.integrated_lufs + 18.0).abs() <= 1.0, "{rate} Hz: {:?}", rendition.loudness);
        assert!(rendition.loudness.true_peak_dbtp <= -1.0, "{rate} Hz: {:?}", rendition.loudness);
    }
    for rate in [0, 4_000, 384_000] {
        let score = band();
        let result = render(&score, &request_for(&score), "Test", SampleRate(rate), &JobContext::detached());
        let error = result.expect_err("no such rate");
        assert!(matches!(error, Error::OutOfRange { .. }), "{rate} Hz: {error}");
    }
}

#[test]
fn an_empty_score_is_silence() {
    for tracks in [vec![], vec![track(Role::Lead, "Flute", 0, 73, vec![])]] {
        let rendition = rendered(&score(100.0, 8.0, tracks), 48_000);
        assert_eq!(rendition.region.0, 230_400);
        assert!(rendition.mix.frames() >= 230_400);
        assert_eq!(rendition.mix.peak(), 0.0);
    }
}

fn check_odd(what: &str, score: &Score) {
    let context = JobContext::detached();
    let rendition = render(score, &request_for(&band()), what, SampleRate(44_100), &context).expect(what);
    assert!(all_finite(&rendition.mix) && rendition.stems.iter().all(|stem| all_finite(&stem.audio)), "{what}");
}

#[test]
fn odd_notes_do_no_harm() {
    let lead = |notes| score(100.0, 4.0, vec![track(Role::Lead, "Flute", 0, 73, notes)]);
    let mut wild = note(0.0, 1.0, 60, 90);
    wild.bend = vec![(f32::NAN, 1.0), (0.5, f32::INFINITY), (0.1, 900.0), (0.0, -900.0)];
    wild.expression_db = vec![(0.0, f32::NAN), (0.3, 400.0), (0.2, -400.0)];
    check_odd("wild curves", &lead(vec![wild]));
    check_odd("keys and velocities off the scale", &lead(vec![note(0.0, 1.0, 255, 255), note(1.0, 1.0, 0, 0)]));
    check_odd("no length", &lead(vec![note(0.0, 0.0, 60, 90), note(1.0, -3.0, 62, 90)]));
    check_odd("not a number", &lead(vec![note(f64::NAN, 1.0, 60, 90), note(1.0, f64::INFINITY, 62, 90)]));
    check_odd("outside the region", &lead(vec![note(-2.0, 1.0, 60, 90), note(900.0, 1.0, 62, 90)]));
    check_odd(
        "an unknown preset",
        &score(100.0, 4.0, vec![track(Role::Lead, "?", 99, 200, vec![note(0.0, 1.0, 60, 90)])]),
    );
    let mut loud = track(Role::Pad, "Pad", 0, 48, vec![note(0.0, 4.0, 60, 90)]);
    (loud.gain_db, loud.pan, loud.reverb) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    check_odd("gains that are none", &score(100.0, 4.0, vec![loud]));
    for length in [f64::NAN, f64::INFINITY, -4.0, 1e9] {
        let mut endless = lead(vec![note(0.0, 1.0, 60, 90)]);
        endless.length = Beats(length);
        let result = render(&endless, &request_for(&band()), "Test", SampleRate(48_000), &JobContext::detached());
        assert!(matches!(result, Err(Error::OutOfRange { .. })), "{length} beats");
    }
}

/// The shortest of three tries: what the work itself takes, on a machine that may be doing other things.
fn shortest(mut measure: impl FnMut() -> Duration) -> Duration {
    (0..3).map(|_| measure()).min().expect("three tries")
}

#[test]
fn cancelling_stops_it_at_any_moment() {
    let score = band();
    let request = request_for(&score);
    for fraction in [0.0, 0.2, 0.5, 0.9, 1.4, 1.7] {
        let since = shortest(|| {
            let token = CancelToken::default();
            let stopped = Arc::new(Mutex::new(None));
            let (remote, moment) = (token.clone(), Arc::clone(&stopped));
            // Pulled from inside a progress report: stage 0 is playing, stage 1 mixing.
            let report = move |progress: Progress| {
                let stage = if progress.stage == cantus_engine::job_context::Stage::Mix { 1.0 } else { 0.0 };
                let mut moment = moment.lock().expect("lock");
                if stage + progress.fraction >= fraction && moment.is_none() {
                    *moment = Some(Instant::now());
                    remote.cancel();
                }
            };
            let context = JobContext::new(token, Arc::new(report));
            let result = render(&score, &request, "Test", SampleRate(48_000), &context);
            assert_eq!(result.err(), Some(Error::Cancelled), "at {fraction}");
            stopped.lock().expect("lock").expect("a moment").elapsed()
        });
        // 50 ms of optimised work; this build is not.
        assert!(since < Duration::from_millis(250), "at {fraction}: {since:?}");
    }
}

/// Five minutes: every pass over the whole of it has to look whether to go on.
fn long_song() -> Score {
    let notes = (0..64).map(|bar| note(f64::from(bar) * 8.0, 7.5, 60 + (bar % 5) as u8, 90)).collect();
    score(100.0, 512.0, vec![track(Role::Lead, "Organ", 0, 16, notes)])
}

#[test]
fn a_long_song_stops_as_quickly() {
    let score = long_song();
    let request = request_for(&score);
    for delay_ms in [150, 400, 700, 1_100, 1_500] {
        let since = shortest(|| {
            let token = CancelToken::default();
            let remote = token.clone();
            let clock = WorkClock::of_this_thread();
            let pull = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(delay_ms));
                remote.cancel();
                clock.now()
            });
            let context = JobContext::new(token, Arc::new(|_| ()));
            // A fast machine may be done before; then there is nothing to stop.
            let _ = render(&score, &request, "Test", SampleRate(48_000), &context);
            let ended = clock.now();
            ended.saturating_sub(pull.join().expect("the clock"))
        });
        println!("{delay_ms} ms: {since:?}");
        assert!(since < Duration::from_millis(400), "after {delay_ms} ms: {since:?}");
    }
}

/// The longest processor time a job spent without a look whether to stop, as seen from a second thread: the true figure is never smaller, so
/// a busy machine cannot make it fail.
fn longest_without_a_look(token: &CancelToken, work: impl FnOnce()) -> Duration {
    let clock = WorkClock::of_this_thread();
    let done = Arc::new(AtomicBool::new(false));
    let (watched, ended) = (token.clone(), Arc::clone(&done));
    let watch = std::thread::spawn(move || {
        let mut longest = Duration::ZERO;
        let (mut looks, mut since) = (watched.looks(), clock.now());
        while !ended.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
            // The time first: a look that comes after it only makes the gap look shorter.
            let (now, seen) = (clock.now(), watched.looks());
            if seen == looks {
                longest = longest.max(now.saturating_sub(since));
            } else {
                (looks, since) = (seen, clock.now());
            }
        }
        longest
    });
    work();
    done.store(true, Ordering::Release);
    watch.join().expect("the watch")
}

#[test]
fn no_pass_over_a_long_song_forgets_to_look() {
    let score = long_song();
    let request = request_for(&score);
    let token = CancelToken::default();
    let context = JobContext::new(token.clone(), Arc::new(|_| ()));
    let longest = longest_without_a_look(&token, || {
        render(&score, &request, "Test", SampleRate(48_000), &context).expect("rendition");
    });
    println!("longest without a look: {longest:?}");
    assert!(longest < Duration::from_millis(100), "{longest:?}");
    // A pass that forgets is seen.
    let forgetful = longest_without_a_look(&token, || {
        let began = WorkClock::of_this_thread().now();
        while WorkClock::of_this_thread().now() - began < Duration::from_millis(150) {
            std::hint::spin_loop();
        }
    });
    assert!(forgetful > Duration::from_millis(100), "a forgetful pass goes unnoticed: {forgetful:?}");
}

/// The processor time of one thread, readable from others: what it works, whatever else the machine does. Where the system has no such
/// clock, the time on the wall.
#[derive(Clone, Copy)]
struct WorkClock {
    #[cfg(target_os = "linux")]
    id: libc::clockid_t,
    #[cfg(not(target_os = "linux"))]
    began: Instant,
}

impl WorkClock {
    #[cfg(target_os = "linux")]
    fn of_this_thread() -> Self {
        let mut id = 0;
        // SAFETY: the thread is this one, and `id` is written when the call succeeds.
        assert_eq!(unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut id) }, 0);
        Self { id }
    }

    #[cfg(target_os = "linux")]
    fn now(self) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the thread of the clock waits for its reader, so the clock is there; `time` is ours.
        assert_eq!(unsafe { libc::clock_gettime(self.id, &raw mut time) }, 0);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("nanoseconds"))
    }

    #[cfg(not(target_os = "linux"))]
    fn of_this_thread() -> Self {
        Self { began: Instant::now() }
    }

    #[cfg(not(target_os = "linux"))]
    fn now(self) -> Duration {
        self.began.elapsed()
    }
}

#[test]
fn progress_only_grows() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let context =
        JobContext::new(CancelToken::default(), Arc::new(move |progress| sink.lock().expect("lock").push(progress)));
    let score = band();
    render(&score, &request_for(&score), "Test", SampleRate(48_000), &context).expect("rendition");
    let seen = seen.lock().expect("lock");
    assert!(seen.len() > 50, "only {} reports", seen.len());
    assert_eq!(seen.last().map(|progress| progress.fraction), Some(1.0));
}

#[test]
fn eight_bars_are_ready_at_once() {
    for style in STYLES {
        let (request, score) = arranged(style);
        let began = cpu_seconds();
        let made = render(&score, &request, style, SampleRate(48_000), &JobContext::detached()).expect("rendition");
        let spent = cpu_seconds() - began;
        println!("{style}: {spent:.2} s of processor for {} parts, {:?}", score.tracks.len(), made.timings);
    }
    // Other tests share this process, so only the rendition's own clock on a quiet run is held to a bar.
    let best = (0..3)
        .map(|_| {
            let (request, score) = arranged("jazz");
            let made =
                render(&score, &request, "jazz", SampleRate(48_000), &JobContext::detached()).expect("rendition");
            made.timings.render_ms + made.timings.mix_ms
        })
        .fold(f32::INFINITY, f32::min);
    assert!(best < 2_500.0, "{best} ms");
}

/// Processor time of this process so far.
fn cpu_seconds() -> f64 {
    #[cfg(unix)]
    {
        // SAFETY: an all-zero timespec is valid, and the call only writes into it.
        let mut time: libc::timespec = unsafe { std::mem::zeroed() };
        // SAFETY: `time` lives across the call.
        unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    }
    #[cfg(not(unix))]
    0.0
}

#[test]
fn there_is_no_hole_in_the_music() {
    for style in STYLES {
        let rendition = rendition(style);
        let mono = rendition.mix.to_mono();
        let region = usize::try_from(rendition.region.0).expect("region");
        for (index, piece) in mono[..region].chunks_exact(9_600).enumerate() {
            assert!(rms_db(piece) > -45.0, "{style}: {} dB at {:.1} s", rms_db(piece), index as f64 * 0.2);
        }
        let end = &mono[mono.len() - 480..];
        assert!(rms_db(end) < -60.0, "{style}: the tail ends at {} dB", rms_db(end));
    }
}
