//! Words to lines.

use super::items::{Break, Item};

/// A line is no longer, if it can be broken.
const LINE_CHARS: usize = 100;
/// A clause on its own line stands so far in from its entity: more than a member from its model.
const CLAUSE_INDENT: usize = 4;
/// An item on its own line.
const ITEM_INDENT: usize = 6;

/// Writes a piece; its line has begun and is empty.
pub(super) fn write(out: &mut String, items: &[Item], indent: usize) {
    space(out, indent);
    if fits(items, indent) {
        return write_flat(out, items);
    }
    let mut rest = items;
    let mut is_first = true;
    while !rest.is_empty() {
        let is_clause = |item: &Item| item.may_break == Break::Clause;
        let end = 1 + rest[1..].iter().position(is_clause).unwrap_or(rest.len() - 1);
        let (clause, behind) = rest.split_at(end);
        if !is_first {
            new_line(out, indent + CLAUSE_INDENT);
        }
        if fits(clause, indent + CLAUSE_INDENT) {
            write_flat(out, clause);
        } else {
            write_broken(out, clause, indent);
        }
        is_first = false;
        rest = behind;
    }
}

/// Whether words stand on one line.
fn fits(items: &[Item], indent: usize) -> bool {
    let mut chars = indent;
    for item in items {
        if item.ends_line || item.has_own_line || item.text.contains('\n') {
            return false;
        }
        chars += item.text.chars().count() + usize::from(!item.is_glued);
    }
    // No blank stands before the first.
    chars <= LINE_CHARS + 1
}

fn write_flat(out: &mut String, items: &[Item]) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 && !item.is_glued {
            out.push(' ');
        }
        out.push_str(&item.text);
    }
}

/// A clause over several lines: an item a line, and a new one where a comment asks for it.
fn write_broken(out: &mut String, items: &[Item], indent: usize) {
    let has_items = items.iter().any(|item| item.may_break == Break::Item);
    let inner = indent + if has_items { ITEM_INDENT } else { CLAUSE_INDENT + 2 };
    let mut must_break = false;
    for (index, item) in items.iter().enumerate() {
        let is_line_start = index == 0 && !must_break;
        if must_break || (index > 0 && (item.may_break == Break::Item || item.has_own_line)) {
            new_line(out, inner);
        } else if !is_line_start && !item.is_glued {
            out.push(' ');
        }
        out.push_str(&item.text);
        must_break = item.ends_line;
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    space(out, indent);
}

fn space(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}
