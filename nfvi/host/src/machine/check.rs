//! What a machine's wish must fulfil, found without looking at anything.

use manifold_call::CallError;
use manifold_nfvi_interface::{Boot, MachineWish};

const NAME_BYTES_MAX: usize = 63;
const VCPUS_MAX: u32 = 64;
const MEMORY_MIB_MIN: u64 = 64;
/// 1 TiB: beyond any machine that this agent runs on; keeps arithmetic far from its edges.
const MEMORY_MIB_MAX: u64 = 1 << 20;
/// Slots on the machine's one PCI bus, less those of the chipset and the disks.
const INTERFACES_MAX: usize = 24;
/// What the kernel takes as its command line (COMMAND_LINE_SIZE on x86), less the agent's own part.
const COMMAND_LINE_BYTES_MAX: usize = 2_000;
/// Of the NoCloud files together: four times what cloud-init's own data sources carry at most.
pub(crate) const NO_CLOUD_BYTES_MAX: usize = 256 * 1024;

/// Errors: `Invalid`, with the first thing that is wrong.
pub(crate) fn check(wish: &MachineWish) -> Result<(), CallError> {
    let refuse = |what: String| Err(CallError::invalid(format!("machine {:?}: {what}", wish.name)));
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if wish.name.is_empty()
        || wish.name.len() > NAME_BYTES_MAX
        || !wish.name.bytes().all(fits)
        || wish.name.starts_with('-')
    {
        return Err(CallError::invalid(format!(
            "a machine's name is 1 to {NAME_BYTES_MAX} bytes of a-z, 0-9 and -, and does not begin with -"
        )));
    }
    if !(1..=VCPUS_MAX).contains(&wish.vcpus) {
        return refuse(format!("{} virtual CPUs (1 to {VCPUS_MAX} are possible)", wish.vcpus));
    }
    if !(MEMORY_MIB_MIN..=MEMORY_MIB_MAX).contains(&wish.memory_mib) {
        return refuse(format!(
            "{} MiB of memory ({MEMORY_MIB_MIN} to {MEMORY_MIB_MAX} are possible)",
            wish.memory_mib
        ));
    }
    if wish.interfaces.len() > INTERFACES_MAX {
        return refuse(format!(
            "{} interfaces (at most {INTERFACES_MAX} are possible)",
            wish.interfaces.len()
        ));
    }
    let mut seen = wish.interfaces.clone();
    seen.sort();
    seen.dedup();
    if seen.len() != wish.interfaces.len() {
        return refuse("the same port twice".to_owned());
    }
    match &wish.boot {
        Boot::Kernel {
            kernel,
            initramfs,
            command_line,
        } => {
            if !kernel.is_absolute() || !initramfs.is_absolute() {
                return refuse("the paths of kernel and initial RAM file system must be absolute".to_owned());
            }
            if command_line.len() > COMMAND_LINE_BYTES_MAX || command_line.chars().any(char::is_control) {
                return refuse(format!(
                    "the kernel's command line must be at most {COMMAND_LINE_BYTES_MAX} bytes without control characters"
                ));
            }
        }
        Boot::Disk { image, format: _ } if !image.is_absolute() => {
            return refuse("the path of the disk image must be absolute".to_owned());
        }
        Boot::Disk { .. } => {}
    }
    if let Some(files) = &wish.no_cloud {
        let bytes = files.meta_data.len() + files.user_data.len() + files.network_config.len();
        if bytes > NO_CLOUD_BYTES_MAX {
            return refuse(format!(
                "{bytes} bytes of NoCloud data (at most {NO_CLOUD_BYTES_MAX} are possible)"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_call::ErrorKind;
    use manifold_nfvi_interface::{NoCloud, ObjectId, Power};

    fn wish() -> MachineWish {
        MachineWish {
            node: ObjectId::random(),
            name: "gateway-1".into(),
            vcpus: 1,
            memory_mib: 64,
            boot: Boot::Kernel {
                kernel: "/k".into(),
                initramfs: "/i".into(),
                command_line: String::new(),
            },
            interfaces: vec![],
            no_cloud: None,
            power: Power::On,
            generation: 0,
        }
    }

    #[test]
    fn the_edges_are_where_they_are_said_to_be() {
        assert!(check(&wish()).is_ok());
        assert!(
            check(&MachineWish {
                name: "x".repeat(63),
                vcpus: 64,
                ..wish()
            })
            .is_ok()
        );
        let port = ObjectId::random();
        let no_cloud = NoCloud {
            meta_data: String::new(),
            user_data: "x".repeat(NO_CLOUD_BYTES_MAX + 1),
            network_config: String::new(),
        };
        for wrong in [
            MachineWish {
                name: "x".repeat(64),
                ..wish()
            },
            MachineWish {
                name: "-S".into(),
                ..wish()
            },
            MachineWish {
                name: "a,b".into(),
                ..wish()
            },
            MachineWish {
                name: String::new(),
                ..wish()
            },
            MachineWish { vcpus: 0, ..wish() },
            MachineWish { vcpus: 65, ..wish() },
            MachineWish {
                memory_mib: 63,
                ..wish()
            },
            MachineWish {
                interfaces: vec![port, port],
                ..wish()
            },
            MachineWish {
                boot: Boot::Disk {
                    image: "relative".into(),
                    format: manifold_nfvi_interface::DiskFormat::Raw,
                },
                ..wish()
            },
            MachineWish {
                boot: Boot::Kernel {
                    kernel: "/k".into(),
                    initramfs: "/i".into(),
                    command_line: "a\nb".into(),
                },
                ..wish()
            },
            MachineWish {
                no_cloud: Some(no_cloud),
                ..wish()
            },
        ] {
            assert_eq!(check(&wrong).unwrap_err().kind, ErrorKind::Invalid, "{wrong:?}");
        }
    }
}
