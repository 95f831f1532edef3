//! Nodes: a namespace each. Their links are other objects'.

use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{NodeService, NodeWish};

pub(super) fn check(wish: &NodeWish) -> Outcome<()> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/_.-".contains(&byte);
    if !(1..=60).contains(&wish.name.len()) || !wish.name.bytes().all(letters) {
        return Err(CallError::invalid("a node's name has 1 to 60 bytes of [a-z0-9/_.-]"));
    }
    if wish.services.len() > 16 {
        return Err(CallError::invalid("a node has at most 16 services"));
    }
    for (place, NodeService::Http { port, body }) in wish.services.iter().enumerate() {
        if *port == 0 || body.len() > 4_096 {
            return Err(CallError::invalid(
                "an HTTP service has a port and a body of at most 4,096 bytes",
            ));
        }
        let same = |NodeService::Http { port: other, .. }: &NodeService| other == port;
        if wish.services[..place].iter().any(same) {
            return Err(CallError::invalid(format!("two services on port {port}")));
        }
    }
    Ok(())
}
