//! A machine's taps: opened for its start, and plugged in again when somebody deleted one under it.
//!
//! A tap that was deleted and made again is another one to the kernel: QEMU's descriptor belongs to none, and the machine hears
//! and says nothing more. The kernel lets such a descriptor join a tap anew. It is borrowed from QEMU (pidfd_getfd(2)) and joined
//! here; the machine goes on as after a cable that was pulled for a moment.

use super::process::Process;
use crate::Space;
use crate::kernel::{self, TapOptions};
use crate::seams::TapPlug;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::time::Instant;

/// A tap is free again when its last holder has been taken apart.
const TAP_LIMIT: Duration = Duration::from_secs(2);
const TAP_AGAIN: Duration = Duration::from_millis(20);

/// Opens a tap for a machine that is about to start.
pub(crate) async fn open_tap(space: &Space, interface: &str) -> io::Result<OwnedFd> {
    let until = Instant::now() + TAP_LIMIT;
    loop {
        match space.open_tap(interface, TapOptions::default()).await {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < until => {
                tokio::time::sleep(TAP_AGAIN).await
            }
            result => return result,
        }
    }
}

/// Joins those of the machine's descriptors that lost their tap to the ones of these names; whether there were any.
pub(crate) fn rejoin(process: &Process, taps: &[TapPlug]) -> io::Result<bool> {
    let mut changed = false;
    let arguments = std::fs::read(format!("/proc/{}/cmdline", process.pid))?;
    for (number, tap) in taps.iter().enumerate() {
        let Some(descriptor) = descriptor_of(&arguments, number) else {
            continue;
        };
        let told = std::fs::read_to_string(format!("/proc/{}/fdinfo/{descriptor}", process.pid))?;
        if !has_no_tap(&told) {
            continue;
        }
        kernel::rejoin_tap(&process.descriptor(descriptor)?, &tap.interface)?;
        changed = true;
    }
    Ok(changed)
}

/// The descriptor of an interface, as QEMU's arguments name it.
fn descriptor_of(arguments: &[u8], number: usize) -> Option<i32> {
    let option = format!("tap,id=n{number},fd=");
    let mut words = arguments
        .split(|byte| *byte == 0)
        .filter_map(|word| std::str::from_utf8(word).ok());
    words.find_map(|word| word.strip_prefix(&option)?.parse().ok())
}

/// Whether a tap's descriptor belongs to no tap: the kernel tells its interface's name as `iff`.
fn has_no_tap(fdinfo: &str) -> bool {
    let mut interfaces = fdinfo.lines().filter_map(|line| line.strip_prefix("iff:"));
    interfaces.any(|name| name.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::{descriptor_of, has_no_tap};

    #[test]
    fn descriptors_are_found_by_their_interface() {
        let arguments = b"qemu\0-netdev\0tap,id=n0,fd=48\0-netdev\0tap,id=n1,fd=53\0";
        assert_eq!(
            [0, 1, 2].map(|number| descriptor_of(arguments, number)),
            [Some(48), Some(53), None]
        );
    }

    #[test]
    fn only_a_tap_without_an_interface_is_joined_again() {
        assert!(has_no_tap("pos:\t0\nflags:\t02104002\niff:\t\n"));
        assert!(!has_no_tap("pos:\t0\niff:\tmfp0123\n") && !has_no_tap("pos:\t0\nflags:\t02\n"));
    }
}
