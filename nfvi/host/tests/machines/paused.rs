//! Faults around machines that never boot: QEMU is made, its CPUs stand still.

use crate::bench::{BOOT, kill, owner, paused, until};
use manifold_call::ErrorKind;
use manifold_host::Space;
use manifold_host::seams::MachineKeeper;
use manifold_kernel_test::Test;
use manifold_nfvi_interface::{Boot, DiskFormat, MachineState, MachineWish, ObjectId, Power};
use std::time::Instant;

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "unbooted_machines_are_adopted_or_ended_by_their_labels",
        limit_s: 60,
        run: labels,
    },
    Test {
        name: "unbooted_machine_that_cannot_start_says_why_and_leaves_nothing_running",
        limit_s: 60,
        run: cannot_start,
    },
    Test {
        name: "unbooted_machine_is_started_again_after_a_reboot_of_everything",
        limit_s: 60,
        run: reboot,
    },
];

fn labels() {
    paused(async |mut bench| {
        let ids = [ObjectId::random(), ObjectId::random(), ObjectId::random()];
        let start = Instant::now();
        for id in ids {
            assert!(bench.ensure(id, &bench.wish(), &[]).await);
        }
        println!("three made in {:?}", start.elapsed());
        let [kept, unlabelled, killed] = ids;
        let (kept_pid, lost_pid, killed_pid) = (
            bench.pid(kept).await,
            bench.pid(unlabelled).await,
            bench.pid(killed).await,
        );
        std::fs::remove_dir_all(bench.run_dir.join("machines").join(unlabelled.to_string())).unwrap();
        kill(killed_pid);

        bench.agent_again().await;
        assert_eq!(bench.pid(kept).await, kept_pid);
        assert!(matches!(bench.seen(killed).await.state, MachineState::Crashed { .. }));
        assert_eq!(bench.machines.observe().await.unwrap().len(), 2);
        until("the machine without a label has ended", BOOT, async || {
            std::fs::read(format!("/proc/{lost_pid}/cmdline")).is_ok_and(|words| words.is_empty())
                || !std::path::Path::new(&format!("/proc/{lost_pid}")).exists()
        })
        .await;

        // A machine that stands still cannot see its power button; off comes all the same, and at once.
        let off = MachineWish {
            power: Power::Off,
            ..bench.wish()
        };
        assert!(bench.ensure(kept, &off, &[]).await);
        assert_eq!(bench.seen(kept).await.state, MachineState::Stopped);
        for id in ids {
            bench.machines.remove(id).await.unwrap();
        }
        assert_eq!(std::fs::read_dir(bench.run_dir.join("machines")).unwrap().count(), 0);
    });
}

fn cannot_start() {
    paused(async |bench| {
        let id = ObjectId::random();
        let refused = async |wish: MachineWish| {
            bench
                .machines
                .ensure(id, &owner(), &wish, vec![], &bench.space)
                .await
                .unwrap_err()
        };
        let missing = Boot::Kernel {
            kernel: "/nonexistent".into(),
            initramfs: "/etc/hostname".into(),
            command_line: String::new(),
        };
        let error = refused(MachineWish {
            boot: missing,
            ..bench.wish()
        })
        .await;
        assert!(
            error.kind == ErrorKind::Invalid && error.detail.contains("/nonexistent"),
            "{error:?}"
        );
        let device = Boot::Disk {
            image: "/dev/zero".into(),
            format: DiskFormat::Raw,
        };
        assert_eq!(
            refused(MachineWish {
                boot: device,
                ..bench.wish()
            })
            .await
            .kind,
            ErrorKind::Invalid
        );
        let text = Boot::Disk {
            image: "/etc/passwd".into(),
            format: DiskFormat::Qcow2,
        };
        assert_eq!(
            refused(MachineWish {
                boot: text,
                ..bench.wish()
            })
            .await
            .kind,
            ErrorKind::Invalid
        );
        // More memory than there is: QEMU's own words come back.
        let error = refused(MachineWish {
            memory_mib: 1 << 20,
            vcpus: 64,
            ..bench.wish()
        })
        .await;
        assert_eq!(error.kind, ErrorKind::Internal, "{error:?}");
        assert!(error.detail.contains("memory"), "{error:?}");
        assert!(matches!(bench.seen(id).await.state, MachineState::Crashed { .. }));
        bench.machines.remove(id).await.unwrap();
        assert!(bench.machines.observe().await.unwrap().is_empty());
        assert_eq!(
            bench.machines.console(id, 10).await.unwrap_err().kind,
            ErrorKind::NotFound
        );
    });
}

fn reboot() {
    paused(async |mut bench| {
        let id = ObjectId::random();
        bench.ensure(id, &bench.wish(), &[]).await;
        let pid = bench.pid(id).await;
        // All processes gone, the run directory (a tmpfs) empty.
        kill(pid);
        std::fs::remove_dir_all(bench.run_dir.join("machines")).unwrap();
        bench.agent_again().await;
        bench.space = Space::make(&bench.run_dir, ObjectId::random()).unwrap();
        assert!(bench.machines.observe().await.unwrap().is_empty());
        assert!(bench.ensure(id, &bench.wish(), &[]).await);
        assert!(bench.runs(id).await);
        bench.machines.remove(id).await.unwrap();
    });
}
