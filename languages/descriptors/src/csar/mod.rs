//! Packages: CSAR archives (SOL004 for VNFs, SOL007 for network services and PNFs).

pub(crate) mod hash;
