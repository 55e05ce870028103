//! A host with a whole-frame clock, and renditions whose every sample the test knows.

use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::generation::score::Role;
use cantus_engine::generation::{EngineKind, Recipe, Timing};
use cantus_engine::playback::clip::Clip;
use cantus_engine::playback::handoff::{ClipSender, handoffs};
use cantus_engine::playback::player::{MOST_REGIONS, Player, PlayerSettings};
use cantus_engine::rendition::{Fidelity, Loudness, Rendition, Stem, Timings};
use cantus_engine::time::{Beats, Bpm, Frames, Metre, SampleRate, Seconds, SongGrid, TempoMap};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Height of a click, and the least that must come out of it.
pub const CLICK: f32 = 0.75;
pub const HEARD: f32 = 0.675;

pub const PLAY: PlayerSettings = PlayerSettings::PLAIN;

/// Where the region of a test's rendition lies.
#[derive(Debug, Clone, Copy)]
pub struct Region {
    pub rate: u32,
    pub tempo: f64,
    pub start_beats: f64,
    pub length_beats: f64,
}

/// The whole frame of a position in beats, as a host at one tempo counts it.
pub fn song_frame(beats: f64, tempo: f64, rate: u32) -> i64 {
    (beats * 60.0 / tempo * f64::from(rate)).round() as i64
}

impl Region {
    pub fn first(&self) -> i64 {
        song_frame(self.start_beats, self.tempo, self.rate)
    }

    pub fn end(&self) -> i64 {
        song_frame(self.start_beats + self.length_beats, self.tempo, self.rate)
    }

    pub fn frames(&self) -> usize {
        (self.end() - self.first()) as usize
    }

    /// A rendition with a second of tail, from a function of frame and channel.
    pub fn rendition(&self, sample: impl Fn(usize, usize) -> f32) -> Rendition {
        let frames = self.frames() + self.rate as usize;
        let rate = SampleRate(self.rate);
        let channels = (0..2).map(|channel| (0..frames).map(|frame| sample(frame, channel)).collect()).collect();
        let grid = SongGrid {
            start: Beats(self.start_beats),
            start_seconds: Seconds(self.start_beats * 60.0 / self.tempo),
            tempo: TempoMap::constant(Bpm(self.tempo)),
            metre: Metre::default(),
        };
        bare(grid, Frames::from(self.frames()), AudioBuffer { rate, channels })
    }

    /// A click on every beat of the region, each `late` frames late.
    pub fn clicks(&self, late: i64) -> Rendition {
        let mut rendition = self.rendition(|_, _| 0.0);
        for beat in 0.. {
            let at = self.start_beats.ceil() + f64::from(beat);
            if at >= self.start_beats + self.length_beats {
                break;
            }
            let frame = (song_frame(at, self.tempo, self.rate) - self.first() + late) as usize;
            rendition.mix.channels.iter_mut().for_each(|channel| channel[frame] = CLICK);
        }
        rendition
    }

    /// A sustained sine of amplitude 0.5.
    pub fn sine(&self, hz: f64, phase: f64) -> Rendition {
        let step = TAU * hz / f64::from(self.rate);
        self.rendition(|frame, _| (0.5 * (step * frame as f64 + phase).sin()) as f32)
    }
}

/// A rendition with two stems that sum to its mix.
pub fn with_stems(mut rendition: Rendition) -> Rendition {
    for (role, share) in [(Role::Lead, 0.25), (Role::Drums, 0.75)] {
        let mut audio = rendition.mix.clone();
        audio.channels.iter_mut().flatten().for_each(|sample| *sample *= share);
        rendition.stems.push(Stem { role, instrument: role.name().into(), audio });
    }
    rendition
}

pub fn boxed(id: u64, rendition: Rendition) -> Option<Box<Clip>> {
    Some(Box::new(Clip::from_rendition(id, Arc::new(rendition))))
}

/// A player whose first seat was already sent a clip.
pub fn player_with(rate: u32, max_block: usize, rendition: Rendition) -> (Player, ClipSender) {
    let (player, [mut sender, ..]) = band(rate, max_block);
    sender.send(boxed(1, rendition));
    (player, sender)
}

/// A player with nothing in its seats, and their senders.
pub fn band(rate: u32, max_block: usize) -> (Player, [ClipSender; MOST_REGIONS]) {
    let (senders, inboxes) = handoffs();
    (Player::new(inboxes, SampleRate(rate), max_block), senders)
}

/// What the host tells its plugins.
#[derive(Debug, Clone, Copy)]
pub struct Tells {
    pub beats: bool,
    pub seconds: bool,
    pub tempo: bool,
}

pub const ALL: Tells = Tells { beats: true, seconds: true, tempo: true };

/// The host: it counts whole frames of the song, and wraps its loop at whole frames.
#[derive(Debug, Clone)]
pub struct Host {
    pub rate: u32,
    pub tempo: f64,
    pub frame: i64,
    pub playing: bool,
    pub around: Option<(f64, f64)>,
    pub tells: Tells,
}

/// What came out: one entry a frame.
#[derive(Debug, Default)]
pub struct Heard {
    /// The host's own count.
    pub song: Vec<i64>,
    pub left: Vec<f32>,
    pub right: Vec<f32>,
}

/// Positions as CLAP tells them: fixed point with 31 bits behind the point.
fn fixed_point(value: f64) -> f64 {
    (value * 2_147_483_648.0).round() / 2_147_483_648.0
}

impl Host {
    pub fn at(region: &Region, frame: i64) -> Self {
        Self { rate: region.rate, tempo: region.tempo, frame, playing: true, around: None, tells: ALL }
    }

    pub fn stamp(&self) -> TransportStamp {
        let seconds = self.frame as f64 / f64::from(self.rate);
        TransportStamp {
            playing: self.playing,
            tempo: self.tells.tempo.then_some(Bpm(self.tempo)),
            beats: self.tells.beats.then(|| fixed_point(seconds * self.tempo / 60.0)),
            seconds: self.tells.seconds.then(|| fixed_point(seconds)),
            loop_beats: self.around,
            ..TransportStamp::default()
        }
    }

    /// Moves on by one frame.
    pub fn step(&mut self) {
        if !self.playing {
            return;
        }
        self.frame += 1;
        if let Some((start, end)) = self.around
            && self.frame == song_frame(end, self.tempo, self.rate)
        {
            self.frame = song_frame(start, self.tempo, self.rate);
        }
    }

    /// Plays one block into `heard`, the input being `dry`.
    pub fn block(&mut self, player: &mut Player, settings: &PlayerSettings, dry: &[f32], heard: &mut Heard) {
        let mut main = [dry.to_vec(), dry.to_vec()];
        player.process(&self.stamp(), settings, &mut main);
        heard.left.extend(&main[0]);
        heard.right.extend(&main[1]);
        for _ in dry {
            heard.song.push(self.frame);
            self.step();
        }
    }

    /// Plays blocks of these sizes over silence.
    pub fn blocks(&mut self, player: &mut Player, sizes: impl IntoIterator<Item = usize>, heard: &mut Heard) {
        for size in sizes {
            self.block(player, &PLAY, &vec![0.0; size], heard);
        }
    }
}

/// Block sizes from 1 to 8192 in a mixed order, until at least `frames` are reached.
pub fn mixed_blocks(frames: usize) -> Vec<usize> {
    let sizes = [64, 1, 512, 3, 8192, 100, 441, 17, 1024, 2, 4096, 333, 7];
    let mut sum = 0;
    sizes
        .into_iter()
        .cycle()
        .take_while(|size| {
            sum += size;
            sum < frames + size
        })
        .collect()
}

/// Where the output is as loud as a click, which must be where `expected` says; nothing else may come near.
pub fn check_clicks(heard: &Heard, expected: impl Fn(i64) -> bool) -> Result<usize, String> {
    let mut clicks = 0;
    for (index, (&song, &sample)) in heard.song.iter().zip(&heard.left).enumerate() {
        if expected(song) {
            clicks += 1;
            if sample < HEARD {
                return Err(format!("output frame {index}, song frame {song}: {sample} instead of a click"));
            }
        } else if sample.abs() > 0.1 {
            return Err(format!("output frame {index}, song frame {song}: {sample} where nothing should sound"));
        }
    }
    Ok(clicks)
}

/// A rendition of which only the mix and its place are known.
pub fn bare(grid: SongGrid, region: Frames, mix: AudioBuffer) -> Rendition {
    Rendition {
        recipe: Recipe {
            engine: EngineKind::Band,
            prompt: "jazz".into(),
            seed: 1,
            freedom: 0.0,
            timing: Timing::AsSung,
            direction: Default::default(),
            song: Default::default(),
            engine_version: 1,
        },
        name: "Jazz 1".into(),
        grid,
        region,
        mix,
        stems: Vec::new(),
        score: None,
        fidelity: Fidelity::default(),
        loudness: Loudness::default(),
        timings: Timings::default(),
        made: None,
    }
}
