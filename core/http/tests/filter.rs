//! Laws of the attribute filter (GS NFV-SOL 013 5.2).
#![allow(clippy::unwrap_used)]

use manifold_http::query::filter::{Comparison, FILTER_BYTES_MAX, Filter, Operator};
use proptest::prelude::*;
use serde_json::{Value, json};

fn holds(filter: &str, object: &Value) -> bool {
    Filter::parse(filter)
        .unwrap_or_else(|error| panic!("{filter}: {error}"))
        .matches(object)
}

fn instance() -> Value {
    json!({
        "id": "i-1",
        "instantiationState": "INSTANTIATED",
        "vnfProductName": "a,b)'c",
        "size": 10,
        "ratio": 2.5,
        "enabled": true,
        "nothing": null,
        "at": "2026-01-02T03:04:05Z",
        "tags": ["red", "blue"],
        "vnfc": [
            {"id": "c1", "cps": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]},
            {"id": "c2", "cps": [{"ip": "10.0.1.1"}]}
        ],
        "metadata": {"tenant": "t1", "colour": "red"},
        "vims": {"v1": {"zone": "z1"}, "v2": {"zone": "z2"}}
    })
}

#[test]
fn every_operator_does_what_its_name_says() {
    let object = instance();
    for yes in [
        "(eq,instantiationState,INSTANTIATED)",
        "(neq,instantiationState,NOT_INSTANTIATED)",
        "(in,instantiationState,A,INSTANTIATED)",
        "(nin,instantiationState,A,B)",
        "(gt,size,9)",
        "(gte,size,10)",
        "(lt,size,9999999999999999999999)",
        "(lte,size,10.0)",
        "(eq,ratio,2.50)",
        "(gt,at,2026-01-01T00:00:00Z)",
        "(cont,id,x,-1)",
        "(ncont,id,x,y)",
        "(eq,enabled,true)",
        "(eq,vnfProductName,'a,b)''c')",
        "(eq,tags,blue)",
        "(eq,vnfc/cps/ip,10.0.1.1)",
        "(eq,metadata/tenant,t1)",
        "(eq,metadata/@key,colour)",
        "(eq,vims/@key/zone,z2)",
        "(eq,id,i-1);(gt,size,1)",
    ] {
        assert!(holds(yes, &object), "{yes}");
    }
    for no in [
        "(eq,instantiationState,instantiated)",
        "(gt,size,10)",
        "(gt,size,abc)",
        "(eq,absent,x)",
        "(neq,absent,x)",
        "(nin,absent,x)",
        "(ncont,absent,x)",
        "(eq,nothing,null)",
        "(eq,metadata,t1)",
        "(eq,metadata/@key,blue)",
        "(eq,vims/@key/zone,z3)",
        "(cont,id,z)",
        "(eq,id,i-1);(gt,size,10)",
    ] {
        assert!(!holds(no, &object), "{no}");
    }
}

#[test]
fn what_the_grammar_does_not_allow_is_refused_with_its_place() {
    for (bad, at) in [
        ("", 0),
        ("eq,a,b", 0),
        ("(eq,a,b", 7),
        ("(eq,a)", 5),
        ("(eq,,b)", 4),
        ("(eq,a,)", 6),
        ("(like,a,b)", 1),
        ("(eq,a,b,c)", 7),
        ("(eq,a/,b)", 6),
        ("(eq,a,b);", 9),
        ("(eq,a,b)(eq,c,d)", 8),
        ("(eq,a,'b)", 9),
        ("(eq,a,b'c)", 7),
        ("(in,a,b,)", 8),
    ] {
        let error = Filter::parse(bad).unwrap_err();
        assert_eq!(error.at, at, "{bad}: {error}");
    }
    let long = format!("(eq,a,{})", "x".repeat(FILTER_BYTES_MAX));
    assert!(Filter::parse(&long).unwrap_err().what.contains("longer"));
}

fn operator() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::Eq,
        Operator::Neq,
        Operator::Gt,
        Operator::Lt,
        Operator::Gte,
        Operator::Lte,
        Operator::In,
        Operator::Nin,
        Operator::Cont,
        Operator::Ncont,
    ])
}

fn comparison() -> impl Strategy<Value = Comparison> {
    (
        operator(),
        prop::collection::vec("[a-zA-Z@][a-zA-Z0-9_.:-]{0,8}", 1..4),
        prop::collection::vec(any::<String>(), 1..4),
    )
        .prop_map(|(operator, path, mut values)| {
            if !operator.multi() {
                values.truncate(1);
            }
            Comparison { operator, path, values }
        })
}

proptest! {
    #[test]
    fn print_then_parse_is_the_same_filter(comparisons in prop::collection::vec(comparison(), 1..4)) {
        let filter = Filter { comparisons };
        let text = filter.to_string();
        prop_assume!(text.len() <= FILTER_BYTES_MAX);
        prop_assert_eq!(Filter::parse(&text).unwrap(), filter);
    }

    #[test]
    fn no_text_makes_the_parser_panic_and_what_it_reads_it_prints_alike(text in "[(),;'/a-c@eqin ]{0,40}") {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter);
        }
    }

    #[test]
    fn positive_and_negative_operators_exclude_each_other_on_a_simple_attribute(value in any::<String>(), wanted in any::<String>()) {
        let object = json!({"a": value});
        let of = |operator| Filter { comparisons: vec![Comparison { operator, path: vec!["a".into()], values: vec![wanted.clone()] }] }.matches(&object);
        prop_assert_ne!(of(Operator::Eq), of(Operator::Neq));
        prop_assert_ne!(of(Operator::In), of(Operator::Nin));
        prop_assert_ne!(of(Operator::Cont), of(Operator::Ncont));
        prop_assert_ne!(of(Operator::Gt), of(Operator::Lte));
        prop_assert_ne!(of(Operator::Lt), of(Operator::Gte));
    }
}
