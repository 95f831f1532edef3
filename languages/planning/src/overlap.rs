//! Subnets of one routing domain never overlap: the domain could not tell whose address it is. Different domains may use the
//! same addresses.

use ipnet::IpNet;

/// Two subnets of one routing domain that share addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{first_name} ({first}) and {second_name} ({second}) overlap in one routing domain")]
pub struct Overlap {
    /// What one of them is called.
    pub first_name: String,
    /// One of them.
    pub first: IpNet,
    /// What the other is called.
    pub second_name: String,
    /// The other.
    pub second: IpNet,
}

/// Whether the two share an address.
pub fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// The first pair of the domain's subnets that overlap, as error; each subnet comes with what people call it.
pub fn check<N: AsRef<str>>(domain: &[(N, IpNet)]) -> Result<(), Overlap> {
    // Sorted by family and first address, an overlapping pair exists only if two neighbours overlap: networks nest or are apart.
    let mut sorted: Vec<&(N, IpNet)> = domain.iter().collect();
    sorted.sort_by_key(|(_, net)| (net.network(), net.prefix_len()));
    for pair in sorted.windows(2) {
        let ((first_name, first), (second_name, second)) = (pair[0], pair[1]);
        if overlap(*first, *second) {
            return Err(Overlap {
                first_name: first_name.as_ref().to_owned(),
                first: *first,
                second_name: second_name.as_ref().to_owned(),
                second: *second,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipnet::Ipv4Net;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    #[test]
    fn the_refusal_names_both() {
        let domain = [
            ("blue", "10.0.0.0/16".parse().unwrap()),
            ("six", "fd00::/64".parse().unwrap()),
            ("red", "10.0.4.0/24".parse().unwrap()),
        ];
        let refused = check(&domain).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "blue (10.0.0.0/16) and red (10.0.4.0/24) overlap in one routing domain"
        );
        assert_eq!(check(&domain[..2]), Ok(()));
    }

    proptest! {
        #[test]
        fn the_check_agrees_with_comparing_each_pair(nets in prop::collection::vec((any::<u8>(), any::<u8>(), 8u8..=30), 0..12)) {
            let domain: Vec<(String, IpNet)> = nets
                .iter()
                .map(|(a, b, prefix)| (format!("{a}-{b}"), IpNet::V4(Ipv4Net::new(Ipv4Addr::new(10, *a, *b, 0), *prefix).unwrap().trunc())))
                .collect();
            let pairwise = domain.iter().enumerate().any(|(at, (_, a))| domain[at + 1..].iter().any(|(_, b)| overlap(*a, *b)));
            prop_assert_eq!(check(&domain).is_err(), pairwise);
        }
    }
}
