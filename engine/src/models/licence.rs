//! Thread: any. The terms of models' weights, in the words of a musician.

use std::time::{SystemTime, UNIX_EPOCH};

/// A licence of weights.
#[derive(Debug, PartialEq, Eq)]
pub struct Licence {
    /// Its SPDX name, as acceptance is recorded.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The full text.
    pub page: &'static str,
    /// What it means, in plain sentences.
    pub meaning: &'static str,
}

/// The licence of Meta's MusicGen weights.
pub const CC_BY_NC_4: Licence = Licence {
    id: "CC-BY-NC-4.0",
    name: "Creative Commons Attribution-NonCommercial 4.0",
    page: "https://creativecommons.org/licenses/by-nc/4.0/",
    meaning: "\
The weights are made and published by Meta. You may use and share them for non-commercial purposes, and must credit Meta when
you share them. Non-commercial means: not primarily for money or commercial advantage. So use MusicGen for sketches, study
and music you give away, not for music that is sold, licensed, paid for or streamed for income, for adverts, or for work on
commission. Whether these terms also reach the music a model puts out is not settled; Cantus advises to act as if they did, and
this summary is no legal advice. The built-in Band has no such limits.",
};

/// When and what was accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Acceptance {
    /// SPDX name of the licence.
    pub licence: String,
    /// Day in UTC, "2026-11-24".
    pub date: String,
}

impl Acceptance {
    /// An acceptance given now.
    pub(super) fn now(licence: &Licence) -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { licence: licence.id.to_owned(), date: date(seconds / 86_400) }
    }
}

/// The date of a day since 1970-01-01 in the Gregorian calendar.
fn date(days: u64) -> String {
    // Years are counted from March, so that the leap day is a year's last.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
