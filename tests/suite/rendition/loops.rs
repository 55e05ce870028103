//! What leads back to its start repeats without a hole or a bump; what ends rings out.

use super::demo::arranged;
use super::scores::{band, note, request_for, score, track};
use super::{metered, rms_db};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::direction::Ending;
use cantus_engine::generation::score::{Level, Role, Score};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::looped::looped;
use cantus_engine::rendition::{Rendition, render};
use cantus_engine::time::SampleRate;

fn made(score: &Score) -> Rendition {
    render(score, &request_for(&band()), "Test 1", SampleRate(48_000), &JobContext::detached()).expect("rendition")
}

fn loop_of(rendition: &Rendition, level: Level) -> Rendition {
    looped(rendition, level, &JobContext::detached()).expect("a loop")
}

/// A pad that rings over the end of eight beats, with nothing at the start.
fn ringing() -> Score {
    let mut pad = track(Role::Pad, "Strings", 0, 48, vec![note(5.0, 2.9, 60, 90), note(5.0, 2.9, 67, 90)]);
    pad.reverb = 0.8;
    score(100.0, 8.0, vec![pad])
}

/// The largest step between the last sample and the first, against the largest steps within.
fn bump(channel: &[f32]) -> f32 {
    let inside = channel.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    (channel[0] - channel[channel.len() - 1]).abs() / inside
}

#[test]
fn a_loop_is_as_long_as_its_bars_and_its_tail_is_in_its_head() {
    let rendition = made(&ringing());
    let region = rendition.region.0 as usize;
    assert!(rendition.mix.frames() > region + 24_000, "the ring is there");
    let wrapped = loop_of(&rendition, Level::Session);
    assert_eq!(wrapped.mix.frames(), region);
    for (side, channel) in wrapped.mix.channels.iter().enumerate() {
        let plain = &rendition.mix.channels[side];
        let tail = |frame: usize| plain.get(region + frame).copied().unwrap_or(0.0);
        assert!(channel.iter().enumerate().all(|(frame, sample)| (sample - plain[frame] - tail(frame)).abs() < 1e-6));
        assert!(bump(channel) < 1.5, "a step of {} at the seam", bump(channel));
    }
    // Cut at the bar, the ring would end in a hole.
    let head = |audio: &AudioBuffer| rms_db(&audio.to_mono()[..4_800]);
    let cut = &rendition.mix;
    assert!(head(&wrapped.mix) > head(cut) + 20.0, "{} and {} dB", head(&wrapped.mix), head(cut));
}

#[test]
fn a_loops_stems_are_its_mix_and_its_master_has_no_seam() {
    let (request, score) = arranged("orchestral");
    let context = JobContext::detached();
    let rendition = render(&score, &request, "Orchestral 1", SampleRate(48_000), &context).expect("rendition");
    let session = loop_of(&rendition, Level::Session);
    assert!(session.stems.iter().all(|stem| stem.audio.frames() == session.mix.frames()));
    assert!(session.premaster() == session.mix);
    let loud = loop_of(&rendition, Level::Loud);
    assert_eq!(loud.mix.frames(), session.mix.frames());
    let (lufs, peak) = metered(48_000, &loud.mix.channels);
    assert!((lufs + 14.0).abs() <= 0.5 && peak <= -1.0, "{lufs} LUFS, {peak} dBTP");
    for (loud, session) in loud.mix.channels.iter().zip(&session.mix.channels) {
        // The gain between the two versions goes on over the seam, and so does the sound.
        assert!(bump(loud) < 1.5, "a step of {}", bump(loud));
        let gain = |from: usize| {
            let level = |channel: &[f32]| rms_db(&channel[from..from + 960]);
            level(loud) - level(session)
        };
        let step = (gain(0) - gain(loud.len() - 960)).abs();
        assert!(step < 2.0, "the gain jumps by {step} dB");
    }
    // A part that is cut at the bar is seen: its end is no beginning.
    let mut cut = rendition.mix.channels[0][..loud.mix.frames()].to_vec();
    let last = cut.len() - 1;
    cut[last] += 0.5;
    assert!(bump(&cut) > 0.9);
}

#[test]
fn what_ends_rings_out_and_is_left_as_it_is() {
    let mut ending = ringing();
    ending.ending = Ending::Final;
    // A last chord after the last bar.
    ending.tracks[0].notes.push(note(8.0, 4.0, 60, 90));
    let rendition = made(&ending);
    let region = rendition.region.0 as usize;
    let after = |from: f64, to: f64| {
        let mono = rendition.mix.to_mono();
        let frame = |seconds: f64| (region + (seconds * 48_000.0) as usize).min(mono.len());
        rms_db(&mono[frame(from)..frame(to)])
    };
    assert!(after(0.5, 1.5) > -40.0, "the last chord is not there: {} dB", after(0.5, 1.5));
    assert!(rendition.mix.frames() <= region + 8 * 48_000);
    assert!(rms_db(&rendition.mix.to_mono()[rendition.mix.frames() - 480..]) < -60.0, "it is cut off");
    let again = loop_of(&rendition, Level::Session);
    assert!(again.mix == rendition.mix && again.stems == rendition.stems);
    // A loop has nothing after its bars.
    let mut repeating = ending.clone();
    repeating.ending = Ending::Loop;
    let plain = made(&repeating);
    let mono = plain.mix.to_mono();
    let late = (region + 72_000).min(mono.len());
    assert!(rms_db(&mono[late..(late + 48_000).min(mono.len())]) < -40.0);
}
