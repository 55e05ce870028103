//! Thread: worker. Brings a hum into a song of another tempo: how its beats are counted there.

use crate::time::{Beats, Bpm, Seconds, SongGrid, TempoMap, TempoPoint};

/// Beats of the song that one beat of the hum may become.
const RATIOS: [f64; 3] = [1.0, 2.0, 0.5];

/// A hum laid on the beats of a song.
#[derive(Debug, Clone, PartialEq)]
pub struct HostFit {
    /// Song beats of one beat of the hum: a half, one or two.
    pub ratio: f64,
    /// Where each moment of the take falls in song beats. Its tempo is the hum's own, counted in song beats; played at the song's tempo
    /// the same beats fall on the song's.
    pub grid: SongGrid,
}

/// Counts a hum's beats so that it is played at the song's tempo with the least change of speed.
///
/// `grid` is the hum's own, as [`super::hear`] gives it. Bar lines stay bar lines.
pub fn fit(grid: &SongGrid, host: Bpm) -> HostFit {
    let own = grid.tempo.tempo_at(grid.start).0;
    let change = |ratio: f64| (own * ratio / host.0).ln().abs();
    let ratio =
        RATIOS.into_iter().fold(1.0, |best, ratio| if change(ratio) < change(best) - 1e-9 { ratio } else { best });
    if ratio == 1.0 {
        return HostFit { ratio, grid: grid.clone() };
    }
    let points = grid.tempo.points().iter();
    let points = points.map(|point| TempoPoint { at: Beats(point.at.0 * ratio), tempo: Bpm(point.tempo.0 * ratio) });
    let start = Beats(grid.start.0 * ratio);
    let fitted = SongGrid {
        start,
        start_seconds: grid.start_seconds,
        tempo: TempoMap::new(points.collect()),
        metre: grid.metre,
    };
    HostFit { ratio, grid: fitted }
}

impl HostFit {
    /// The song position of a moment of the take.
    pub fn beat_at(&self, time: Seconds) -> Beats {
        self.grid.beat_at(time)
    }
}
