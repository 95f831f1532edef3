//! ETSI's types as they stand on the wire: SOL003 and SOL005 V3.7.1, attribute for attribute as their OpenAPI files spell them.
//!
//! Only what the program reads or writes is here. Identifiers are strings, as in the standard; blocks turn them into typed ids
//! at their border. Times are RFC 3339 text in UTC.
//!
//! ```text
//!   reference ── ResourceHandle, LinkRef      connection_point ── addresses      occurrence ── ProblemDetails, CancelMode
//!   vnf    ── VnfInstance, its requests, VnfLcmOpOcc                (SOL003 5.5)
//!   grant  ── GrantRequest, Grant                                   (SOL003 9.5)
//!   ns     ── NsInstance, its requests, NsLcmOpOcc                  (SOL005 6.5)
//!   package── VnfPkgInfo, NsdInfo, PnfdInfo                         (SOL005 5.5, 9.5)
//! ```

mod connection_point;
mod grant;
mod ns;
mod occurrence;
mod package;
mod reference;
mod vnf;
mod wire;

pub use connection_point::*;
pub use grant::*;
pub use ns::*;
pub use occurrence::*;
pub use package::*;
pub use reference::*;
pub use vnf::*;
pub use wire::KeyValues;
