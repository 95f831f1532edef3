//! Positions of an editor (line, column in its units) and bytes of a text.
//!
//! Columns are UTF-16 code units unless the client can count bytes. What lies outside of the text is drawn to the nearest place in it:
//! a column behind the line's end is the end, a line behind the last one is the end of the text.

use lsp_types::{Position, PositionEncodingKind, Range};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// Bytes of UTF-8.
    Utf8,
    /// Code units of UTF-16: every client can do this.
    #[default]
    Utf16,
}

impl Encoding {
    /// Bytes if the client offers them, for they cost nothing here.
    pub(crate) fn choose(offered: Option<&[PositionEncodingKind]>) -> Self {
        match offered {
            Some(offered) if offered.contains(&PositionEncodingKind::UTF8) => Self::Utf8,
            _ => Self::Utf16,
        }
    }

    /// Its name in the protocol.
    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }
}

/// Where the lines of a text begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lines {
    /// Offset of each line's first byte; the first is 0.
    starts: Vec<u32>,
}

impl Lines {
    /// Of a text. Lines end with `\n`, `\r\n` or `\r`.
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = vec![0];
        starts_within(text, 0, text.len(), &mut starts);
        Self { starts }
    }

    /// What they are after bytes from `start` to `end` became `inserted` bytes; `text` is the new text. Only lines that were touched
    /// are looked at.
    pub(crate) fn edit(&mut self, text: &str, start: usize, end: usize, inserted: usize) {
        // A `\r` before the edit may have become half of a `\r\n`, and a `\n` behind it too: the lines on both sides are read again.
        let first = self.line_at(start.saturating_sub(1));
        let last = self.line_at(end + 1);
        let from = self.starts[first] as usize;
        let behind = self.starts.get(last + 1).map(|&start| start as usize);
        let moved = |offset: usize| offset - end + start + inserted;
        let mut middle = vec![from as u32];
        starts_within(text, from, behind.map_or(text.len(), moved), &mut middle);
        let mut rest = Vec::new();
        if let Some(behind) = behind {
            // The last line that was read ends where the untouched ones begin.
            middle.pop_if(|start| *start as usize == moved(behind));
            rest.extend(
                self.starts[last + 1..]
                    .iter()
                    .map(|&start| moved(start as usize) as u32),
            );
        }
        self.starts.truncate(first);
        self.starts.append(&mut middle);
        self.starts.append(&mut rest);
    }

    fn line_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start as usize <= offset).max(1) - 1
    }

    /// The bytes of a line, without its end.
    fn line_text<'a>(&self, text: &'a str, line: usize) -> &'a str {
        let start = self.starts[line] as usize;
        let end = self.starts.get(line + 1).map_or(text.len(), |&end| end as usize);
        text[start..end].trim_end_matches(['\r', '\n'])
    }

    /// The position of a byte; one inside a character is the character's.
    pub(crate) fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_at(offset);
        let before = &text[self.starts[line] as usize..offset];
        let column = match encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.chars().map(char::len_utf16).sum(),
        };
        Position::new(line as u32, column as u32)
    }

    /// The byte at a position; one inside a character is the character's first.
    pub(crate) fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        if line >= self.starts.len() {
            return text.len();
        }
        let start = self.starts[line] as usize;
        let content = self.line_text(text, line);
        let wanted = position.character as usize;
        let mut column = 0;
        for (at, char) in content.char_indices() {
            column += match encoding {
                Encoding::Utf8 => char.len_utf8(),
                Encoding::Utf16 => char.len_utf16(),
            };
            if column > wanted {
                return start + at;
            }
        }
        start + content.len()
    }

    /// The range of some bytes.
    pub(crate) fn range(&self, text: &str, start: usize, end: usize, encoding: Encoding) -> Range {
        Range::new(self.position(text, start, encoding), self.position(text, end, encoding))
    }

    /// The bytes of a range; one whose end is before its start is turned round.
    pub(crate) fn bytes(&self, text: &str, range: Range, encoding: Encoding) -> std::ops::Range<usize> {
        let (start, end) = (
            self.offset(text, range.start, encoding),
            self.offset(text, range.end, encoding),
        );
        start.min(end)..start.max(end)
    }
}

/// Adds the starts of lines behind `from`, up to and with `to`.
fn starts_within(text: &str, from: usize, to: usize, starts: &mut Vec<u32>) {
    let bytes = text.as_bytes();
    for at in from..to {
        let ends_line = match bytes[at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends_line {
            starts.push(at as u32 + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_count_what_the_client_counts() {
        let text = "a\u{e9}\u{1f600}b\nx";
        let lines = Lines::of(text);
        for (offset, utf8, utf16) in [(0, 0, 0), (1, 1, 1), (3, 3, 2), (7, 7, 4), (8, 8, 5)] {
            assert_eq!(lines.position(text, offset, Encoding::Utf8), Position::new(0, utf8));
            assert_eq!(lines.position(text, offset, Encoding::Utf16), Position::new(0, utf16));
            assert_eq!(lines.offset(text, Position::new(0, utf16), Encoding::Utf16), offset);
            assert_eq!(lines.offset(text, Position::new(0, utf8), Encoding::Utf8), offset);
        }
        // Between the two halves of a surrogate pair, and inside of a character.
        assert_eq!(lines.offset(text, Position::new(0, 3), Encoding::Utf16), 3);
        assert_eq!(lines.offset(text, Position::new(0, 2), Encoding::Utf8), 1);
        assert_eq!(lines.position(text, 2, Encoding::Utf16), Position::new(0, 1));
    }

    #[test]
    fn what_lies_outside_is_drawn_in() {
        let text = "ab\r\ncd";
        let lines = Lines::of(text);
        assert_eq!(lines.offset(text, Position::new(0, 99), Encoding::Utf16), 2);
        assert_eq!(lines.offset(text, Position::new(99, 0), Encoding::Utf16), 6);
        assert_eq!(
            lines.offset(text, Position::new(u32::MAX, u32::MAX), Encoding::Utf16),
            6
        );
        assert_eq!(lines.position(text, 99, Encoding::Utf16), Position::new(1, 2));
        let turned = Range::new(Position::new(1, 1), Position::new(0, 1));
        assert_eq!(lines.bytes(text, turned, Encoding::Utf16), 1..5);
    }

    #[test]
    fn every_end_of_line_ends_a_line() {
        assert_eq!(Lines::of("").starts, [0]);
        assert_eq!(Lines::of("a\nb\r\nc\rd\n").starts, [0, 2, 5, 7, 9]);
    }

    proptest! {
        #[test]
        fn lines_after_edits_are_those_of_the_new_text(
            text in "[a\u{e9}\r\n]{0,20}",
            edits in proptest::collection::vec((0usize..21, 0usize..21, "[b\u{1f600}\r\n]{0,4}"), 1..6),
        ) {
            let mut text = text;
            let mut lines = Lines::of(&text);
            for (a, b, inserted) in edits {
                let place = |at: usize| {
                    let mut at = at.min(text.len());
                    while !text.is_char_boundary(at) { at -= 1; }
                    at
                };
                let (start, end) = (place(a.min(b)), place(a.max(b)));
                text.replace_range(start..end, &inserted);
                lines.edit(&text, start, end, inserted.len());
                prop_assert_eq!(&lines, &Lines::of(&text));
            }
        }

        #[test]
        fn a_position_leads_back_to_its_byte(text in "[a\u{e9}\u{1f600}\r\n]{0,30}") {
            let lines = Lines::of(&text);
            for (offset, _) in text.char_indices() {
                if text[..offset].ends_with('\r') && text[offset..].starts_with('\n') {
                    continue; // Between the two is no place of an editor.
                }
                for encoding in [Encoding::Utf8, Encoding::Utf16] {
                    let position = lines.position(&text, offset, encoding);
                    prop_assert_eq!(lines.offset(&text, position, encoding), offset);
                }
            }
        }
    }
}
