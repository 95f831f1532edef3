//! The name that was probably meant.

/// Most names that are looked through.
const CANDIDATES_MAX: usize = 2_000;
/// Longest name that is compared, in bytes.
const LENGTH_MAX: usize = 64;

/// The candidate that differs least from what was written, if any is near enough: a third of the letters may be wrong, one at least.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LENGTH_MAX {
        return None;
    }
    let written = written.to_ascii_lowercase();
    let allowed = (written.len() / 3).max(1);
    candidates
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len() <= LENGTH_MAX)
        .map(|candidate| {
            (
                distance(written.as_bytes(), candidate.to_ascii_lowercase().as_bytes()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, removals, replacements and swaps of neighbours that make one of the other.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_letter_in_a_short_name_is_forgiven_and_two_are_not() {
        assert_eq!(nearest("ge0", ["mgmt", "xe0", "xe1"]), Some("xe0"));
        assert_eq!(nearest("abc", ["xyc"]), None);
    }

    #[test]
    fn swapped_neighbours_count_once() {
        assert_eq!(distance(b"ids_1", b"ids1"), 1);
        assert_eq!(distance(b"noed", b"node"), 1);
        assert_eq!(distance(b"", b"node"), 4);
    }

    #[test]
    fn a_name_of_one_letter_is_near_to_no_other() {
        assert_eq!(nearest("b", ["a", "c"]), None);
    }

    #[test]
    fn among_equally_near_ones_the_answer_does_not_hang_on_their_order() {
        assert_eq!(nearest("xe9", ["xe2", "xe1"]), nearest("xe9", ["xe1", "xe2"]));
    }
}
