//! Thread: worker. Parameters of a region, as the SoundFont specification numbers them, and the modulators that shift them when a
//! key is struck.

/// How many parameters there are.
pub const COUNT: usize = 61;

/// Numbers of the parameters that the sampler reads.
pub mod number {
    pub const START_OFFSET: usize = 0;
    pub const END_OFFSET: usize = 1;
    pub const LOOP_START_OFFSET: usize = 2;
    pub const LOOP_END_OFFSET: usize = 3;
    pub const START_COARSE: usize = 4;
    pub const MOD_LFO_TO_PITCH: usize = 5;
    pub const VIB_LFO_TO_PITCH: usize = 6;
    pub const MOD_ENV_TO_PITCH: usize = 7;
    pub const FILTER_CUTOFF: usize = 8;
    pub const FILTER_Q: usize = 9;
    pub const MOD_LFO_TO_FILTER: usize = 10;
    pub const MOD_ENV_TO_FILTER: usize = 11;
    pub const END_COARSE: usize = 12;
    pub const MOD_LFO_TO_VOLUME: usize = 13;
    pub const PAN: usize = 17;
    pub const MOD_LFO_DELAY: usize = 21;
    pub const MOD_LFO_RATE: usize = 22;
    pub const VIB_LFO_DELAY: usize = 23;
    pub const VIB_LFO_RATE: usize = 24;
    pub const MOD_ENVELOPE: usize = 25;
    pub const VOLUME_ENVELOPE: usize = 33;
    pub const INSTRUMENT: usize = 41;
    pub const KEYS: usize = 43;
    pub const VELOCITIES: usize = 44;
    pub const LOOP_START_COARSE: usize = 45;
    pub const FIXED_KEY: usize = 46;
    pub const FIXED_VELOCITY: usize = 47;
    pub const ATTENUATION: usize = 48;
    pub const LOOP_END_COARSE: usize = 50;
    pub const COARSE_TUNE: usize = 51;
    pub const FINE_TUNE: usize = 52;
    pub const SAMPLE: usize = 53;
    pub const SAMPLE_MODE: usize = 54;
    pub const SCALE_TUNING: usize = 56;
    pub const EXCLUSIVE_CLASS: usize = 57;
    pub const ROOT_KEY: usize = 58;
}

/// What a parameter is where nothing is said.
pub fn default_value(parameter: usize) -> i16 {
    match parameter {
        number::FILTER_CUTOFF => 13_500,
        number::MOD_LFO_DELAY | number::VIB_LFO_DELAY | 25..=28 | 30 | 33..=36 | 38 => -12_000,
        number::FIXED_KEY | number::FIXED_VELOCITY | number::ROOT_KEY => -1,
        number::SCALE_TUNING => 100,
        _ => 0,
    }
}

/// The range of values a parameter keeps after modulation; `None` for those that are no amounts.
pub fn limits(parameter: usize) -> Option<[f32; 2]> {
    Some(match parameter {
        5..=7 | 10 | 11 => [-12_000.0, 12_000.0],
        number::FILTER_CUTOFF => [1_500.0, 13_500.0],
        number::FILTER_Q => [0.0, 960.0],
        number::MOD_LFO_TO_VOLUME => [-960.0, 960.0],
        number::PAN => [-500.0, 500.0],
        number::MOD_LFO_RATE | number::VIB_LFO_RATE => [-16_000.0, 4_500.0],
        number::MOD_LFO_DELAY | number::VIB_LFO_DELAY | 25 | 27 | 33 | 35 => [-12_000.0, 5_000.0],
        26 | 28 | 30 | 34 | 36 | 38 => [-12_000.0, 8_000.0],
        29 => [0.0, 1_000.0],
        37 | number::ATTENUATION => [0.0, 1_440.0],
        31 | 32 | 39 | 40 => [-1_200.0, 1_200.0],
        number::COARSE_TUNE => [-120.0, 120.0],
        number::FINE_TUNE => [-99.0, 99.0],
        number::SCALE_TUNING => [0.0, 1_200.0],
        _ => return None,
    })
}

/// A source of modulation: what it follows and by which curve, in the specification's bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Source(u16);

impl Source {
    /// From 0 to 1, or -1 to 1 where the source is bipolar. `None` for wheels and pedals, which nobody moves here.
    fn value(self, key: u8, velocity: u8) -> Option<f32> {
        let is_controller = self.0 & 0x80 != 0;
        let input = match self.0 & 0x7F {
            0 if !is_controller => return Some(1.0),
            2 if !is_controller => velocity,
            3 if !is_controller => key,
            _ => return None,
        };
        let falling = self.0 & 0x100 != 0;
        let bipolar = self.0 & 0x200 != 0;
        let along = f32::from(if falling { 127 - input.min(127) } else { input.min(127) }) / 127.0;
        let concave = |along: f32| (-40.0 / 96.0 * (1.0 - along).max(1e-9).log10()).clamp(0.0, 1.0);
        let curve = |along: f32| match self.0 >> 10 {
            0 => along,
            1 => concave(along),
            2 => 1.0 - concave(1.0 - along),
            _ => f32::from(u8::from(along >= 64.0 / 127.0)),
        };
        Some(if !bipolar {
            curve(along)
        } else if self.0 >> 10 == 0 || self.0 >> 10 > 2 {
            2.0 * curve(along) - 1.0
        } else {
            let side = 2.0 * along - 1.0;
            side.signum() * curve(side.abs())
        })
    }
}

/// Shifts a parameter by what a source says when a key is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modulator {
    source: Source,
    /// The parameter it shifts.
    pub parameter: u16,
    amount: i16,
    amount_source: Source,
    transform: u16,
}

impl Modulator {
    /// From the fields of the file.
    pub fn new(source: u16, parameter: u16, amount: i16, amount_source: u16, transform: u16) -> Self {
        Self { source: Source(source), parameter, amount, amount_source: Source(amount_source), transform }
    }

    /// What every region has unless it says otherwise: softer strokes are quieter, by the square of the velocity, and those of
    /// the lower half are darker, as version 2.01 of the specification has it, which the set was written for.
    pub fn defaults() -> [Self; 2] {
        [
            Self::new(0x0502, number::ATTENUATION as u16, 960, 0, 0),
            Self::new(0x0102, number::FILTER_CUTOFF as u16, -2_400, 0x0D02, 0),
        ]
    }

    /// Whether the other one takes this one's place.
    pub fn is_replaced_by(&self, other: &Self) -> bool {
        Self { amount: 0, ..*self } == Self { amount: 0, ..*other }
    }

    /// How far it shifts its parameter.
    pub fn shift(&self, key: u8, velocity: u8) -> f32 {
        let values = (self.source.value(key, velocity), self.amount_source.value(key, velocity));
        let (Some(source), Some(share)) = values else { return 0.0 };
        let shift = f32::from(self.amount) * source * share;
        if self.transform == 2 { shift.abs() } else { shift }
    }
}
