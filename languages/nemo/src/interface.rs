//! What `at VNFD:<iface>` names.
//!
//! In this order: the external name, exactly; the name inside a VNFC, where one interface alone has it; `VNFC/iface` or
//! `iface.VNFC`, the VNFC in any case. Several that fit are an ambiguity, and never a guess.

use crate::leaf::{Interface, Leaf};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// By its external name, or with its VNFC: an index in [`Leaf::interfaces`].
    Named(usize),
    /// By the name that it has inside its VNFC.
    Local(usize),
    /// Several fit.
    Several(Vec<usize>),
    /// None fits.
    None,
}

/// Looks an interface up.
pub(crate) fn find(leaf: &Leaf, name: &str) -> Found {
    let all = |fits: &dyn Fn(&Interface) -> bool| -> Vec<usize> {
        let numbered = leaf.interfaces.iter().enumerate();
        numbered
            .filter(|(_, interface)| fits(interface))
            .map(|(at, _)| at)
            .collect()
    };
    let one = |found: Vec<usize>, named: fn(usize) -> Found| match found.as_slice() {
        [] => None,
        [one] => Some(named(*one)),
        _ => Some(Found::Several(found)),
    };
    let has_local = |interface: &Interface, name: &str| interface.local_name.as_deref() == Some(name);
    if let Some(found) = one(all(&|interface| interface.name == name), Found::Named) {
        return found;
    }
    if let Some(found) = one(all(&|interface| has_local(interface, name)), Found::Local) {
        return found;
    }
    let parted = name
        .split_once('/')
        .or_else(|| name.split_once('.').map(|(interface, vnfc)| (vnfc, interface)));
    let Some((vnfc, inner)) = parted else {
        return Found::None;
    };
    let of_vnfc = |interface: &Interface| {
        interface
            .vnfc
            .as_deref()
            .is_some_and(|has| has.eq_ignore_ascii_case(vnfc))
    };
    let found = all(&|interface| of_vnfc(interface) && (has_local(interface, inner) || interface.name == inner));
    one(found, Found::Named).unwrap_or(Found::None)
}

/// How one among several is told apart: `VNFC/iface`.
pub(crate) fn told_apart(interface: &Interface) -> String {
    match (&interface.vnfc, &interface.local_name) {
        (Some(vnfc), Some(local)) => format!("{vnfc}/{local}"),
        (Some(vnfc), None) => format!("{vnfc}/{}", interface.name),
        (None, _) => interface.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::LeafFormat;

    fn leaf(interfaces: &[(&str, &str, &str)]) -> Leaf {
        let interface = |(name, vnfc, local): &(&str, &str, &str)| Interface {
            name: (*name).to_owned(),
            vnfc: Some((*vnfc).to_owned()),
            local_name: Some((*local).to_owned()),
            role: String::new(),
            ext_cpd: (*name).to_owned(),
            line: 0,
            column: 0,
            end_column: 0,
            text: String::new(),
        };
        Leaf {
            uri: String::new(),
            digest: String::new(),
            format: LeafFormat::OpenMano,
            file: String::new(),
            name: String::new(),
            interfaces: interfaces.iter().map(interface).collect(),
            vnfd: manifold_descriptors::Vnfd::default(),
        }
    }

    #[test]
    fn the_external_name_goes_before_the_inner_one() {
        // `eth0` is the outer name of one and the inner name of the other.
        let leaf = leaf(&[("mgmt", "vm1", "eth0"), ("eth0", "vm1", "eth1")]);
        assert_eq!(find(&leaf, "eth0"), Found::Named(1));
        assert_eq!(find(&leaf, "eth1"), Found::Local(1));
        assert_eq!(find(&leaf, "eth2"), Found::None);
    }

    #[test]
    fn an_inner_name_that_two_machines_have_is_ambiguous_until_the_machine_is_said() {
        let leaf = leaf(&[("in", "VNF_2vms-VM1", "xe1"), ("out", "VNF_2vms-VM2", "xe1")]);
        assert_eq!(find(&leaf, "xe1"), Found::Several(vec![0, 1]));
        assert_eq!(find(&leaf, "xe1.vnf_2vms-vm1"), Found::Named(0));
        assert_eq!(find(&leaf, "vnf_2vms-vm2/xe1"), Found::Named(1));
        assert_eq!(find(&leaf, "xe1.vnf_2vms-vm3"), Found::None);
        assert_eq!(told_apart(&leaf.interfaces[1]), "VNF_2vms-VM2/xe1");
    }

    #[test]
    fn names_of_interfaces_are_exact_and_only_the_machine_is_not() {
        let leaf = leaf(&[("in", "vm", "xe1")]);
        assert_eq!(find(&leaf, "XE1"), Found::None);
        assert_eq!(find(&leaf, "XE1.vm"), Found::None);
        assert_eq!(find(&leaf, "xe1.VM"), Found::Named(0));
    }
}
