//! Rhythm of free hums: tempo, metre and bar lines, on tunes whose score is known.

use super::hum::hum;
use super::take;
use super::tunes::{Chance, Manner, Tune, note, tune, tunes};
use cantus_engine::analysis::rhythm::{Heard, Rhythm, fit, hear};
use cantus_engine::analysis::{Analysis, KeyEstimate, Note, analyse, key};
use cantus_engine::capture::take::TakeSource;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate, Seconds, SongGrid};

fn heard(notes: &[Note]) -> Heard {
    let key = key::key(notes, &SongGrid::at_origin(Bpm(100.0), Metre::default()), false);
    hear(notes, &key, None)
}

fn near(a: f64, b: f64, share: f64) -> bool {
    (a / b - 1.0).abs() < share
}

/// Share of performances whose tempo is right, right or offered, whose metre is right, and whose bar lines are.
#[derive(Debug, Default)]
struct Shares {
    tempo: f64,
    offered: f64,
    metre: f64,
    bars: f64,
}

/// Hears performances of tunes after `change` had its way with their notes.
fn shares<'a>(tunes: impl Iterator<Item = &'a Tune>, change: impl Fn(&mut Vec<Note>, u64)) -> Shares {
    let mut shares = Shares::default();
    let mut count = 0.0;
    for (index, tune) in tunes.enumerate() {
        for round in 0..3_u32 {
            let seed = 100 * index as u64 + u64::from(round);
            let mut chance = Chance(seed);
            let faster = if tune.metre.denominator == 8 { 1.2 } else { 1.0 };
            let bpm = faster * chance.between(84.0, 150.0);
            let manner = Manner { bpm, careless: 0.03, seconds: chance.between(9.0, 16.0), seed, ..Manner::default() };
            let mut notes = manner.perform(&tune.line);
            change(&mut notes, seed);
            let Rhythm { tempo, alternatives, metre, pickup, .. } = heard(&notes).rhythm;
            let right = near(tempo.0, bpm, 0.02);
            let octave = [0.5, 2.0].iter().any(|octave| near(tempo.0, octave * bpm, 0.02));
            let offered = octave && alternatives.iter().any(|(tempo, _)| near(tempo.0, bpm, 0.02));
            let bar = tune.metre.bar().0;
            let same_bar = metre == tune.metre || (metre.denominator == 4 && bar % metre.bar().0 < 1e-9);
            let apart = (pickup.0 * bpm / tempo.0 - tune.pickup).rem_euclid(bar);
            count += 1.0;
            shares.tempo += f64::from(u8::from(right));
            shares.offered += f64::from(u8::from(right || offered));
            shares.metre += f64::from(u8::from(same_bar));
            shares.bars += f64::from(u8::from((right || octave) && same_bar && apart.min(bar - apart) < 0.05));
        }
    }
    Shares {
        tempo: shares.tempo / count,
        offered: shares.offered / count,
        metre: shares.metre / count,
        bars: shares.bars / count,
    }
}

#[test]
fn tunes_are_heard_in_their_tempo_metre_and_bars() {
    let tunes = tunes();
    for (held_out, tempo, metre, bars) in [(false, 0.85, 0.85, 0.70), (true, 0.80, 0.75, 0.55)] {
        let chosen = || tunes.iter().filter(|tune| tune.held_out == held_out);
        let right = shares(chosen(), |_, _| ());
        assert!(right.tempo >= tempo && right.offered >= 0.95, "held out {held_out}: {right:?}");
        assert!(right.metre >= metre && right.bars >= bars, "held out {held_out}: {right:?}");
    }
    // Broken on purpose: onsets scattered by a fifth of a second follow no beat, and must not pass.
    let broken = shares(tunes.iter(), |notes, seed| {
        let mut chance = Chance(seed + 7);
        notes.iter_mut().for_each(|note| note.onset.0 += chance.between(0.0, 0.2));
        notes.sort_by(|a, b| a.onset.0.total_cmp(&b.onset.0));
    });
    assert!(broken.tempo < 0.6 && broken.bars < 0.4, "scattered onsets still pass: {broken:?}");
}

#[test]
fn steady_tunes_have_their_tempo() {
    let keys = [64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64, 62, 60, 60];
    let beats = [[1.0; 12].as_slice(), &[1.5, 0.5, 2.0]].concat();
    for bpm in [70.0, 92.0, 100.0, 118.0, 140.0] {
        let mut at = 0.37;
        let ode: Vec<Note> = keys
            .iter()
            .zip(&beats)
            .map(|(&key, length)| {
                let onset = at;
                at += length * 60.0 / bpm;
                note(onset, at - 0.03, key, 1.0)
            })
            .collect();
        let Rhythm { tempo, beats, .. } = heard(&ode).rhythm;
        let ratio = tempo.0 / bpm;
        let doubts = heard(&ode).rhythm.doubts(ode.len());
        // Half or double is the same pulse felt otherwise, but then it must be said.
        let octave = [0.5, 2.0].iter().any(|octave| near(ratio, *octave, 0.01)) && !doubts.is_empty();
        assert!(near(ratio, 1.0, 0.01) || octave, "{bpm} BPM heard as {tempo:?}: {doubts:?}");
        let off = beats.iter().map(|beat| (beat.0 - 0.37).abs() * tempo.0 / 60.0).fold(f64::MAX, f64::min);
        assert!(off < 0.1, "{bpm} BPM: the first note is heard {off} beats off the beat");
    }
}

#[test]
fn later_is_the_same_rhythm_later() {
    for name in ["clementine", "wenceslas", "row_your_boat", "shenandoah"] {
        let line = tune(name).line;
        let manner = Manner { careless: 0.02, seconds: 14.7, ..Manner::default() };
        let early = heard(&manner.perform(&line)).rhythm;
        let late = heard(&Manner { lead_in: 3.617, ..manner }.perform(&line)).rhythm;
        assert!(near(early.tempo.0, late.tempo.0, 1e-6), "{name}: {} and {}", early.tempo.0, late.tempo.0);
        assert_eq!((early.metre, early.pickup), (late.metre, late.pickup), "{name}");
        assert!((late.downbeat.0 - early.downbeat.0 - 3.217).abs() < 1e-6, "{name}");
        assert_eq!(early.beats.len(), late.beats.len(), "{name}");
        assert!((early.confidence - late.confidence).abs() < 1e-3, "{name}");
    }
}

#[test]
fn faster_is_the_same_rhythm_faster() {
    for name in ["clementine", "wenceslas", "old_macdonald"] {
        let line = tune(name).line;
        let slow = heard(&Manner { bpm: 104.0, ..Manner::default() }.perform(&line)).rhythm;
        let fast = heard(&Manner { bpm: 120.0, ..Manner::default() }.perform(&line)).rhythm;
        assert!(near(slow.tempo.0, 104.0, 0.003) && near(fast.tempo.0, 120.0, 0.003), "{name}: {slow:?} {fast:?}");
        assert_eq!((slow.metre, slow.pickup), (fast.metre, fast.pickup), "{name}");
    }
}

#[test]
fn higher_is_the_same_rhythm() {
    for name in ["clementine", "god_save_the_king", "shenandoah"] {
        let line = tune(name).line;
        let low = heard(&Manner { up: -5, ..Manner::default() }.perform(&line));
        for up in [-1, 2, 6] {
            assert!(heard(&Manner { up, ..Manner::default() }.perform(&line)) == low, "{name}, {up} up");
        }
    }
}

/// Times bent by a tempo that gets a twelfth faster and slower again.
fn rubato(notes: &mut [Note]) -> impl Fn(f64) -> f64 + use<> {
    let bend = |time: f64| time + 0.1 * (time * 0.8).sin();
    for note in notes {
        note.onset = Seconds(bend(note.onset.0));
        note.offset = Seconds(bend(note.offset.0));
    }
    bend
}

#[test]
fn a_breathing_tempo_is_followed() {
    for name in ["wenceslas", "old_macdonald", "god_save_the_king", "clementine"] {
        let tune = tune(name);
        let mut notes = Manner { bpm: 100.0, careless: 0.01, ..Manner::default() }.perform(&tune.line);
        let first = notes[0].onset.0;
        let bend = rubato(&mut notes);
        let heard = heard(&notes);
        assert!(heard.rhythm.drift > 0.1, "{name}: drift {}", heard.rhythm.drift);
        let lines = |time: f64| heard.grid.beat_at(Seconds(time)).0;
        // A beat later in the score is a beat later on the grid, wherever the tempo is.
        let octave = if near(heard.rhythm.tempo.0, 50.0, 0.2) { 0.5 } else { 1.0 };
        for beat in 0..14 {
            let (from, to) = (bend(first + 0.6 * f64::from(beat)), bend(first + 0.6 * f64::from(beat + 1)));
            let length = (lines(to) - lines(from)) / octave;
            assert!((length - 1.0).abs() < 0.06, "{name}: beat {beat} is {length} long");
        }
        // Broken on purpose: a steady grid does not follow.
        let steady = SongGrid::at_origin(heard.rhythm.tempo, Metre::default());
        let worst = (0..14)
            .map(|beat| {
                let (from, to) = (bend(first + 0.6 * f64::from(beat)), bend(first + 0.6 * f64::from(beat + 1)));
                ((steady.beat_at(Seconds(to)).0 - steady.beat_at(Seconds(from)).0) / octave - 1.0).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst > 0.06, "{name}: the tempo hardly moves, {worst}");
    }
}

#[test]
fn a_song_counts_a_hum_at_the_nearest_speed() {
    // Tempo of the hum and of the song, and beats of the song for one of the hum.
    for (own, host, ratio) in [
        (90.0, 96.0, 1.0),
        (70.0, 128.0, 2.0),
        (160.0, 84.0, 0.5),
        (100.0, 140.0, 1.0),
        (100.0, 142.0, 2.0),
        (60.0, 240.0, 2.0),
    ] {
        let own_grid = SongGrid { start: Beats(3.25), ..SongGrid::at_origin(Bpm(own), Metre::default()) };
        let fitted = fit(&own_grid, Bpm(host));
        assert_eq!(fitted.ratio, ratio, "{own} in a song at {host}");
        assert!(near(fitted.grid.tempo.tempo_at(fitted.grid.start).0, own * ratio, 1e-9));
        for seconds in [0.0, 1.3, 7.7] {
            let own_beat = own_grid.beat_at(Seconds(seconds)).0;
            assert!((fitted.beat_at(Seconds(seconds)).0 - ratio * own_beat).abs() < 1e-9, "{own} in {host}");
        }
    }
}

/// A pickup of one beat, then bars: what the whole stage makes of a hum.
fn hummed(source: TakeSource, host: f64) -> (Analysis, Vec<f64>) {
    let line = tune("clementine").line;
    let beat = 60.0 / 96.0;
    let mut at = 0.53;
    let mut notes = Vec::new();
    for (key, beats) in line {
        if let Some(key) = key {
            notes.push((at, beats * beat * 0.85, f64::from(key)));
        }
        at += beats * beat;
    }
    let mut take = take(hum(&notes, 0.0, 0.5, SampleRate(44_100)));
    take.on_grid = false;
    take.source = source;
    take.grid = SongGrid::at_origin(Bpm(host), Metre::default());
    let analysis = analyse(&take, &JobContext::detached()).expect("analysis");
    (analysis, notes.iter().map(|note| note.0).collect())
}

#[test]
fn bars_of_a_take_off_the_grid_begin_where_the_hum_has_them() {
    for (source, host, ratio) in
        [(TakeSource::File, 120.0, 1.0), (TakeSource::Free, 101.0, 1.0), (TakeSource::Free, 190.0, 2.0)]
    {
        let (analysis, onsets) = hummed(source, host);
        assert!(near(analysis.rhythm.tempo.0, 96.0, 0.01), "{:?}", analysis.rhythm);
        assert!(near(analysis.tempo().0, 96.0 * ratio, 0.01), "{:?}", analysis.tempo());
        assert_eq!((analysis.metre().numerator, analysis.rhythm.pickup.0), (3, 1.0), "{:?}", analysis.rhythm);
        let bar = analysis.metre().bar().0;
        // The third note is the first on a bar line; two bars later there is another.
        for onset in [onsets[2], onsets[2] + 6.0 * 60.0 / 96.0] {
            let bars = analysis.beat_at(Seconds(onset)).0 / bar;
            assert!((bars - bars.round()).abs() * bar < 0.1, "a bar line of the hum lies {bars} bars into the song");
        }
        assert!(analysis.grid.start.0 >= 0.0 && analysis.grid.start.0 < bar);
        let end = (analysis.grid.start + analysis.length).0 / bar;
        assert!((end - end.round()).abs() < 1e-6, "the take ends with a bar: {end}");
        assert!(analysis.doubts.iter().any(|doubt| doubt.contains("pickup")), "{:?}", analysis.doubts);
        assert_eq!(
            analysis.doubts.iter().any(|doubt| doubt.contains("counted as")),
            ratio != 1.0,
            "{:?}",
            analysis.doubts
        );
    }
}

#[test]
fn what_is_unsure_is_said_and_half_and_double_are_offered() {
    for name in ["clementine", "what_shall_we_canon", "korobeiniki"] {
        let notes = Manner { bpm: 112.0, careless: 0.02, ..Manner::default() }.perform(&tune(name).line);
        let rhythm = heard(&notes).rhythm;
        for octave in [0.5, 2.0] {
            let offered = rhythm.alternatives.iter().any(|(tempo, _)| near(tempo.0, octave * rhythm.tempo.0, 1e-6));
            assert!(offered, "{name}: {:?}", rhythm.alternatives);
        }
        let ranked = rhythm.alternatives.is_sorted_by(|a, b| a.1 >= b.1);
        assert!(ranked && rhythm.alternatives[0].1 <= rhythm.confidence, "{name}: {rhythm:?}");
    }
    // Equal notes may be beats or halves of beats.
    let even: Vec<Note> =
        (0..16).map(|index| note(0.4 * f64::from(index), 0.4 * f64::from(index) + 0.3, 60, 1.0)).collect();
    let rhythm = heard(&even).rhythm;
    let doubts = rhythm.doubts(even.len());
    assert!(doubts.iter().any(|doubt| doubt.contains("it may be")), "{rhythm:?} {doubts:?}");
}

#[test]
fn any_onsets_give_some_rhythm() {
    let mut chance = Chance(3);
    let scattered: Vec<Note> = (0..40)
        .scan(0.0, |at, _| {
            *at += chance.between(0.07, 0.9);
            Some(note(*at, *at + 0.05, 60, 0.5))
        })
        .collect();
    let together: Vec<Note> = (0..20).map(|_| note(1.0, 1.2, 60, 0.5)).collect();
    let far = vec![note(0.0, 0.1, 60, 0.5), note(500.0, 500.5, 62, 0.5), note(501.0, 501.5, 62, 0.5)];
    let long: Vec<Note> =
        (0..1500).map(|index| note(0.41 * f64::from(index), 0.41 * f64::from(index) + 0.3, 60, 1.0)).collect();
    for notes in [&[][..], &scattered[..1], &scattered[..2], &scattered, &together, &far, &long] {
        let Heard { rhythm, grid } = heard(notes);
        assert!((20.0..=400.0).contains(&rhythm.tempo.0), "{rhythm:?}");
        let certainties = [rhythm.confidence, rhythm.metre_confidence, rhythm.downbeat_confidence];
        assert!(certainties.iter().all(|certainty| (0.0..=1.0).contains(certainty)), "{certainties:?}");
        assert!(rhythm.beats.windows(2).all(|pair| pair[0] < pair[1]), "beats go back in time");
        assert!(rhythm.downbeat.0.is_finite() && rhythm.pickup.0 >= 0.0 && grid.is_sane());
        assert!(notes.len() > 4 || rhythm.confidence < 0.4, "sure of {} notes: {rhythm:?}", notes.len());
        assert!(rhythm.doubts(notes.len()).iter().all(|doubt| doubt.ends_with('.')));
    }
    let Rhythm { confidence, .. } = heard(&scattered).rhythm;
    assert!(confidence < 0.5, "sure of noise: {confidence}");
}

#[test]
fn an_analysis_of_before_can_be_read() {
    let grid = SongGrid::at_origin(Bpm(90.0), Metre::default());
    let analysis = Analysis { level_dbfs: -20.0, ..Analysis::unheard(grid) };
    let mut value = serde_json::to_value(&analysis).expect("JSON");
    let fields = value.as_object_mut().expect("an object");
    assert!(fields.remove("rhythm").is_some());
    let key = fields["key"].as_object_mut().expect("a key");
    assert!(key.remove("scale").is_some() && key.remove("segments").is_some());
    let read: Analysis = serde_json::from_value(value).expect("older analyses are read");
    assert_eq!((read.rhythm, read.key), (Rhythm::default(), KeyEstimate::unheard()));
}
