//! What others wrote and what hosts do: every input that once broke something, a session of everything at once, and whose
//! audio comes first.

mod corpus;
#[cfg(unix)]
mod priority;
mod regressions;
mod soak;
