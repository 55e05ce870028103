//! Thread: worker. What a folder holds of a model, by a look at its files that takes milliseconds: names, lengths, heads, JSON.

use super::catalog::{
    self, AUDIOCRAFT, CONFIG, INDEX, Model, REQUIRED, SINGLE, TEXT_ENCODER, TEXT_ENCODER_FILES, TOKENIZER, WELCOME,
};
use super::record::UNFINISHED;
use super::weights;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// An audio codec shorter than this, in bytes, is none.
const SHORTEST_CODEC: u64 = 10_000;

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// Its name.
    pub file: String,
    /// The rest of a sentence that begins with the name: "is cut off after 20 bytes".
    pub reason: String,
}

/// What there is of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelState {
    /// Nothing.
    Absent,
    /// A part; the rest can be fetched or put there.
    Partial {
        /// Files that are not there.
        missing: Vec<String>,
        /// Whether a fetch was begun and not finished.
        interrupted: bool,
    },
    /// Files are there that cannot be right. Missing ones are named, too.
    Damaged {
        /// What is wrong.
        faults: Vec<FileFault>,
    },
    /// Something else than a MusicGen-melody checkpoint.
    Foreign {
        /// What it is, or why it is none.
        reason: String,
    },
    /// All that is needed is there and looks right.
    Complete,
}

/// The two ways the checkpoints are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `config.json`, safetensors, tokeniser: the form that is fetched.
    Transformers,
    /// audiocraft's own `state_dict.bin` and `compression_state_dict.bin`, with the text encoder in a folder `t5-base` beside them.
    Audiocraft,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// How much of a model.
    pub state: ModelState,
    /// In which form. `None` while there are no weights.
    pub form: Option<Form>,
    /// Which checkpoint it is by its configuration. `None` for one that is not in the catalogue.
    pub model: Option<&'static Model>,
    /// All that lies in the folder, in bytes.
    pub bytes_on_disk: u64,
}

/// Looks at a folder. Links are followed, so that the hub's own cache folders do as well.
pub fn inspect(dir: &Path) -> Inspection {
    let nothing = |state| Inspection { state, form: None, model: None, bytes_on_disk: 0 };
    let names = match names(dir) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => return nothing(ModelState::Absent),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return nothing(ModelState::Foreign { reason: "it is a file, not a folder".to_owned() });
        }
        Err(error) => return nothing(ModelState::Foreign { reason: format!("it cannot be read ({error})") }),
    };
    let mut look = Look { dir, names: &names, missing: Vec::new(), faults: Vec::new() };
    let bytes_on_disk = bytes_in(dir, 2);
    let interrupted = look.has(UNFINISHED);
    if !interrupted && !names.iter().any(|name| catalog::is_model_file(name)) {
        let visible = names.iter().any(|name| !name.starts_with('.'));
        let reason = "it holds no MusicGen-melody checkpoint".to_owned();
        let state = if visible { ModelState::Foreign { reason } } else { ModelState::Absent };
        return Inspection { bytes_on_disk, ..nothing(state) };
    }
    let form = look.form();
    let config = look.config(form);
    let model = config.as_ref().and_then(catalog::identify);
    if let Some(reason) = config.as_ref().and_then(other_kind) {
        return Inspection { state: ModelState::Foreign { reason }, form, model: None, bytes_on_disk };
    }
    match form {
        Some(Form::Audiocraft) => look.archives(),
        _ => look.checkpoint(),
    }
    let Look { missing, mut faults, .. } = look;
    let state = if !faults.is_empty() {
        faults.extend(missing.into_iter().map(|file| FileFault { file, reason: "is missing".to_owned() }));
        ModelState::Damaged { faults }
    } else if interrupted || !missing.is_empty() {
        ModelState::Partial { missing, interrupted }
    } else {
        ModelState::Complete
    };
    Inspection { state, form, model, bytes_on_disk }
}

/// The kind of model a configuration names, when it is not ours, as a sentence.
pub(super) fn other_kind(config: &Value) -> Option<String> {
    match config.get("model_type").and_then(Value::as_str) {
        Some("musicgen_melody") => None,
        Some(other) => Some(format!("{CONFIG} describes a model of the kind \"{other}\", not \"musicgen_melody\"")),
        None => Some(format!("{CONFIG} does not say which kind of model it is")),
    }
}

/// The files an index names, with the tensors in each.
pub(super) fn index_files(text: &[u8]) -> Option<BTreeMap<String, Vec<String>>> {
    let index: Value = serde_json::from_slice(text).ok()?;
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, file) in index.get("weight_map")?.as_object()? {
        let file = file.as_str().filter(|file| catalog::is_weights_name(file))?;
        files.entry(file.to_owned()).or_default().push(tensor.clone());
    }
    (!files.is_empty()).then_some(files)
}

struct Look<'a> {
    dir: &'a Path,
    names: &'a [String],
    missing: Vec<String>,
    faults: Vec<FileFault>,
}

impl Look<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|have| have == name)
    }

    fn fault(&mut self, file: &str, reason: impl Into<String>) {
        self.faults.push(FileFault { file: file.to_owned(), reason: reason.into() });
    }

    fn form(&self) -> Option<Form> {
        if self.has(INDEX) || self.names.iter().any(|name| catalog::is_weights_name(name)) {
            Some(Form::Transformers)
        } else {
            self.has(AUDIOCRAFT[0]).then_some(Form::Audiocraft)
        }
    }

    fn config(&mut self, form: Option<Form>) -> Option<Value> {
        if self.has(CONFIG) {
            return self.json(CONFIG);
        }
        if form != Some(Form::Audiocraft) {
            self.missing.push(CONFIG.to_owned());
        }
        None
    }

    /// Reads a JSON file that is there; what cannot be read is a fault.
    fn json(&mut self, name: &str) -> Option<Value> {
        let path = self.dir.join(name);
        let read = fs::read(&path).map_err(|error| format!("cannot be read ({error})")).and_then(|text| {
            if weights::is_pointer(&path, text.len() as u64) {
                return Err("is only git's pointer to the file, not the file".to_owned());
            }
            serde_json::from_slice::<Value>(&text).map_err(|error| format!("is damaged: no JSON ({error})"))
        });
        match read {
            Ok(value) if value.is_object() => Some(value),
            Ok(_) => {
                self.fault(name, "is damaged: not what it should hold");
                None
            }
            Err(reason) => {
                self.fault(name, reason);
                None
            }
        }
    }

    fn checkpoint(&mut self) {
        for name in REQUIRED.iter().skip(1).chain(&WELCOME).filter(|name| name.ends_with(".json")) {
            if self.has(name) {
                let value = self.json(name);
                if *name == TOKENIZER && value.is_some_and(|value| value.get("model").is_none()) {
                    self.fault(name, "is damaged: it holds no tokeniser");
                }
            } else if REQUIRED.contains(name) {
                self.missing.push((*name).to_owned());
            }
        }
        if self.has(INDEX) {
            match fs::read(self.dir.join(INDEX)).ok().and_then(|text| index_files(&text)) {
                // An index that was left beside the whole file does no harm.
                Some(files) if self.has(SINGLE) && !files.keys().all(|file| self.has(file)) => {
                    self.weights(SINGLE, &[])
                }
                Some(files) => files.iter().for_each(|(file, tensors)| self.weights(file, tensors)),
                None => self.fault(INDEX, "is damaged"),
            }
        } else if self.has(SINGLE) {
            self.weights(SINGLE, &[]);
        } else {
            match self.numbered() {
                Some(files) => files.iter().for_each(|file| self.weights(file, &[])),
                None => self.missing.push(SINGLE.to_owned()),
            }
        }
    }

    /// Without an index, the pieces' own names say how many there are: "model-00001-of-00002.safetensors".
    fn numbered(&self) -> Option<Vec<String>> {
        let digits = self.names.iter().find_map(|name| count_in_name(name))?;
        let (count, width) = (digits.parse::<usize>().ok().filter(|count| (1..=999).contains(count))?, digits.len());
        Some((1..=count).map(|number| format!("model-{number:0width$}-of-{digits}.safetensors")).collect())
    }

    fn weights(&mut self, file: &str, promised: &[String]) {
        if !self.has(file) {
            self.missing.push(file.to_owned());
            return;
        }
        match weights::tensor_names(&self.dir.join(file)) {
            Err(reason) => self.fault(file, reason),
            Ok(names) => {
                let names: std::collections::BTreeSet<_> = names.iter().collect();
                let mut lacking = promised.iter().filter(|tensor| !names.contains(tensor));
                if let Some(first) = lacking.next() {
                    let others = lacking.count();
                    let others = if others == 0 { String::new() } else { format!(" and {others} more") };
                    self.fault(file, format!("belongs to another version: it lacks tensor {first}{others}"));
                }
            }
        }
    }

    fn archives(&mut self) {
        for name in AUDIOCRAFT {
            if !self.has(name) {
                self.missing.push(name.to_owned());
            } else if let Some(reason) = weights::archive_fault(&self.dir.join(name)) {
                self.fault(name, reason);
            }
        }
        let codec = self.dir.join(AUDIOCRAFT[1]);
        if fs::metadata(codec).is_ok_and(|facts| facts.len() < SHORTEST_CODEC) {
            // The larger models' repositories hold one that only points to another.
            self.fault(
                AUDIOCRAFT[1],
                "only names another file; take that of facebook/musicgen-melody (236 MB) instead",
            );
        }
        for name in TEXT_ENCODER_FILES {
            let name = format!("{TEXT_ENCODER}/{name}");
            let path = self.dir.join(&name);
            if !path.is_file() {
                self.missing.push(name);
            } else if name.ends_with(".json") {
                self.json(&name);
            } else if let Err(reason) = weights::tensor_names(&path) {
                self.fault(&name, reason);
            }
        }
    }
}

/// The count in a name like "model-00001-of-00002.safetensors", with its leading zeros.
fn count_in_name(name: &str) -> Option<&str> {
    let (number, count) = name.strip_prefix("model-")?.strip_suffix(".safetensors")?.split_once("-of-")?;
    (number.len() == count.len()).then_some(count)
}

/// Names in a folder, in order.
pub(super) fn names(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn bytes_in(dir: &Path, depth: usize) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let bytes = |path: &Path| match fs::metadata(path) {
        Ok(facts) if facts.is_file() => facts.len(),
        Ok(facts) if facts.is_dir() && depth > 1 => bytes_in(path, depth - 1),
        _ => 0,
    };
    entries.flatten().map(|entry| bytes(&entry.path())).sum()
}
