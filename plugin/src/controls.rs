//! Thread: gui. Which parameters lie together on a control surface.

use crate::params::CantusParams;
use nice_plug::prelude::*;

/// Declares the pages, at most eight parameters each.
pub fn declare(params: &CantusParams, context: &mut impl RemoteControlsContext) {
    context.add_section("Cantus", |section| {
        section.add_page("Play", |page| {
            page.add_param(&params.region);
            page.add_param(&params.active);
            page.add_param(&params.play);
            page.add_param(&params.replace);
            page.add_param(&params.dry);
            page.add_param(&params.wet);
            page.add_param(&params.audition);
            page.add_param(&params.switch);
        });
        section.add_page("Capture", |page| {
            page.add_param(&params.capture);
            page.add_param(&params.capture_mode);
            page.add_param(&params.capture_bars);
            page.add_param(&params.count_in);
            page.add_param(&params.recall);
            page.add_param(&params.recall_length);
            page.add_param(&params.auto_arm);
            page.add_param(&params.input);
        });
        section.add_page("Make", |page| {
            page.add_param(&params.style);
            page.add_param(&params.variations);
            page.add_param(&params.freedom);
            page.add_param(&params.timing);
            page.add_param(&params.seed);
            page.add_param(&params.generate);
            page.add_param(&params.cancel);
            page.add_param(&params.playback);
        });
    });
    context.add_section("Parts", |section| {
        section.add_page("Levels", |page| params.parts.iter().for_each(|part| page.add_param(&part.level)));
        section.add_page("Mutes", |page| params.parts.iter().for_each(|part| page.add_param(&part.mute)));
        section.add_page("MIDI out", |page| params.parts.iter().for_each(|part| page.add_param(&part.midi)));
    });
}
