//! A scenario of OpenMANO of any bytes. Seeds: `languages/descriptors/tests/fixtures/openmano`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manifold_descriptors::openmano;

/// A long input finds nothing that a short one does not, and takes longer.
const BYTES_MAX: usize = 8_192;

fuzz_target!(|bytes: &[u8]| {
    let bytes = &bytes[..bytes.len().min(BYTES_MAX)];
    if let Ok((nsd, warnings)) = openmano::read_scenario("s.yaml", bytes) {
        assert!(!warnings.has_errors());
        for end in nsd.vnf_profiles.iter().flat_map(|profile| &profile.connectivity) {
            assert!(nsd.virtual_link(&end.virtual_link).is_some(), "{end:?}");
        }
    }
});
