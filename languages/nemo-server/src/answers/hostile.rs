//! Whatever a text is and wherever a cursor stands, there is an answer: nothing panics, and what is edited is what was meant.

use super::{Look, actions, completion, diagnostics, folding, format, hover, links, navigate, rename, symbols, tokens};
use crate::address::Address;
use crate::checks::Leaves;
use crate::client::Client;
use crate::documents::Documents;
use crate::position::Encoding;
use lsp_types::{CodeActionContext, Position, Range, TextDocumentContentChangeEvent};
use proptest::prelude::*;
use std::path::Path;

const WORDS: &[&str] = &[
    "CREATE ",
    "UPDATE ",
    "DELETE ",
    "Query ",
    "From ",
    "Transaction ",
    "Begin",
    "NodeModel ",
    "Node ",
    "Connection ",
    "ConnectionPoint ",
    "Flow ",
    "Operation ",
    "Type ",
    "p2p ",
    "Endnodes ",
    "Property ",
    "Match ",
    "Target ",
    "Action ",
    "Condition ",
    "Contain ",
    "VNFD ",
    "at VNFD:",
    "string: ",
    "file:x.yaml",
    "<urn:a:b",
    "\"",
    "//",
    "/*",
    "*/",
    "#",
    "a",
    "b",
    "a:b",
    "a.b.c",
    ":",
    ".",
    ",",
    ";",
    "\n",
    "\r\n",
    " ",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "go-through: ",
    "10(mbps)",
    "é",
    "😀",
    "==",
    "&&",
];

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn every_question_about_every_text_has_an_answer(
        text in text(),
        other in text(),
        edits in proptest::collection::vec((0u32..4, 0u32..30, 0u32..4, 0u32..30, text()), 0..4),
        at in 0usize..200,
    ) {
        let mut documents = Documents::default();
        let address = Address::of_file(Path::new("/nowhere/a.nemo"));
        let file = documents.open(address.clone(), 1, text).unwrap();
        documents.open(Address::of_file(Path::new("/nowhere/b.nemo")), 1, other).unwrap();
        for (line, column, end_line, end_column, text) in edits {
            let change = TextDocumentContentChangeEvent {
                range: Some(Range::new(Position::new(line, column), Position::new(end_line, end_column))),
                range_length: None,
                text,
            };
            documents.change(&address, 2, vec![change], Encoding::Utf16).unwrap();
        }
        let (leaves, client) = (Leaves::new(), Client::default());
        let look = Look::new(&documents, &leaves, &client);
        let document = documents.get(file).unwrap();
        let offset = at.min(document.text().len()) as u32;

        completion::completion(&look, file, offset);
        hover::hover(&look, file, offset);
        navigate::definition(&look, file, offset);
        navigate::highlights(&look, file, offset);
        symbols::outline(&look, document);
        symbols::search(&look, "a");
        folding::folds(&look, document);
        links::links(&look, document);
        tokens::tokens(&look, document, 0..document.text().len());
        diagnostics::published(&look, document, &[]);
        let context = CodeActionContext::default();
        actions::actions(&look, document, &[], &(0..document.text().len()), &context);
        format::format(&look, document, None).unwrap();

        // Every place where a name is spoken of holds that name.
        if let Some((symbol, _)) = look.world.at(file, offset) {
            for occurrence in look.world.occurrences(&symbol) {
                let span = occurrence.span;
                let text = documents.get(span.file).unwrap().text();
                prop_assert_eq!(&text[span.start as usize..span.end as usize], &*symbol.name);
            }
            let _ = rename::rename(&look, file, offset, "c");
        }
    }
}
