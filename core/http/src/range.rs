//! Parts of a download (RFC 9110 14; GS NFV-SOL 005 wants `Range` for package content): 206 with one part, or 416.

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// The request's `Range`: an extractor. What we do not understand is ignored, as RFC 9110 14.2 allows: the whole is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteRange(Option<Wanted>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// From this byte, to this one (included) or the end.
    From(u64, Option<u64>),
    /// The last so many.
    Last(u64),
}

/// A part that exists: `length_bytes` from `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Offset of its first byte.
    pub start: u64,
    /// Its length; never zero.
    pub length_bytes: u64,
    total_bytes: u64,
}

impl ByteRange {
    fn parse(text: &str) -> Option<Wanted> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        match (first.trim(), last.trim()) {
            ("", last) => last.parse().ok().map(Wanted::Last),
            (first, "") => first.parse().ok().map(|first| Wanted::From(first, None)),
            (first, last) => {
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(Wanted::From(first, Some(last)))
            }
        }
    }

    /// The part of a resource of this length; `None` = all of it. 416 when it has no such part.
    pub fn of(&self, total_bytes: u64) -> Result<Option<Part>, Problem> {
        let Some(wanted) = self.0 else { return Ok(None) };
        let (start, end) = match wanted {
            Wanted::From(first, last) => (
                first,
                last.map_or(total_bytes, |last| last.saturating_add(1).min(total_bytes)),
            ),
            Wanted::Last(count) => (total_bytes.saturating_sub(count), total_bytes),
        };
        match end.checked_sub(start) {
            Some(length_bytes) if length_bytes > 0 => Ok(Some(Part {
                start,
                length_bytes,
                total_bytes,
            })),
            _ => Err(Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the content has {total_bytes} bytes"),
            )
            .header(header::CONTENT_RANGE, &format!("bytes */{total_bytes}"))),
        }
    }
}

impl Part {
    /// Makes a response whose body is this part a 206 with `Content-Range`.
    pub fn response(&self, mut response: Response) -> Response {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = self.start + self.length_bytes - 1;
        if let Ok(value) = HeaderValue::from_str(&format!("bytes {}-{last}/{}", self.start, self.total_bytes)) {
            response.headers_mut().insert(header::CONTENT_RANGE, value);
        }
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ByteRange {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let text = parts.headers.get(header::RANGE).and_then(|value| value.to_str().ok());
        Ok(Self(text.and_then(Self::parse)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str, total_bytes: u64) -> Result<Option<(u64, u64)>, u16> {
        ByteRange(ByteRange::parse(text))
            .of(total_bytes)
            .map(|part| part.map(|part| (part.start, part.length_bytes)))
            .map_err(|problem| problem.details.status)
    }

    #[test]
    fn a_part_lies_inside_the_content_or_is_416_and_what_is_not_understood_is_the_whole() {
        assert_eq!(part("bytes=0-0", 10), Ok(Some((0, 1))));
        assert_eq!(part("bytes=2-5", 10), Ok(Some((2, 4))));
        assert_eq!(part("bytes=2-", 10), Ok(Some((2, 8))));
        assert_eq!(part("bytes=2-99", 10), Ok(Some((2, 8))));
        assert_eq!(part("bytes=0-18446744073709551615", 10), Ok(Some((0, 10))));
        assert_eq!(part("bytes=-3", 10), Ok(Some((7, 3))));
        assert_eq!(part("bytes=-30", 10), Ok(Some((0, 10))));
        for none in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            assert_eq!(part(none, 10), Err(416), "{none}");
        }
        assert_eq!(part("bytes=0-", 0), Err(416));
        for whole in [
            "bytes=5-2",
            "bytes=0-1,4-5",
            "bytes=",
            "bytes=-",
            "lines=1-2",
            "bytes=a-b",
        ] {
            assert_eq!(part(whole, 10), Ok(None), "{whole}");
        }
    }
}
