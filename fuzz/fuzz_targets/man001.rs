//! Descriptors of MAN 001 of any bytes, parted by a line of `===`. Seeds: `languages/descriptors/tests/fixtures/man001`.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use manifold_descriptors::man001::read_set;

/// A long input finds nothing that a short one does not, and takes longer.
const BYTES_MAX: usize = 8_192;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(BYTES_MAX)]);
    let files: BTreeMap<String, Vec<u8>> = text
        .split("\n===\n")
        .enumerate()
        .map(|(at, text)| (format!("{at}.yaml"), text.as_bytes().to_vec()))
        .collect();
    if let Ok(set) = read_set(&files) {
        assert!(!set.warnings.has_errors());
        for end in set.nsd.vnf_profiles.iter().flat_map(|profile| &profile.connectivity) {
            assert!(set.nsd.virtual_link(&end.virtual_link).is_some(), "{end:?}");
        }
    }
});
