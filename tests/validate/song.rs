//! Thread: main. The song that every host plays, and its files.

use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::file::read_audio;
use cantus_engine::resample::resample;
use cantus_engine::time::SampleRate;
use std::path::Path;

/// The rate of the song.
pub const RATE: u32 = 48_000;
/// Its tempo, at which a beat is a whole number of frames.
pub const BPM: f64 = 100.0;
/// Frames of a beat.
pub const BEAT: usize = 28_800;
/// The beat on which the hum begins, and the one after its last.
pub const HUM_BEAT: usize = 4;
pub const END_BEAT: usize = 36;
/// Length of the whole song.
pub const FRAMES: usize = 40 * BEAT;

/// The track: silence, the hum on bars 2 to 9, silence.
pub fn track() -> Result<Vec<f32>, String> {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac"));
    let hum = read_audio(file).map_err(|error| error.to_string())?;
    let hum = resample(&hum, SampleRate(RATE)).map_err(|error| error.to_string())?.to_mono();
    let mut track = vec![0.0; FRAMES];
    let room = &mut track[HUM_BEAT * BEAT..END_BEAT * BEAT];
    for (sample, sung) in room.iter_mut().zip(hum) {
        // Hosts keep recordings in 24 bits.
        *sample = cantus_engine::audio::at_24_bit(sung);
    }
    Ok(track)
}

/// Writes interleaved stereo samples without any header.
pub fn write_raw(path: &Path, samples: &[f32]) -> Result<(), String> {
    let bytes: Vec<u8> =
        samples.iter().flat_map(|sample| [sample.to_le_bytes(), sample.to_le_bytes()]).flatten().collect();
    std::fs::write(path, bytes).map_err(|error| format!("Cannot write {}: {error}.", path.display()))
}

/// Reads interleaved stereo samples without any header.
pub fn read_raw(path: &Path) -> Result<AudioBuffer, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("Cannot read {}: {error}.", path.display()))?;
    let samples = bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let samples: Vec<f32> = samples.collect();
    let side = |side: usize| samples.iter().skip(side).step_by(2).copied().collect();
    Ok(AudioBuffer { rate: SampleRate(RATE), channels: vec![side(0), side(1)] })
}

/// Writes a WAV of 32-bit floats in one channel.
pub fn write_mono_wav(path: &Path, samples: &[f32]) -> Result<(), String> {
    let say = |error: hound::Error| format!("Cannot write {}: {error}.", path.display());
    let form = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(path, form).map_err(say)?;
    for &sample in samples {
        writer.write_sample(sample).map_err(say)?;
    }
    writer.finalize().map_err(say)
}
