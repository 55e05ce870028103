//! How one input becomes another: bytes, text and JSON. The formats' own ways are beside their targets.

use crate::draw::Draw;
use serde_json::Value;

/// Numbers that programs trip over.
const INTEGERS: [i64; 20] = [
    0,
    1,
    2,
    -1,
    3,
    7,
    127,
    128,
    255,
    256,
    32_767,
    32_768,
    65_535,
    65_536,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    -0x8000_0000,
    i64::MAX,
    i64::MIN,
];

/// The same as they are written.
const NUMBERS: [&str; 26] = [
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "-0.0",
    "1e-9",
    "1e-320",
    "1e9",
    "1e18",
    "1e300",
    "-1e300",
    "1e999",
    "255",
    "256",
    "65536",
    "2147483647",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "-9223372036854775808",
    "0.1",
    "3.999",
    "400",
    "nan",
    "inf",
];

/// Changes bytes anywhere; `words` are runs of bytes that mean something in the format.
pub fn bytes(input: &[u8], words: &[&[u8]], draw: &mut Draw) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..1 + draw.below(4) {
        let length = out.len();
        let at = draw.place(length + 1).min(length);
        match draw.below(11) {
            0 if at < length => out[at] ^= 1 << draw.below(8),
            1 if at < length => out[at] = draw.any() as u8,
            2 if at < length => out[at] = INTEGERS[draw.below(INTEGERS.len())] as u8,
            3 | 4 => {
                let number = INTEGERS[draw.below(INTEGERS.len())];
                let width = [2, 4, 8][draw.below(3)];
                let mut eight = number.to_le_bytes();
                if draw.once_in(2) {
                    eight[..width].reverse();
                }
                overwrite(&mut out, at, &eight[..width]);
            }
            5 if !words.is_empty() => {
                let word = draw.of(words);
                if draw.once_in(2) { insert(&mut out, at, word) } else { overwrite(&mut out, at, word) }
            }
            6 => {
                let end = (at + 1 + draw.below(64)).min(length);
                out.drain(at..end.max(at));
            }
            7 => {
                let end = (at + 1 + draw.below(64)).min(length);
                let again = out[at..end].to_vec();
                let to = draw.below(length + 1);
                insert(&mut out, to, &again);
            }
            8 => out.truncate(at),
            9 => {
                let some: Vec<u8> = (0..1 + draw.below(16)).map(|_| draw.any() as u8).collect();
                insert(&mut out, at, &some);
            }
            _ if length >= 4 => {
                // A small step of a small number, in either order of bytes.
                let at = draw.place(length - 3);
                let place: [u8; 4] = [out[at], out[at + 1], out[at + 2], out[at + 3]];
                let step = draw.below(33) as u32;
                let little = draw.once_in(2);
                let old = if little { u32::from_le_bytes(place) } else { u32::from_be_bytes(place) };
                let new = old.wrapping_add(step).wrapping_sub(16);
                let new = if little { new.to_le_bytes() } else { new.to_be_bytes() };
                out[at..at + 4].copy_from_slice(&new);
            }
            _ => {}
        }
    }
    out
}

fn insert(out: &mut Vec<u8>, at: usize, what: &[u8]) {
    out.splice(at..at, what.iter().copied());
}

fn overwrite(out: &mut [u8], at: usize, what: &[u8]) {
    let end = (at + what.len()).min(out.len());
    if at < end {
        out[at..end].copy_from_slice(&what[..end - at]);
    }
}

/// The start of one input and the end of another.
pub fn spliced(one: &[u8], other: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut out = one[..draw.below(one.len() + 1)].to_vec();
    out.extend(&other[draw.below(other.len() + 1)..]);
    out
}

/// Changes text by lines, numbers and words.
pub fn text(input: &[u8], words: &[&str], draw: &mut Draw) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(input).into_owned();
    for _ in 0..1 + draw.below(3) {
        text = match draw.below(9) {
            0..=3 => with_number(&text, draw),
            4 => with_lines(&text, draw),
            5 | 6 => with_word(&text, words, draw),
            7 => {
                let at = boundary(&text, draw.below(text.len() + 1));
                let odd = [
                    "é", "\u{0}", "\u{202e}", "🎵", "\"", "\\", "\n", " ", "[", "]", "{", "}", "=", "|", "/", "-", "(",
                    "%", "#", "♭",
                ];
                format!("{}{}{}", &text[..at], draw.of(&odd), &text[at..])
            }
            _ => {
                let from = boundary(&text, draw.below(text.len() + 1));
                let to = boundary(&text, from + draw.below(40));
                format!("{}{}", &text[..from], &text[to..])
            }
        };
    }
    text.into_bytes()
}

/// The nearest place at or before `at` where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn with_number(text: &str, draw: &mut Draw) -> String {
    let mut spans = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, character.is_ascii_digit() || (start.is_some() && character == '.')) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                spans.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    if spans.is_empty() {
        return text.to_owned();
    }
    let span = spans[draw.below(spans.len())].clone();
    let new = match draw.below(3) {
        0 => (text[span.clone()].parse::<f64>().unwrap_or(1.0) + draw.below(9) as f64 - 4.0).to_string(),
        1 => format!("-{}", &text[span.clone()]),
        _ => draw.of(&NUMBERS).to_owned(),
    };
    format!("{}{new}{}", &text[..span.start], &text[span.end..])
}

fn with_lines(text: &str, draw: &mut Draw) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let (one, other) = (draw.below(lines.len()), draw.below(lines.len()));
    match draw.below(3) {
        0 => lines.swap(one, other),
        1 => lines.insert(other, lines[one]),
        _ => {
            lines.remove(one);
        }
    }
    lines.concat()
}

fn with_word(text: &str, words: &[&str], draw: &mut Draw) -> String {
    let new = if words.is_empty() { "x" } else { draw.of(words) };
    let spans: Vec<(usize, usize)> = text
        .split(|character: char| character.is_whitespace() || "\"',=[]{}|".contains(character))
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word.len()))
        .collect();
    if spans.is_empty() || draw.once_in(3) {
        let at = boundary(text, draw.below(text.len() + 1));
        return format!("{} {new} {}", &text[..at], &text[at..]);
    }
    let (at, length) = spans[draw.below(spans.len())];
    format!("{}{new}{}", &text[..at], &text[at + length..])
}

/// Changes JSON so that it is mostly still JSON.
pub fn json(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(input) else { return text(input, &[], draw) };
    for _ in 0..1 + draw.below(3) {
        let count = nodes(&value);
        let mut at = draw.below(count);
        change(&mut value, &mut at, draw);
    }
    let written = serde_json::to_vec(&value).unwrap();
    if draw.once_in(8) { text(&written, &["null", "true", "[]", "{}", "\"\""], draw) } else { written }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(items) => items.values().map(nodes).sum::<usize>(),
        _ => 0,
    }
}

fn change(value: &mut Value, at: &mut usize, draw: &mut Draw) {
    if *at == 0 {
        *value = changed(value.take(), draw);
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    let inside: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(items) => items.values_mut().collect(),
        _ => Vec::new(),
    };
    for one in inside {
        if *at == usize::MAX {
            return;
        }
        change(one, at, draw);
    }
}

fn changed(value: Value, draw: &mut Draw) -> Value {
    let number = |draw: &mut Draw| {
        serde_json::from_str(draw.of(&NUMBERS)).unwrap_or_else(|_| Value::from(INTEGERS[draw.below(INTEGERS.len())]))
    };
    match (value, draw.below(8)) {
        (_, 0) => Value::Null,
        (_, 1) => number(draw),
        (Value::Array(mut items), 2..=4) if !items.is_empty() => {
            let (one, other) = (draw.below(items.len()), draw.below(items.len()));
            match draw.below(4) {
                0 => items.swap(one, other),
                1 => items.insert(other, items[one].clone()),
                2 => items.truncate(one),
                _ => {
                    items.remove(one);
                }
            }
            Value::Array(items)
        }
        (Value::Array(items), 5) if items.len() < 100 => {
            Value::Array(items.iter().cycle().take(items.len() * 40).cloned().collect())
        }
        (Value::Object(mut items), 2..=6) if !items.is_empty() => {
            let names: Vec<String> = items.keys().cloned().collect();
            let (one, other) = (&names[draw.below(names.len())], &names[draw.below(names.len())]);
            if draw.once_in(2) {
                items.remove(one);
            } else if let Some(moved) = items.get(one).cloned() {
                items.insert(other.clone(), moved);
            }
            Value::Object(items)
        }
        (Value::Number(old), 2..=4) => {
            let old = old.as_f64().unwrap_or(0.0);
            Value::from([old + 1.0, old - 1.0, -old, old * 1e6, old / 3.0][draw.below(5)])
        }
        (Value::Number(old), 5) => {
            old.as_i64().map_or(Value::Null, |old| Value::from(old.wrapping_add(draw.below(9) as i64 - 4)))
        }
        (Value::Number(_), _) => number(draw),
        (Value::String(old), 2..=4) => Value::from(
            [String::new(), old.repeat(30), format!("{old}\u{0}é🎵"), "../../x".to_owned()][draw.below(4)].clone(),
        ),
        (Value::Bool(old), _) => Value::Bool(!old),
        (value, _) => value,
    }
}
