//! Thread: worker. What tells one room from another: early walls, lines, damping, diffusion.

use crate::generation::score::RoomKind;

/// Lines of the network.
pub const LINES: usize = 8;

/// An early reflection: seconds after the sound, and gain.
pub type Reflection = (f64, f32);

/// A room as a network of delays; times in seconds.
#[derive(Debug)]
pub struct Network {
    /// The lines' delays: spread, without common divisors at the usual rates.
    pub lines: [f64; LINES],
    /// Early reflections, left and right.
    pub early: [&'static [Reflection]; 2],
    /// Their part of the answer, as amplitude.
    pub early_gain: f32,
    /// Silence before the late room.
    pub pre_delay: f64,
    /// How much sooner the treble has gone: its reverberation time against the middle's.
    pub treble: f64,
    /// What treble is here, in Hz.
    pub treble_hz: f64,
    /// All-passes that scatter a sound before it enters the lines, left and right; empty for bare walls.
    pub scatter: [&'static [f64]; 2],
    /// How far the lines' lengths sway, and how fast in Hz: still lines of metal would ring.
    pub swing: f64,
    /// Speed of the slowest sway; each line has its own.
    pub swing_hz: f64,
    /// Nothing below this enters, in Hz.
    pub low_cut_hz: f32,
}

const ROOM: Network = Network {
    lines: [0.0297, 0.0353, 0.0411, 0.0437, 0.0533, 0.0599, 0.0677, 0.0731],
    early: [
        &[(0.0087, 0.62), (0.0143, -0.48), (0.0211, 0.39), (0.0297, 0.31), (0.0421, -0.22)],
        &[(0.0099, 0.58), (0.0131, 0.45), (0.0229, -0.41), (0.0313, 0.28), (0.0397, 0.24)],
    ],
    early_gain: 0.45,
    pre_delay: 0.012,
    treble: 0.5,
    treble_hz: 5_200.0,
    scatter: [&[], &[]],
    swing: 0.0,
    swing_hz: 0.0,
    low_cut_hz: 0.0,
};

/// Far walls that answer late and one by one, then a wide and dark tail.
const HALL: Network = Network {
    lines: [0.0619, 0.0701, 0.0787, 0.0863, 0.0941, 0.1033, 0.1117, 0.1201],
    early: [
        &[(0.0183, 0.5), (0.0297, 0.44), (0.0413, -0.4), (0.0569, 0.34), (0.0727, -0.3), (0.0911, 0.22)],
        &[(0.0211, 0.48), (0.0331, -0.42), (0.0379, 0.38), (0.0613, 0.33), (0.0797, 0.27), (0.0877, -0.2)],
    ],
    early_gain: 0.38,
    pre_delay: 0.028,
    treble: 0.38,
    treble_hz: 4_500.0,
    scatter: [&[0.0047, 0.0071, 0.0113], &[0.0051, 0.0067, 0.0109]],
    swing: 0.000_35,
    swing_hz: 0.43,
    low_cut_hz: 45.0,
};

/// Dense from the first moment on, bright, without walls.
const PLATE: Network = Network {
    lines: [0.0127, 0.0163, 0.0191, 0.0223, 0.0257, 0.0293, 0.0331, 0.0371],
    early: [&[], &[]],
    early_gain: 0.0,
    pre_delay: 0.001,
    treble: 0.85,
    treble_hz: 6_500.0,
    scatter: [&[0.0017, 0.0029, 0.0043, 0.0061], &[0.0019, 0.0027, 0.0047, 0.0059]],
    swing: 0.000_2,
    swing_hz: 0.71,
    low_cut_hz: 150.0,
};

/// The network of a kind; a spring is none.
pub fn network(kind: RoomKind) -> Option<&'static Network> {
    match kind {
        RoomKind::Room => Some(&ROOM),
        RoomKind::Hall => Some(&HALL),
        RoomKind::Plate => Some(&PLATE),
        RoomKind::Spring => None,
    }
}

/// The loss on a way through a loop: a gain and a one-pole, so that the middle loses 60 dB in `decay` seconds and the treble in `treble`
/// times that (Jot 1991).
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    /// Gain before the one-pole.
    pub gain: f32,
    /// The one-pole's feedback.
    pub pole: f32,
}

/// Where a reverberation time is told.
const MIDDLE_HZ: f64 = 1_000.0;

impl Loss {
    /// For a loop of so many seconds.
    pub fn of(seconds: f64, decay: f64, (treble, treble_hz): (f64, f64), rate: f64) -> Self {
        let turn = |hz: f64| std::f64::consts::TAU * hz.min(0.45 * rate) / rate;
        let wanted = 10.0_f64.powf(-3.0 * seconds / decay);
        // How much more the treble loses on the way.
        let more = 10.0_f64.powf(-3.0 * seconds / decay * (1.0 / treble - 1.0));
        // |(1 - p) / (1 - p z⁻¹)| at the treble, solved for p.
        let (a, b) = (1.0 - more * more, 1.0 - more * more * turn(treble_hz).cos());
        let pole = if a > 1e-9 { (b - (b * b - a * a).max(0.0).sqrt()) / a } else { 0.0 };
        let at_middle = (1.0 - pole) / (1.0 - 2.0 * pole * turn(MIDDLE_HZ).cos() + pole * pole).sqrt();
        // Bass may ring on longer, but not for ever.
        let gain = (wanted / at_middle).min(wanted.powf(0.75));
        Self { gain: gain as f32, pole: pole as f32 }
    }
}
