//! Thread: main. Judges what a host left behind: its project and what it recorded.

use crate::project_text::session_text;
use crate::song::{BEAT, END_BEAT, HUM_BEAT, RATE};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::session::Session;
use cantus_engine::time::SampleRate;
use cantus_host::compare::{compare, find, peak_difference_db};

/// Windows of a quarter of a second each have their place.
const WINDOW: usize = RATE as usize / 4;
/// What may be left when a recording and the rendition are subtracted: a host's gains round, nothing else may differ.
const RESIDUAL_DB: f64 = -120.0;
/// The jump to where a recording begins fades in.
const FADE: usize = RATE as usize / 200;

/// How a host tells where the song is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It moves the song: frame 0 of its recordings is this frame of the song.
    Song(usize),
    /// It tells nothing, so the take is free and the rendition an audition; only their sound can be compared.
    Nowhere,
}

/// What a host left behind.
pub struct Evidence {
    /// Its project, as it keeps it.
    pub project: Vec<u8>,
    /// What it recorded while the rendition played.
    pub playback: AudioBuffer,
    /// The same after the project was opened again.
    pub reopened: AudioBuffer,
    /// Where that lies.
    pub place: Place,
    /// Frames at the take's ends that this host fades itself, because it loops.
    pub faded: usize,
}

/// Judges it against the track that the host played; a figure, or what is wrong.
pub fn judge(evidence: &Evidence, track: &[f32]) -> Result<String, String> {
    let text = session_text(&evidence.project).ok_or("The host's project holds no session of Cantus.")?;
    let session = Session::decode_text(&text).map_err(|error| error.to_string())?;
    let take = judge_take(&session, evidence, track)?;
    let variation = session.region().variations.iter().find(|one| Some(one.facts.id) == session.region().active);
    let variation = variation.ok_or("No variation is chosen in the saved session.")?;
    let mix = variation.mix.as_ref().ok_or("The chosen variation was saved without its sound.")?;
    let mix = mix.unpack().map_err(|error| error.to_string())?;
    if mix.rate != SampleRate(RATE) {
        return Err(format!("The rendition is at {} Hz.", mix.rate.0));
    }
    if mix.peak() < 0.05 {
        return Err("The rendition is silent.".into());
    }
    let region = usize::try_from(variation.facts.region.0).unwrap_or(0).min(mix.frames());
    let mut worst = f64::NEG_INFINITY;
    let mut windows = 0;
    for (side, meant) in mix.channels.iter().enumerate().take(2) {
        let heard = evidence.playback.channels.get(side).ok_or("The recording is not stereo.")?;
        let at = match evidence.place {
            Place::Song(origin) => {
                let start = variation.facts.grid.start.0 * BEAT as f64;
                (start.round() as usize).checked_sub(origin).ok_or("The recording begins after the region.")?
            }
            Place::Nowhere => find(heard, &meant[FADE..region.min(FADE + 4 * WINDOW)])
                .and_then(|at| at.checked_sub(FADE))
                .ok_or("What was recorded is not the rendition.")?,
        };
        // The first frames may fade in from a jump that brought the song there.
        let heard = heard.get(at + FADE..at + region).ok_or("The recording ends before the region does.")?;
        let found = compare(heard, &meant[FADE..region], WINDOW);
        if found.largest_shift != 0 {
            return Err(format!("The rendition lies up to {} frames off its place.", found.largest_shift));
        }
        if found.residual_db > RESIDUAL_DB {
            return Err(format!("The recording differs from the rendition by {:.1} dB.", found.residual_db));
        }
        worst = worst.max(found.residual_db);
        windows += found.windows;
    }
    let same = judge_reopened(evidence)?;
    Ok(format!("{take}; {windows} windows in place, 0 frames off, {}; reopened {same}", level(worst)))
}

fn judge_take(session: &Session, evidence: &Evidence, track: &[f32]) -> Result<String, String> {
    let take = session.region().take.as_ref().ok_or("The saved session has no take.")?;
    let mut audio = take.take().map_err(|error| error.to_string())?.audio.to_mono();
    if take.facts.lost_frames > 0 {
        return Err(format!("The take lost {} frames.", take.facts.lost_frames));
    }
    let hum = &track[HUM_BEAT * BEAT..END_BEAT * BEAT];
    let start = match evidence.place {
        Place::Song(_) => {
            let start = take.facts.grid.start.0;
            if !take.facts.on_grid || start > HUM_BEAT as f64 {
                return Err(format!("The take begins on beat {start}, on the host's grid: {}.", take.facts.on_grid));
            }
            (start * BEAT as f64).round() as usize
        }
        Place::Nowhere => {
            let at = find(&audio, &hum[BEAT..9 * BEAT]).ok_or("The take does not hold the hum.")?;
            // What the host let pass before the track began is silence.
            let early = at.saturating_sub((HUM_BEAT + 1) * BEAT);
            audio.drain(..early);
            (HUM_BEAT + 1) * BEAT - (at - early)
        }
    };
    let sung = track.get(start..).unwrap_or(&[]);
    let length = audio.len().min(sung.len());
    if start + length < END_BEAT * BEAT {
        return Err("The take ends before the hum.".into());
    }
    let inside = evidence.faded..length.saturating_sub(evidence.faded);
    let found = compare(&audio[inside.clone()], &sung[inside], WINDOW);
    if found.largest_shift != 0 || found.residual_db > RESIDUAL_DB {
        let (shift, residual) = (found.largest_shift, found.residual_db);
        return Err(format!("The take lies up to {shift} frames off and differs from the hum by {residual:.1} dB."));
    }
    let notes = session.region().analysis.as_ref().map_or(0, |analysis| analysis.notes.len());
    if notes < 20 {
        return Err(format!("Only {notes} notes were heard in the hum."));
    }
    Ok(format!("take 0 frames off, {}, {notes} notes", level(found.residual_db)))
}

fn judge_reopened(evidence: &Evidence) -> Result<String, String> {
    let mut worst = f64::NEG_INFINITY;
    for (before, after) in evidence.playback.channels.iter().zip(&evidence.reopened.channels) {
        let length = before.len().min(after.len());
        if length < 8 * BEAT {
            return Err("What was recorded is too short to compare.".into());
        }
        worst = worst.max(peak_difference_db(&before[FADE..length], &after[FADE..length]));
    }
    if worst > RESIDUAL_DB {
        return Err(format!("The reopened project sounds different: {worst:.1} dB."));
    }
    Ok(level(worst))
}

fn level(difference_db: f64) -> String {
    if difference_db == f64::NEG_INFINITY {
        "equal to the bit".into()
    } else {
        format!("equal to {difference_db:.0} dB")
    }
}
