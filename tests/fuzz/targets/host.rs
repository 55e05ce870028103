//! A host that calls whatever it likes, in any order CLAP allows and with values it does not.
//!
//! An input is a row of calls: a byte names the call, the bytes after it are its numbers. Audio runs on a thread of its own, so that
//! states are saved and loaded, windows opened and instances destroyed while blocks are processed.

mod audio_thread;
mod calls;

use super::Target;
use crate::draw::Draw;
use crate::mutate;
use calls::Host;
use clack_host::prelude::PluginEntry;
use std::path::Path;
use std::sync::Arc;

pub const TARGET: Target = Target { name: "host", open, seeds, mutate: mutated, most_bytes: 300, needs_bundle: true };

/// The numbers of an input, one after the other; zeros behind its end.
pub struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }
}

fn open() -> super::Run {
    let folder = std::env::var("CANTUS_BUNDLE").expect("CANTUS_BUNDLE names the bundle");
    let path = Path::new(&folder).join("Cantus.clap");
    // SAFETY: the file is the plugin under attack, built from this workspace; running its code is the purpose.
    let entry = Arc::new(unsafe { PluginEntry::load(&path) }.expect("the bundle can be loaded"));
    let screen = cantus_host::editor::screen();
    Box::new(move |input| {
        let mut numbers = Numbers(input);
        let mut host = Host::new(&entry, screen);
        while !numbers.0.is_empty() {
            host.call(&mut numbers);
        }
        host.said()
    })
}

fn seeds() -> Vec<Vec<u8>> {
    // Capture, generate, save and load in between; see `Host::call` for the numbers.
    let life = [0, 0, 3, 3, 40, 2, 0, 3, 30, 5, 3, 1, 2, 0, 3, 30, 5, 0, 6, 0, 2, 0, 3, 10, 5, 1];
    let windows = [8, 0, 0, 0, 3, 2, 0, 2, 9, 8, 1, 8, 0, 10, 8, 1];
    let storms = [0, 2, 6, 3, 90, 7, 1, 2, 0, 3, 9, 0, 4, 60, 3, 3, 2, 5, 3, 0, 4, 9];
    let odd = [11, 1, 0, 1, 0, 2, 3, 5, 6, 1, 12, 40, 2, 0, 1, 6, 2, 9, 1, 10, 2, 0, 3, 6, 1, 14, 7, 7, 7];
    vec![life.to_vec(), windows.to_vec(), storms.to_vec(), odd.to_vec(), vec![15, 15, 0, 0, 0, 15, 15, 5, 1, 14]]
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    if draw.once_in(4) {
        return (0..draw.below(120))
            .map(|_| if draw.once_in(2) { draw.below(20) as u8 } else { draw.any() as u8 })
            .collect();
    }
    mutate::bytes(input, &[&[0, 0, 3], &[1], &[2, 0, 3, 9, 0], &[5, 0], &[6, 0], &[14], &[15]], draw)
}
