//! One layout for every script. Comments stay; nothing but white space, the case of keywords and the `.` of a path changes.
//!
//! ```text
//! // Comments above a statement stay above it.
//! CREATE NodeModel firewall Property string: zone VNFD catalog:fw;   // Comments behind one stay behind it.
//!   ConnectionPoint inside at VNFD:eth0;
//!
//! CREATE Node edge
//!     Type firewall
//!     Property
//!       zone: dmz,
//!       …;
//! ```
//! A piece with faults stays as it is: what it means is not known.

mod gap;
mod items;
mod layout;

use gap::Gap;

use crate::codes;
use crate::diagnostic::Severity;
use crate::kind::SyntaxNode;
use crate::parse::Parse;
use crate::parser::{Piece, Place, Role};

/// A member of a body.
const MEMBER_INDENT: usize = 2;

/// The text in its canonical layout. Formatting that again changes nothing.
pub fn format(parse: &Parse) -> String {
    let mut out = String::with_capacity(parse.text().len());
    // The piece before was in a model, or began one.
    let mut was_model = false;
    let mut was_header = false;
    for piece in &parse.pieces {
        let node = SyntaxNode::new_root(piece.green.clone());
        let gap = Gap::before(&node, out.is_empty());
        gap.write_trailing(&mut out);
        let is_top = !piece.is_in_body();
        let needs_blank = is_top && (was_model || piece.role == Role::Header) && piece.role != Role::Tail;
        let indent = if is_top || piece.role == Role::Closer {
            0
        } else {
            MEMBER_INDENT
        };
        let body_indent = if piece.before == Place::Top { 0 } else { MEMBER_INDENT };
        let has_blank = gap.write_own_lines(&mut out, was_header, needs_blank, indent, body_indent);
        if piece.role != Role::Tail {
            let is_blank_wanted = has_blank && !was_header && piece.role != Role::Closer;
            begin_line(&mut out, is_blank_wanted);
            write_piece(&mut out, piece, &node, indent);
        }
        was_model = !is_top || piece.role == Role::Header;
        was_header = piece.role == Role::Header && !gap::is_only_trivia(&node);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// Ends the line before, and leaves one blank.
fn begin_line(out: &mut String, is_blank_wanted: bool) {
    if !out.is_empty() {
        out.push_str(if is_blank_wanted { "\n\n" } else { "\n" });
    }
}

fn write_piece(out: &mut String, piece: &Piece, node: &SyntaxNode, indent: usize) {
    let is_understood = |severity: Severity, code| severity == Severity::Lint || code == codes::W_RESERVED;
    let mut told = piece.diagnostics.iter();
    if told.all(|told| is_understood(told.severity, told.code)) {
        layout::write(out, &items::of(node), indent);
    } else {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str(&gap::without_gap(node));
    }
}
