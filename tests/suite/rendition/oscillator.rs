//! Sounds that oscillators make: in tune, without aliases or clicks, as loud as the list says.

use super::spectrum::{band_db, power_spectrum};
use super::{all_finite, rms_db};
use cantus_engine::Error;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::Preset;
use cantus_engine::generation::style::presets::{PresetInfo, PresetTable};
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::rendition::oscillator::patch::Sounds;
use cantus_engine::rendition::oscillator::{OscillatorNote, play};
use cantus_engine::time::SampleRate;
use std::sync::Arc;

const RATE: u32 = 48_000;
/// A bend that bends nothing: the patch leaves its own vibrato off.
const STRAIGHT: &[(f64, f32)] = &[(0.0, 0.0)];

fn note(bank: u8, program: u8, key: u8, held_seconds: f64) -> OscillatorNote {
    let held_frames = Some((held_seconds * f64::from(RATE)) as u64);
    OscillatorNote { preset: Preset { bank, program }, key, velocity: 100, held_frames }
}

fn played(note: &OscillatorNote, bend: &[(f64, f32)], rate: u32) -> AudioBuffer {
    play(note, bend, SampleRate(rate), &JobContext::detached()).expect("a sound")
}

fn listed(bank: u8) -> Vec<PresetInfo> {
    let table = PresetTable::shipped().expect("the list");
    table.all().iter().filter(|info| info.preset.bank == bank).cloned().collect()
}

fn middle(info: &PresetInfo) -> u8 {
    info.keys.0 / 2 + info.keys.1 / 2
}

/// Root mean square of both sides over the first half second, in dB.
fn first_half_db(audio: &AudioBuffer) -> f64 {
    let mut both = Vec::new();
    for channel in &audio.channels {
        both.extend((0..RATE as usize / 2).map(|frame| channel.get(frame).copied().unwrap_or(0.0)));
    }
    rms_db(&both)
}

const KIT_KEYS: [u8; 14] = [36, 38, 37, 39, 42, 44, 46, 41, 45, 50, 49, 51, 54, 56];

#[test]
fn the_list_names_what_there_is_and_how_loud() {
    let sounds = Sounds::shipped().expect("patches");
    assert_eq!(listed(120).len(), sounds.patches.len());
    for info in listed(120) {
        let patch = sounds.patch(info.preset.program).expect("a patch");
        assert_eq!(patch.name, info.name);
        let level = first_half_db(&played(&note(120, info.preset.program, middle(&info), 0.5), &[], RATE));
        assert!((level - f64::from(info.level_db)).abs() < 0.3, "{}: {level} dB, listed {}", info.name, info.level_db);
    }
    assert_eq!(listed(121).len(), sounds.kits.len());
    for info in listed(121) {
        let kit = sounds.kits.iter().find(|kit| kit.program == info.preset.program).expect("a kit");
        assert_eq!(kit.name, info.name);
        let level = |key: &u8| first_half_db(&played(&note(121, kit.program, *key, 0.1), &[], RATE));
        let mut levels: Vec<f64> = KIT_KEYS.iter().map(level).collect();
        levels.sort_by(f64::total_cmp);
        let level = levels[levels.len() / 2];
        assert!((level - f64::from(info.level_db)).abs() < 0.3, "{}: {level} dB, listed {}", info.name, info.level_db);
    }
}

/// Partials of the bell, against its key: two pairs, and the stroke.
fn bell_partials() -> Vec<f64> {
    let pair =
        |carrier: f64, ratio: f64| (-12..=12).map(move |side| (carrier + f64::from(side) * carrier * ratio).abs());
    pair(1.0, 3.5).chain(pair(2.0, 2.76)).chain([8.0]).collect()
}

/// Power between the partials against all power from 60 Hz as far up as one hears, in dB. `spread` is how many cents off a partial may be.
fn between_partials_db(samples: &[f32], key_hz: f64, partials: &[f64], spread: f64) -> f64 {
    let spectrum = power_spectrum(samples);
    let bin_hz = f64::from(RATE) / samples.len() as f64;
    let ratio = 2.0_f64.powf(spread / 1200.0);
    let belongs = |hz: f64| {
        partials.iter().any(|partial| {
            let at = partial * key_hz;
            hz > at / ratio - 6.0 * bin_hz && hz < at * ratio + 6.0 * bin_hz
        })
    };
    let (mut inside, mut outside) = (0.0, 0.0);
    for (bin, power) in spectrum.iter().enumerate().take((20_000.0 / bin_hz) as usize).skip((60.0 / bin_hz) as usize) {
        if belongs(bin as f64 * bin_hz) { inside += power } else { outside += power }
    }
    10.0 * (outside / (inside + outside)).log10()
}

#[test]
fn high_keys_have_no_aliases() {
    let harmonics: Vec<f64> = (1..400).map(|number| f64::from(number) * 0.5).collect();
    let sounds = Sounds::shipped().expect("patches");
    for program in [2, 4, 5, 11, 12, 13, 14, 15, 16, 30, 33] {
        let patch = sounds.patch(program).expect("a patch");
        let info = listed(120).into_iter().find(|info| info.preset.program == program).expect("listed");
        let key = info.keys.1;
        let sound = played(&note(120, program, key, 1.0), STRAIGHT, RATE);
        let held = &sound.channels[0][12_000..12_000 + 32_768];
        let key_hz = 440.0 * 2.0_f64.powf((f64::from(key) - 69.0) / 12.0);
        let bell = bell_partials();
        let partials = if program == 14 { &bell } else { &harmonics };
        // A pulse whose width sways puts lines beside the partials.
        let detune = patch.oscillators.iter().map(|one| f64::from(one.detune)).fold(0.0, f64::max);
        let spread = detune + 3.0;
        let level = between_partials_db(held, key_hz, partials, spread);
        assert!(level <= -60.0, "{}: {level} dB between the partials of key {key}", patch.name);
    }
    // A saw as one writes it first fails.
    let hz = 2093.0;
    let naive: Vec<f32> = (0..32_768).map(|frame| 2.0 * ((frame as f32 * hz / 48_000.0) % 1.0) - 1.0).collect();
    let level = between_partials_db(&naive, f64::from(hz), &harmonics, 3.0);
    assert!(level > -40.0, "aliases of a naive saw are not seen: {level} dB");
}

/// Power of the bins that stand out of the same sound at four times the rate, against all of it, as far up as one hears, in dB.
fn added_db(sound: &[f32], finer: &[f32]) -> f64 {
    let (spectrum, finer) = (power_spectrum(sound), power_spectrum(finer));
    // Four times the length is sixteen times the power.
    let near = |bin: usize| finer[bin - 4..bin + 5].iter().fold(0.0, |a: f64, &b| a.max(b)) / 16.0;
    let heard = 20_000 * spectrum.len() * 2 / RATE as usize;
    let added: f64 = (40..heard).map(|bin| spectrum[bin] - 4.0 * near(bin)).filter(|power| *power > 0.0).sum();
    10.0 * (added / spectrum.iter().sum::<f64>() + 1e-15).log10()
}

#[test]
fn saturated_voices_add_nothing_that_a_higher_rate_does_not() {
    for (program, key) in [(1, 60), (3, 55), (10, 96), (32, 84)] {
        let at = |rate: u32| {
            let held_frames = Some(u64::from(rate));
            let sound = played(&OscillatorNote { held_frames, ..note(120, program, key, 1.0) }, STRAIGHT, rate);
            let from = rate as usize / 4;
            sound.channels[0][from..from + 32_768 * rate as usize / RATE as usize].to_vec()
        };
        let level = added_db(&at(RATE), &at(4 * RATE));
        assert!(level <= -60.0, "{program} key {key}: {level} dB added");
    }
    let saw = |rate: u32| -> Vec<f32> {
        let frames = 32_768 * (rate / RATE);
        (0..frames).map(|frame| ((f64::from(frame) * 2093.0 / f64::from(rate)) % 1.0) as f32 - 0.5).collect()
    };
    let level = added_db(&saw(RATE), &saw(4 * RATE));
    assert!(level > -40.0, "aliases of a naive saw are not seen: {level} dB");
}

/// Where the power within 60 cents of a frequency has its middle, in cents from it.
fn cents_off(samples: &[f32], hz: f64) -> f64 {
    let spectrum = power_spectrum(samples);
    let bin_hz = f64::from(RATE) / samples.len() as f64;
    let (low, high) = (hz * 2.0_f64.powf(-60.0 / 1200.0) / bin_hz, hz * 2.0_f64.powf(60.0 / 1200.0) / bin_hz);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (bin, power) in spectrum.iter().enumerate().take(high as usize + 1).skip(low as usize) {
        sum += power * bin as f64;
        weight += power;
    }
    1200.0 * (sum / weight * bin_hz / hz).log2()
}

#[test]
fn every_patch_is_in_tune() {
    let sounds = Sounds::shipped().expect("patches");
    for info in listed(120) {
        let program = info.preset.program;
        let patch = sounds.patch(program).expect("a patch");
        // Rises and falls have no pitch of their own.
        if patch.journey.is_some() {
            continue;
        }
        let key = middle(&info).clamp(48, 72);
        let detuned = patch.oscillators[0].voices > 1;
        // Voices next to each other are told apart better higher up.
        let partial = if detuned { 4.0 } else { 1.0 };
        let hz = partial * 440.0 * 2.0_f64.powf((f64::from(key) - 69.0) / 12.0);
        let sound = played(&note(120, program, key, 2.0), STRAIGHT, RATE);
        let from = 16_000;
        let off = cents_off(&sound.to_mono()[from..from + 65_536], hz);
        assert!(off.abs() < 2.0, "{}: {off} cents off", patch.name);
        let off = cents_off(&sound.to_mono()[from..from + 65_536], hz * 2.0_f64.powf(5.0 / 1200.0));
        assert!(off.abs() > 2.0, "{}: five cents are not seen", patch.name);
    }
}

#[test]
fn notes_begin_and_end_without_a_click() {
    for info in listed(120) {
        for held in [0.08, 0.7] {
            let sound = played(&note(120, info.preset.program, middle(&info), held), &[], RATE);
            let peak = sound.peak();
            let name = format!("{} held {held} s", info.name);
            assert!(peak > 0.02, "{name}: silent");
            let ring = sound.frames() as f64 / f64::from(RATE) - held;
            assert!(ring <= 4.05, "{name}: rings for {ring} s");
            for channel in &sound.channels {
                assert!(channel[0].abs() < 0.01 * peak, "{name}: begins at {}", channel[0] / peak);
                assert_eq!(channel.last(), Some(&0.0), "{name}");
                let end = channel[channel.len() - 100..].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
                assert!(end < 1e-4 * peak, "{name}: ends at {end} of {peak}");
            }
            // Cutting the same sound off as its key is let go is seen.
            let cut = &sound.channels[0][..(held * f64::from(RATE)) as usize];
            let end = cut[cut.len() - 100..].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
            assert!(end > 1e-4 * peak, "{name}: a cut end is not seen");
        }
    }
}

#[test]
fn level_follows_velocity() {
    for info in listed(120).into_iter().chain(listed(121)) {
        let key = if info.preset.is_kit() { 38 } else { middle(&info) };
        let at = |velocity: u8| {
            let one = OscillatorNote { velocity, ..note(info.preset.bank, info.preset.program, key, 0.5) };
            first_half_db(&played(&one, &[], RATE))
        };
        let (soft, loud) = (at(50), at(127));
        let law = 40.0 * (127.0_f64 / 50.0).log10();
        assert!((loud - soft - law).abs() < 2.0, "{}: {} dB for {law}", info.name, loud - soft);
    }
}

#[test]
fn the_same_note_is_the_same_sound_and_another_is_not() {
    for (bank, program, key) in [(120, 13, 60), (120, 24, 60), (120, 40, 60), (121, 1, 38)] {
        let one = note(bank, program, key, 0.3);
        assert_eq!(played(&one, &[], RATE), played(&one, &[], RATE));
        let higher = OscillatorNote { key: key + 2, ..one };
        assert_ne!(played(&one, &[], RATE), played(&higher, &[], RATE), "{bank}:{program}");
    }
}

/// Frequency over a stretch, by rising zero crossings.
pub(super) fn crossings_hz(samples: &[f32]) -> f64 {
    let rising: Vec<f64> = samples
        .windows(2)
        .enumerate()
        .filter(|(_, two)| two[0] <= 0.0 && two[1] > 0.0)
        .map(|(index, two)| index as f64 + f64::from(-two[0] / (two[1] - two[0])))
        .collect();
    (rising.len() - 1) as f64 / (rising[rising.len() - 1] - rising[0]) * f64::from(RATE)
}

#[test]
fn a_bend_is_followed() {
    let one = note(120, 12, 69, 1.0);
    let rising = played(&one, &[(9_600.0, 0.0), (38_400.0, 7.0)], RATE);
    for (from, semitones) in [(4_800.0_f64, 0.0_f64), (24_000.0, 3.5), (43_000.0, 7.0)] {
        let hz = crossings_hz(&rising.channels[0][from as usize - 480..from as usize + 480]);
        let off = 12.0 * (hz / 440.0).log2() - semitones;
        assert!(off.abs() < 0.04, "{off} semitones off after {from} frames");
    }
}

#[test]
fn rises_rise_and_falls_fall() {
    for (program, rises) in [(40, true), (41, false)] {
        for held in [1.0, 4.0] {
            let sound = played(&note(120, program, 60, held), &[], RATE).to_mono();
            let length = (held * f64::from(RATE)) as usize;
            let treble = |from: usize| {
                let spectrum = power_spectrum(&sound[from..from + 8_192]);
                band_db(&spectrum, RATE, 3_000.0, 20_000.0)
            };
            let (early, late) = (treble(length / 10), treble(length * 9 / 10 - 8_192));
            let moved = if rises { late - early } else { early - late };
            assert!(moved > 12.0, "{program} over {held} s: {moved} dB of treble");
        }
    }
}

#[test]
fn kits_have_a_drum_on_every_key() {
    for info in listed(121) {
        for key in info.keys.0..=info.keys.1 {
            let sound = played(&note(121, info.preset.program, key, 0.1), &[], RATE);
            assert!(sound.peak() > 0.01, "{} key {key}", info.name);
            assert!(sound.frames() < 4 * RATE as usize, "{} key {key} rings on", info.name);
        }
        let spectrum = |key: u8| {
            let mut sound = played(&note(121, info.preset.program, key, 0.1), &[], RATE).to_mono();
            sound.resize(32_768, 0.0);
            power_spectrum(&sound)
        };
        let (low, high) = (band_db(&spectrum(36), RATE, 30.0, 220.0), band_db(&spectrum(42), RATE, 4_000.0, 24_000.0));
        assert!(low > -1.5, "{}: the kick is no kick, {low} dB", info.name);
        assert!(high > -1.5, "{}: the hat is no hat, {high} dB", info.name);
        let ring = |key: u8| played(&note(121, info.preset.program, key, 0.1), &[], RATE).frames();
        assert!(ring(46) > 3 * ring(42), "{}: the open hat is as short as the closed one", info.name);
        assert!(crest_hz(&spectrum(50)) > 1.3 * crest_hz(&spectrum(41)), "{}: one tom only", info.name);
    }
}

/// Frequency of the strongest bin.
fn crest_hz(spectrum: &[f64]) -> f64 {
    let strongest = (0..spectrum.len()).max_by(|&a, &b| spectrum[a].total_cmp(&spectrum[b])).expect("bins");
    strongest as f64 / spectrum.len() as f64 * f64::from(RATE) / 2.0
}

#[test]
fn odd_notes_do_no_harm() {
    for info in listed(120).into_iter().chain(listed(121)) {
        let mut one = note(info.preset.bank, info.preset.program, 127, 0.05);
        let wild = [(0.0, f32::NAN), (10.0, 24.0), (400.0, -60.0), (500.0, f32::INFINITY)];
        for (key, velocity, held_frames) in [(127, 127, Some(0)), (0, 0, Some(1)), (200, 255, None)] {
            one = OscillatorNote { key, velocity, held_frames, ..one };
            for rate in [8_000, 192_000] {
                assert!(all_finite(&played(&one, &wild, rate)), "{} key {key}, {rate} Hz", info.name);
            }
        }
    }
    let context = JobContext::detached();
    for (preset, rate) in [((120, 99), RATE), ((121, 9), RATE), ((0, 0), RATE), ((120, 0), 4_000)] {
        let preset = Preset { bank: preset.0, program: preset.1 };
        let one = OscillatorNote { preset, ..note(120, 0, 60, 0.1) };
        let error = play(&one, &[], SampleRate(rate), &context).expect_err("no such sound");
        assert!(matches!(error, Error::OutOfRange { .. }), "{error}");
    }
    let cancel = CancelToken::default();
    cancel.cancel();
    let stopped = JobContext::new(cancel, Arc::new(|_| ()));
    let result = play(&note(120, 20, 60, 60.0), &[], SampleRate(RATE), &stopped);
    assert!(matches!(result, Err(Error::Cancelled)));
}

#[test]
fn a_mistake_in_the_patches_is_named_with_its_line() {
    let good = "[[patch]]\nprogram = 0\nname = \"Saw\"\nlevel_db = 0.0\namp = { attack_ms = 1, decay_ms = 10, sustain = 1 }\n\
        [[patch.oscillator]]\nwave = \"saw\"\nlevel = 1.0\n[[kit]]\nprogram = 0\nname = \"Kit\"\n[[kit.drum]]\nname = \"kick\"\n\
        keys = [36]\nlevel_db = 0\n[[kit.drum.layer]]\nsource = \"sine\"\nlevel = 1\nhz = 50\ndecay_ms = 100\n";
    Sounds::read(good).expect("a good file");
    for (from, to, line) in [
        ("level = 1.0", "level = 9.0", 8),
        ("wave = \"saw\"", "wave = \"sew\"", 7),
        ("sustain = 1 ", "sustain = 2 ", 5),
        ("level_db = 0.0", "loudness = 0.0", 4),
        ("[[patch.oscillator]]\nwave = \"saw\"\nlevel = 1.0\n", "oscillator = []\n", 1),
        ("keys = [36]", "keys = [36, 36]", 9),
        ("decay_ms = 100", "decay_ms = 0", 20),
        ("keys = [36]", "keys = [36", 14),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        let reason = Sounds::read(&bad).expect_err(to);
        let lines = [line, line + 1].map(|line| format!("line {line}:"));
        assert!(lines.iter().any(|line| reason.contains(line.as_str())), "{to}: {reason}");
    }
}
