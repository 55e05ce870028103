//! Thread: audio. Wakes an open window while the song plays or somebody sings: it sleeps otherwise, and its own thread hears nothing.

use nice_plug_egui::RepaintNotifier;

/// Pictures a second while something moves.
const RATE: f32 = 30.0;
/// Amplitude of what counts as singing: -70 dBFS.
const THRESHOLD: f32 = 3.2e-4;
/// Seconds for which the window is kept awake after the last sound, so that its meter can fall.
const LINGER: f32 = 0.7;

/// The way from the audio thread to the window: one atomic flag.
#[derive(Default)]
pub struct Wake {
    notifier: RepaintNotifier,
    /// Seconds until the next picture, and of lingering that are left.
    next: f32,
    linger: f32,
}

impl Wake {
    /// What the window listens to.
    pub fn notifier(&self) -> RepaintNotifier {
        // RT-OK: asked for by the window, when it is made.
        self.notifier.clone()
    }

    /// After each block: whether the song plays, and the block's first channel.
    pub fn block(&mut self, playing: bool, samples: &[f32], sample_rate: f32) {
        let seconds = samples.len() as f32 / sample_rate.max(1.0);
        // Every eighth sample is enough to notice a voice.
        let sounds = playing || samples.iter().step_by(8).any(|sample| sample.abs() > THRESHOLD);
        self.linger = if sounds { LINGER } else { (self.linger - seconds).max(0.0) };
        self.next -= seconds;
        if self.linger > 0.0 && self.next <= 0.0 {
            self.next = 1.0 / RATE;
            self.notifier.request_repaint();
        }
    }
}
