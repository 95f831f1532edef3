//! A text that changes: only the pieces that the change touches are read anew.
//!
//! ```text
//!   pieces   … │ before │ touched │ touched │ behind │ …
//!                       ^ begins where a changed byte had a say
//!                                           ^ ends where an old piece begins, behind the change, in the same place
//! ```
//! The result is that of a full parse: what a piece is depends on its own text, on the bytes that it was looked ahead at
//! (`reach`), and on its place.

use rowan::NodeCache;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::lower::{Assembly, shift_entity, shift_statement};
use crate::parse::{Parse, TEXT_BYTES_MAX, diagnostics, root};
use crate::parser::{Piece, Role, Source};
use crate::script::{Entity, Script, Statement};

/// What an edit did to the pieces.
struct Change {
    /// The first piece that was read anew, and its first byte.
    first: usize,
    start: u32,
    /// How many new ones there are.
    new: usize,
    /// How far what stands behind has moved, modulo 2³².
    by: u32,
}

impl Parse {
    /// Replaces a part of the text. Bounds outside of the text, or within a character, count as the nearest place before them.
    pub fn edit(&mut self, range: Range<usize>, new_text: &str) {
        let end = self.text.floor_char_boundary(range.end);
        let start = self.text.floor_char_boundary(range.start.min(end));
        let was_read = self.text.len() <= TEXT_BYTES_MAX;
        self.text.replace_range(start..end, new_text);
        if !was_read || self.text.len() > TEXT_BYTES_MAX {
            *self = Self::new(std::mem::take(&mut self.text), self.options);
            return;
        }
        let (change, old) = self.read_anew(start..end, new_text.len());
        self.green = root(&self.pieces);
        self.diagnostics = diagnostics(&self.pieces, self.options.file);
        let script = std::mem::replace(&mut self.script, OnceLock::new()).into_inner();
        // Somebody else may hold the script that was; then a new one is made when it is asked for.
        if let Some(Ok(script)) = script.map(Arc::try_unwrap) {
            let script = self.lower_anew(script, &change, &old);
            self.script = OnceLock::from(Arc::new(script));
        }
    }

    /// Reads the touched pieces; gives the old ones that they replace.
    fn read_anew(&mut self, range: Range<usize>, length: usize) -> (Change, Vec<Piece>) {
        let mut first = 0;
        let mut start = 0;
        while let Some(piece) = self.pieces.get(first) {
            if (start + piece.reach) as usize > range.start || piece.role == Role::Tail {
                break;
            }
            start += piece.length();
            first += 1;
        }
        let by = (length as u32).wrapping_sub((range.end - range.start) as u32);
        let mut cache = NodeCache::default();
        let mut source = Source::new(&self.text, start as usize);
        let mut place = self.pieces[first].before;
        let mut new = Vec::new();
        let mut old_end = first;
        let mut old_position = start;
        loop {
            let piece = Piece::read(&mut source, &mut cache, self.options, place);
            let is_last = piece.role == Role::Tail;
            place = piece.after;
            new.push(piece);
            if is_last {
                old_end = self.pieces.len();
                break;
            }
            let position = source.position();
            if position < range.start + length {
                continue;
            }
            let position = (position as u32).wrapping_sub(by);
            while old_position < position && old_end < self.pieces.len() {
                old_position += self.pieces[old_end].length();
                old_end += 1;
            }
            let is_same = |old: &Piece| old.before == place;
            if old_position == position && self.pieces.get(old_end).is_some_and(is_same) {
                break;
            }
        }
        let change = Change {
            first,
            start,
            new: new.len(),
            by,
        };
        let old = self.pieces.splice(first..old_end, new).collect();
        (change, old)
    }

    /// The script with the statements that the change touches lowered anew.
    fn lower_anew(&self, mut script: Script, change: &Change, old: &[Piece]) -> Script {
        // From the header of the first touched piece's model on.
        let mut group = change.first;
        let mut group_start = change.start;
        while group > 0 && self.is_in_model(group, change, old) {
            group -= 1;
            group_start -= self.pieces[group].length();
        }
        // To the end of the last one's.
        let new_end = change.first + change.new;
        let mut group_end = new_end;
        let old_length: u32 = old.iter().map(Piece::length).sum();
        let mut behind = change.start + old_length;
        while self.pieces.get(group_end).is_some_and(Piece::is_in_body) {
            behind += self.pieces[group_end].length();
            group_end += 1;
        }
        let from = script
            .statements
            .partition_point(|statement| start_of(statement) < group_start);
        let to = script
            .statements
            .partition_point(|statement| start_of(statement) < behind);
        let mut members = members_of(script.statements.splice(from..to, []));

        let mut assembly = Assembly::new(self.options.file);
        let mut start = group_start;
        for (index, piece) in self.pieces.iter().enumerate().take(group_end).skip(group) {
            let moved = if index < change.first { 0 } else { change.by };
            let is_new = (change.first..new_end).contains(&index);
            let known = if is_new {
                None
            } else {
                take(&mut members, piece, start.wrapping_sub(moved))
            };
            let known = known.map(|mut entity| {
                shift_entity(&mut entity, moved);
                entity
            });
            assembly.add(piece, start, known);
            start += piece.length();
        }
        let added = assembly.statements.len();
        script.statements.splice(from..from, assembly.statements);
        if change.by != 0 {
            let shifted = &mut script.statements[from + added..];
            shifted
                .iter_mut()
                .for_each(|statement| shift_statement(statement, change.by));
        }
        script
    }

    /// Whether a piece is or was in the body of a model that begins before it.
    fn is_in_model(&self, index: usize, change: &Change, old: &[Piece]) -> bool {
        let was = index == change.first && old.first().is_some_and(Piece::is_in_body);
        was || self.pieces[index].is_in_body()
    }
}

fn start_of(statement: &Statement) -> u32 {
    match statement {
        Statement::Model(model) => model.span.start,
        Statement::Instance { span, .. }
        | Statement::Delete { span, .. }
        | Statement::Query { span, .. }
        | Statement::Transaction { span, .. }
        | Statement::Notification { span, .. }
        | Statement::Reserved { span, .. } => span.start,
    }
}

fn start_of_entity(entity: &Entity) -> u32 {
    match entity {
        Entity::Node(node) => node.span.start,
        Entity::Connection(connection) => connection.span.start,
        Entity::Flow(flow) => flow.span.start,
        Entity::Operation(operation) => operation.span.start,
        Entity::ConnectionPoint(point) => point.span.start,
    }
}

fn members_of(statements: impl Iterator<Item = Statement>) -> VecDeque<Entity> {
    let members = statements.filter_map(|statement| match statement {
        Statement::Model(model) => Some(model.members),
        _ => None,
    });
    members.flatten().collect()
}

/// The member that an unchanged piece was, which began at `start`.
fn take(members: &mut VecDeque<Entity>, piece: &Piece, start: u32) -> Option<Entity> {
    if piece.role != Role::Member {
        return None;
    }
    while members.front().is_some_and(|member| start_of_entity(member) < start) {
        members.pop_front();
    }
    let is_it = |member: &Entity| start_of_entity(member) < start + piece.length();
    if members.front().is_some_and(is_it) {
        members.pop_front()
    } else {
        None
    }
}
