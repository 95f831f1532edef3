//! SOL006: the YANG form of VNFDs and NSDs.
pub(crate) mod vnfd;
