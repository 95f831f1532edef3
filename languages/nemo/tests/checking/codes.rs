//! Every code has an example that has it and one that has not, and every fix for machines mends what it says.

use crate::world::{Catalogue, checked, codes, told};
use manifold_nemo::check::Options;
use manifold_nemo::explain;
use manifold_nemo::fix::{all_diagnostics, fix};
use manifold_nemo_syntax::diagnostic::Severity;

/// Those that come with the service, and not with the check.
fn codes_of_service(text: &str) -> Vec<&'static str> {
    match checked(text).service() {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|found| found.code.0).collect(),
    }
}

#[test]
fn the_bad_example_of_every_code_has_it_and_the_good_one_has_not() {
    for explanation in explain::own() {
        let code = explanation.code.0;
        if explanation.bad.is_empty() {
            // What is a matter of size is tried where sizes are.
            assert_eq!(code, "E-LIMIT");
            continue;
        }
        let found = match code {
            "E-ROOT" => codes_of_service,
            _ => codes,
        };
        assert!(
            found(explanation.bad).contains(&code),
            "{code}: {:?}\n{}",
            found(explanation.bad),
            explanation.bad
        );
        assert!(!found(explanation.good).contains(&code), "{code} in its good example");
        let errors: Vec<_> = told(explanation.good)
            .into_iter()
            .filter(|found| found.severity == Severity::Error)
            .collect();
        assert!(errors.is_empty(), "the good example of {code} has errors: {errors:#?}");
    }
}

#[test]
fn a_bad_example_has_no_other_error() {
    for explanation in explain::own() {
        let others: Vec<_> = told(explanation.bad)
            .into_iter()
            .filter(|found| found.severity == Severity::Error && found.code != explanation.code)
            .collect();
        assert!(others.is_empty(), "{}: {others:#?}", explanation.code);
    }
}

#[test]
fn what_a_machine_may_mend_is_gone_when_it_has() {
    let mut mended = Vec::new();
    for explanation in explain::own() {
        let before = told(explanation.bad);
        let is_mendable = |found: &&manifold_nemo_syntax::diagnostic::Diagnostic| {
            found.code == explanation.code && found.fix.as_ref().is_some_and(|fix| fix.is_machine_applicable)
        };
        if !before.iter().any(|found| is_mendable(&found)) {
            continue;
        }
        let fixed = fix(&[explanation.bad], &Catalogue::new(), &Options::default());
        let after = all_diagnostics(&fixed.texts, &Catalogue::new(), &Options::default());
        let left: Vec<_> = after
            .iter()
            .filter(|found| found.severity == Severity::Error || found.code == explanation.code)
            .collect();
        assert!(left.is_empty(), "{}: {left:#?}\n{}", explanation.code, fixed.texts[0]);
        mended.push(explanation.code.0);
    }
    mended.sort_unstable();
    assert_eq!(mended, ["E-POINT-AT", "L-IFACE-LOCAL", "L-UNIT"]);
}

#[test]
fn the_other_fixes_for_machines_mend_too() {
    let flow = "CREATE Flow f Match dstport: 80;\n";
    let fw = crate::world::FW;
    for (bad, good) in [
        (
            format!("{flow}CREATE Operation o Target f Action block: now;\n"),
            format!("{flow}CREATE Operation o Target f Action block;\n"),
        ),
        (
            "CREATE NodeModel m Property integer: n VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node x Type m Property n: \"5\";\n".to_owned(),
            "CREATE NodeModel m Property integer: n VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:in;\n\nCREATE Node x Type m Property n: 5;\n".to_owned(),
        ),
        (
            format!("{fw}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes x:a, y:a Property bandwidth: 5;\n"),
            format!("{fw}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Connection c Endnodes x:a, y:a Property bandwidth: 5(mbps);\n"),
        ),
    ] {
        let fixed = fix(&[&bad], &Catalogue::new(), &Options::default());
        assert_eq!(fixed.texts[0], good);
        assert_eq!(fixed.applied, 1);
    }
}

#[test]
fn what_needs_a_person_stays_as_it_is() {
    let text = "CREATE NodeModel fw VNFD catalog:firewall;\n  ConnectionPoint a at VNFD:ge0;\n";
    let fixed = fix(&[text], &Catalogue::new(), &Options::default());
    assert_eq!((fixed.applied, fixed.texts[0].as_str()), (0, text));
}
