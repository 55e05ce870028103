//! Thread: audio. What the user wants of the player in one block.

use crate::generation::score::Role;

/// Regions an instance may have, and so the seats of a player.
pub const MOST_REGIONS: usize = 8;

/// Roles a rendition may have, and so the stem outputs.
pub const ROLES: usize = Role::ALL.len();

/// What decides where in its region a rendition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlayMode {
    /// Every region lies at its place in the song.
    #[default]
    Song,
    /// The chosen region goes round and round while the song plays, wherever the song is.
    Loop,
    /// Keys play regions from their start, as long as they are held.
    Trigger,
}

/// When a newly chosen variation takes over from the one that plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SwitchAt {
    /// At once.
    #[default]
    Now,
    /// On the host's next bar line, or where the region begins anew.
    NextBar,
}

// The lengths below are literals: rustc 1.95 breaks off where a closure captures settings whose arrays are as long as a named constant.
const _: () = assert!(ROLES == 8 && MOST_REGIONS == 8);

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
    /// Plays the chosen region round and round, and no other, whatever the song does.
    pub audition: bool,
    /// What decides where in its region a rendition is.
    pub mode: PlayMode,
    /// When a newly chosen variation takes over.
    pub switch: SwitchAt,
    /// Plays the take itself in place of the rendition, where the clip brings it along.
    pub compare: bool,
    /// Linear gain of each role, in the order of [`Role::ALL`]; 0 is muted. While all are 1 the mix plays as it was made, and renditions
    /// without stems never hear of them.
    pub role_gains: [f32; 8],
    /// A bit a role, in the order of [`Role::ALL`], from the lowest on: its notes are sent out, and it is silent inside.
    pub midi_roles: u8,
    /// The key that plays the first region in [`PlayMode::Trigger`]; the next key plays the next region.
    pub trigger_note: u8,
    /// The seat of the first region, and so on; what is no seat is no region.
    pub seats: [u8; 8],
    /// Seat of the chosen region: the one that loops, is auditioned, and plays where the host tells no position.
    pub chosen_seat: usize,
    /// Seats that are silent, and silence nothing.
    pub seat_muted: [bool; 8],
}

impl PlayerSettings {
    /// The mix at unity over the input, at its place in the song.
    pub const PLAIN: Self = Self {
        enabled: true,
        replace: false,
        dry_gain: 1.0,
        wet_gain: 1.0,
        audition: false,
        mode: PlayMode::Song,
        switch: SwitchAt::Now,
        compare: false,
        role_gains: [1.0; ROLES],
        midi_roles: 0,
        trigger_note: 60,
        seats: [0, 1, 2, 3, 4, 5, 6, 7],
        chosen_seat: 0,
        seat_muted: [false; MOST_REGIONS],
    };

    /// The region that a key plays, by its seat.
    pub fn seat_of_key(&self, key: u8) -> Option<usize> {
        let place = key.checked_sub(self.trigger_note).filter(|_| self.mode == PlayMode::Trigger)?;
        let seat = usize::from(*self.seats.get(usize::from(place))?);
        (seat < MOST_REGIONS).then_some(seat)
    }

    /// The gain that a role has inside: none when it is sent out.
    pub(super) fn gain_inside(&self, role: usize) -> f32 {
        let sent = self.midi_roles & (1 << role) != 0;
        if sent && self.enabled { 0.0 } else { self.role_gains[role] }
    }

    /// The gain of a seat.
    pub(super) fn seat_gain(&self, seat: usize) -> f32 {
        if self.seat_muted[seat] { 0.0 } else { self.wet_gain }
    }

    /// The roles a seat sends out as notes, a bit each.
    pub(super) fn roles_out(&self, seat: usize) -> u8 {
        if self.enabled && !self.compare && !self.seat_muted[seat] { self.midi_roles } else { 0 }
    }
}

impl Default for PlayerSettings {
    fn default() -> Self {
        Self::PLAIN
    }
}
