//! ETSI's types as they stand on the wire: SOL003 and SOL005 V3.7.1, attribute for attribute as their OpenAPI files spell them.
//!
//! Only what the program reads or writes is here. Identifiers are strings, as in the standard; blocks turn them into typed ids
//! at their border. Times are RFC 3339 text in UTC.
//!
//! ```text
//!   common ── ResourceHandle, connection points, KeyValues, ProblemDetails
//!   vnf    ── VnfInstance, its requests, VnfLcmOpOcc                (SOL003 5.5)
//!   grant  ── GrantRequest, Grant                                   (SOL003 9.5)
//!   ns     ── NsInstance, its requests, NsLcmOpOcc                  (SOL005 6.5)
//!   package── VnfPkgInfo, NsdInfo, PnfdInfo                         (SOL005 5.5, 9.5)
//! ```

mod common;
mod grant;
mod ns;
mod package;
mod vnf;

pub use common::*;
pub use grant::*;
pub use ns::*;
pub use package::*;
pub use vnf::*;
