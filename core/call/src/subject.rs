/// What a call is about, in one word for the trace: an identifier, or the name that was asked for.
pub trait Subject {
    /// The identifier or name; empty where the call has no single subject (a query with a filter).
    fn subject(&self) -> String;
}

impl Subject for () {
    fn subject(&self) -> String {
        String::new()
    }
}

impl Subject for String {
    fn subject(&self) -> String {
        self.clone()
    }
}

impl<T: Subject> Subject for Vec<T> {
    fn subject(&self) -> String {
        match self.as_slice() {
            [] => String::new(),
            [only] => only.subject(),
            [first, rest @ ..] => format!("{} (+{} more)", first.subject(), rest.len()),
        }
    }
}

impl<T: Subject> Subject for Option<T> {
    fn subject(&self) -> String {
        self.as_ref().map(Subject::subject).unwrap_or_default()
    }
}

impl Subject for uuid::Uuid {
    fn subject(&self) -> String {
        self.to_string()
    }
}
