//! Thread: main. Our own CLAP host, as the other hosts are judged.

use crate::evidence::{self, Evidence, Place};
use crate::outcome::Outcome;
use crate::song::{self, BEAT, BPM, END_BEAT, HUM_BEAT, RATE};
use crate::{Stage, program};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::session::Session;
use cantus_engine::time::SampleRate;
use cantus_host::{AudioSetup, Bundle, Clip, HostError, Instance, Pace, Project, Song, SongClock};
use std::path::Path;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(240);

/// Load, capture, generate, play, save, reopen.
pub fn run(stage: &Stage) -> Outcome {
    // A process of its own, as for every host: the plugin reads its environment once.
    let outcome = std::env::current_exe().map_err(|error| error.to_string()).and_then(|program| {
        let mut command = std::process::Command::new(program);
        command.arg("--clack").arg(&stage.clap).arg(&stage.folder);
        program::run(program::at_home(&mut command, &stage.folder), &stage.folder.join("said"))
    });
    outcome.map(|said| program::last_line(&said).to_owned()).into()
}

/// What the process does; also called from a host that has another image of Cantus loaded.
pub fn perform(clap: &Path) -> Result<String, String> {
    let track = song::track()?;
    let mut player = Player::new(clap, &track).map_err(|error| error.to_string())?;
    player.capture()?;
    player.generate()?;
    let project = player.save()?;
    let playback = player.playback().map_err(|error| error.to_string())?;
    drop(player);
    let mut player = Player::new(clap, &track).map_err(|error| error.to_string())?;
    player.instance.deactivate().map_err(|error| error.to_string())?;
    player.instance.load_state(&project).map_err(|error| error.to_string())?;
    player.instance.activate(&AudioSetup::new(RATE, 512)).map_err(|error| error.to_string())?;
    let reopened = player.playback().map_err(|error| error.to_string())?;
    let parameters = player.instance.params().len();
    drop(player);
    let place = Place::Song((HUM_BEAT - 1) * BEAT);
    let figure = evidence::judge(&Evidence { project, playback, reopened, place, faded: 0 }, &track)?;
    Ok(format!("{figure}; {parameters} parameters"))
}

struct Player {
    instance: Instance,
    song: Song,
}

impl Player {
    fn new(clap: &Path, track: &[f32]) -> Result<Self, HostError> {
        let mut instance = Bundle::load(clap)?.instance()?;
        instance.activate(&AudioSetup::new(RATE, 512))?;
        let mut clock = SongClock::new(RATE, BPM);
        clock.set_loop(Some((HUM_BEAT as f64, END_BEAT as f64)));
        clock.locate_beats((HUM_BEAT - 1) as f64);
        clock.play();
        let mut song = Song::new(clock);
        song.clips.push(Clip::mono_at(0, track.to_vec()));
        Ok(Self { instance, song })
    }

    fn capture(&mut self) -> Result<(), String> {
        let say = |error: HostError| error.to_string();
        self.instance.set_text("Capture mode", "Loop region").map_err(say)?;
        self.instance.set_text("Style", "jazz").map_err(say)?;
        self.instance.switch("Capture", true).map_err(say)?;
        let frames = (END_BEAT - HUM_BEAT + 3) * BEAT;
        self.instance.run(&mut self.song, frames, Pace::Times(20.0)).map_err(say)?;
        self.until("the analysis", |session| session.region().analysis.is_some())
    }

    fn generate(&mut self) -> Result<(), String> {
        self.instance.switch("Generate", true).map_err(|error| error.to_string())?;
        self.until("a rendition", |session| {
            session
                .region()
                .variations
                .iter()
                .any(|one| session.region().active == Some(one.facts.id) && one.mix.is_some())
        })
    }

    fn save(&mut self) -> Result<Vec<u8>, String> {
        self.instance.save_state().map_err(|error| error.to_string())
    }

    fn until(&mut self, what: &str, ready: impl Fn(&Session) -> bool) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            self.instance.run(&mut self.song, 4_096, Pace::Times(2.0)).map_err(|error| error.to_string())?;
            let text = Project::read(&self.save()?).map_err(|error| error.to_string())?.session_text();
            if ready(&Session::decode_text(&text).map_err(|error| error.to_string())?) {
                return Ok(());
            }
        }
        Err(format!("Waited {} s for {what}.", PATIENCE.as_secs()))
    }

    /// Plays the region from a beat before it.
    fn playback(&mut self) -> Result<AudioBuffer, HostError> {
        self.song.clips.clear();
        self.song.clock.locate(0);
        self.instance.run(&mut self.song, 4_096, Pace::Times(2.0))?;
        self.song.clock.locate_beats((HUM_BEAT - 1) as f64);
        let heard = self.instance.run(&mut self.song, (END_BEAT - HUM_BEAT + 1) * BEAT, Pace::Unbounded)?;
        Ok(AudioBuffer { rate: SampleRate(RATE), channels: heard.main().to_vec() })
    }
}
