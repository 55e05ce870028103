//! Loudness, peaks and balance, measured on the files that come out.

use super::demo::{STYLES, rendition};
use super::scores::{band, note, score, track};
use super::{metered, read_wav, rendered, stem};
use cantus_engine::export::{Files, write_rendition};
use cantus_engine::generation::score::Role;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::Rendition;
use cantus_engine::rendition::levels::sounds;

const FULL: f32 = 8_388_608.0;

fn floats(planes: &[Vec<i32>]) -> Vec<Vec<f32>> {
    planes.iter().map(|plane| plane.iter().map(|sample| *sample as f32 / FULL).collect()).collect()
}

/// Level of the difference between the sum of stems and the pre-master, in dB of full scale.
fn null_db(stems: &[Vec<Vec<i32>>], gains: &[f64], premaster: &[Vec<i32>]) -> f64 {
    let mut power = 0.0;
    for channel in 0..2 {
        for (frame, whole) in premaster[channel].iter().enumerate() {
            let sum: f64 = stems.iter().zip(gains).map(|(stem, gain)| gain * f64::from(stem[channel][frame])).sum();
            power += ((sum - f64::from(*whole)) / f64::from(FULL)).powi(2);
        }
    }
    10.0 * (power / (2.0 * premaster[0].len() as f64) + 1e-20).log10()
}

fn check_files(name: &str, rendition: &Rendition) {
    let folder = tempfile::tempdir().expect("folder");
    let context = JobContext::detached();
    let written = write_rendition(folder.path(), rendition, &Files::default(), &context).expect("files");
    let (rate, mix) = read_wav(&folder.path().join("mix.wav"));
    let (lufs, peak) = metered(rate, &floats(&mix));
    assert!((lufs + 14.0).abs() <= 0.5, "{name}: {lufs} LUFS");
    assert!(peak <= -1.0, "{name}: {peak} dBTP");
    for plane in floats(&mix) {
        let offset = plane.iter().map(|sample| f64::from(*sample)).sum::<f64>() / plane.len() as f64;
        assert!(offset.abs() < 10.0_f64.powf(-70.0 / 20.0), "{name}: offset {offset}");
    }

    let (_, premaster) = read_wav(&folder.path().join("premaster.wav"));
    let stems: Vec<Vec<Vec<i32>>> = written
        .iter()
        .filter(|path| path.parent().is_some_and(|folder| folder.ends_with("stems")))
        .map(|path| read_wav(path).1)
        .collect();
    assert_eq!(stems.len(), rendition.stems.len());
    let mut gains = vec![1.0; stems.len()];
    let null = null_db(&stems, &gains, &premaster);
    assert!(null <= -90.0, "{name}: the stems miss the pre-master by {null} dB");
    gains[0] = 10.0_f64.powf(0.1 / 20.0);
    let broken = null_db(&stems, &gains, &premaster);
    assert!(broken > -90.0, "{name}: a stem 0.1 dB off is not seen: {broken} dB");

    let lead = rendition.stems.iter().position(|stem| stem.role == Role::Lead).expect("lead");
    let backing: Vec<Vec<f32>> = (0..2)
        .map(|channel| {
            (0..premaster[0].len())
                .map(|frame| (premaster[channel][frame] - stems[lead][channel][frame]) as f32 / FULL)
                .collect()
        })
        .collect();
    let over = metered(rate, &floats(&stems[lead])).0 - metered(rate, &backing).0;
    assert!((0.0..=3.0).contains(&over), "{name}: the lead stands {over} LU over the backing");
    assert!((over - f64::from(rendition.loudness.lead_over_backing_lu)).abs() < 0.3, "{name}: says another balance");
}

#[test]
fn files_are_loud_enough_and_add_up() {
    for style in STYLES {
        check_files(style, rendition(style));
    }
    check_files("written by hand", &rendered(&band(), 44_100));
}

#[test]
fn no_part_drowns_and_none_is_lost() {
    for style in STYLES {
        let rendition = rendition(style);
        let lufs = |role: Role| {
            let stem = rendition.stems.iter().find(|stem| stem.role == role);
            stem.map(|stem| metered(rendition.rate().0, &stem.audio.channels).0)
        };
        let lead = lufs(Role::Lead).expect("lead");
        for role in [Role::Chords, Role::Bass, Role::Drums] {
            let under = lead - lufs(role).expect("a rhythm section");
            assert!((1.0..=18.0).contains(&under), "{style}: {} is {under} LU under the lead", role.name());
        }
    }
}

#[test]
fn every_preset_sounds() {
    let mut heard = Vec::new();
    for facts in sounds().expect("table").all() {
        let middle = if facts.preset.is_kit() { 38 } else { facts.keys.0 / 2 + facts.keys.1 / 2 };
        let role = if facts.preset.is_kit() { Role::Drums } else { Role::Chords };
        let notes = vec![note(0.0, 1.0, middle, 100)];
        let score = score(120.0, 4.0, vec![track(role, &facts.name, facts.preset.bank, facts.preset.program, notes)]);
        let rendition = rendered(&score, 48_000);
        let sound = rendition.stems[0].audio.to_mono();
        let peak = rendition.stems[0].audio.peak();
        assert!(peak > 0.01, "{}: silent", facts.name);
        heard.push((facts.name.clone(), peak, sound.len()));
    }
    assert!(heard.len() >= 60, "only {} presets", heard.len());
}

#[test]
fn a_louder_written_part_is_louder() {
    let at = |gain_db: f32| {
        let mut quiet = track(Role::Pad, "Strings", 0, 48, vec![note(0.0, 8.0, 60, 80)]);
        quiet.gain_db = gain_db;
        let chords = track(Role::Chords, "Piano", 0, 0, vec![note(0.0, 8.0, 64, 80)]);
        let score = score(120.0, 8.0, vec![chords, quiet]);
        let rms = |role| super::rms_db(&stem(&score, role, 48_000));
        rms(Role::Pad) - rms(Role::Chords)
    };
    let step = at(-6.0) - at(-12.0);
    assert!((step - 6.0).abs() < 0.2, "6 dB written are {step} dB");
}
