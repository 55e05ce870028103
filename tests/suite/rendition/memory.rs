//! How much memory rendering takes besides the sound set and what comes out.

use super::scores::{band, request_for};
use crate::allocations::most_bytes;
use cantus_engine::generation::score::Score;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::{Rendition, render};
use cantus_engine::time::{Beats, SampleRate};
use std::process::Command;

/// The name of the child's test below, and the variable that makes it do something.
const CHILD: &str = "rendition::memory::child_that_renders";
const ORDER: &str = "CANTUS_TEST_MEMORY";

/// Most that 32 bars may take.
const MOST_MEGABYTES: f64 = 64.0;

/// The band's eight bars four times.
fn long_band() -> Score {
    let mut score = band();
    for track in &mut score.tracks {
        let once = track.notes.clone();
        for round in 1..4 {
            track.notes.extend(once.iter().cloned().map(|mut note| {
                note.start = note.start + Beats(32.0 * f64::from(round));
                note
            }));
        }
    }
    score.length = Beats(128.0);
    score
}

fn rendered(score: &Score) -> Rendition {
    render(score, &request_for(score), "Test", SampleRate(48_000), &JobContext::detached()).expect("rendition")
}

/// Megabytes that a child process found.
fn megabytes(order: &str) -> f64 {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", CHILD, "--nocapture", "--test-threads", "1"])
        .env(ORDER, order)
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    let found = said.split("megabytes: ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    found.unwrap_or_else(|| panic!("the child said {said}"))
}

/// Measures, when it was started to do so: other tests in the same process would be counted too.
#[test]
fn child_that_renders() {
    let Ok(order) = std::env::var(ORDER) else { return };
    // Everything that is loaded once and kept.
    let mut short = band();
    short.length = Beats(4.0);
    rendered(&short);
    let score = long_band();
    let (_, bytes) = most_bytes(|| {
        let rendition = rendered(&score);
        if order == "copies" {
            std::hint::black_box(rendition.stems.clone());
        }
        rendition
    });
    println!("megabytes: {:.1}", bytes as f64 / 1e6);
}

#[test]
fn thirty_two_bars_take_little_memory() {
    let taken = megabytes("plain");
    println!("{taken} MB besides the sound set and the stems");
    assert!(taken <= MOST_MEGABYTES, "{taken} MB");
    // A second copy of the stems is seen.
    let copied = megabytes("copies");
    assert!(copied > MOST_MEGABYTES, "{copied} MB");
}
