//! Twenty melodies, twenty renditions: which was made from which is told by listening to the finished mix only.

use super::{STYLES, TrueNote, rendered, sounding};
use crate::generation::tunes::{self, Tune};
use cantus_engine::analysis::Chroma;
use cantus_engine::analysis::chroma::chroma_of;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::Rendition;
use std::collections::BTreeSet;
use std::sync::OnceLock;

const MELODIES: usize = 20;
/// Share of renditions whose own melody must come first.
const FIRST: f64 = 0.95;

/// Twenty of the sung melodies, all different: every tune once, and of the lines made up at random as many as are missing.
fn melodies() -> &'static [Tune] {
    static CHOSEN: OnceLock<Vec<Tune>> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let rows: serde_json::Value = serde_json::from_str(include_str!("../../data/sung_melodies.json")).unwrap();
        let name = |index: usize| rows[index]["tune"].as_str().unwrap();
        let (made_up, mut chosen): (Vec<_>, Vec<_>) =
            tunes::sung().into_iter().enumerate().partition(|(index, _)| name(*index) == "random");
        let mut known = BTreeSet::from(["octaves"]);
        chosen.retain(|(index, _)| known.insert(name(*index)));
        chosen.extend(made_up);
        let chosen: Vec<Tune> = chosen.into_iter().take(MELODIES).map(|(_, tune)| tune).collect();
        assert_eq!(chosen.len(), MELODIES);
        assert!(chosen.iter().all(|tune| tune.analysis.length.0 <= 32.0), "more than eight bars");
        chosen
    })
}

fn notes(tune: &Tune) -> Vec<TrueNote> {
    tune.analysis.notes.iter().map(|note| (note.onset.0, note.offset.0, note.key)).collect()
}

/// What is heard in the mix of each melody's rendition, style and seed rotating.
fn heard() -> &'static [Chroma] {
    static HEARD: OnceLock<Vec<Chroma>> = OnceLock::new();
    HEARD.get_or_init(|| {
        let listened = |(index, tune): (usize, &Tune)| {
            let seed = 1 + index as u64 * 7;
            let Rendition { mix, .. } = rendered(&tune.analysis, STYLES[index % 3], seed, super::RATE);
            chroma_of(&mix, &JobContext::detached()).expect("chroma")
        };
        melodies().iter().enumerate().map(listened).collect()
    })
}

/// How well a melody fits what was heard, at its own speed and in the transposition that fits best: the mean energy of the
/// notes' classes, against the mean energy of all classes. Where the melody rests, nothing is asked; where it sounds past the end of
/// what was heard, it does not fit.
fn fit(heard: &Chroma, melody: &[TrueNote]) -> f64 {
    let end = melody.last().map_or(0.0, |note| note.1);
    let frames = (end / super::HOP_SECONDS) as usize;
    let of_transposition = |shift: usize| -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for frame in 0..frames {
            let Some(class) = sounding(melody, frame) else { continue };
            count += 1;
            let Some(classes) = heard.frames.get(frame) else { continue };
            let mean = classes.iter().sum::<f32>() / 12.0;
            sum += f64::from(classes[(usize::from(class) + shift) % 12] - mean);
        }
        sum / f64::from(count.max(1))
    };
    (0..12).map(of_transposition).fold(f64::NEG_INFINITY, f64::max)
}

/// A melody's rhythm with another one's keys, in their order, over and over.
fn with_keys_of(rhythm: &[TrueNote], other: &[TrueNote]) -> Vec<TrueNote> {
    let keys = other.iter().map(|note| note.2).cycle();
    rhythm.iter().zip(keys).map(|(note, key)| (note.0, note.1, key)).collect()
}

/// What a melody may be taken for.
#[derive(Clone, Copy)]
enum Candidates {
    /// The other melodies as they are: tempo and rhythm give hints too.
    Melodies,
    /// The other melodies' keys in its own rhythm: only pitch tells.
    SameRhythm,
}

/// Place of the right melody among all, 1 for the best, for each rendition. `made_from` says which melody the rendition that
/// is claimed to be of one was really made from.
fn ranks(candidates: Candidates, made_from: impl Fn(usize) -> usize) -> Vec<usize> {
    let melodies: Vec<Vec<TrueNote>> = melodies().iter().map(notes).collect();
    let rank = |claimed: usize| {
        let listened = &heard()[made_from(claimed)];
        let fit_of = |melody: &Vec<TrueNote>| match candidates {
            Candidates::Melodies => fit(listened, melody),
            Candidates::SameRhythm => fit(listened, &with_keys_of(&melodies[claimed], melody)),
        };
        let fits: Vec<f64> = melodies.iter().map(fit_of).collect();
        // A tie is not told apart: the right one counts itself, so 1 is the best place.
        fits.iter().filter(|fit| **fit >= fits[claimed]).count()
    };
    (0..MELODIES).map(rank).collect()
}

fn check_retrieval(ranks: &[usize]) -> Result<(), String> {
    let first = ranks.iter().filter(|rank| **rank == 1).count() as f64 / ranks.len() as f64;
    if first >= FIRST { Ok(()) } else { Err(format!("{:.0} % are told: places {ranks:?}", first * 100.0)) }
}

#[test]
fn a_melody_is_told_from_its_rendition_alone() {
    let ranks = ranks(Candidates::Melodies, |claimed| claimed);
    println!("places of the right melody: {ranks:?}");
    check_retrieval(&ranks).unwrap();
}

#[test]
fn its_pitches_alone_tell_a_melody() {
    let ranks = ranks(Candidates::SameRhythm, |claimed| claimed);
    println!("places of the right melody among others in its rhythm: {ranks:?}");
    check_retrieval(&ranks).unwrap();
}

#[test]
fn renditions_that_ignore_the_melody_are_found_out() {
    for candidates in [Candidates::Melodies, Candidates::SameRhythm] {
        check_retrieval(&ranks(candidates, |claimed| (claimed + 1) % MELODIES)).unwrap_err();
        // One tune for everybody, whatever was sung.
        check_retrieval(&ranks(candidates, |_| 0)).unwrap_err();
    }
}
