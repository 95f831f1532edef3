//! The demo's packages, carried in the program, so that it runs without a checkout. They are the ones of `examples/demo`.

use std::path::{Path, PathBuf};

/// The lab.
pub const LAB: &str = include_str!("../../../nfvi/lab/labs/two-sites.toml");

macro_rules! package {
    ($folder:literal: $($file:literal),+) => {
        ($folder, &[$(($file, include_str!(concat!("../../../examples/demo/", $folder, "/Definitions/", $file)))),+])
    };
}

type Files = &'static [(&'static str, &'static str)];

const FIRST: &[(&str, Files)] = &[
    package!("gateway": "gateway.yaml", "gateway_types.yaml"),
    package!("service": "service.yaml", "service_types.yaml"),
    package!("pnf": "meter.yaml"),
    package!("ns": "two_site.yaml", "gateway_types.yaml", "service_types.yaml"),
];

const SECOND: &[(&str, Files)] = &[
    package!("tenant-b/vnf": "probe.yaml"),
    package!("tenant-b/ns": "neighbour.yaml"),
];

/// Writes the packages' folders below `scratch`; answers with the first tenant's and the second's, in the order of on-boarding.
pub fn write(scratch: &Path) -> std::io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let write_all = |packages: &[(&str, Files)]| -> std::io::Result<Vec<PathBuf>> {
        packages
            .iter()
            .map(|(folder, files)| {
                let place = scratch.join(folder);
                std::fs::create_dir_all(place.join("Definitions"))?;
                for (name, text) in *files {
                    std::fs::write(place.join("Definitions").join(name), text)?;
                }
                Ok(place)
            })
            .collect()
    };
    Ok((write_all(FIRST)?, write_all(SECOND)?))
}
