//! What the codes of faults mean.

use crate::client::print;
use anyhow::bail;
use manifold_nemo::explain::{all, explain};

pub fn run(code: Option<&str>, json: bool) -> anyhow::Result<()> {
    let Some(code) = code else {
        let list: Vec<_> = all().collect();
        if json {
            let list: Vec<_> = list
                .iter()
                .map(|one| serde_json::json!({"code": one.code, "title": one.title}))
                .collect();
            return print::value(&list);
        }
        list.iter().for_each(|one| println!("{:20} {}", one.code.0, one.title));
        return Ok(());
    };
    let Some(found) = explain(code) else {
        match nearest(code) {
            Some(meant) => bail!("there is no code {code:?}; {meant} is the nearest one"),
            None => bail!("there is no code {code:?}; `manifold nemo explain` lists those that there are"),
        }
    };
    if json {
        return print::value(&serde_json::json!({
            "code": found.code, "title": found.title, "text": found.text, "bad": found.bad, "good": found.good,
        }));
    }
    println!("{}: {}\n\n{}", found.code, found.title, found.text);
    for (what, example) in [("A script that has it", found.bad), ("The same, mended", found.good)] {
        if !example.is_empty() {
            println!("\n{what}:\n");
            example.lines().for_each(|line| println!("    {line}"));
        }
    }
    Ok(())
}

/// The code with the fewest letters to change, if a third of them or fewer are wrong.
fn nearest(written: &str) -> Option<&'static str> {
    let written = written.to_ascii_uppercase();
    let allowed = (written.len() / 3).max(1);
    all()
        .map(|one| (distance(written.as_bytes(), one.code.0.as_bytes()), one.code.0))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, code)| code)
}

/// Letters to insert, to remove or to replace. What is written is bounded by the command line, codes are short.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_code_with_a_slip_is_found_and_nonsense_is_not() {
        assert_eq!(nearest("e-semmi"), Some("E-SEMI"));
        assert_eq!(nearest("quite something else"), None);
    }
}
