//! A Rust source as the rules see it: its lines, and its code without comments and texts.

/// One source file.
pub struct Source {
    /// From the top folder, with slashes.
    pub path: String,
    pub text: String,
    /// As long as the text, with spaces for everything in comments, strings and character literals.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: code_only(text) }
    }

    /// The lines of the module's own documentation.
    pub fn documentation(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(|line| line.strip_prefix("//!"))
    }

    /// The line, from 1, of a place in the code.
    pub fn line_of(&self, place: usize) -> usize {
        self.code[..place].matches('\n').count() + 1
    }

    /// Where `word` stands in the code and is not part of a longer name.
    pub fn places<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let joins = |a: Option<char>, b: Option<char>| a.is_some_and(is_name) && b.is_some_and(is_name);
        self.code.match_indices(word).map(|(place, _)| place).filter(move |&place| {
            let (before, after) = (&self.code[..place], &self.code[place + word.len()..]);
            !joins(before.chars().next_back(), word.chars().next())
                && !joins(word.chars().next_back(), after.chars().next())
        })
    }

    /// Every path that starts at `start` (such as `crate` or `std`), groups in braces spelled out: the line, and the path
    /// without its start.
    pub fn paths_from(&self, start: &str) -> Vec<(usize, String)> {
        let start = format!("{start}::");
        let mut found = Vec::new();
        for place in self.places(&start) {
            let mut paths = Vec::new();
            read_paths(&self.code[place + start.len()..], "", &mut paths);
            found.extend(paths.into_iter().map(|path| (self.line_of(place), path)));
        }
        found
    }

    /// Where the item ends that begins at `place`: after its braces, or after a semicolon outside of brackets.
    pub fn item_end(&self, place: usize) -> usize {
        let mut depth = 0_i32;
        for (offset, byte) in self.code.bytes().enumerate().skip(place) {
            match byte {
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                return offset + 1;
            }
        }
        self.code.len()
    }
}

pub fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Reads one path or one group of paths; returns what follows.
fn read_paths<'a>(code: &'a str, prefix: &str, found: &mut Vec<String>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let before = rest.len();
            rest = read_paths(rest, prefix, found).trim_start();
            if let Some(renamed) = rest.strip_prefix("as ") {
                rest = renamed.trim_start().trim_start_matches(is_name).trim_start();
            }
            rest = rest.strip_prefix(',').unwrap_or(rest);
            if rest.len() == before {
                return rest;
            }
        }
    }
    let end = code.find(|character| !is_name(character)).unwrap_or(code.len());
    let (name, rest) = code.split_at(end);
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    match rest.strip_prefix("::") {
        Some(deeper) if deeper.starts_with(|first| is_name(first) || first == '{') => read_paths(deeper, &path, found),
        _ => {
            found.push(path);
            rest.strip_prefix("::*").unwrap_or(rest)
        }
    }
}

/// Puts spaces for comments, strings and character literals; places and lines stay where they were.
fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hidden = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if first == '"' {
            string(rest, &code)
        } else if first == '\'' {
            character_literal(rest)
        } else {
            0
        };
        if hidden == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (gone, after) = rest.split_at(hidden);
            code.extend(gone.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    code
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut place = 0;
    while place < text.len() {
        let rest = &text.as_bytes()[place..];
        if rest.starts_with(b"/*") {
            depth += 1;
            place += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            place += 2;
            if depth == 0 {
                return place;
            }
        } else {
            place += 1;
        }
    }
    text.len()
}

/// The length of a string, raw when what stands before says so.
fn string(text: &str, before: &str) -> usize {
    let bare = before.trim_end_matches('#');
    let hashes = before.len() - bare.len();
    if bare.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return text[1..].find(&end).map_or(text.len(), |place| 1 + place + end.len());
    }
    let mut escaped = false;
    for (place, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; nothing for a lifetime.
fn character_literal(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some(_)) => text[3..].find('\'').map_or(0, |place| 3 + place + 1),
        (Some(_), Some((place, '\''))) => place + 1,
        _ => 0,
    }
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = "a /* b /* c */ d */ e // f\n\"g \\\" h\" i r#\"j \" k\"# 'l' '\\'' m::<'n>('\"') b\"o\"";
    let code = Source::new("x.rs", text).code;
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "e", "i", "r#", "m::<'n>(", ")", "b"]);
    assert_eq!(code.len(), text.len());
    assert_eq!(code.find('\n'), text.find('\n'));
}

#[test]
fn grouped_paths_are_spelled_out() {
    let text = "use crate::{a::{b, c::D as E}, f::*};\nlet x = crate::g::h::<u8>();";
    let paths = Source::new("x.rs", text).paths_from("crate");
    let expected = [(1, "a::b"), (1, "a::c::D"), (1, "f"), (2, "g::h")];
    assert_eq!(paths, expected.map(|(line, path)| (line, path.to_owned())));
}
