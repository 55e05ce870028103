//! Thread: main. Writes what the host heard, not what the plugin says it made.

use cantus_engine::analysis::Analysis;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::export;
use cantus_engine::export::wav::Label;
use cantus_engine::generation::score::Role;
use cantus_engine::rendition::{Rendition, Stem};
use cantus_engine::session::SavedVariation;
use cantus_engine::time::SampleRate;
use cantus_host::Heard;
use std::path::Path;

/// Writes the region as it was heard, each stem output that sounded, and the notes; returns them as a rendition to draw.
pub fn write(folder: &Path, heard: &Heard, at: usize, variation: &SavedVariation) -> Result<Rendition, String> {
    let say = |error: cantus_engine::Error| error.to_string();
    let facts = &variation.facts;
    let region = usize::try_from(facts.region.0).unwrap_or(0);
    let cut = |port: usize| AudioBuffer {
        rate: SampleRate(heard.rate),
        channels: heard.cut(port, at, region.min(heard.frames() - at)),
    };
    let mut heard_rendition = facts.clone().with_mix(cut(0));
    let label = Label::of(&heard_rendition);
    let write_wav = |path: &Path, audio: &AudioBuffer| {
        export::wav::wav_bytes(audio, &label).and_then(|bytes| export::write_file(path, &bytes)).map_err(say)
    };
    write_wav(&folder.join("heard.wav"), &heard_rendition.mix)?;
    let mut stems = Vec::new();
    for (index, role) in Role::ALL.into_iter().enumerate() {
        let audio = cut(index + 1);
        if audio.peak() > 1e-4 {
            let path = folder.join("stems").join(format!("{:02}-{}.wav", index + 1, role.name()));
            write_wav(&path, &audio)?;
            stems.push(Stem { role, instrument: role.name().to_owned(), audio });
        }
    }
    if let Some(score) = &facts.score {
        let midi = export::midi::midi_bytes(score, &facts.name).map_err(say)?;
        export::write_file(&folder.join("rendition.mid"), &midi).map_err(say)?;
    }
    heard_rendition.stems = stems;
    Ok(heard_rendition)
}

/// One picture of everything.
pub fn write_picture(out: &Path, analysis: &Analysis, renditions: &[Rendition]) -> Result<(), String> {
    let renditions: Vec<&Rendition> = renditions.iter().collect();
    let picture = export::picture::picture(analysis, &renditions).map_err(|error| error.to_string())?;
    export::write_file(&out.join("demo.png"), &picture).map_err(|error| error.to_string())
}
