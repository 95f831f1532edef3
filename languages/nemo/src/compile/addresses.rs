//! Subnets for nets that say none: 10.x.y.0/24 out of 10.128.0.0/9, no two alike.
//!
//! Which one a net gets follows from its name alone, as long as no other net wants the same: a net that is added to a script does
//! not move the addresses of those that run.

use super::CompileError;
use ipnet::{IpNet, Ipv4Net};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr};

const SLOTS: usize = 1 << 15;
const FIRST: u32 = 0x0a80_0000;

/// What is still free.
pub(crate) struct Pool {
    is_taken: Vec<bool>,
}

impl Pool {
    /// Without the networks that are said already.
    pub(crate) fn without<'a>(networks: impl IntoIterator<Item = &'a IpNet>) -> Self {
        let mut is_taken = vec![false; SLOTS];
        for network in networks {
            let (IpAddr::V4(from), IpAddr::V4(to)) = (network.network(), network.broadcast()) else {
                continue;
            };
            let (from, to) = (u32::from(from), u32::from(to));
            if to < FIRST || from >= FIRST + ((SLOTS as u32) << 8) {
                continue;
            }
            let slot = |address: u32| ((address.saturating_sub(FIRST) >> 8) as usize).min(SLOTS - 1);
            is_taken[slot(from)..=slot(to)].fill(true);
        }
        Self { is_taken }
    }

    /// One subnet for each name, in the order of the names given. The result depends on the set of names only.
    pub(crate) fn give(&mut self, names: &[String]) -> Result<Vec<IpNet>, CompileError> {
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|at| &names[*at]);
        let mut given = vec![IpNet::default(); names.len()];
        for at in order {
            let digest = Sha256::digest(names[at].as_bytes());
            let wished = usize::from(u16::from_be_bytes([digest[0], digest[1]])) % SLOTS;
            let slot = (0..SLOTS)
                .map(|step| (wished + step) % SLOTS)
                .find(|slot| !self.is_taken[*slot])
                .ok_or(CompileError::NoSubnetLeft)?;
            self.is_taken[slot] = true;
            let address = Ipv4Addr::from(FIRST + ((slot as u32) << 8));
            given[at] = IpNet::V4(Ipv4Net::new(address, 24).expect("24 is the length of a prefix"));
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_net_has_its_own_and_keeps_it() {
        let names: Vec<String> = (0..5_000).map(|number| format!("net{number}")).collect();
        let taken: Vec<IpNet> = vec!["10.128.0.0/10".parse().expect("it is a network")];
        let given = Pool::without(&taken).give(&names).expect("there are enough");
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), names.len());
        let all: IpNet = "10.128.0.0/9".parse().expect("it is a network");
        assert!(given.iter().all(|one| all.contains(one) && !taken[0].contains(one)));
        // The order does not matter.
        let turned: Vec<String> = names.iter().rev().cloned().collect();
        let again = Pool::without(&taken).give(&turned).expect("there are enough");
        assert!(given.iter().eq(again.iter().rev()));
    }

    #[test]
    fn what_is_full_is_told() {
        let names = vec!["one".to_owned()];
        let all: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("it is a network")];
        assert_eq!(Pool::without(&all).give(&names), Err(CompileError::NoSubnetLeft));
        let none: Vec<IpNet> = vec!["0.0.0.0/0".parse().expect("it is a network")];
        assert_eq!(Pool::without(&none).give(&names), Err(CompileError::NoSubnetLeft));
        let elsewhere: Vec<IpNet> = vec![
            "10.0.0.0/9".parse().expect("it is"),
            "11.0.0.0/8".parse().expect("it is"),
        ];
        assert!(Pool::without(&elsewhere).give(&names).is_ok());
    }
}
