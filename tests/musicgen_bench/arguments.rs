//! Thread: main. What is to be measured.

use cantus_engine::generation::musicgen::{DeviceChoice, Precision};
use std::path::PathBuf;

pub const USAGE: &str = "\
cantus-musicgen-bench DIR [options]

  --precision f32|f16|q8-0|q4-k   how the weights are held (q8-0)
  --device cpu|cpu-tensors|cuda|metal   what runs the language model (cpu)
  --cache DIR                 folder for quantised weights
  --threads N                 threads that compute, when CANDLE_NUM_THREADS=1 lets them
  --contexts A,B              positions at which steps are timed (256,1700)
  --steps N                   steps that are timed (20)
  --cancels N                 how often a generation is cancelled (0)
  --generate SECONDS          makes music, too
  --write FILE                keeps the logits of some dozens of steps
  --against FILE              compares them with logits that were kept";

#[derive(Debug)]
pub struct Arguments {
    pub folder: PathBuf,
    pub precision: Precision,
    pub cache: Option<PathBuf>,
    pub threads: Option<usize>,
    pub device: DeviceChoice,
    pub contexts: Vec<usize>,
    pub steps: usize,
    pub cancels: usize,
    pub generate: Option<f64>,
    pub write: Option<PathBuf>,
    pub against: Option<PathBuf>,
}

impl Arguments {
    pub fn parse() -> Result<Self, String> {
        let mut arguments = Self {
            folder: PathBuf::new(),
            precision: Precision::default(),
            cache: None,
            threads: None,
            device: DeviceChoice::Cpu,
            contexts: vec![256, 1700],
            steps: 20,
            cancels: 0,
            generate: None,
            write: None,
            against: None,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            let lexopt::Arg::Long(name) = argument else {
                match argument {
                    lexopt::Arg::Value(value) => arguments.folder = PathBuf::from(value),
                    other => return Err(other.unexpected().to_string()),
                }
                continue;
            };
            let name = name.to_owned();
            let value = parser.value().map_err(|error| error.to_string())?;
            let text = value.to_string_lossy().into_owned();
            let number = || text.parse::<usize>().map_err(|_| format!("--{name} wants a number."));
            match name.as_str() {
                "precision" => {
                    let read = serde_json::from_value(serde_json::Value::String(text.clone()));
                    arguments.precision = read.map_err(|_| format!("There is no precision \"{text}\"."))?;
                }
                "device" => {
                    arguments.device = match text.as_str() {
                        "cpu" => DeviceChoice::Cpu,
                        "cpu-tensors" => DeviceChoice::CpuTensors,
                        "cuda" => DeviceChoice::Cuda(0),
                        "metal" => DeviceChoice::Metal(0),
                        _ => return Err(format!("There is no device \"{text}\".")),
                    }
                }
                "cache" => arguments.cache = Some(PathBuf::from(value)),
                "threads" => arguments.threads = Some(number()?),
                "steps" => arguments.steps = number()?.max(1),
                "cancels" => arguments.cancels = number()?,
                "contexts" => {
                    let all = text.split(',').filter(|part| !part.is_empty()).map(str::parse::<usize>);
                    arguments.contexts = all.collect::<Result<_, _>>().map_err(|_| "--contexts wants numbers.")?;
                }
                "generate" => {
                    arguments.generate = Some(text.parse().map_err(|_| "--generate wants seconds.".to_owned())?);
                }
                "write" => arguments.write = Some(PathBuf::from(value)),
                "against" => arguments.against = Some(PathBuf::from(value)),
                _ => return Err(format!("There is no option --{name}.")),
            }
        }
        if arguments.folder.as_os_str().is_empty() {
            return Err("Name the folder of a checkpoint.".to_owned());
        }
        Ok(arguments)
    }
}
