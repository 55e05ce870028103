//! Thread: collector. The passes of a loop: the last complete one is the take, and earlier ones can be chosen.

use super::spool::Spool;
use super::take::Take;
use super::trim::Tail;
use crate::time::{Beats, Seconds};

/// Passes that are kept at most.
pub const MOST_PASSES: usize = 16;
/// Sound that is kept at most, over all passes: 92 MB of stereo at 48 kHz. The newest and the one that is the take are always kept.
pub const MOST_SOUND: Seconds = Seconds(240.0);

/// What is told of a pass, to choose it by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassFacts {
    /// Counts from 1 since the capture was armed.
    pub number: u32,
    /// Where it begins in the song.
    pub start: Beats,
    /// Its length.
    pub seconds: Seconds,
    /// Its loudest sample, in dBFS.
    pub level_dbfs: f32,
    /// Whether something was sung or played in it. One without never replaces another.
    pub has_sound: bool,
    /// Whether it is the one that was delivered last.
    pub is_take: bool,
}

#[derive(Debug)]
struct Pass {
    facts: PassFacts,
    take: Take,
    spool: Option<Spool>,
}

/// The passes of the last loop capture, oldest first.
#[derive(Debug, Default)]
pub(super) struct Passes {
    kept: Vec<Pass>,
}

impl Passes {
    /// What can be chosen.
    pub fn facts(&self) -> Vec<PassFacts> {
        self.kept.iter().map(|pass| pass.facts).collect()
    }

    /// How many can be chosen.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Keeps a pass, and lets older ones go that there is no room for: those without sound first.
    pub fn add(&mut self, facts: PassFacts, take: Take, spool: Option<Spool>) {
        if facts.is_take {
            self.kept.iter_mut().for_each(|pass| pass.facts.is_take = false);
        }
        self.kept.push(Pass { facts, take, spool });
        while self.kept.len() > MOST_PASSES || self.seconds() > MOST_SOUND.0 {
            let newest = self.kept.len() - 1;
            let free = |index: &usize| *index != newest && !self.kept[*index].facts.is_take;
            let silent = (0..newest).filter(free).find(|&index| !self.kept[index].facts.has_sound);
            let Some(index) = silent.or_else(|| (0..newest).find(free)) else { return };
            let gone = self.kept.remove(index);
            gone.spool.into_iter().for_each(Spool::delete);
        }
    }

    fn seconds(&self) -> f64 {
        self.kept.iter().map(|pass| pass.facts.seconds.0).sum()
    }

    /// Makes a pass the take.
    pub fn choose(&mut self, number: u32) -> Option<Take> {
        let chosen = self.kept.iter().position(|pass| pass.facts.number == number)?;
        for (index, pass) in self.kept.iter_mut().enumerate() {
            pass.facts.is_take = index == chosen;
        }
        Some(self.kept[chosen].take.clone())
    }

    /// Adds what was heard after a pass.
    pub fn add_tail(&mut self, tail: &Tail) {
        if let Some(pass) = self.kept.iter_mut().find(|pass| pass.take.id == tail.capture) {
            pass.take = pass.take.clone().with_tail(tail);
        }
    }

    /// Forgets all passes; gives the file of the one that is the take.
    pub fn clear(&mut self) -> Option<Spool> {
        let mut of_take = None;
        for pass in self.kept.drain(..) {
            match pass.spool {
                Some(spool) if pass.facts.is_take => of_take = Some(spool),
                other => other.into_iter().for_each(Spool::delete),
            }
        }
        of_take
    }
}
