//! A VNF descriptor of any bytes and language, and what reads the same bytes otherwise. Seeds: `languages/descriptors/tests/fixtures`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manifold_descriptors::interfaces::read_leaf;
use manifold_descriptors::tosca_write;

/// A long input finds nothing that a short one does not, and takes longer.
const BYTES_MAX: usize = 8_192;

fuzz_target!(|bytes: &[u8]| {
    let bytes = &bytes[..bytes.len().min(BYTES_MAX)];
    if let Ok(read) = read_leaf("leaf.yaml", bytes) {
        assert!(!read.warnings.has_errors());
        let flavour = read.vnfd.flavours.first().expect("a descriptor without faults has a flavour");
        for interface in &read.interfaces {
            assert!(flavour.ext_cpds.iter().any(|cpd| cpd.id == interface.ext_cpd), "{interface:?}");
        }
        tosca_write::vnfd(&read.vnfd, "leaf");
    }
});
