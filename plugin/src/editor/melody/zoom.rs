//! Thread: gui. What part of the melody is shown, and where on the screen it lies.

use cantus_engine::analysis::Analysis;
use cantus_engine::time::Seconds;
use egui::{Pos2, Rect, pos2};

/// Keys shown above and below a melody that fits.
const MARGIN_KEYS: f32 = 4.0;
/// Fewest keys that a fitted melody is shown in: two notes do not fill the window.
const FEWEST_FITTED: f32 = 18.0;
/// Keys there are.
const ALL_KEYS: f32 = 128.0;
/// Bounds of the zoom.
const FEWEST_KEYS: f32 = 6.0;
const MOST_KEYS: f32 = 72.0;
const FEWEST_SECONDS: f64 = 0.2;

/// Everything there is to see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Length of the take.
    pub seconds: f64,
    /// Lowest key of the fitted view, and how many it shows.
    pub lowest: f32,
    pub keys: f32,
}

impl Extent {
    /// Of a melody in a take of `seconds`.
    pub fn of(analysis: &Analysis, seconds: f64) -> Self {
        let last = analysis.notes.last().map_or(0.0, |note| note.offset.0);
        let keys = analysis.notes.iter().map(|note| f32::from(note.key));
        let (lowest, highest) = keys.fold((127.0_f32, 0.0_f32), |(low, high), key| (low.min(key), high.max(key)));
        let (lowest, highest) = if lowest > highest { (57.0, 69.0) } else { (lowest, highest) };
        let keys = (highest - lowest + 1.0 + 2.0 * MARGIN_KEYS).clamp(FEWEST_FITTED, MOST_KEYS);
        let middle = (lowest + highest + 1.0) / 2.0;
        let lowest = (middle - keys / 2.0).floor().clamp(0.0, ALL_KEYS - keys);
        Self { seconds: seconds.max(last).max(FEWEST_SECONDS), lowest, keys }
    }
}

/// The part that is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zoom {
    /// Time at the left edge, in seconds from the start of the take, and seconds from there to the right edge.
    pub from: f64,
    pub seconds: f64,
    /// The lower edge, in keys; key `k` fills `k` to `k + 1`. And keys from there to the upper edge.
    pub lowest: f32,
    pub keys: f32,
}

impl Zoom {
    /// Shows everything.
    pub fn fit(extent: &Extent) -> Self {
        Self { from: 0.0, seconds: extent.seconds, lowest: extent.lowest, keys: extent.keys }
    }

    /// Shows less time when `factor` is above 1; what lies at `fraction` of the width stays there.
    pub fn zoom_time(&mut self, factor: f64, fraction: f64, extent: &Extent) {
        let still = self.from + fraction * self.seconds;
        self.seconds = (self.seconds / factor).clamp(FEWEST_SECONDS, extent.seconds);
        self.from = still - fraction * self.seconds;
        self.keep_inside(extent);
    }

    /// Shows fewer keys when `factor` is above 1; what lies at `fraction` of the height from below stays there.
    pub fn zoom_keys(&mut self, factor: f32, fraction: f32, extent: &Extent) {
        let still = self.lowest + fraction * self.keys;
        self.keys = (self.keys / factor).clamp(FEWEST_KEYS, MOST_KEYS);
        self.lowest = still - fraction * self.keys;
        self.keep_inside(extent);
    }

    /// Moves what is shown, later and upwards when positive.
    pub fn scroll(&mut self, seconds: f64, keys: f32, extent: &Extent) {
        self.from += seconds;
        self.lowest += keys;
        self.keep_inside(extent);
    }

    /// Scrolls just so far that a box of time and keys is in sight.
    pub fn reveal(&mut self, time: (f64, f64), key: u8, extent: &Extent) {
        let margin = 0.05 * self.seconds;
        if time.0 < self.from || time.0 > self.from + self.seconds {
            self.from = time.0 - margin;
        } else if time.1 > self.from + self.seconds {
            self.from = (time.1 + margin - self.seconds).min(time.0 - margin);
        }
        let key = f32::from(key);
        if key < self.lowest {
            self.lowest = key - 1.0;
        } else if key + 1.0 > self.lowest + self.keys {
            self.lowest = key + 2.0 - self.keys;
        }
        self.keep_inside(extent);
    }

    /// Turns the page when a position leaves the picture.
    pub fn follow(&mut self, time: f64, extent: &Extent) {
        let is_inside = (self.from..self.from + 0.95 * self.seconds).contains(&time);
        if !is_inside && (0.0..=extent.seconds).contains(&time) {
            self.from = time - 0.05 * self.seconds;
            self.keep_inside(extent);
        }
    }

    /// Keeps to what there is.
    pub fn keep_inside(&mut self, extent: &Extent) {
        self.seconds = self.seconds.clamp(FEWEST_SECONDS, extent.seconds);
        self.from = self.from.clamp(0.0, extent.seconds - self.seconds);
        self.keys = self.keys.clamp(FEWEST_KEYS, MOST_KEYS);
        self.lowest = self.lowest.clamp(0.0, ALL_KEYS - self.keys);
    }
}

/// A rectangle on the screen with what it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Where.
    pub rect: Rect,
    /// What.
    pub zoom: Zoom,
}

impl Plane {
    /// The screen position of a time.
    pub fn x(&self, time: Seconds) -> f32 {
        let fraction = (time.0 - self.zoom.from) / self.zoom.seconds;
        self.rect.left() + fraction as f32 * self.rect.width()
    }

    /// The time at a screen position.
    pub fn time(&self, x: f32) -> Seconds {
        let fraction = f64::from((x - self.rect.left()) / self.rect.width());
        Seconds(self.zoom.from + fraction * self.zoom.seconds)
    }

    /// The middle of a key; pitches between two keys lie between their middles.
    pub fn y(&self, key: f32) -> f32 {
        self.rect.bottom() - (key + 0.5 - self.zoom.lowest) / self.zoom.keys * self.rect.height()
    }

    /// The key at a screen position, as a number whose whole part is the key.
    pub fn key(&self, y: f32) -> f32 {
        self.zoom.lowest + (self.rect.bottom() - y) / self.rect.height() * self.zoom.keys
    }

    /// Height of one key.
    pub fn row(&self) -> f32 {
        self.rect.height() / self.zoom.keys
    }

    /// Seconds that `points` of width stand for.
    pub fn seconds_of(&self, points: f32) -> f64 {
        f64::from(points / self.rect.width()) * self.zoom.seconds
    }

    /// Time at both edges.
    pub fn span(&self) -> (f64, f64) {
        (self.zoom.from, self.zoom.from + self.zoom.seconds)
    }

    /// Keys that are at least partly in sight.
    pub fn keys(&self) -> std::ops::RangeInclusive<u8> {
        let highest = (self.zoom.lowest + self.zoom.keys).ceil() - 1.0;
        (self.zoom.lowest.floor().max(0.0) as u8)..=(highest.clamp(0.0, 127.0) as u8)
    }

    /// The box of a note.
    pub fn body(&self, onset: Seconds, offset: Seconds, key: u8) -> Rect {
        let half = (self.row() * 0.42).clamp(2.0, 10.0);
        let y = self.y(f32::from(key));
        let (left, right) = (self.x(onset), self.x(offset));
        Rect::from_min_max(pos2(left, y - half), pos2(right.max(left + 1.5), y + half))
    }

    /// Where a place of the melody lies.
    pub fn place(&self, time: Seconds, key: f32) -> Pos2 {
        pos2(self.x(time), self.y(key))
    }
}
