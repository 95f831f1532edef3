//! The one module in which unsafe code is allowed: the few calls for which no safe wrapper exists. Each function is a thin,
//! total wrapper: it checks what it is given and owns what it returns.
#![allow(unsafe_code)]

use nix::libc;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What a tap shall be when it is opened or made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TapOptions {
    /// Outlive the last descriptor.
    pub persistent: bool,
    /// The index that a new one gets; `None` = the kernel's choice. Without effect on one that exists.
    pub index: Option<u32>,
    /// The only user, besides root, who may open it.
    pub owner_uid: Option<u32>,
}

const IFF_TAP: libc::c_short = 0x0002;
const IFF_NO_PI: libc::c_short = 0x1000;
const IFF_VNET_HDR: libc::c_short = 0x4000;

mod request {
    nix::ioctl_write_ptr_bad!(set_iff, 0x4004_54ca, nix::libc::ifreq);
    nix::ioctl_write_int_bad!(set_persist, 0x4004_54cb);
    nix::ioctl_write_int_bad!(set_owner, 0x4004_54cc);
    nix::ioctl_write_ptr_bad!(set_index, 0x4004_54da, nix::libc::c_int);
    nix::ioctl_write_ptr_bad!(set_vnet_header_bytes, 0x4004_54d8, nix::libc::c_int);
}

/// Opens the tap `interface` in the calling thread's network namespace, and makes it when it is not there. Frames carry a
/// virtio header of 12 bytes (what a virtio 1.0 device uses), so that checksums and segmentation can be left to the other side.
///
/// Errors: `ResourceBusy` when another process holds it open; `InvalidInput` for a name that no interface can have.
pub fn open_tap(interface: &str, options: TapOptions) -> io::Result<OwnedFd> {
    let name = tap_name(interface)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open("/dev/net/tun")?;
    let fd = file.as_raw_fd();
    // SAFETY: the name was checked; every ioctl gets a live descriptor and a pointer to a live value of the type that this request
    // reads.
    unsafe {
        if let Some(index) = options.index {
            let index = libc::c_int::try_from(index).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            request::set_index(fd, &index)?;
        }
        set_interface(fd, name)?;
        if let Some(uid) = options.owner_uid {
            let uid = libc::c_int::try_from(uid).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            request::set_owner(fd, uid)?;
        }
        if options.persistent {
            request::set_persist(fd, 1)?;
        }
    }
    Ok(OwnedFd::from(file))
}

/// Plugs a descriptor whose tap was deleted into the tap `interface` of the namespace that it was opened in; whoever else holds
/// the descriptor goes on with that.
///
/// Errors: `AlreadyExists` when it is still plugged in; those of [`open_tap`].
pub fn rejoin_tap(descriptor: &OwnedFd, interface: &str) -> io::Result<()> {
    let name = tap_name(interface)?;
    // SAFETY: the name was checked, and the descriptor is alive.
    unsafe { set_interface(descriptor.as_raw_fd(), name) }
}

fn tap_name(interface: &str) -> io::Result<&[u8]> {
    let name = interface.as_bytes();
    if name.is_empty() || name.len() >= libc::IFNAMSIZ || name.contains(&0) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    Ok(name)
}

/// # Safety
/// `fd` is an open descriptor, and `name` has passed [`tap_name`].
unsafe fn set_interface(fd: libc::c_int, name: &[u8]) -> io::Result<()> {
    // SAFETY: `ifreq` is plain data for which all zeros is a value; the name fits with its terminating zero; both ioctls get a
    // pointer to a live value of the type that they read.
    unsafe {
        let mut ask: libc::ifreq = std::mem::zeroed();
        for (to, from) in ask.ifr_name.iter_mut().zip(name) {
            *to = *from as libc::c_char;
        }
        ask.ifr_ifru.ifru_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
        request::set_iff(fd, &ask)?;
        let header_bytes: libc::c_int = 12;
        request::set_vnet_header_bytes(fd, &header_bytes)?;
    }
    Ok(())
}

/// Lets the command become the leader of a session of its own when it starts, so that it outlives the agent and no signal to
/// the agent's group or terminal reaches it.
pub fn detach(command: &mut Command) {
    // SAFETY: setsid(2) is async-signal-safe, and the closure touches no memory.
    unsafe {
        command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from));
    }
}

/// A raw packet socket in the calling thread's namespace that receives the IPv4 UDP packets to `port` that are delivered on
/// any interface (for a bridge: what the bridge hands upwards), without blocking.
pub fn udp_listener(port: u16) -> io::Result<OwnedFd> {
    // The classic BPF program of "ip proto 17, no fragment offset, destination port = port" over an Ethernet frame.
    let program = [
        filter(0x28, 0, 0, 12),              // ldh [12]
        filter(0x15, 0, 8, 0x0800),          // jeq #0x0800
        filter(0x30, 0, 0, 23),              // ldb [23]
        filter(0x15, 0, 6, 17),              // jeq #17
        filter(0x28, 0, 0, 20),              // ldh [20]
        filter(0x45, 4, 0, 0x1fff),          // jset #0x1fff
        filter(0xb1, 0, 0, 14),              // ldxb 4*([14]&0xf)
        filter(0x48, 0, 0, 16),              // ldh [x + 16]
        filter(0x15, 0, 1, u32::from(port)), // jeq #port
        filter(0x06, 0, 0, 65_535),          // ret #65535
        filter(0x06, 0, 0, 0),               // ret #0
    ];
    let protocol = libc::c_int::from((libc::ETH_P_IP as u16).to_be());
    // SAFETY: the socket is made here and owned from the next line on; the program lives until setsockopt(2) has copied it.
    unsafe {
        // Made deaf (protocol 0) and bound only once the filter is in place: nothing else is ever queued.
        let raw = libc::socket(
            libc::AF_PACKET,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
            0,
        );
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(raw);
        let ask = libc::sock_fprog {
            len: program.len() as u16,
            filter: program.as_ptr().cast_mut(),
        };
        check(libc::setsockopt(
            raw,
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const ask).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        ))?;
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol as u16;
        check(libc::bind(
            raw,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        ))?;
        Ok(socket)
    }
}

/// Takes one frame from a packet socket: its length, and the index of the interface that it was delivered on.
pub fn receive_frame(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<(usize, u32)> {
    // SAFETY: the kernel writes at most `buffer.len()` bytes into the buffer, and at most `length` bytes into the address.
    unsafe {
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        let mut length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        let got = libc::recvfrom(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            0,
            (&raw mut address).cast(),
            &raw mut length,
        );
        let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
        Ok((got, u32::try_from(address.sll_ifindex).unwrap_or(0)))
    }
}

/// Sends a whole Ethernet frame out of an interface.
pub fn send_frame(socket: &OwnedFd, interface_index: u32, frame: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `frame.len()` bytes of the frame and the whole address, both alive during the call.
    unsafe {
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex =
            libc::c_int::try_from(interface_index).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let sent = libc::sendto(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            0,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        );
        usize::try_from(sent).map(drop).map_err(|_| io::Error::last_os_error())
    }
}

/// Raises a socket's buffers beyond the system's limit (needs CAP_NET_ADMIN): a batch's answers must never be dropped.
pub fn widen_buffers(socket: &impl AsRawFd, bytes: usize) -> io::Result<()> {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    for option in [libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE] {
        // SAFETY: the option's value is a live integer of the length that is told.
        check(unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const bytes).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        })?;
    }
    Ok(())
}

/// Borrows the descriptor of something that has only the older trait.
pub fn borrow_fd(owner: &impl AsRawFd) -> BorrowedFd<'_> {
    // SAFETY: the owner keeps the descriptor open for as long as it is borrowed.
    unsafe { BorrowedFd::borrow_raw(owner.as_raw_fd()) }
}

fn filter(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
