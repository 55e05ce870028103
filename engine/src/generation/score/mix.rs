//! Thread: any. How a score is to be mixed: a strip a part, the room, the echo, the master.

use serde::{Deserialize, Serialize};

/// What a part's sound passes before it is mixed, in this order. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Strip {
    /// Lowest frequency that passes, in Hz; 0 lets everything pass. 12 dB an octave.
    pub low_cut_hz: f32,
    /// Highest frequency that passes, in Hz; 0 lets everything pass. 12 dB an octave.
    pub high_cut_hz: f32,
    /// Treble against bass around 700 Hz, in decibels: positive is brighter.
    pub tilt_db: f32,
    /// Saturation, 0 to 1.
    pub drive: f32,
    /// Compression, 0 to 1.
    pub compress: f32,
    /// Chorus, 0 to 1.
    pub chorus: f32,
    /// Tremolo in time with the song, 0 to 1.
    pub tremolo: f32,
    /// Fewer and coarser steps, as old samplers and games sounded, 0 to 1.
    pub crush: f32,
    /// How far the kick pushes the part down, 0 to 1.
    pub duck: f32,
    /// Send to the echo, 0 to 1.
    pub delay: f32,
    /// Stereo width, 0 to 1: mono parts are spread by so much.
    pub width: f32,
}

/// The character of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomKind {
    /// A studio's live room: early walls, a short tail.
    #[default]
    Room,
    /// A concert hall: late, wide, dark.
    Hall,
    /// A steel plate: dense at once, bright.
    Plate,
    /// A spring tank: narrow, chirping, as in guitar amplifiers and dub.
    Spring,
}

/// The room a style plays in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Reverberation time to -60 dB, in seconds.
    pub decay_seconds: f32,
    /// Return level in decibels.
    pub level_db: f32,
    /// Its character.
    #[serde(default)]
    pub kind: RoomKind,
}

/// An echo in time with the song.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    /// Beats between repeats.
    pub beats: f32,
    /// How much of a repeat is in the next one, 0 to 0.9.
    pub feedback: f32,
    /// Return level in decibels.
    pub level_db: f32,
    /// Highest frequency of the repeats, in Hz; each repeat is darker than the one before.
    pub high_cut_hz: f32,
}

/// The style's own touch on the sum of all parts. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Master {
    /// Treble against bass, in decibels.
    pub tilt_db: f32,
    /// Compression of the sum, 0 to 1.
    pub glue: f32,
    /// Tape: saturation, a softer top, a slow waver of pitch, 0 to 1.
    pub tape: f32,
    /// Crackle and dust of a record, 0 to 1.
    pub vinyl: f32,
    /// Fewer bits, 0 to 1.
    pub crush: f32,
}

/// How loud a rendition is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// To play along in a project: -18 LUFS for the whole band, nothing on the sum, so that stems add up to the mix, and leaving a
    /// part out changes no other.
    #[default]
    Session,
    /// To be listened to as it is: mastered to -14 LUFS.
    Loud,
}
