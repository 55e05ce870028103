//! Thread: audio. Mixes the rendition into the host's block. Nothing here allocates, frees or locks after construction.

use crate::capture::transport::TransportStamp;
use crate::generation::score::Role;
use crate::playback::clip::Part;
use crate::playback::handoff::ClipInbox;
use crate::playback::plan::{self, Block, Deck, PlayState, Side};
use crate::playback::sync;
use crate::time::{Bpm, SampleRate};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Seats of a player: regions that one instance can hold.
pub const MOST_REGIONS: usize = 8;

/// Stands for no clip in [`PlayerTelemetry`].
const NO_CLIP: u64 = u64::MAX;

/// What the user wants of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlayerSettings {
    /// Off is bypass: the input passes untouched and no rendition sounds.
    pub enabled: bool,
    /// The rendition takes the place of the input inside its region.
    pub replace: bool,
    /// Gain of the input, linear.
    pub dry_gain: f32,
    /// Gain of the rendition and its stems, linear.
    pub wet_gain: f32,
    /// Plays the region round and round, whatever the song does.
    pub audition: bool,
}

/// What the player tells the other threads. Every value stands for itself; they are not one snapshot.
#[derive(Debug)]
pub struct PlayerTelemetry {
    clip: AtomicU64,
    position: AtomicI64,
    non_finite: AtomicU64,
    slicing: AtomicBool,
}

impl PlayerTelemetry {
    /// Number of the clip that the player holds.
    pub fn clip(&self) -> Option<u64> {
        Some(self.clip.load(Ordering::Relaxed)).filter(|&id| id != NO_CLIP)
    }

    /// Frame of the rendition at the first frame of the last block in which it sounded; -1 when it did not.
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Samples that were NaN or infinite and were silenced, since the player was built.
    pub fn non_finite(&self) -> u64 {
        self.non_finite.load(Ordering::Relaxed)
    }

    /// Whether the host's tempo is not the clip's, so that it plays beat by beat until a new one comes.
    pub fn slicing(&self) -> bool {
        self.slicing.load(Ordering::Relaxed)
    }
}

/// Plays the clip that was sent to it, in time with the host.
pub struct Player {
    deck: Deck,
    state: PlayState,
    /// The last block and the state it began with, from which its stems are played.
    last: (PlayState, Block),
    /// The rendition of one run and channel.
    scratch: Vec<f32>,
    telemetry: Arc<PlayerTelemetry>,
}

impl Player {
    /// A player at the host's rate. `max_block` is the host's longest block, in frames; longer ones are played in parts.
    pub fn new(mut inboxes: Vec<ClipInbox>, rate: SampleRate, max_block: usize) -> Self {
        let inbox = inboxes.swap_remove(0);
        let settings = PlayerSettings { enabled: true, replace: false, dry_gain: 1.0, wet_gain: 1.0, audition: false };
        let max_run = max_block.max(1);
        let state = PlayState::new();
        Self {
            deck: Deck::new(inbox, rate),
            state,
            last: (state, Block { stamp: TransportStamp::default(), settings, frames: 0, max_run }),
            scratch: vec![0.0; max_run],
            telemetry: Arc::new(PlayerTelemetry {
                clip: AtomicU64::new(NO_CLIP),
                position: AtomicI64::new(-1),
                non_finite: AtomicU64::new(0),
                slicing: AtomicBool::new(false),
            }),
        }
    }

    /// What other threads may read. Fetch it before the audio starts: it counts a reference.
    pub fn telemetry(&self) -> Arc<PlayerTelemetry> {
        // RT-OK: not called from `process`.
        Arc::clone(&self.telemetry)
    }

    /// Whether a rendition at the host's tempo is wanted: it plays in or just before the clip's region, at another tempo.
    pub fn wants_tempo(&self, stamp: &TransportStamp) -> bool {
        let Some((_, clip)) = self.deck.current() else { return false };
        let stamp = sync::sane(stamp);
        let Some(beats) = stamp.song_beats().filter(|_| stamp.playing) else { return false };
        let grid = clip.grid();
        let end = grid.beat_at(crate::time::Frames(clip.region_frames()).seconds(clip.rate()));
        let near = beats >= grid.start.0 - grid.metre.bar().0 && beats < end.0;
        near && sync::tempo_differs(&stamp, grid)
    }

    /// Tempo of the current clip, when it has a single one.
    pub fn tempo(&self) -> Option<Bpm> {
        self.deck.current()?.1.grid().tempo.single()
    }

    /// Plays one block. `main` holds the input, one or two channels of one length, and afterwards input × dry gain +
    /// rendition × wet gain. On one channel the rendition is the average of its two. Further channels get no rendition.
    pub fn process<C: AsMut<[f32]>>(&mut self, stamp: &TransportStamp, settings: &PlayerSettings, main: &mut [C]) {
        let Self { deck, state, last, scratch, telemetry } = self;
        deck.exchange(|slot| state.sounds(slot));
        let frames = main.iter_mut().map(|channel| channel.as_mut().len()).min().unwrap_or(0);
        let block = Block { stamp: sync::sane(stamp), settings: *settings, frames, max_run: scratch.len() };
        *last = (*state, block);

        let mono = main.len() == 1;
        let mut position = None;
        plan::advance(state, deck, &block, &mut |run, state| {
            position = position.or(run.position);
            let heard = state.is_heard(run);
            let resting_dry = state.resting_dry(&deck.fade);
            for (index, channel) in main.iter_mut().enumerate() {
                let out = &mut channel.as_mut()[run.offset..][..run.frames];
                match resting_dry {
                    Some(1.0) => {}
                    Some(0.0) => out.fill(0.0),
                    Some(gain) => out.iter_mut().for_each(|sample| *sample *= gain),
                    None => {
                        for (frame, sample) in out.iter_mut().enumerate() {
                            *sample *= state.dry_after(frame, &deck.fade);
                        }
                    }
                }
                let Some(side) = side(index, mono).filter(|_| heard) else { continue };
                let wet = &mut scratch[..run.frames];
                state.render(deck, Part::Mix, run, side, wet);
                if resting_dry == Some(0.0) {
                    // Copied rather than added to nothing, which would lose the sign of a zero.
                    out.copy_from_slice(wet);
                } else {
                    out.iter_mut().zip(wet).for_each(|(out, wet)| *out += *wet);
                }
            }
        });
        for channel in main.iter_mut() {
            silence_non_finite(channel.as_mut(), telemetry);
        }

        let id = deck.current().map_or(NO_CLIP, |(_, clip)| clip.id());
        telemetry.clip.store(id, Ordering::Relaxed);
        telemetry.position.store(position.unwrap_or(-1), Ordering::Relaxed);
        telemetry.slicing.store(state.slicing, Ordering::Relaxed);
    }

    /// Writes one stem of the block that was processed last, with the gains and fades the mix had. `output` is one or two
    /// channels; every sample is written, zeros where there is no such stem or no such frame.
    pub fn write_stem<C: AsMut<[f32]>>(&mut self, role: Role, output: &mut [C]) {
        let Self { deck, last: (state, block), telemetry, .. } = self;
        for channel in output.iter_mut() {
            channel.as_mut().fill(0.0);
        }
        let mono = output.len() == 1;
        let mut state = *state;
        plan::advance(&mut state, deck, block, &mut |run, state| {
            if !state.is_heard(run) {
                return;
            }
            for (index, channel) in output.iter_mut().enumerate() {
                let Some(side) = side(index, mono) else { continue };
                // A host may hand out stem buffers shorter than the main one.
                let out = channel.as_mut().get_mut(run.offset..).unwrap_or(&mut []);
                let length = out.len().min(run.frames);
                state.render(deck, Part::Stem(role), run, side, &mut out[..length]);
            }
        });
        for channel in output.iter_mut() {
            silence_non_finite(channel.as_mut(), telemetry);
        }
    }
}

fn side(channel: usize, mono: bool) -> Option<Side> {
    match channel {
        0 if mono => Some(Side::Both),
        0 => Some(Side::Left),
        1 => Some(Side::Right),
        _ => None,
    }
}

fn silence_non_finite(samples: &mut [f32], telemetry: &PlayerTelemetry) {
    if samples.iter().all(|sample| sample.is_finite()) {
        return;
    }
    let mut count = 0;
    for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
        *sample = 0.0;
        count += 1;
    }
    telemetry.non_finite.fetch_add(count, Ordering::Relaxed);
}
