//! Thread: any. A prompt cut into words.

/// More words than these are not read.
const MOST_WORDS: usize = 600;

/// A word of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Lower case, without punctuation around it; `,` for punctuation that ends a thought.
    pub text: String,
    /// As it was written, when the reader took another word for it.
    pub written: Option<String>,
}

impl Token {
    fn new(text: String) -> Self {
        Self { text, written: None }
    }

    /// Whether it is punctuation.
    pub fn is_stop(&self) -> bool {
        self.text == ","
    }

    /// The word as the prompt has it.
    pub fn as_written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }
}

/// Cuts a prompt into words and stops. Hyphens and apostrophes belong to words, a slash only between figures ("12/8"), an ampersand
/// only between letters ("r&b").
pub fn tokens(prompt: &str) -> Vec<Token> {
    let letters: Vec<char> = prompt.chars().flat_map(char::to_lowercase).collect();
    let mut tokens = Vec::new();
    let mut word = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index)).copied().unwrap_or(' ');
        let after = letters.get(index + 1).copied().unwrap_or(' ');
        let joins = match letter {
            '-' | '\'' | '\u{2019}' | '&' => before.is_alphanumeric() && after.is_alphanumeric(),
            '/' | '.' => before.is_ascii_digit() && after.is_ascii_digit(),
            _ => false,
        };
        if letter.is_alphanumeric() || joins {
            word.push(if letter == '\u{2019}' { '\'' } else { letter });
            continue;
        }
        if !word.is_empty() {
            tokens.push(Token::new(std::mem::take(&mut word)));
        }
        match letter {
            '&' | '+' => tokens.push(Token::new("and".to_owned())),
            ',' | ';' | ':' | '.' | '!' | '?' | '(' | ')' | '\n' | '\u{2013}' | '\u{2014}' => {
                tokens.push(Token::new(",".to_owned()));
            }
            _ => {}
        }
        if tokens.len() >= MOST_WORDS {
            return tokens;
        }
    }
    if !word.is_empty() {
        tokens.push(Token::new(word));
    }
    tokens
}
