//! The session level: the band's loudness, parts that do not move each other, stems that are the mix, the first bars before the rest.

use super::demo::{STYLES, arranged};
use super::scores::{band, request_for};
use super::{metered, rendered};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::Request;
use cantus_engine::generation::score::{Balance, Level, Role, Score};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::{Rendition, dry_stems, master_for_export, render, render_early};
use cantus_engine::time::SampleRate;
use std::sync::Mutex;

const RATE: SampleRate = SampleRate(48_000);

fn made(score: &Score, request: &Request) -> Rendition {
    render(score, request, "Test 1", RATE, &JobContext::detached()).expect("rendition")
}

/// What a band has to keep at the session level; the first thing that it does not.
fn faults(rendition: &Rendition) -> Vec<String> {
    let (lufs, peak) = metered(rendition.rate().0, &rendition.mix.channels);
    let loudness = rendition.loudness;
    let mut faults = Vec::new();
    let mut hold = |holds: bool, what: String| {
        if !holds {
            faults.push(what);
        }
    };
    hold((lufs + 18.0).abs() <= 1.0, format!("{lufs:.2} LUFS"));
    hold(peak <= -1.0, format!("{peak:.2} dBTP"));
    hold((f64::from(loudness.integrated_lufs) - lufs).abs() < 0.05, "says another loudness".into());
    hold(loudness.lead_over_backing_lu <= 3.0, format!("lead {:.2} LU", loudness.lead_over_backing_lu));
    hold(loudness.lead_over_backing_lu >= 0.0, format!("lead {:.2} LU", loudness.lead_over_backing_lu));
    hold(loudness.lead_masked_db <= 6.0, format!("masked by {:.2} dB", loudness.lead_masked_db));
    hold(difference(&rendition.premaster(), &rendition.mix) == 0.0, "stems are not the mix".into());
    for audio in rendition.stems.iter().map(|stem| &stem.audio).chain([&rendition.mix]) {
        hold(audio.frames() == rendition.mix.frames(), "another length".into());
        for channel in &audio.channels {
            let offset = channel.iter().map(|sample| f64::from(*sample)).sum::<f64>() / channel.len() as f64;
            hold(offset.abs() < 10.0_f64.powf(-70.0 / 20.0), format!("offset {offset}"));
            hold(channel.iter().all(|sample| sample.is_finite() && sample.abs() < 1.0), "clips".into());
        }
    }
    faults
}

/// Largest difference of two sounds; what one has beyond the other's end counts.
fn difference(a: &AudioBuffer, b: &AudioBuffer) -> f32 {
    let frames = a.frames().max(b.frames());
    let at = |audio: &AudioBuffer, side: usize, frame: usize| audio.channels[side].get(frame).copied().unwrap_or(0.0);
    (0..2)
        .flat_map(|side| (0..frames).map(move |frame| (at(a, side, frame) - at(b, side, frame)).abs()))
        .fold(0.0, f32::max)
}

#[test]
fn a_band_stands_where_a_session_wants_it() {
    for style in STYLES {
        let (mut request, _) = arranged(style);
        for seed in [1, 3] {
            request.recipe.seed = seed;
            let score = super::demo::arranged_for(&request);
            let rendition = made(&score, &request);
            println!("{style} {seed}: {:?} {:?}", rendition.loudness, rendition.timings);
            assert_eq!(faults(&rendition), [""; 0], "{style} {seed}");
        }
    }
    let by_hand = rendered(&band(), 48_000);
    println!("by hand: {:?}", by_hand.loudness);
    assert_eq!(faults(&by_hand), [""; 0]);
    // Two decibels more, or a lead that is drowned, are seen.
    let mut loud = band();
    let balance = Balance::of(&loud);
    loud.balance = Some(Balance { band_db: balance.band_db + 2.0, ..balance.clone() });
    assert!(!faults(&rendered(&loud, 48_000)).is_empty());
    loud.balance = Some(Balance { lead_db: balance.lead_db - 9.0, ..balance });
    assert!(!faults(&rendered(&loud, 48_000)).is_empty());
}

#[test]
fn muting_a_part_moves_no_other() {
    let (request, score) = arranged("jazz");
    let whole = made(&score, &request);
    for muted in &score.tracks {
        let mut fewer = score.clone();
        fewer.tracks.retain(|track| track.role != muted.role);
        let rendition = made(&fewer, &request);
        assert_eq!(rendition.stems.len() + 1, whole.stems.len());
        for stem in &rendition.stems {
            let same = whole.stems.iter().find(|other| other.role == stem.role).expect("the stem");
            assert_eq!(difference(&stem.audio, &same.audio), 0.0, "{:?} without {:?}", stem.role, muted.role);
        }
    }
    // A balance of what is left would have moved them.
    let mut fewer = score.clone();
    fewer.tracks.retain(|track| track.role != Role::Bass);
    fewer.balance = None;
    let rendition = made(&fewer, &request);
    assert!(rendition.stems.iter().zip(&whole.stems).any(|(a, b)| difference(&a.audio, &b.audio) > 0.0));
}

#[test]
fn a_muted_part_is_left_out_and_the_balance_kept() {
    let (mut request, whole) = arranged("jazz");
    let choice =
        cantus_engine::generation::direction::PartChoice { role: Role::Bass, seed: None, preset: None, muted: true };
    request.recipe.direction.parts = vec![choice];
    let muted = super::demo::arranged_for(&request);
    assert_eq!(muted.balance, whole.balance);
    assert!(muted.tracks.iter().all(|track| track.role != Role::Bass));
    let others = whole.tracks.iter().filter(|track| track.role != Role::Bass);
    assert!(muted.tracks.iter().eq(others), "another part plays otherwise");
}

#[test]
fn the_loud_version_is_made_of_the_session_one() {
    let style = "reggae";
    let (mut request, score) = arranged(style);
    let session = made(&score, &request);
    let (mix, loudness) = master_for_export(&session, &JobContext::detached()).expect("a master");
    let (lufs, peak) = metered(RATE.0, &mix.channels);
    assert!((lufs + 14.0).abs() <= 0.5, "{style}: {lufs} LUFS");
    assert!(peak <= -1.0, "{style}: {peak} dBTP");
    assert!((f64::from(loudness.integrated_lufs) - lufs).abs() < 0.05);
    request.recipe.direction.level = Level::Loud;
    let loud = made(&score, &request);
    assert!(loud.mix == mix && loud.stems == session.stems, "{style}: rendered loud is another sound");
    assert!(difference(&session.mix, &mix) > 0.01, "{style}: nothing was done");
}

#[test]
fn the_first_bars_are_there_before_the_rest() {
    let score = band();
    let early = Mutex::new(None);
    let take = |audio: AudioBuffer| *early.lock().expect("lock") = Some(audio);
    let request = request_for(&score);
    let whole = render_early(&score, &request, "Test", RATE, Some(&take), &JobContext::detached()).expect("rendition");
    let early = early.into_inner().expect("lock").expect("the first bars");
    assert_eq!(early.frames(), 2 * 4 * 28_800);
    assert!(early.peak() > 0.05);
    let beginning = |mix: &AudioBuffer| AudioBuffer {
        rate: RATE,
        channels: mix.channels.iter().map(|channel| channel[..early.frames()].to_vec()).collect(),
    };
    assert_eq!(difference(&early, &beginning(&whole.mix)), 0.0);
    let mut other = score.clone();
    other.tracks[1].notes[0].velocity -= 1;
    assert!(difference(&early, &beginning(&made(&other, &request).mix)) > 0.0);
}

#[test]
fn dry_stems_have_no_room() {
    let rendition = rendered(&band(), 48_000);
    let dry = dry_stems(&rendition, &JobContext::detached()).expect("stems").expect("a score");
    for (dry, wet) in dry.iter().zip(&rendition.stems) {
        assert_eq!((dry.role, dry.audio.frames()), (wet.role, wet.audio.frames()));
        // Where it has long stopped playing, the room is what is left.
        let tail = |audio: &AudioBuffer| super::rms_db(&audio.to_mono()[rendition.region.0 as usize + 24_000..]);
        if matches!(dry.role, Role::Lead | Role::Chords | Role::Colour) {
            assert!(tail(&dry.audio) < tail(&wet.audio) - 6.0, "{:?}: the room is still there", dry.role);
        }
        // The part itself is as loud as it was.
        let loud = |audio: &AudioBuffer| metered(48_000, &audio.channels).0;
        assert!((loud(&dry.audio) - loud(&wet.audio)).abs() < 1.5, "{:?}", dry.role);
    }
}
