//! Texts by chance.

use proptest::prelude::*;

/// Words and signs of the language, and some that are none.
const WORDS: &[&str] = &[
    "CREATE",
    "create",
    "IMPORT",
    "UPDATE",
    "DELETE",
    "Query",
    "Transaction",
    "Begin",
    "Commit",
    "Withdraw",
    "Engines",
    "Notification",
    "On",
    "Every",
    "Connect",
    "NodeModel",
    "ActionModel",
    "Node",
    "node",
    "Connection",
    "Link",
    "Flow",
    "Operation",
    "Policy",
    "ConnectionPoint",
    "Type",
    "Contain",
    "Property",
    "Endnodes",
    "Match",
    "Target",
    "Priority",
    "Condition",
    "Action",
    "VNFD",
    "vnfd",
    "Digest",
    "at",
    "From",
    "string",
    "integer",
    "range",
    "UUID",
    "a",
    "b1",
    "input",
    "x.y",
    "VNFC/eth0",
    "p2p",
    "12",
    "99999999999999999999",
    "10.0.0.1",
    "10.0.0.0/8",
    "300.1.1.1",
    "fe80::1",
    "a::b",
    "02:00:00:00:00:01",
    "2026-01-31",
    "08:00:00",
    "2026-01-31,08:00:00",
    "\"text\"",
    "\"open",
    "https://a.example/b",
    "/more/of.it",
    "<https://a.example/b>",
    "<name>",
    "catalog:m",
    "file:x",
    "urn:a:b",
    "sha256:00ff",
    ":",
    ":",
    ";",
    ";",
    ";",
    ",",
    ",",
    ".",
    "...",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "*",
    "&&",
    "||",
    "&",
    "|",
    "!",
    "-",
    "é",
    "// comment\n",
    "# comment\n",
    "/* comment */",
    "/*",
    "\n",
    "\n",
    "\n  ",
    "\t",
    "\r\n",
];

/// Words of the language in any order.
pub(crate) fn soup() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS);
    let blank = prop::sample::select(&["", " ", " ", " ", "\n"][..]);
    prop::collection::vec((word, blank), 0..60)
        .prop_map(|words| words.into_iter().flat_map(|(word, blank)| [word, blank]).collect())
}

/// Where, how much, and what instead.
pub(crate) fn edits() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    let new = prop_oneof![
        3 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => Just(String::new()),
        1 => "[a-z;:,. \n]{1,3}",
        1 => scripts(),
    ];
    let length = prop_oneof![4 => 0..4_usize, 1 => 0..60_usize];
    prop::collection::vec((any::<u16>().prop_map(usize::from), length, new), 1..6)
}

/// Scripts that are right.
pub(crate) fn scripts() -> impl Strategy<Value = String> {
    prop::collection::vec((gap(), statement()), 0..6).prop_map(|parts| {
        let mut text: String = parts
            .into_iter()
            .flat_map(|(gap, statement)| [gap, statement])
            .collect();
        text.push('\n');
        text
    })
}

fn gap() -> impl Strategy<Value = String> {
    prop::sample::select(&["", "\n", "\n\n\n", "// why\n", "# why\n\n", "/* why\n   not */ "][..])
        .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    let plain = "[a-z][a-z0-9_]{0,6}(-[a-z0-9]{1,3})?".prop_filter("a keyword", |name| {
        manifold_nemo_syntax::keyword::Keyword::of(name).is_none()
    });
    prop_oneof![6 => plain, 1 => prop::sample::select(&["input", "output", "qos", "middle"][..]).prop_map(str::to_owned)]
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..3).prop_flat_map(|names| prop_oneof![Just(names.join(":")), Just(names.join("."))])
}

fn scalar() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(
        &[
            "10.0.0.1",
            "10.0.0.0/8",
            "fe80::1",
            "02:00:00:00:00:01",
            "2026-01-31",
            "08:00:00",
            "\"a b\"",
            "openflow:4:2",
            "25%",
        ][..],
    );
    prop_oneof![
        name(),
        (0..100_000_i64).prop_map(|number| number.to_string()),
        fixed.prop_map(str::to_owned)
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => scalar(),
        1 => (scalar(), "[kmg]bps").prop_map(|(value, unit)| format!("{value}({unit})")),
        1 => prop::collection::vec(scalar(), 1..4).prop_map(|values| format!("[{}]", values.join(", "))),
        1 => (0..9, 0..99).prop_map(|(from, to)| format!("({from}, {to})")),
    ]
}

fn several<S: Strategy<Value = String>>(item: impl Fn() -> S) -> impl Strategy<Value = String> {
    (prop::collection::vec(item(), 1..4), comma()).prop_map(|(items, comma)| items.join(comma))
}

fn comma() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&[",", ", ", " ,\n    ", ", // next\n"][..])
}

fn property() -> impl Strategy<Value = String> {
    (name(), prop::sample::select(&[":", ": ", " : "][..]), value())
        .prop_map(|(key, colon, value)| format!("{key}{colon}{value}"))
}

/// Some of the clauses, in any order.
fn clauses(clauses: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let count = clauses.len();
    (clauses, Just((0..count).collect::<Vec<_>>()).prop_shuffle(), 0..=count)
        .prop_map(|(texts, order, count)| {
            order
                .into_iter()
                .take(count)
                .map(|at| format!(" {}", texts[at]))
                .collect()
        })
        .boxed()
}

fn clause(keyword: &'static str, rest: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    rest.prop_map(move |rest| format!("{keyword} {rest}")).boxed()
}

fn condition() -> BoxedStrategy<String> {
    let term = (
        name(),
        prop::sample::select(&["==", "!=", ">", "<", ">=", "<=", "*"][..]),
        value(),
    );
    let term = term.prop_map(|(name, comparison, value)| format!("{name} {comparison} {value}"));
    let several = |inner: BoxedStrategy<String>, operator: &'static str| {
        prop::collection::vec(inner, 2..4).prop_map(move |parts| parts.join(operator))
    };
    let nested = move |inner: BoxedStrategy<String>| {
        prop_oneof![
            several(inner.clone(), " && "),
            several(inner.clone(), "|"),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.prop_map(|inner| format!("!({inner})")),
        ]
        .boxed()
    };
    term.boxed()
        .prop_recursive(4, 12, 3, move |inner| nested(inner.boxed()))
        .boxed()
}

fn entity() -> BoxedStrategy<String> {
    let properties = || clause("Property", several(property));
    let node = clauses(vec![
        clause("Type", path()),
        clause("Contain", several(path)),
        properties(),
    ]);
    let ends = || clause("Endnodes", several(path));
    let shape = prop::sample::select(&["p2p", "p2mp", "mesh", "chain"][..]).prop_map(str::to_owned);
    let connection = clauses(vec![clause("Type", shape), ends(), properties()]);
    let flow = clauses(vec![clause("Match", several(property)), properties()]);
    let action = || prop_oneof![name(), property()];
    let operation = clauses(vec![
        clause("Target", path()),
        clause("Priority", (0..100_u32).prop_map(|number| number.to_string())),
        clause("Condition", condition()),
        clause("Action", several(action)),
    ]);
    let point = prop_oneof![
        Just(String::new()),
        name().prop_map(|interface| format!(" at VNFD:{interface}")),
        (name(), name()).prop_map(|(machine, interface)| format!(" at VNFD:{machine}/{interface}")),
    ];
    let one = |keyword: &'static str, rest: BoxedStrategy<String>| {
        (name(), rest)
            .prop_map(move |(name, rest)| format!("{keyword} {name}{rest};"))
            .boxed()
    };
    prop_oneof![
        one("Node", node),
        one("Connection", connection),
        one("Flow", flow),
        one("Operation", operation),
        one("ConnectionPoint", point.boxed()),
    ]
    .boxed()
}

fn model() -> BoxedStrategy<String> {
    let parameter = || {
        (prop::sample::select(&["string", "integer", "range"][..]), name())
            .prop_map(|(kind, name)| format!("{kind}: {name}"))
    };
    let address = prop::sample::select(
        &[
            "catalog:fw",
            "./fw.yaml",
            "https://a.example/fw.yaml#top",
            "<https://a.example/\n  fw.yaml>",
        ][..],
    );
    let header = clauses(vec![
        clause("Property", several(parameter)),
        clause("VNFD", address.prop_map(|address| address.to_owned())),
    ]);
    let member = || {
        (prop::sample::select(&["  ", "\n  ", "\n  // what\n    "][..]), entity())
            .prop_map(|(gap, entity)| format!("{gap}{entity}"))
    };
    let members = || prop::collection::vec(member(), 0..5).prop_map(|members| members.concat());
    let header = (name(), header)
        .prop_map(|(name, header)| format!("CREATE NodeModel {name}{header}"))
        .boxed();
    let open = (header.clone(), members()).prop_map(|(header, members)| format!("{header} ;{members}\n"));
    let braced = (header, members()).prop_map(|(header, members)| format!("{header} {{{members}\n}}\n"));
    prop_oneof![open, braced].boxed()
}

fn statement() -> BoxedStrategy<String> {
    let verb = prop::sample::select(&["CREATE", "IMPORT", "UPDATE"][..]);
    let kind = prop::sample::select(
        &[
            "Node",
            "Connection",
            "Flow",
            "Operation",
            "NodeModel",
            "TemplateInstance",
        ][..],
    );
    let fixed = &[
        "Transaction Begin;",
        "Transaction End;",
        "Commit;",
        "Withdraw;",
        "Query nodes;",
        "Query Property From a.b;",
    ][..];
    prop_oneof![
        4 => model(),
        3 => (verb, entity()).prop_map(|(verb, entity)| format!("{verb} {entity}\n")),
        1 => (kind, path()).prop_map(|(kind, path)| format!("DELETE {kind} {path};\n")),
        1 => prop::sample::select(fixed).prop_map(|text| format!("{text} // so\n")),
    ]
    .boxed()
}
