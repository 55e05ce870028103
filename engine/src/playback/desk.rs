//! Thread: audio. The gains that all seats have in common.

use super::fade::{Fade, Glide};
use super::settings::{PlayerSettings, ROLES};

/// The gain of the input and those of the roles, each on its way to what the user wants.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    dry: Glide,
    roles: [Glide; ROLES],
    settled: bool,
}

impl Desk {
    /// Everything at unity.
    pub const fn new() -> Self {
        Self { dry: Glide::resting_at(1.0), roles: [Glide::resting_at(1.0); ROLES], settled: false }
    }

    /// Sets out for what a block wants. The first block of all finds it there already.
    pub fn aim(&mut self, settings: &PlayerSettings, fade: &Fade) {
        let dry = if settings.enabled { settings.dry_gain } else { 1.0 };
        let aim = |glide: &mut Glide, gain| match self.settled {
            true => glide.aim(gain, fade),
            false => *glide = Glide::resting_at(gain),
        };
        aim(&mut self.dry, dry);
        for (role, glide) in self.roles.iter_mut().enumerate() {
            aim(glide, settings.gain_inside(role));
        }
        self.settled = true;
    }

    /// Lets time pass.
    pub fn advance(&mut self, frames: usize) {
        self.dry.advance(frames);
        self.roles.iter_mut().for_each(|glide| glide.advance(frames));
    }

    /// The gain of the input.
    pub fn dry(&self) -> &Glide {
        &self.dry
    }

    /// Whether every role rests at unity from some frames on, so that the mix is what its stems would add up to.
    pub fn is_plain_after(&self, frames: usize, fade: &Fade) -> bool {
        (0..ROLES).all(|role| self.role_after(role, frames, fade).resting(fade) == Some(1.0))
    }

    /// The gain of a role, as it is some frames from now.
    pub fn role_after(&self, role: usize, frames: usize, fade: &Fade) -> Glide {
        let mut glide = self.roles[role];
        if glide.resting(fade).is_none() {
            glide.advance(frames);
        }
        glide
    }
}
