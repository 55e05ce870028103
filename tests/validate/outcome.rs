//! Thread: main. How a check ended.

use std::fmt;

/// The end of a check, with a figure or a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    Pass(String),
    /// It did not.
    Fail(String),
    /// It could not be run here, and why.
    Skipped(String),
}

impl From<Result<String, String>> for Outcome {
    fn from(result: Result<String, String>) -> Self {
        result.map_or_else(Self::Fail, Self::Pass)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Pass(figure) => write!(out, "pass  {figure}"),
            Self::Fail(why) => write!(out, "FAIL  {why}"),
            Self::Skipped(why) => write!(out, "skipped ({why})"),
        }
    }
}
