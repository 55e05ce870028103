//! Thread: main. The flow, as the product means it: hum, capture, choose, hear.

use crate::arguments::Arguments;
use crate::table::{Facts, Row};
use crate::trace::Trace;
use crate::{files, progress, table};
use cantus_engine::capture::file::read_audio;
use cantus_engine::resample::resample;
use cantus_engine::session::{SavedVariation, Session};
use cantus_engine::time::SampleRate;
use cantus_host::{AudioSetup, Bundle, Clip, Heard, Instance, Pace, Project, Song, SongClock};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The styles of the demo.
pub const STYLES: [&str; 3] = ["orchestral", "reggae", "jazz"];
/// The loop begins after one bar.
const LOOP_START: f64 = 4.0;
const BAR: f64 = 4.0;
/// Capturing runs this much faster than it sounds: a host's freewheeling, but slow enough for any machine's collector.
const CAPTURE_PACE: f64 = 20.0;
const PATIENCE: Duration = Duration::from_secs(300);

/// The plugin with a song around it.
pub struct Stage {
    pub instance: Instance,
    pub song: Song,
    pub trace: Trace,
    pub beats: f64,
    pub bpm: f64,
    /// Time the analysis took, as the plugin says.
    pub analysis_ms: f64,
    _scratch: tempfile::TempDir,
}

type Outcome<T> = Result<T, String>;

fn say(error: impl ToString) -> String {
    error.to_string()
}

impl Stage {
    /// Loads the bundle and lays the recording into a loop.
    pub fn set(arguments: &Arguments) -> Outcome<Self> {
        let scratch = tempfile::tempdir().map_err(say)?;
        // SAFETY: called once, at the beginning of the program, while there is one thread.
        unsafe { std::env::set_var("CANTUS_DATA_DIR", scratch.path()) };
        let trace = Trace::begin(&scratch.path().join("trace"))?;
        let recording = read_audio(&arguments.input).map_err(say)?;
        let recording = resample(&recording, SampleRate(arguments.rate)).map_err(say)?.to_mono();
        let mut instance = Bundle::load(&arguments.bundle).and_then(|bundle| bundle.instance()).map_err(say)?;
        instance.activate(&AudioSetup::new(arguments.rate, arguments.block)).map_err(say)?;

        let seconds = recording.len() as f64 / f64::from(arguments.rate);
        // A last bar that only holds the end of a breath is not one.
        let filled = (seconds * arguments.bpm / 60.0 / BAR - 0.05).ceil().clamp(1.0, 64.0);
        let beats = arguments.bars.map_or(filled, f64::from) * BAR;
        let mut clock = SongClock::new(arguments.rate, arguments.bpm);
        clock.set_loop(Some((LOOP_START, LOOP_START + beats)));
        clock.locate_beats(LOOP_START - 1.0);
        clock.play();
        let start = clock.frame_at(LOOP_START);
        let mut song = Song::new(clock);
        song.clips.push(Clip::mono_at(start, recording));
        Ok(Self { instance, song, trace, beats, bpm: arguments.bpm, analysis_ms: 0.0, _scratch: scratch })
    }

    fn frames(&self, beats: f64) -> usize {
        (beats * 60.0 / self.bpm * f64::from(self.song.clock.rate())) as usize
    }

    /// Sings the recording into the plugin's loop capture and waits until it was understood.
    pub fn capture(&mut self) -> Outcome<()> {
        self.instance.set_text("Capture mode", "Loop region").map_err(say)?;
        self.instance.switch("Capture", true).map_err(say)?;
        let total = self.frames(self.beats + 2.0);
        let step = self.frames(1.0);
        let mut done = 0;
        while done < total {
            self.instance.run(&mut self.song, step, Pace::Times(CAPTURE_PACE)).map_err(say)?;
            done += step;
            progress::show("capturing the loop", done as f64 / total as f64);
        }
        let event = self.wait_for("analysis", "listening")?;
        self.analysis_ms = event["ms"].as_f64().unwrap_or(0.0);
        Ok(())
    }

    /// Lets the song run until an event of a kind arrives; the last progress is shown meanwhile.
    pub fn wait_for(&mut self, kind: &str, what: &str) -> Outcome<Value> {
        let begun = Instant::now();
        loop {
            for event in self.trace.news() {
                match event["event"].as_str() {
                    Some(found) if found == kind => return Ok(event),
                    Some("failed" | "message") => {
                        return Err(event["message"].as_str().unwrap_or("The plugin reported a failure.").to_owned());
                    }
                    Some("progress") => {
                        let stage = event["stage"].as_str().unwrap_or_default();
                        progress::show(&format!("{what}: {stage}"), event["fraction"].as_f64().unwrap_or(0.0));
                    }
                    _ => {}
                }
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("Waited {} s for the plugin while {what}.", PATIENCE.as_secs()));
            }
            self.instance.run(&mut self.song, 1_024, Pace::Times(2.0)).map_err(say)?;
        }
    }

    /// Orders one variation of a style.
    pub fn order(&mut self, style: &str) -> Outcome<()> {
        self.instance.set_text("Style", style).map_err(say)?;
        self.instance.switch("Generate", true).map_err(say)?;
        self.instance.run(&mut self.song, 256, Pace::Unbounded).map_err(say)?;
        self.instance.switch("Generate", false).map_err(say)?;
        self.instance.run(&mut self.song, 256, Pace::Unbounded).map_err(say)?;
        Ok(())
    }

    /// Chooses a variation by number and plays the loop region once, with nothing on the track.
    pub fn play(&mut self, number: usize) -> Outcome<Heard> {
        self.instance.set_text("Active variation", &number.to_string()).map_err(say)?;
        self.song.clips.clear();
        self.song.clock.play();
        self.instance.run(&mut self.song, 4_096, Pace::Unbounded).map_err(say)?;
        self.wait_until_it_plays(number)?;
        self.song.clock.locate_beats(LOOP_START - 0.5);
        let frames = self.frames(self.beats + 1.0);
        self.instance.run(&mut self.song, frames, Pace::Unbounded).map_err(say)
    }

    /// The first variation plays by itself, later ones once the plugin has sent them to the audio thread.
    fn wait_until_it_plays(&mut self, number: usize) -> Outcome<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let session = self.session()?;
            if session
                .region()
                .variations
                .get(number - 1)
                .is_some_and(|one| session.region().active == Some(one.facts.id))
            {
                return self.instance.run(&mut self.song, 4_096, Pace::Times(4.0)).map(drop).map_err(say);
            }
            self.instance.run(&mut self.song, 2_048, Pace::Times(4.0)).map_err(say)?;
        }
        Err(format!("Variation {number} was never played."))
    }

    /// What the project would hold now.
    pub fn session(&mut self) -> Outcome<Session> {
        let state = self.instance.save_state().map_err(say)?;
        Session::decode_text(&Project::read(&state).map_err(say)?.session_text()).map_err(say)
    }
}

/// Frames by which what was heard lies behind the saved mix at the region's first frame; 0 is right. `None` when it is not the
/// same sound at all.
fn offset(heard: &Heard, at: usize, variation: &SavedVariation) -> Option<i64> {
    let mix = variation.mix.as_ref()?.unpack().ok()?;
    let (mix, heard) = (mix.channels.first()?, heard.main().first()?);
    let length = (variation.facts.region.0 as usize).min(mix.len()).min(48_000 * 8);
    let matches = |lag: i64| {
        (0..length).step_by(7).all(|frame| {
            let other = usize::try_from((at + frame) as i64 + lag).ok().and_then(|index| heard.get(index));
            other.is_none_or(|other| (other - mix[frame]).abs() < 1e-6)
        })
    };
    (0..2_000).flat_map(|lag| [lag, -lag]).find(|&lag| matches(lag))
}

/// The whole demo.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let mut stage = Stage::set(arguments)?;
    stage.capture()?;
    let captured = Instant::now();
    let mut rows = Vec::new();
    let mut renditions = Vec::new();
    let mut first_ms = None;
    for (index, style) in STYLES.into_iter().enumerate() {
        stage.order(style)?;
        stage.wait_for("rendition", style)?;
        first_ms.get_or_insert_with(|| captured.elapsed().as_secs_f64() * 1e3);
        progress::show(&format!("{style}: playing the region"), 1.0);
        let heard = stage.play(index + 1)?;
        let session = stage.session()?;
        let variation = session.region().variations.get(index).ok_or("The variation is not in the project.")?;
        let at =
            *heard.passes_of(stage.song.clock.frame_at(LOOP_START)).first().ok_or("The loop was never reached.")?;
        let folder = arguments.out.join(format!("{:02}-{style}", index + 1));
        renditions.push(files::write(&folder, &heard, at, variation)?);
        rows.push(Row {
            style: style.to_owned(),
            fidelity: variation.facts.fidelity,
            loudness: variation.facts.loudness,
            timings: variation.facts.timings,
            offset: offset(&heard, at, variation),
            peak: heard.peak(0),
            stems: (1..heard.outputs.len()).filter(|&port| heard.peak(port) > 1e-3).count(),
            cpu: [heard.cpu_percentile(0.5), heard.cpu_percentile(0.9999), heard.cpu_percentile(1.0)],
        });
    }
    let session = stage.session()?;
    let analysis = session.region().analysis.as_ref().ok_or("The analysis is not in the project.")?;
    files::write_picture(&arguments.out, analysis, &renditions)?;
    progress::clear();
    let facts = Facts {
        notes: analysis.notes.len(),
        key: analysis.key.key.name(),
        tuning_cents: analysis.tuning_cents,
        bars: stage.beats / BAR,
        bpm: arguments.bpm,
        first_ms: first_ms.unwrap_or(0.0),
    };
    table::print(&facts, &rows, &arguments.out);
    if let Some(silent) = rows.iter().find(|row| row.peak < 0.05 || row.stems == 0) {
        return Err(format!("The host heard nothing of {}.", silent.style));
    }
    if let Some(off) = rows.iter().find(|row| row.offset != Some(0)) {
        return Err(format!("{} does not lie on the grid.", off.style));
    }
    Ok(())
}
