//! Thread: any. The one error type: data for programs, a sentence for people.

use std::path::PathBuf;

/// What went wrong, as a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("Cannot {action} {}: {reason}", path.display())]
    File {
        /// "read", "write", "create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        reason: String,
    },
    /// A file is not audio or MIDI that we can read.
    #[error("{} is not a sound file Cantus can read ({reason}). Use WAV, FLAC, MP3, OGG or MIDI.", path.display())]
    UnreadableAudio {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// A file calls itself MIDI but cannot be used.
    #[error("{} is not a MIDI file Cantus can use ({reason}). Export it again as a Standard MIDI File.", path.display())]
    UnreadableMidi {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to work with.
    #[error("The recording is empty. Record or choose something with sound in it.")]
    EmptyTake,
    /// The recording has no melody.
    #[error("No melody found: {reason}")]
    NoMelody {
        /// "only silence", "only noise", ….
        reason: String,
    },
    /// A correction of the melody cannot be made.
    #[error("This correction is not possible: {reason}.")]
    Edit {
        /// What would be wrong afterwards.
        reason: String,
    },
    /// The input offset could not be measured.
    #[error("The input offset could not be measured: {reason}.")]
    Loopback {
        /// What is wrong, and what to do.
        reason: &'static str,
    },
    /// A value is outside what it can be.
    #[error("{what} is {got}, but must be {expected}.")]
    OutOfRange {
        /// The name of the value as a user knows it.
        what: &'static str,
        /// What was given.
        got: String,
        /// What is allowed.
        expected: String,
    },
    /// Nothing in a prompt was understood.
    #[error(
        "Nothing in \"{name}\" is understood. Name a style ({known}), an instrument (\"cello lead\", \"no drums\") or a mood (\"dark\", \"gentle\")."
    )]
    UnknownStyle {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A style file has a mistake.
    #[error("Style file {file}, line {line}: {reason}")]
    Style {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Typed chords cannot be read.
    #[error("\"{word}\" at bar {bar}, character {character} of the chords: {reason}.")]
    Chords {
        /// The word, exactly as it was typed.
        word: String,
        /// Bar, from 1.
        bar: usize,
        /// Place of the word's first character in the text, from 1.
        character: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Saved data cannot be understood.
    #[error("The saved session cannot be read: {reason}. Nothing was changed.")]
    Session {
        /// What was found.
        reason: String,
    },
    /// A model file is missing or not what it should be.
    #[error("The model {name} cannot be used: {reason}")]
    Model {
        /// Name of the model.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The process that makes neural music failed; the sentence says how, and what to do.
    #[error("{sentence}")]
    Worker {
        /// A whole sentence for the user.
        sentence: String,
    },
    /// No model is called that, and no folder either.
    #[error("There is no model and no folder \"{name}\". The models are: {known}.")]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A folder of a model, or a file in it, is not what it should be.
    #[error("{}: {reason}.", path.display())]
    ModelFolder {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what to do, without a full stop.
        reason: String,
    },
    /// The terms of a model's weights were not accepted yet.
    #[error(
        "{model} is not fetched: its weights are under the licence {licence}, which you have to accept first. \
         It forbids commercial use."
    )]
    LicenceNotAccepted {
        /// The model's name for people.
        model: &'static str,
        /// The licence's.
        licence: &'static str,
    },
    /// The disk is too full for a model.
    #[error("There is not enough space in {}: {needed} are needed, {free} are free. Make room, or choose another folder.", path.display())]
    NoSpace {
        /// Where it should go.
        path: PathBuf,
        /// Size in words, with what must stay free.
        needed: String,
        /// Size in words.
        free: String,
    },
    /// A model could not be fetched.
    #[error("{model} was not fetched: {reason}")]
    Fetch {
        /// The model's name for people.
        model: String,
        /// What happened and what to do.
        reason: String,
    },
    /// The user, or the end of the program, stopped the job.
    #[error("Cancelled.")]
    Cancelled,
    /// A bug: the job's own code failed. The host is not affected.
    #[error("Something went wrong inside Cantus while {stage}: {reason}. The take is safe; please try again.")]
    Internal {
        /// The stage of the job.
        stage: &'static str,
        /// The panic's or library's message.
        reason: String,
    },
}

/// A result with [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An input or output error on a path.
    pub fn file(action: &'static str, path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::File { action, path: path.into(), reason: error.to_string() }
    }

    /// A failure of the process that makes neural music, as a sentence.
    pub fn worker(sentence: impl Into<String>) -> Self {
        Self::Worker { sentence: sentence.into() }
    }

    /// A library's failure inside a stage.
    pub fn internal(stage: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Internal { stage, reason: reason.to_string() }
    }
}
