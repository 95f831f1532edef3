//! Messages over a pair of byte streams, as the base protocol of LSP frames them.
//!
//! ```text
//! Content-Length: 52\r\n
//! \r\n
//! {"jsonrpc":"2.0","id":1,"method":"shutdown","params":null}
//! ```
//! A body that is no message is answered and passed over, since its frame says where the next one begins. A broken header ends the
//! connection: nobody knows any more where a message begins.

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, BufRead, Read, Write};

/// The largest body that is read into memory. A whole document travels in one message, escaped; the largest document that is
/// analysed is far smaller ([`crate::documents::DOCUMENT_BYTES_MAX`]).
pub(crate) const BODY_BYTES_MAX: u64 = 32 << 20;
/// The longest line of a header; the standard's two fields need less than a hundred bytes.
const HEADER_LINE_BYTES_MAX: u64 = 4096;
/// Fields in a header.
const HEADER_LINES_MAX: usize = 32;

/// What was read.
#[derive(Debug)]
pub(crate) enum Frame {
    /// A message.
    Message(Message),
    /// A body that is no message: what to answer.
    Malformed(Refusal),
    /// The other side has closed the stream between two messages.
    End,
}

/// The answer to a body that is no message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// The request's id, as far as it could be read.
    pub(crate) id: Value,
    /// Of JSON-RPC.
    pub(crate) code: i32,
    /// For people.
    pub(crate) message: String,
}

impl Refusal {
    fn new(id: Value, code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            id,
            code: code as i32,
            message: message.into(),
        }
    }
}

/// Reads one frame. An error means that the stream cannot be followed any further.
pub(crate) fn read(input: &mut impl BufRead) -> io::Result<Frame> {
    let Some(length) = read_header(input)? else {
        return Ok(Frame::End);
    };
    if length > BODY_BYTES_MAX {
        let skipped = io::copy(&mut input.take(length), &mut io::sink())?;
        if skipped < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let message = format!("a message of {length} bytes is larger than {BODY_BYTES_MAX}; it was not read");
        return Ok(Frame::Malformed(Refusal::new(
            Value::Null,
            ErrorCode::InvalidRequest,
            message,
        )));
    }
    let mut body = Vec::new();
    if input.take(length).read_to_end(&mut body)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(match serde_json::from_slice(&body) {
        Ok(value) => match message(value) {
            Ok(message) => Frame::Message(message),
            Err(refusal) => Frame::Malformed(refusal),
        },
        Err(error) => Frame::Malformed(Refusal::new(
            Value::Null,
            ErrorCode::ParseError,
            format!("not JSON: {error}"),
        )),
    })
}

/// The length of the body; `None` when the stream ends before a header.
fn read_header(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let broken = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut length = None;
    for field in 0..=HEADER_LINES_MAX {
        let mut line = Vec::new();
        input.take(HEADER_LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line.is_empty() && field == 0 {
            return Ok(None);
        }
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(broken("a line of a header does not end".into()));
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return length
                .map(Some)
                .ok_or_else(|| broken("a header without Content-Length".into()));
        }
        let line = String::from_utf8_lossy(line);
        let Some((name, value)) = line.split_once(':') else {
            return Err(broken(format!("a line of a header without \":\": {line:?}")));
        };
        if name.trim().eq_ignore_ascii_case("Content-Length") {
            let value = value.trim();
            length = Some(
                value
                    .parse()
                    .map_err(|_| broken(format!("Content-Length {value:?} is no number")))?,
            );
        }
    }
    Err(broken(format!("a header of more than {HEADER_LINES_MAX} lines")))
}

/// The message that a JSON value is.
fn message(mut value: Value) -> Result<Message, Refusal> {
    let Some(object) = value.as_object_mut() else {
        let message = "a message is an object; batches are no part of the protocol";
        return Err(Refusal::new(Value::Null, ErrorCode::InvalidRequest, message));
    };
    let id = object.remove("id");
    let method = match object.remove("method") {
        Some(Value::String(method)) => Some(method),
        Some(_) => {
            let message = "the method is no text";
            return Err(Refusal::new(id.unwrap_or_default(), ErrorCode::InvalidRequest, message));
        }
        None => None,
    };
    let params = object.remove("params").unwrap_or_default();
    let refuse =
        |id: Option<Value>, message| Err(Refusal::new(id.unwrap_or_default(), ErrorCode::InvalidRequest, message));
    match (method, id) {
        (Some(method), Some(id)) => match request_id(&id) {
            Some(id) => Ok(Request { id, method, params }.into()),
            None => refuse(Some(id), "an id is a text or a whole number of 32 bits"),
        },
        (Some(method), None) => Ok(Notification { method, params }.into()),
        (None, Some(id)) if object.contains_key("result") || object.contains_key("error") => match request_id(&id) {
            Some(id) => Ok(Response {
                id,
                result: object.remove("result"),
                error: object
                    .remove("error")
                    .and_then(|error| serde_json::from_value(error).ok()),
            }
            .into()),
            None => refuse(None, "an answer to nothing that was asked"),
        },
        (None, id) => refuse(id, "neither a method nor an answer"),
    }
}

fn request_id(value: &Value) -> Option<RequestId> {
    match value {
        Value::String(text) => Some(RequestId::from(text.clone())),
        Value::Number(number) => i32::try_from(number.as_i64()?).ok().map(RequestId::from),
        _ => None,
    }
}

/// Writes a message.
pub(crate) fn write(output: &mut impl Write, message: &Message) -> io::Result<()> {
    write_body(
        output,
        &Versioned {
            jsonrpc: "2.0",
            message,
        },
    )
}

#[derive(Serialize)]
struct Versioned<M> {
    jsonrpc: &'static str,
    #[serde(flatten)]
    message: M,
}

/// Writes the answer to what was no message.
pub(crate) fn write_refusal(output: &mut impl Write, refusal: &Refusal) -> io::Result<()> {
    let error = json!({ "code": refusal.code, "message": refusal.message });
    let message = json!({ "id": refusal.id, "error": error });
    write_body(
        output,
        &Versioned {
            jsonrpc: "2.0",
            message,
        },
    )
}

fn write_body(output: &mut impl Write, body: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(body)?;
    write!(output, "Content-Length: {}\r\n\r\n", body.len())?;
    output.write_all(&body)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(body: &str) -> Vec<u8> {
        format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    fn read_one(bytes: &[u8]) -> io::Result<Frame> {
        read(&mut io::BufReader::new(bytes))
    }

    fn refusal(body: &str) -> Refusal {
        match read_one(&framed(body)).unwrap() {
            Frame::Malformed(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let request = Request::new(7.into(), "textDocument/hover".into(), json!({ "a": "ü" }));
        let answer = Response::new_ok("x".to_owned().into(), Value::Null);
        let mut bytes = Vec::new();
        write(&mut bytes, &request.into()).unwrap();
        write(&mut bytes, &answer.into()).unwrap();
        let mut input = io::BufReader::new(bytes.as_slice());
        let Frame::Message(Message::Request(request)) = read(&mut input).unwrap() else {
            panic!("no request");
        };
        assert_eq!((request.id, request.params), (7.into(), json!({ "a": "ü" })));
        let Frame::Message(Message::Response(answer)) = read(&mut input).unwrap() else {
            panic!("no answer");
        };
        assert_eq!(answer.result, Some(Value::Null));
        assert!(matches!(read(&mut input).unwrap(), Frame::End));
    }

    #[test]
    fn a_body_that_is_no_message_is_answered_and_the_next_one_is_read() {
        let mut bytes = framed("{\"jsonrpc\": ");
        bytes.extend(framed(r#"{"jsonrpc":"2.0","method":"exit"}"#));
        let mut input = io::BufReader::new(bytes.as_slice());
        assert!(matches!(read(&mut input).unwrap(), Frame::Malformed(r) if r.code == -32700 && r.id.is_null()));
        assert!(matches!(read(&mut input).unwrap(), Frame::Message(Message::Notification(n)) if n.method == "exit"));
    }

    #[test]
    fn messages_of_a_wrong_shape_are_refused_with_their_id() {
        assert_eq!(refusal("[]").code, -32600);
        assert_eq!(refusal("[]").id, Value::Null);
        assert_eq!(refusal(r#"{"id":3,"method":4}"#).id, json!(3));
        assert_eq!(refusal(r#"{"id":99999999999,"method":"m"}"#).id, json!(99999999999_i64));
        assert_eq!(refusal(r#"{"id":{},"method":"m"}"#).id, json!({}));
        assert_eq!(refusal(r#"{"id":3}"#).id, json!(3));
        assert_eq!(refusal("{}").id, Value::Null);
    }

    #[test]
    fn a_deep_body_is_refused_and_does_not_overflow_the_stack() {
        assert_eq!(refusal(&"[".repeat(1 << 20)).code, -32700);
    }

    #[test]
    fn a_header_that_says_no_length_ends_the_connection() {
        for bytes in [
            "\r\n",
            "X: 1\r\n\r\n",
            "Content-Length: -1\r\n\r\n",
            "Content-Length: 5",
            "nonsense\r\n\r\n",
        ] {
            assert!(read_one(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
        assert!(read_one("A: b\r\n".repeat(100).as_bytes()).is_err());
        assert!(read_one("a".repeat(1 << 20).as_bytes()).is_err());
        assert!(read_one(b"Content-Length: 10\r\n\r\n{}").is_err());
    }

    #[test]
    fn a_body_that_is_too_large_is_passed_over_without_being_kept() {
        let length = BODY_BYTES_MAX + 1;
        let bytes = io::Cursor::new(format!("Content-Length: {length}\r\n\r\n").into_bytes())
            .chain(io::repeat(b'x').take(length))
            .chain(io::Cursor::new(framed(r#"{"method":"exit"}"#)));
        let mut input = io::BufReader::new(bytes);
        assert!(matches!(read(&mut input).unwrap(), Frame::Malformed(r) if r.code == -32600));
        assert!(matches!(read(&mut input).unwrap(), Frame::Message(Message::Notification(n)) if n.method == "exit"));
    }
}
