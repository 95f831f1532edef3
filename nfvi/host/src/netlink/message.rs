//! The wire form of netlink requests and answers: only what the agent says and reads, written straight into the batch's buffer.

use nix::libc;

/// Length of `struct nlmsghdr`.
pub(super) const HEADER_BYTES: usize = 16;

/// One request, being written.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A request of this type; `flags` beside NLM_F_REQUEST. `body` is the family's fixed header.
    pub(crate) fn new(kind: u16, flags: u16, body: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | libc::NLM_F_REQUEST as u16).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(body);
        pad(&mut bytes);
        Self { bytes }
    }

    /// Adds an attribute.
    pub(crate) fn put(mut self, kind: u16, value: &[u8]) -> Self {
        attribute(&mut self.bytes, kind, value);
        self
    }

    /// Adds an attribute of text, with its terminating zero.
    pub(crate) fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes)
    }

    /// Adds an attribute that holds a number in the machine's byte order.
    pub(crate) fn number(self, kind: u16, value: u32) -> Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Adds an attribute that holds attributes.
    pub(crate) fn nest(self, kind: u16, inner: &Nest) -> Self {
        self.put(kind | libc::NLA_F_NESTED as u16, &inner.0)
    }

    /// The request as it is sent.
    pub(super) fn finish(mut self, sequence: u32, acknowledged: bool) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        if acknowledged {
            let flags = u16::from_ne_bytes([self.bytes[6], self.bytes[7]]) | libc::NLM_F_ACK as u16;
            self.bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        }
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

/// Attributes inside an attribute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nest(Vec<u8>);

impl Nest {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Starts with a fixed header.
    pub(crate) fn with_header(header: &[u8]) -> Self {
        let mut bytes = header.to_vec();
        pad(&mut bytes);
        Self(bytes)
    }

    /// Adds an attribute.
    pub(crate) fn put(mut self, kind: u16, value: &[u8]) -> Self {
        attribute(&mut self.0, kind, value);
        self
    }

    /// Adds text, with its terminating zero.
    pub(crate) fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes)
    }

    /// Adds a number in the machine's byte order.
    pub(crate) fn number(self, kind: u16, value: u32) -> Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Adds attributes.
    pub(crate) fn nest(self, kind: u16, inner: &Nest) -> Self {
        self.put(kind | libc::NLA_F_NESTED as u16, &inner.0)
    }
}

fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = (value.len() + 4) as u16;
    bytes.extend_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    pad(bytes);
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// One answer: its type, sequence and everything after the header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    /// RTM_… or NLMSG_…
    pub(crate) kind: u16,
    /// The request's.
    pub(crate) sequence: u32,
    /// Fixed header and attributes.
    pub(crate) body: &'a [u8],
}

/// The messages of one datagram; ends early at one that contradicts itself.
pub(crate) fn answers(mut bytes: &[u8]) -> impl Iterator<Item = Answer<'_>> {
    std::iter::from_fn(move || {
        let length = number(bytes, 0)? as usize;
        let body = bytes.get(HEADER_BYTES..length)?;
        let answer = Answer {
            kind: short(bytes, 4)?,
            sequence: number(bytes, 8)?,
            body,
        };
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(answer)
    })
}

/// The attributes that stand in these bytes; ends early at one that contradicts itself.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(short(bytes, 0)?);
        let kind = short(bytes, 2)? & !(libc::NLA_F_NESTED as u16 | libc::NLA_F_NET_BYTEORDER as u16);
        let value = bytes.get(4..length)?; // a length below 4 ends it, too
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// A number in the machine's byte order.
pub(crate) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A short number in the machine's byte order.
pub(crate) fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Text up to its terminating zero; empty when it is no text.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(values in proptest::collection::vec((1u16..4_000, proptest::collection::vec(any::<u8>(), 0..40)), 0..20)) {
            let mut message = Message::new(16, 0, &[7; 16]);
            for (kind, value) in &values {
                message = message.put(*kind, value);
            }
            let bytes = message.finish(5, true);
            let all: Vec<_> = answers(&bytes).collect();
            prop_assert_eq!(all.len(), 1);
            prop_assert_eq!(all[0].sequence, 5);
            let got: Vec<_> = attributes(&all[0].body[16..]).map(|(kind, value)| (kind, value.to_vec())).collect();
            prop_assert_eq!(got, values);
        }

        #[test]
        fn garbage_never_panics_and_always_ends(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = answers(&bytes).flat_map(|answer| attributes(answer.body)).count();
        }
    }
}
