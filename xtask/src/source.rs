//! A Rust source with its code and its comments apart, so that a word in a string is no code and a word in code no comment.

/// Both views have the lines and columns of the text; what belongs to neither view is blank there. String literals are in none.
#[derive(Debug, Clone)]
pub struct Source {
    /// Without comments and the content of literals.
    pub code: String,
    /// The comments alone, with their slashes.
    pub comments: String,
    /// As it stands in the file.
    pub text: String,
}

#[derive(Clone, Copy, PartialEq)]
enum In {
    Code,
    Line,
    Block(u32),
    /// The number of `#` that end it; `None` = an ordinary string with escapes.
    Text(Option<usize>),
}

impl Source {
    /// Takes a text apart.
    pub fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let (mut code, mut comments) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
        let mut state = In::Code;
        let mut at = 0;
        while at < chars.len() {
            let (next, length) = step(state, &chars, at);
            let commented = matches!(state, In::Line | In::Block(_)) || matches!(next, In::Line | In::Block(_));
            let plain = state == In::Code && next == In::Code && length == 1;
            for &letter in &chars[at..at + length] {
                let blank = |keep: bool| if keep || letter == '\n' { letter } else { ' ' };
                code.push(blank(plain));
                comments.push(blank(commented));
            }
            state = next;
            at += length;
        }
        Self {
            code,
            comments,
            text: text.to_owned(),
        }
    }
}

/// What comes after the letters at `at`, and how many of them belong together.
fn step(state: In, chars: &[char], at: usize) -> (In, usize) {
    let letter = chars[at];
    let after = chars.get(at + 1).copied();
    match state {
        In::Code => match (letter, after) {
            ('/', Some('/')) => (In::Line, 2),
            ('/', Some('*')) => (In::Block(1), 2),
            ('"', _) => (In::Text(None), 1),
            ('r' | 'b' | 'c', _) if at == 0 || !is_word(chars[at - 1]) => literal(chars, at),
            ('\'', _) => (In::Code, quoted(chars, at)),
            _ => (In::Code, 1),
        },
        In::Line if letter == '\n' => (In::Code, 1),
        In::Line => (In::Line, 1),
        In::Block(depth) => match (letter, after) {
            ('*', Some('/')) if depth == 1 => (In::Code, 2),
            ('*', Some('/')) => (In::Block(depth - 1), 2),
            ('/', Some('*')) => (In::Block(depth + 1), 2),
            _ => (state, 1),
        },
        In::Text(None) => match letter {
            '\\' => (state, if after.is_some() { 2 } else { 1 }),
            '"' => (In::Code, 1),
            _ => (state, 1),
        },
        In::Text(Some(hashes)) => {
            let closed = letter == '"' && chars[at + 1..].iter().take_while(|letter| **letter == '#').count() >= hashes;
            if closed { (In::Code, 1 + hashes) } else { (state, 1) }
        }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// `r"`, `r#"`, `b"`, `br#"` … begin a string; anything else is a word.
fn literal(chars: &[char], at: usize) -> (In, usize) {
    let mut here = at;
    let mut raw = false;
    while let Some('r' | 'b' | 'c') = chars.get(here) {
        raw |= chars[here] == 'r';
        here += 1;
    }
    let hashes = chars[here..].iter().take_while(|letter| **letter == '#').count();
    match (raw, chars.get(here + hashes)) {
        (true, Some('"')) => (In::Text(Some(hashes)), here + hashes + 1 - at),
        (false, Some('"')) if hashes == 0 => (In::Text(None), here + 1 - at),
        _ => (In::Code, 1),
    }
}

/// The length of a character literal; 1 for the quote of a lifetime.
fn quoted(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), Some(_)) => {
            let rest = chars[at + 3..].iter().take(10).position(|letter| *letter == '\'');
            rest.map_or(1, |end| end + 4)
        }
        (Some(_), Some('\'')) => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comments_and_literals_are_told_apart() {
        let text = concat!(
            "let a = \"// no comment\"; // yes \"one\"\n",
            "let b = r#\"todo!() \" // no\"#; let c = '\"'; let d: &'static str = x; /* dbg!(1) /* deep */ */ y()\n",
            "let e = '\\''; let f = b\"unsafe\\\"\"; rust(); // end"
        );
        let source = Source::new(text);
        assert_eq!(source.code.lines().count(), 3);
        assert_eq!(source.code.chars().count(), text.chars().count());
        for word in ["no comment", "todo", "dbg", "unsafe", "yes", "deep", "end"] {
            assert!(!source.code.contains(word), "{word}: {}", source.code);
        }
        for word in ["let a", "let d: &'static str = x", "y()", "rust()"] {
            assert!(source.code.contains(word), "{word}: {}", source.code);
        }
        assert!(source.comments.contains("// yes \"one\""));
        assert!(source.comments.contains("dbg!(1) /* deep"));
        assert!(!source.comments.contains("no"));
    }
}
