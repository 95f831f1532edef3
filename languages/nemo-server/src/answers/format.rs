//! From one layout to another by edits that touch nothing but what differs, so that a cursor stays at its word.

use super::{Failure, Look};
use crate::documents::Document;
use lsp_types::TextEdit;
use std::ops::Range;

/// Makes a document's layout the canonical one, wholly or where the edits lie within some bytes.
pub(crate) fn format(
    look: &Look<'_>,
    document: &Document,
    within: Option<Range<usize>>,
) -> Result<Vec<TextEdit>, Failure> {
    let text = document.text();
    let formatted = manifold_nemo_syntax::format(document.parse());
    let edits = edits(text, &formatted).into_iter().filter(|(bytes, _)| {
        let within = within.clone().unwrap_or(0..text.len());
        within.start <= bytes.start && bytes.end <= within.end
    });
    let (lines, encoding) = (document.lines(), look.client.encoding);
    let edits = edits.map(|(bytes, new)| {
        let range = lines.range(text, bytes.start, bytes.end, encoding);
        TextEdit::new(range, new)
    });
    Ok(edits.collect())
}

/// The edits that lead from a text to another one. Where only white space and single characters differ, so do only they; from where
/// more differs on, everything is replaced up to what the ends of both have in common.
pub(crate) fn edits(before: &str, after: &str) -> Vec<(Range<usize>, String)> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let (mut old, mut new) = (0, 0);
    loop {
        let (old_blank, new_blank) = (blank(&before[old..]), blank(&after[new..]));
        if before[old..old + old_blank] != after[new..new + new_blank] {
            edits.push((old..old + old_blank, after[new..new + new_blank].to_owned()));
        }
        (old, new) = (old + old_blank, new + new_blank);
        match (before[old..].chars().next(), after[new..].chars().next()) {
            (None, None) => break,
            (Some(was), Some(is)) if was == is => (old, new) = (old + was.len_utf8(), new + is.len_utf8()),
            (Some(was), Some(is)) if is_respelled(was, is) => {
                let (old_end, new_end) = (old + was.len_utf8(), new + is.len_utf8());
                edits.push((old..old_end, is.to_string()));
                (old, new) = (old_end, new_end);
            }
            _ => {
                let tail = common_tail(&before[old..], &after[new..]);
                let (old_end, new_end) = (before.len() - tail, after.len() - tail);
                edits.push((old..old_end, after[new..new_end].to_owned()));
                break;
            }
        }
    }
    joined(edits)
}

/// Bytes of white space at the start.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len()
}

/// A keyword has one case, and a path one separator.
fn is_respelled(was: char, is: char) -> bool {
    was.eq_ignore_ascii_case(&is) || (was, is) == ('.', ':')
}

fn common_tail(one: &str, other: &str) -> usize {
    let same = one.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b);
    same.map(|(same, _)| same.len_utf8()).sum()
}

/// Edits that touch each other as one.
fn joined(edits: Vec<(Range<usize>, String)>) -> Vec<(Range<usize>, String)> {
    let mut joined: Vec<(Range<usize>, String)> = Vec::new();
    for (bytes, text) in edits {
        match joined.last_mut() {
            Some((last, before)) if last.end == bytes.start => {
                last.end = bytes.end;
                before.push_str(&text);
            }
            _ => joined.push((bytes, text)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn applied(text: &str, edits: &[(Range<usize>, String)]) -> String {
        let mut text = text.to_owned();
        for (bytes, new) in edits.iter().rev() {
            text.replace_range(bytes.clone(), new);
        }
        text
    }

    #[test]
    fn only_what_differs_is_touched() {
        let before = "create Node a\n   Type  b.c;";
        let after = "CREATE Node a Type b:c;\n";
        let edits = edits(before, after);
        assert_eq!(applied(before, &edits), after);
        let touched: Vec<&str> = edits.iter().map(|(bytes, _)| &before[bytes.clone()]).collect();
        assert_eq!(touched, ["create", "\n   ", "  ", ".", ""]);
        assert!(super::edits(after, after).is_empty());
    }

    proptest! {
        #[test]
        fn edits_lead_to_the_other_text(before in "[aAb.:é; \n]{0,24}", after in "[aAb.:é; \n]{0,24}") {
            let edits = edits(&before, &after);
            prop_assert_eq!(applied(&before, &edits), after);
        }
    }
}
