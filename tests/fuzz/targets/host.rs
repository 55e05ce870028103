//! stub replaced below
use super::Target;
use crate::draw::Draw;
pub const TARGET: Target = Target { name: "host", open, seeds, mutate: mutated, most_bytes: 400, needs_bundle: true };
fn open() -> super::Run { Box::new(|_| 0) }
fn seeds() -> Vec<Vec<u8>> { vec![vec![0]] }
fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> { crate::mutate::bytes(input, &[], draw) }
