use crate::{
    ComputeFlavours, NetworkForwardingPaths, SoftwareImages, Topology, TrafficRules, VirtualisedCompute,
    VirtualisedNetworks,
};
use std::sync::Arc;

/// One VIM's interfaces, bound to the role of whoever was given this.
#[derive(Clone)]
pub struct VimHandle {
    /// The VIM's identifier: what `vimId` and `vimConnectionId` say.
    pub id: String,
    /// See [`VirtualisedCompute`].
    pub compute: Arc<dyn VirtualisedCompute>,
    /// See [`VirtualisedNetworks`].
    pub networks: Arc<dyn VirtualisedNetworks>,
    /// See [`NetworkForwardingPaths`].
    pub paths: Arc<dyn NetworkForwardingPaths>,
    /// See [`TrafficRules`].
    pub traffic: Arc<dyn TrafficRules>,
    /// See [`ComputeFlavours`].
    pub flavours: Arc<dyn ComputeFlavours>,
    /// See [`SoftwareImages`].
    pub images: Arc<dyn SoftwareImages>,
    /// See [`Topology`].
    pub topology: Arc<dyn Topology>,
}

/// The VIMs that a consumer may use. Composition keeps it; VIMs come and go while the program runs.
pub trait VimDirectory: Send + Sync + 'static {
    /// The VIM with this identifier.
    fn find(&self, id: &str) -> Option<VimHandle>;
    /// All of them, sorted by identifier.
    fn all(&self) -> Vec<VimHandle>;
}
