//! Who may call what: the rows of GS NFV 006 5.1 and 5.4, as data. What no row allows is refused.

use crate::Role;

/// One reference point's grant: `consumer` may call `operations` of `interface`, which `producer` offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name in GS NFV 006 5.4; for the functions of 5.5, which have service interfaces only, `consumer–producer`.
    pub reference_point: &'static str,
    /// Who asks.
    pub consumer: Role,
    /// Who answers.
    pub producer: Role,
    /// An interface's trait name; `*` for all of the producer's.
    pub interface: &'static str,
    /// Operation names; `["*"]` for all of the interface's.
    pub operations: &'static [&'static str],
}

/// A set of rows.
#[derive(Debug, Clone)]
pub struct Policy {
    rows: Vec<Row>,
}

const ALL: &[&str] = &["*"];

const fn row(
    reference_point: &'static str,
    consumer: Role,
    producer: Role,
    interface: &'static str,
    operations: &'static [&'static str],
) -> Row {
    Row {
        reference_point,
        consumer,
        producer,
        interface,
        operations,
    }
}

impl Policy {
    /// GS NFV 006: 5.4.2 Os-Ma-nfvo, 5.4.3 Or-Vnfm (both directions), 5.4.5 Or-Vi, 5.4.6 Vi-Vnfm, 5.4.7 Nf-Vi, 5.4.8 Or-Wi, and
    /// 5.1 for the CCM's and the CISM's use of the VIM.
    pub fn etsi() -> Self {
        use Role::{Ccm, Cism, Lab, Nfvi, Nfvo, Oss, Vim, Vnfm, Wim};
        Self {
            rows: vec![
                row("Os-Ma-nfvo", Oss, Nfvo, "NsdManagement", ALL),
                row("Os-Ma-nfvo", Oss, Nfvo, "PnfdManagement", ALL),
                row("Os-Ma-nfvo", Oss, Nfvo, "VnfPackageManagement", ALL),
                row("Os-Ma-nfvo", Oss, Nfvo, "NsLifecycleManagement", ALL),
                // Ours, at the same reference point: a script is what an OSS writes.
                row("Os-Ma-nfvo", Oss, Nfvo, "ServiceScripts", ALL),
                row("Or-Vnfm", Nfvo, Vnfm, "*", ALL),
                row("Or-Vnfm", Vnfm, Nfvo, "VnfLifecycleOperationGranting", ALL),
                row(
                    "Or-Vnfm",
                    Vnfm,
                    Nfvo,
                    "VnfPackageManagement",
                    &["query", "find", "vnfd"],
                ),
                row("Or-Vi", Nfvo, Vim, "*", ALL),
                row("Vi-Vnfm", Vnfm, Vim, "VirtualisedCompute", ALL),
                row("Vi-Vnfm", Vnfm, Vim, "VirtualisedNetworks", ALL),
                row("Vi-Vnfm", Vnfm, Vim, "ComputeFlavours", &["query"]),
                row("Vi-Vnfm", Vnfm, Vim, "SoftwareImages", &["query"]),
                row("CCM–VIM", Ccm, Vim, "VirtualisedCompute", ALL),
                row("CCM–VIM", Ccm, Vim, "VirtualisedNetworks", ALL),
                row("CCM–VIM", Ccm, Vim, "ComputeFlavours", ALL),
                row("CCM–VIM", Ccm, Vim, "SoftwareImages", &["query"]),
                row("CCM–VIM", Ccm, Vim, "Topology", ALL),
                row("CISM–VIM", Cism, Vim, "VirtualisedNetworks", ALL),
                row("Or-Wi", Nfvo, Wim, "*", ALL),
                row("Nf-Vi", Vim, Nfvi, "Infrastructure", ALL),
                // The WAN and its gateways are NFVI too (GS NFV 006 5.2 NOTE 2); the WIM reaches them as the VIM does its part.
                row("Nf-Wi", Wim, Nfvi, "Infrastructure", ALL),
                row("Nf-Lab", Lab, Nfvi, "*", ALL),
            ],
        }
    }

    /// Nothing is allowed.
    pub fn empty() -> Self {
        Self { rows: Vec::new() }
    }

    /// The same, and this as well.
    pub fn with(mut self, row: Row) -> Self {
        self.rows.push(row);
        self
    }

    /// The row that allows the call, if one does.
    pub fn row(&self, consumer: Role, producer: Role, interface: &str, operation: &str) -> Option<&Row> {
        self.rows.iter().find(|row| {
            row.consumer == consumer
                && row.producer == producer
                && (row.interface == "*" || row.interface == interface)
                && row
                    .operations
                    .iter()
                    .any(|allowed| *allowed == "*" || *allowed == operation)
        })
    }

    /// All rows, for the printed matrix.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}
