//! Thread: any. What came out of the plugin during a run.

use crate::cost::{BlockCost, percentile};
use crate::song::Song;
use clack_host::events::UnknownEvent;
use clack_host::events::spaces::CoreEventSpace;

/// What happened to a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// It starts.
    On,
    /// It ends.
    Off,
    /// Another MIDI message.
    Other,
}

/// A note or MIDI event from the plugin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeardNote {
    /// Frame within the run.
    pub run_frame: usize,
    /// What happened.
    pub kind: NoteKind,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// MIDI key.
    pub key: u8,
    /// 0 to 1.
    pub velocity: f64,
}

impl HeardNote {
    /// From an output event; `None` for events that are no notes.
    pub fn from_event(event: &UnknownEvent, block_start: usize) -> Option<Self> {
        let run_frame = block_start + event.header().time() as usize;
        let specific = |value: Option<&u16>| value.map_or(0, |&value| value.min(127) as u8);
        let note = |kind, channel: Option<&u16>, key: Option<&u16>, velocity| {
            Some(Self { run_frame, kind, channel: specific(channel), key: specific(key), velocity })
        };
        match event.as_core_event()? {
            CoreEventSpace::NoteOn(on) => {
                note(NoteKind::On, on.channel().as_specific(), on.key().as_specific(), on.velocity())
            }
            CoreEventSpace::NoteOff(off) => {
                note(NoteKind::Off, off.channel().as_specific(), off.key().as_specific(), off.velocity())
            }
            CoreEventSpace::Midi(midi) => {
                let [status, key, velocity] = midi.data();
                let kind = match (status & 0xf0, velocity) {
                    (0x90, 1..) => NoteKind::On,
                    (0x80, _) | (0x90, 0) => NoteKind::Off,
                    _ => NoteKind::Other,
                };
                Some(Self { run_frame, kind, channel: status & 0x0f, key, velocity: f64::from(velocity) / 127.0 })
            }
            _ => None,
        }
    }
}

/// One block of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// Its first frame within the run.
    pub run_frame: usize,
    /// Its length.
    pub frames: usize,
    /// What it cost.
    pub cost: BlockCost,
}

/// A contiguous stretch of song inside a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First frame within the run.
    pub run_frame: usize,
    /// Song position of that frame.
    pub song_frame: i64,
    /// Length.
    pub frames: usize,
}

/// Everything a run brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// Frames per second.
    pub rate: u32,
    /// `[output port][channel][frame of the run]`; port 0 is the main output, the stems follow.
    pub outputs: Vec<Vec<Vec<f32>>>,
    /// Notes and MIDI, in order.
    pub notes: Vec<HeardNote>,
    /// Parameters the plugin changed by itself: CLAP id and value.
    pub changed_params: Vec<(u32, f64)>,
    /// Every block.
    pub blocks: Vec<Block>,
    /// Which song position sounded when, while the song moved.
    pub stretches: Vec<Stretch>,
    /// Samples that were not a finite number. Output buffers are handed over full of NaN, so an output that the plugin
    /// forgets to write counts too.
    pub non_finite_samples: usize,
}

impl Heard {
    /// The main output's channels.
    pub fn main(&self) -> &[Vec<f32>] {
        self.outputs.first().map_or(&[], Vec::as_slice)
    }

    /// Frames of the whole run.
    pub fn frames(&self) -> usize {
        self.blocks.iter().map(|block| block.frames).sum()
    }

    /// The frames of the run at which a song position sounded.
    pub fn passes_of(&self, song_frame: i64) -> Vec<usize> {
        let inside = |stretch: &Stretch| {
            let offset = usize::try_from(song_frame - stretch.song_frame).ok()?;
            (offset < stretch.frames).then_some(stretch.run_frame + offset)
        };
        self.stretches.iter().filter_map(inside).collect()
    }

    /// A cut out of one output port.
    pub fn cut(&self, port: usize, run_frame: usize, frames: usize) -> Vec<Vec<f32>> {
        let channels = self.outputs.get(port).map_or(&[][..], Vec::as_slice);
        channels.iter().map(|samples| samples.iter().skip(run_frame).take(frames).copied().collect()).collect()
    }

    /// Processor time of each block, in percent of the time the block lasts.
    pub fn cpu_percent(&self) -> Vec<f64> {
        let lasts = |block: &Block| block.frames as f64 / f64::from(self.rate);
        self.blocks.iter().map(|block| 100.0 * block.cost.cpu.as_secs_f64() / lasts(block)).collect()
    }

    /// The share of the block's time below which `share` (0 to 1) of the blocks stay, in percent.
    pub fn cpu_percentile(&self, share: f64) -> f64 {
        percentile(&self.cpu_percent(), share)
    }

    /// Times the audio thread waited for something inside the plugin.
    pub fn voluntary_switches(&self) -> u64 {
        self.blocks.iter().map(|block| block.cost.voluntary_switches).sum()
    }

    /// Largest absolute sample of an output port.
    pub fn peak(&self, port: usize) -> f32 {
        let channels = self.outputs.get(port).map_or(&[][..], Vec::as_slice);
        channels.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// Puts another run behind this one.
    pub fn append(&mut self, mut later: Self) {
        let offset = self.frames();
        self.rate = later.rate;
        self.outputs.resize(later.outputs.len().max(self.outputs.len()), Vec::new());
        for (port, channels) in self.outputs.iter_mut().zip(later.outputs) {
            port.resize(channels.len().max(port.len()), Vec::new());
            for (samples, more) in port.iter_mut().zip(channels) {
                samples.extend(more);
            }
        }
        later.notes.iter_mut().for_each(|note| note.run_frame += offset);
        later.blocks.iter_mut().for_each(|block| block.run_frame += offset);
        later.stretches.iter_mut().for_each(|stretch| stretch.run_frame += offset);
        self.notes.extend(later.notes);
        self.blocks.extend(later.blocks);
        self.stretches.extend(later.stretches);
        self.changed_params.extend(later.changed_params);
        self.non_finite_samples += later.non_finite_samples;
    }
}

/// What a run hands back: what was heard, and the song where it stands now.
pub struct RunEnd {
    /// What came out.
    pub heard: Heard,
    /// The song, moved on.
    pub song: Song,
}
