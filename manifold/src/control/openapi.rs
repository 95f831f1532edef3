//! OpenAPI documents of every API: those of the bindings, and of our own two. Served without a token at
//! `/openapi/{api}-{major}.json`; `docs/openapi` holds the same.

use super::api::{ConsoleAnswer, LAB, LabShown, LabText, ProbeRequest, TRACE};
use axum::Router;
use axum::http::header;
use axum::routing::get;
use manifold_call::TraceRecord;
use manifold_http::openapi::{Content, Document, Operation, operation};
use manifold_nfvi_interface::{ProbeSeen, Seen};

const LAB_V1: &[Operation] = &[
    operation("get", "/lab", "showLab", "The lab that there is.").gives(Content::json::<LabShown>()),
    operation("put", "/lab", "createLab", "Makes the lab of a file, or mends it.")
        .takes(Content::json::<LabText>())
        .gives(Content::json::<LabShown>()),
    operation(
        "delete",
        "/lab",
        "destroyLab",
        "Takes the lab away, once no network service stands on it.",
    ),
    operation(
        "post",
        "/probes",
        "probe",
        "Sends packets from somewhere and tells what came back.",
    )
    .takes(Content::json::<ProbeRequest>())
    .gives(Content::json::<ProbeSeen>()),
    operation("get", "/objects", "listObjects", "Every object that the agent has.").gives(Content::list::<Seen>()),
    operation(
        "get",
        "/machines/{id}/console",
        "readConsole",
        "The end of a machine's console log.",
    )
    .gives(Content::json::<ConsoleAnswer>()),
];

const TRACE_V1: &[Operation] = &[operation(
    "get",
    "/operations/{id}",
    "traceOperation",
    "The calls over reference points of an operation and of all that it set off, in the order of their beginnings.",
)
.gives(Content::list::<TraceRecord>())];

/// Of every API of the program.
pub fn documents() -> Vec<Document> {
    let mut all = manifold_wire_sol005::openapi::documents().to_vec();
    all.push(manifold_wire_vim::openapi::document());
    all.push(Document {
        api: LAB,
        title: "The embedded infrastructure",
        description: "For its operator: roles OSS and LAB. Not ETSI's; in the style of GS NFV-SOL 015.",
        query: &[],
        operations: LAB_V1,
    });
    all.push(Document {
        api: TRACE,
        title: "The reference-point trace",
        description: "Who called whom during an operation: roles OSS and LAB. Not ETSI's; in the style of GS NFV-SOL 015.",
        query: &[],
        operations: TRACE_V1,
    });
    all
}

/// As it is served and kept.
pub fn text(document: &Document) -> String {
    format!("{:#}\n", document.json())
}

/// One route for each document. They hold nothing but what this program's source says.
pub fn routes() -> Router {
    documents().iter().fold(Router::new(), |router, document| {
        let text = text(document);
        router.route(
            &format!("/openapi/{}.json", document.name()),
            get(async move || ([(header::CONTENT_TYPE, "application/json")], text)),
        )
    })
}
