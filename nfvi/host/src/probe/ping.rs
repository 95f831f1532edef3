//! Ping with whole packets of our own, so that the source may be anyone's and no packet is ever fragmented.

use super::packet::{Heard, echo_request, heard};
use manifold_nfvi_interface::ProbeSeen;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, SockaddrStorage, recvfrom,
    sendto, setsockopt, socket, sockopt,
};
use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// When nothing came back, ask again.
const AGAIN: Duration = Duration::from_millis(200);
const PAYLOAD_BYTES: u32 = 56;

/// Tells one ping of this process from others that run at the same time in the same namespace.
static NEXT_IDENT: AtomicU16 = AtomicU16::new(1);

/// Asks until somebody answers or refuses, or the moment comes. Call it in the namespace. Errors: no socket could be had.
pub(crate) fn ping(
    to: IpAddr,
    source: Option<IpAddr>,
    payload_bytes: Option<u32>,
    until: Instant,
) -> io::Result<ProbeSeen> {
    ask(to, source, payload_bytes, None, until)
}

/// The same through the namespace's first interface. A socket that is bound to an interface takes every address for a neighbour
/// there, unless a route says otherwise.
pub(crate) fn on_link(to: IpAddr, until: Instant) -> io::Result<ProbeSeen> {
    let all = nix::net::if_::if_nameindex()?;
    let first = all
        .iter()
        .map(|interface| interface.name())
        .find(|name| name.to_bytes() != b"lo");
    match first {
        Some(name) => ask(to, None, None, Some(OsStr::from_bytes(name.to_bytes())), until),
        None => Ok(ProbeSeen::Refused {
            why: "the node has no interface".to_owned(),
        }),
    }
}

fn bind(socket: &impl AsFd, device: Option<&OsStr>) -> io::Result<()> {
    match device {
        Some(device) => Ok(setsockopt(socket, sockopt::BindToDevice, &device.to_owned())?),
        None => Ok(()),
    }
}

fn ask(
    to: IpAddr,
    source: Option<IpAddr>,
    payload_bytes: Option<u32>,
    device: Option<&OsStr>,
    until: Instant,
) -> io::Result<ProbeSeen> {
    let payload_bytes = payload_bytes.unwrap_or(PAYLOAD_BYTES);
    // By way of a datagram socket the kernel tells which address it would use, and whether there is a route at all.
    let (own, mtu_bytes) = match route(to, device) {
        Ok(route) => route,
        Err(error) => return refused(error),
    };
    let source = source.unwrap_or(own);
    let ident = (std::process::id() as u16).rotate_left(8) ^ NEXT_IDENT.fetch_add(1, Ordering::Relaxed);
    let (family, protocol) = match to {
        IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp),
        IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6),
    };
    let ear = socket(
        family,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        protocol,
    )?;
    let mouth = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw)?;
    bind(&mouth, device)?;

    let start = Instant::now();
    for sequence in 1..=u16::MAX {
        let Some(packet) = echo_request(source, to, ident, sequence, payload_bytes as usize) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        match send(&mouth, &packet, to) {
            Ok(()) => {}
            Err(Errno::EMSGSIZE) => return Ok(ProbeSeen::TooBig { mtu_bytes }),
            // A queue that is full just now drops, as any link may.
            Err(Errno::ENOBUFS | Errno::EAGAIN) => {}
            Err(errno) => return refused(errno.into()),
        }
        let next = until.min(Instant::now() + AGAIN);
        if let Some(seen) = listen(&ear, to, ident, next, start)? {
            return Ok(seen);
        }
        if Instant::now() >= until {
            break;
        }
    }
    Ok(ProbeSeen::Silent)
}

/// The address that packets to there would carry, and the path's MTU as the kernel knows it.
fn route(to: IpAddr, device: Option<&OsStr>) -> io::Result<(IpAddr, Option<u32>)> {
    let any: SocketAddr = match to {
        IpAddr::V4(_) => ([0; 4], 0).into(),
        IpAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    bind(&socket, device)?;
    socket.connect((to, 9))?;
    let mtu_bytes = match to {
        IpAddr::V4(_) => rustix::net::sockopt::ip_mtu(&socket),
        IpAddr::V6(_) => rustix::net::sockopt::ipv6_mtu(&socket),
    };
    Ok((socket.local_addr()?.ip(), mtu_bytes.ok()))
}

fn refused(error: io::Error) -> io::Result<ProbeSeen> {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM) | None => Err(error),
        Some(errno) => Ok(ProbeSeen::Refused {
            why: errno.desc().to_owned(),
        }),
    }
}

fn send(mouth: &OwnedFd, packet: &[u8], to: IpAddr) -> Result<(), Errno> {
    let sent = match to {
        IpAddr::V4(to) => {
            let [a, b, c, d] = to.octets();
            sendto(
                mouth.as_raw_fd(),
                packet,
                &SockaddrIn::new(a, b, c, d, 0),
                MsgFlags::empty(),
            )
        }
        IpAddr::V6(to) => {
            let to = std::net::SocketAddrV6::new(to, 0, 0, 0);
            sendto(mouth.as_raw_fd(), packet, &SockaddrIn6::from(to), MsgFlags::empty())
        }
    };
    sent.map(drop)
}

fn listen(ear: &OwnedFd, to: IpAddr, ident: u16, until: Instant, start: Instant) -> io::Result<Option<ProbeSeen>> {
    let mut buffer = vec![0; 65_536];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        let wait = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(ear.as_fd(), PollFlags::POLLIN)], wait) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        match recvfrom::<SockaddrStorage>(ear.as_raw_fd(), &mut buffer) {
            Ok((got, from)) => {
                let from = from.as_ref().and_then(address);
                let after_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
                match from.and_then(|from| heard(&buffer[..got], from, to, ident)) {
                    Some(Heard::Reply) => {
                        return Ok(Some(ProbeSeen::Answered {
                            after_us,
                            body: String::new(),
                            bits_per_second: None,
                        }));
                    }
                    Some(Heard::TooBig { mtu_bytes }) => return Ok(Some(ProbeSeen::TooBig { mtu_bytes })),
                    // From ourselves it means that nobody answered on the link: the packet vanished, nobody refused it.
                    Some(Heard::Refused { .. }) if from.is_some_and(is_own) => {}
                    Some(Heard::Refused { why }) => return Ok(Some(ProbeSeen::Refused { why: why.to_owned() })),
                    None => {}
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Whether an address is one of this namespace's: only such can be bound.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

fn address(storage: &SockaddrStorage) -> Option<IpAddr> {
    let four = storage.as_sockaddr_in().map(|four| IpAddr::V4(four.ip()));
    four.or_else(|| storage.as_sockaddr_in6().map(|six| IpAddr::V6(six.ip())))
}
