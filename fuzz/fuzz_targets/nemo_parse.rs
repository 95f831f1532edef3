//! A script of any bytes: parsed, edited, formatted. Seeds: `languages/nemo-syntax/tests/golden`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manifold_nemo_syntax::{ParseOptions, format, parse};

/// A long input finds nothing that a short one does not, and takes longer.
const BYTES_MAX: usize = 4_096;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(BYTES_MAX)]);
    let lenient = ParseOptions {
        lenient: true,
        ..ParseOptions::default()
    };
    let read = parse(&text, lenient);
    assert_eq!(read.syntax().text(), *text);
    read.script();

    // A part of the text goes, as its first bytes tell.
    let strict = ParseOptions::default();
    let mut edited = parse(&text, strict);
    edited.script();
    if let [at, length, ..] = bytes {
        let start = text.floor_char_boundary(usize::from(*at) * 16 % (text.len() + 1));
        let end = text.floor_char_boundary(start + usize::from(length % 32));
        edited.edit(start..end, if length % 2 == 0 { ";" } else { "" });
        let whole = parse(edited.text(), strict);
        assert_eq!(edited.diagnostics(), whole.diagnostics());
        assert_eq!(edited.script(), whole.script());
        assert_eq!(edited.syntax().green(), whole.syntax().green());
    }

    let formatted = format(&edited);
    assert_eq!(format(&parse(&formatted, strict)), formatted);
});
