//! OpenAPI 3.1 documents, made of the table of an API's operations and of the types that it serves.
//!
//! A binding keeps one [`Operation`] for each route and method; [`Document::json`] adds what every API has by this crate's
//! doing: the Version header, tokens, pages, `ProblemDetails` for whatever goes wrong.

use crate::api::Api;
use crate::auth::TOKEN_PATH;
use crate::body::MERGE_PATCH;
use crate::problem::{PROBLEM_JSON, ProblemDetails};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// A type that is served.
#[derive(Clone, Copy)]
pub struct Served {
    name: fn() -> Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    below: fn(&mut Schemas),
}

impl Served {
    const fn of<T: ToSchema>() -> Self {
        Self {
            name: T::name,
            schema: T::schema,
            below: T::schemas,
        }
    }

    /// Its reference, once it and all that it consists of are among the components.
    fn reference(self, components: &mut Components) -> Value {
        let name = (self.name)().into_owned();
        let mut found = vec![(name.clone(), (self.schema)())];
        (self.below)(&mut found);
        for (name, schema) in found {
            components.add(name, json!(schema));
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// What a request or an answer carries.
#[derive(Clone, Copy)]
pub enum Content {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Served),
    /// JSON of a resource that has `_links`.
    Resource(Served),
    /// A list in JSON.
    List(Served),
    /// A page of a list in JSON, of resources that have `_links`.
    Page(Served),
    /// A page of a list in JSON.
    PlainPage(Served),
    /// A merge patch.
    Patch(Served),
    /// Bytes of this media type.
    Bytes(&'static str),
}

impl Content {
    /// See [`Content::Json`].
    pub const fn json<T: ToSchema>() -> Self {
        Self::Json(Served::of::<T>())
    }
    /// See [`Content::Resource`].
    pub const fn resource<T: ToSchema>() -> Self {
        Self::Resource(Served::of::<T>())
    }
    /// See [`Content::List`].
    pub const fn list<T: ToSchema>() -> Self {
        Self::List(Served::of::<T>())
    }
    /// See [`Content::Page`].
    pub const fn page<T: ToSchema>() -> Self {
        Self::Page(Served::of::<T>())
    }
    /// See [`Content::PlainPage`].
    pub const fn plain_page<T: ToSchema>() -> Self {
        Self::PlainPage(Served::of::<T>())
    }
    /// See [`Content::Patch`].
    pub const fn patch<T: ToSchema>() -> Self {
        Self::Patch(Served::of::<T>())
    }

    fn is_page(self) -> bool {
        matches!(self, Content::Page(_) | Content::PlainPage(_))
    }

    /// `{media type: {schema}}`; `None` for nothing.
    fn media(self, components: &mut Components) -> Option<Value> {
        const JSON: &str = "application/json";
        let (media_type, schema) = match self {
            Content::Empty => return None,
            Content::Json(served) => (JSON, served.reference(components)),
            Content::Resource(served) => (JSON, with_links(served.reference(components))),
            Content::List(served) | Content::PlainPage(served) => (JSON, array(served.reference(components))),
            Content::Page(served) => (JSON, array(with_links(served.reference(components)))),
            Content::Patch(served) => (MERGE_PATCH, served.reference(components)),
            Content::Bytes(media_type) => (media_type, json!({ "type": "string", "format": "binary" })),
        };
        Some(json!({ media_type: { "schema": schema } }))
    }
}

fn array(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn with_links(resource: Value) -> Value {
    let links = json!({ "$ref": "#/components/schemas/Links" });
    json!({ "allOf": [resource, { "type": "object", "required": ["_links"], "properties": { "_links": links } }] })
}

/// One method of one resource: a row of an API's table.
#[derive(Clone, Copy)]
pub struct Operation {
    /// In lower case: `get`.
    pub method: &'static str,
    /// Below `/{name}/{major}`, as the router spells it.
    pub path: &'static str,
    id: &'static str,
    summary: &'static str,
    request: Content,
    status: &'static str,
    answer: Content,
    location: bool,
    query: &'static [&'static str],
}

/// A row with this `operationId` and one line of description, which answers 204 unless more is said.
pub const fn operation(method: &'static str, path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        request: Content::Empty,
        status: "204",
        answer: Content::Empty,
        location: false,
        query: &[],
    }
}

impl Operation {
    /// The request carries this.
    pub const fn takes(mut self, request: Content) -> Self {
        self.request = request;
        self
    }
    /// 200 with this.
    pub const fn gives(mut self, answer: Content) -> Self {
        (self.status, self.answer) = ("200", answer);
        self
    }
    /// 201 with `Location` and this.
    pub const fn makes(mut self, answer: Content) -> Self {
        (self.status, self.answer, self.location) = ("201", answer, true);
        self
    }
    /// 202.
    pub const fn accepts(mut self) -> Self {
        self.status = "202";
        self
    }
    /// 202 with the `Location` of the operation occurrence.
    pub const fn starts(mut self) -> Self {
        (self.status, self.location) = ("202", true);
        self
    }

    /// The request can have these parameters in its query.
    pub const fn asking(mut self, query: &'static [&'static str]) -> Self {
        self.query = query;
        self
    }
    /// The answer carries this, too.
    pub const fn telling(mut self, answer: Content) -> Self {
        self.answer = answer;
        self
    }

    fn json(&self, query: &[&str], components: &mut Components) -> Value {
        let mut parameters = vec![json!({ "$ref": "#/components/parameters/Version" })];
        let paged = if self.answer.is_page() { query } else { &[] };
        parameters.extend(paged.iter().chain(self.query).map(|name| {
            let schema = json!({ "type": "string" });
            json!({ "name": name, "in": "query", "required": false, "schema": schema })
        }));
        let mut answer = json!({ "description": self.description() });
        if let Some(media) = self.answer.media(components) {
            answer["content"] = media;
        }
        let mut headers = Map::new();
        let text = json!({ "schema": { "type": "string" } });
        if self.location {
            headers.insert("Location".into(), text.clone());
        }
        if self.answer.is_page() {
            headers.insert("Link".into(), text);
        }
        if !headers.is_empty() {
            answer["headers"] = headers.into();
        }
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "parameters": parameters,
            "responses": { self.status: answer, "default": { "$ref": "#/components/responses/Problem" } },
        });
        if let Some(media) = self.request.media(components) {
            operation["requestBody"] = json!({ "required": true, "content": media });
        }
        operation
    }

    fn description(&self) -> &'static str {
        match (self.status, self.location) {
            ("200", _) => "Done.",
            ("201", _) => "Made; it is found at Location.",
            ("202", true) => "Begun; the operation occurrence is found at Location.",
            ("202", false) => "Accepted.",
            _ => "Done; there is nothing to say.",
        }
    }

    /// The names between braces in the path.
    fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// What is said of one API.
#[derive(Clone)]
pub struct Document {
    /// Which.
    pub api: Api,
    /// One line.
    pub title: &'static str,
    /// What is offered, and what is not.
    pub description: &'static str,
    /// Query parameters that its paged lists take.
    pub query: &'static [&'static str],
    /// All of them.
    pub operations: &'static [Operation],
}

#[derive(Default)]
struct Components {
    schemas: Map<String, Value>,
    /// Names that two different types have.
    clashes: Vec<String>,
}

impl Components {
    fn add(&mut self, name: String, schema: Value) {
        if self.schemas.get(&name).is_some_and(|known| *known != schema) {
            self.clashes.push(name);
        } else {
            self.schemas.insert(name, schema);
        }
    }
}

impl Document {
    /// `nslcm-v2`
    pub fn name(&self) -> String {
        format!("{}-{}", self.api.name, self.api.major)
    }

    /// The document.
    pub fn json(&self) -> Value {
        self.build().0
    }

    /// Names that two different types have: in a document they would be one.
    pub fn clashes(&self) -> Vec<String> {
        self.build().1
    }

    fn build(&self) -> (Value, Vec<String>) {
        let mut components = Components::default();
        let problem = Served::of::<ProblemDetails>().reference(&mut components);
        let link = json!({ "type": "object", "required": ["href"], "properties": { "href": { "type": "string", "format": "uri" } } });
        let links = json!({ "type": "object", "required": ["self"], "properties": { "self": link }, "additionalProperties": link });
        components.add("Links".into(), links);
        let mut paths = Map::new();
        for operation in self.operations {
            let described = operation.json(self.query, &mut components);
            let item = paths.entry(operation.path).or_insert_with(|| json!({}));
            let names: Vec<_> = operation.path_parameters().map(path_parameter).collect();
            if !names.is_empty() {
                item["parameters"] = names.into();
            }
            item[operation.method] = described;
        }
        let scope = format!("{}:{}:all", self.api.name, self.api.major);
        let flow = json!({ "tokenUrl": TOKEN_PATH, "scopes": { &scope: "Everything that the client's role may do." } });
        let version = json!({
            "name": "Version", "in": "header", "required": true,
            "description": "The version of the API that the request speaks (GS NFV-SOL 013 9.2).",
            "schema": { "type": "string", "enum": self.api.versions },
        });
        let document = json!({
            "openapi": "3.1.0",
            "info": { "title": self.title, "version": self.api.preferred(), "description": self.description },
            "servers": [{ "url": format!("/{}/{}", self.api.name, self.api.major) }],
            "security": [{ "oauth2": [scope] }],
            "paths": paths,
            "components": {
                "schemas": components.schemas,
                "parameters": { "Version": version },
                "responses": { "Problem": {
                    "description": "Not done; says why, and what can be done about it.",
                    "content": { PROBLEM_JSON: { "schema": problem } },
                } },
                "securitySchemes": { "oauth2": { "type": "oauth2", "flows": { "clientCredentials": flow } } },
            },
        });
        (document, components.clashes)
    }
}

fn path_parameter(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
}
