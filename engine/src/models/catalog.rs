//! Thread: any. The MusicGen checkpoints Cantus knows by name: where they come from, how big they are, which files they have.

use super::licence::{CC_BY_NC_4, Licence};

/// A checkpoint that can be fetched by name.
#[derive(Debug, PartialEq, Eq)]
pub struct Model {
    /// Name in Cantus, and of its folder: "musicgen-melody".
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// What sets it apart, in one sentence.
    pub about: &'static str,
    /// The hub's repository.
    pub repository: &'static str,
    /// Page for people who fetch the files by hand.
    pub page: &'static str,
    /// Size of the files that are needed, rounded to 10 MB. What is downloaded is always taken from the hub's own listing.
    pub bytes: u64,
    /// The terms of its weights.
    pub licence: &'static Licence,
    /// Width of the decoder; with `codebooks`, what tells the four checkpoints apart.
    pub(super) hidden_size: u64,
    /// Token streams of the decoder: four for each audio channel.
    pub(super) codebooks: u64,
}

/// Every known checkpoint, the smallest first. Sizes and shapes: the repositories' own listings and configurations.
pub const MODELS: [Model; 4] = [
    Model {
        id: "musicgen-melody",
        name: "MusicGen Melody",
        about: "1.6 billion parameters, mono. The one to begin with.",
        repository: "facebook/musicgen-melody",
        page: "https://huggingface.co/facebook/musicgen-melody",
        bytes: 6_230_000_000,
        licence: &CC_BY_NC_4,
        hidden_size: 1_536,
        codebooks: 4,
    },
    Model {
        id: "musicgen-stereo-melody",
        name: "MusicGen Melody Stereo",
        about: "1.6 billion parameters, stereo.",
        repository: "facebook/musicgen-stereo-melody",
        page: "https://huggingface.co/facebook/musicgen-stereo-melody",
        bytes: 6_330_000_000,
        licence: &CC_BY_NC_4,
        hidden_size: 1_536,
        codebooks: 8,
    },
    Model {
        id: "musicgen-melody-large",
        name: "MusicGen Melody Large",
        about: "2.6 billion parameters, mono. Richer, and about half as fast.",
        repository: "facebook/musicgen-melody-large",
        page: "https://huggingface.co/facebook/musicgen-melody-large",
        bytes: 10_510_000_000,
        licence: &CC_BY_NC_4,
        hidden_size: 2_048,
        codebooks: 4,
    },
    Model {
        id: "musicgen-stereo-melody-large",
        name: "MusicGen Melody Large Stereo",
        about: "2.7 billion parameters, stereo. The biggest and slowest.",
        repository: "facebook/musicgen-stereo-melody-large",
        page: "https://huggingface.co/facebook/musicgen-stereo-melody-large",
        bytes: 10_640_000_000,
        licence: &CC_BY_NC_4,
        hidden_size: 2_048,
        codebooks: 8,
    },
];

/// The configuration; it says what the model is.
pub const CONFIG: &str = "config.json";
/// The text tokeniser.
pub const TOKENIZER: &str = "tokenizer.json";
/// Which tensor lies in which file, when there are several.
pub const INDEX: &str = "model.safetensors.index.json";
/// The weights, when they are one file.
pub const SINGLE: &str = "model.safetensors";
/// Files without which a checkpoint cannot be used, beside its weights.
pub const REQUIRED: [&str; 2] = [CONFIG, TOKENIZER];
/// Files that are taken along where the repository has them.
pub const WELCOME: [&str; 5] = [
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "spiece.model",
];
/// The weights in audiocraft's own form: the language model and the audio codec.
pub const AUDIOCRAFT: [&str; 2] = ["state_dict.bin", "compression_state_dict.bin"];

/// The folder beside audiocraft's files for the text encoder, google-t5/t5-base, which they come without.
pub const TEXT_ENCODER: &str = "t5-base";
/// What that folder has to hold.
pub const TEXT_ENCODER_FILES: [&str; 3] = [CONFIG, TOKENIZER, SINGLE];

/// A checkpoint by any of its names: "musicgen-melody", "facebook/musicgen-melody", in capitals or not.
pub fn find(name: &str) -> Option<&'static Model> {
    let name = name.trim();
    MODELS.iter().find(|model| name.eq_ignore_ascii_case(model.id) || name.eq_ignore_ascii_case(model.repository))
}

/// Which checkpoint a `config.json` describes, by the shape of its decoder. `None` for one that is not in the catalogue.
pub(super) fn identify(config: &serde_json::Value) -> Option<&'static Model> {
    let decoder = config.get("decoder")?;
    let hidden_size = decoder.get("hidden_size")?.as_u64()?;
    let codebooks = decoder.get("num_codebooks")?.as_u64()?;
    let layers = decoder.get("num_hidden_layers")?.as_u64()?;
    // All four have 48 layers: a smaller one is somebody's own.
    let fits = |model: &&Model| layers == 48 && model.hidden_size == hidden_size && model.codebooks == codebooks;
    MODELS.iter().find(fits)
}

/// Whether a name from a listing or an index is a plain weights file that can be written into a folder of ours.
pub(super) fn is_weights_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    plain && name.len() <= 128 && !name.starts_with('.') && name.ends_with(".safetensors")
}

/// Whether a file is one a checkpoint is made of, in either form: what may be deleted with it.
pub(super) fn is_model_file(name: &str) -> bool {
    REQUIRED.contains(&name)
        || WELCOME.contains(&name)
        || AUDIOCRAFT.contains(&name)
        || name == INDEX
        || is_weights_name(name)
}
