//! A machine's life: booted, left alone, orphaned, adopted, killed, switched, rebooted, removed.

use crate::bench::{BOOT, kill, owner, ping, until, with_image};
use manifold_host::machine::{Accelerator, Machines, Trial};
use manifold_host::seams::MachineKeeper;
use manifold_kernel_test::Test;
use manifold_nfvi_interface::{Boot, DiskFormat, MachineState, MachineWish, ObjectId, Power, Probe, ProbeSeen};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "machine_boots_serves_and_leaves_nothing_behind",
        limit_s: 120,
        run: boots,
    },
    Test {
        name: "machine_outlives_its_agent_and_is_told_when_it_dies",
        limit_s: 120,
        run: outlives,
    },
    Test {
        name: "machine_is_switched_off_on_and_restarted_by_generation",
        limit_s: 150,
        run: switched,
    },
    Test {
        name: "machine_boots_from_a_disk_and_keeps_what_it_wrote",
        limit_s: 150,
        run: disk,
    },
    Test {
        name: "machine_accelerator_is_tried_by_booting_once_and_remembered",
        limit_s: 60,
        run: accelerator,
    },
];

const NEAR: [&str; 2] = ["10.88.0.1/24", "fd88::1/64"];
const FAR: [&str; 2] = ["10.88.0.2/24", "fd88::2/64"];

fn boots() {
    with_image(async |bench| {
        let (id, (plug, no_cloud)) = (ObjectId::random(), bench.plug("tap0", NEAR, FAR).await);
        let wish = MachineWish {
            no_cloud: Some(no_cloud),
            ..bench.wish()
        };
        let start = std::time::Instant::now();
        assert!(bench.ensure(id, &wish, std::slice::from_ref(&plug)).await);
        let made = start.elapsed();
        bench.comes_up("10.88.0.2").await;
        println!("made after {made:?}, first ping after {:?}", start.elapsed());
        bench.comes_up("fd88::2").await;

        // Left alone when all is as wished.
        let pid = bench.pid(id).await;
        assert!(!bench.ensure(id, &wish, &[plug]).await);
        assert_eq!(bench.pid(id).await, pid);
        let seen = bench.seen(id).await;
        assert_eq!(seen.owner, owner());
        assert_eq!(
            seen.state,
            MachineState::Running {
                accelerator: "tcg".into(),
                generation: 1
            }
        );

        // Ping is the kernel's; what the guest serves comes a moment later, and it says when.
        until("the console tells that the guest is ready", BOOT, async || {
            bench
                .machines
                .console(id, 300_000)
                .await
                .unwrap()
                .contains(manifold_image::READY_MARK)
        })
        .await;

        let to = "10.88.0.2".parse().unwrap();
        let page = bench
            .probe(
                bench.here(),
                Probe::Http {
                    to,
                    port: 80,
                    path: "/".into(),
                },
                BOOT,
            )
            .await;
        assert!(
            matches!(&page, ProbeSeen::Answered { body, .. } if body == "name: gateway-1\nidentity: i-4711\n"),
            "{page:?}"
        );
        let rate = bench
            .probe(
                bench.here(),
                Probe::Throughput {
                    to,
                    port: 80,
                    bytes: 20_000_000,
                },
                BOOT,
            )
            .await;
        println!("{rate:?}");
        assert!(
            matches!(
                rate,
                ProbeSeen::Answered {
                    bits_per_second: Some(50_000_000..),
                    ..
                }
            ),
            "{rate:?}"
        );

        assert_eq!(bench.machines.console(id, 10).await.unwrap().len(), 10);
        assert!(!bench.machines.console(id, 300_000).await.unwrap().contains("s3cr3t"));

        // It runs as nobody, in no session of ours, and its argument list holds no secret.
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(
            status.contains("\nUid:\t65534\t65534\t65534\t65534\n") && status.contains("\nSeccomp:\t2\n"),
            "{status}"
        );
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!String::from_utf8_lossy(&arguments).contains("s3cr3t"));

        assert!(bench.machines.remove(id).await.unwrap());
        assert!(!bench.machines.remove(id).await.unwrap());
        assert!(bench.machines.observe().await.unwrap().is_empty());
        assert_eq!(std::fs::read_dir(bench.run_dir.join("machines")).unwrap().count(), 0);
        let silent = bench
            .probe(bench.here(), ping("10.88.0.2"), Duration::from_millis(700))
            .await;
        assert_eq!(silent, ProbeSeen::Silent);
        assert!(bench.told.lock().unwrap().is_empty(), "nothing happened unasked");
    });
}

fn outlives() {
    with_image(async |mut bench| {
        let (id, (plug, no_cloud)) = (ObjectId::random(), bench.plug("tap0", NEAR, FAR).await);
        let wish = MachineWish {
            no_cloud: Some(no_cloud),
            ..bench.wish()
        };
        bench.ensure(id, &wish, std::slice::from_ref(&plug)).await;
        bench.comes_up("10.88.0.2").await;
        let pid = bench.pid(id).await;

        bench.agent_again().await;
        assert_eq!(bench.pid(id).await, pid, "adopted, not started again");
        assert!(!bench.ensure(id, &wish, std::slice::from_ref(&plug)).await);
        bench.comes_up("10.88.0.2").await;

        kill(pid);
        until("the death is told", BOOT, async || {
            bench.told.lock().unwrap().contains(&id)
        })
        .await;
        let seen = bench.seen(id).await;
        assert!(
            matches!(&seen.state, MachineState::Crashed { why } if why.contains("console")),
            "{seen:?}"
        );

        // The same wish again is no decision to heal it, for this agent and for its successor.
        assert!(!bench.ensure(id, &wish, std::slice::from_ref(&plug)).await);
        bench.agent_again().await;
        assert!(!bench.ensure(id, &wish, std::slice::from_ref(&plug)).await);
        assert!(matches!(bench.seen(id).await.state, MachineState::Crashed { .. }));
        let wish = MachineWish {
            generation: wish.generation + 1,
            ..wish
        };
        assert!(bench.ensure(id, &wish, &[plug]).await);
        bench.comes_up("10.88.0.2").await;
        assert_ne!(bench.pid(id).await, pid);
        bench.machines.remove(id).await.unwrap();
    });
}

fn switched() {
    with_image(async |bench| {
        let (id, (plug, no_cloud)) = (ObjectId::random(), bench.plug("tap0", NEAR, FAR).await);
        let on = MachineWish {
            no_cloud: Some(no_cloud),
            ..bench.wish()
        };
        let off = MachineWish {
            power: Power::Off,
            ..on.clone()
        };
        let taps = [plug];
        bench.ensure(id, &on, &taps).await;
        bench.comes_up("10.88.0.2").await;
        let first = bench.pid(id).await;

        assert!(bench.ensure(id, &off, &taps).await);
        assert_eq!(bench.seen(id).await.state, MachineState::Stopped);
        assert!(!bench.ensure(id, &off, &taps).await);

        assert!(bench.ensure(id, &on, &taps).await);
        bench.comes_up("10.88.0.2").await;
        let second = bench.pid(id).await;
        assert_ne!(first, second);

        let afresh = MachineWish {
            generation: 2,
            ..on.clone()
        };
        assert!(bench.ensure(id, &afresh, &taps).await);
        bench.comes_up("10.88.0.2").await;
        assert_ne!(bench.pid(id).await, second);
        assert!(matches!(
            bench.seen(id).await.state,
            MachineState::Running { generation: 2, .. }
        ));
        let stale = bench
            .machines
            .ensure(id, &owner(), &on, taps.to_vec(), &bench.space)
            .await
            .unwrap_err();
        assert_eq!(stale.kind, manifold_call::ErrorKind::Stale);
        assert!(bench.told.lock().unwrap().is_empty(), "all of it was asked for");
        bench.machines.remove(id).await.unwrap();
    });
}

fn disk() {
    with_image(async |bench| {
        let (id, (plug, no_cloud)) = (ObjectId::random(), bench.plug("tap0", NEAR, FAR).await);
        let image = bench.image.clone().unwrap();
        let boot = Boot::Disk {
            image: image.disk.clone(),
            format: DiskFormat::Qcow2,
        };
        let before = std::fs::read(&image.disk).unwrap();
        let mut no_cloud = no_cloud;
        // Says on the console whether an earlier start left its mark on the last sector.
        no_cloud.user_data = "#!/bin/sh\nlast=$(($(cat /sys/block/vda/size) - 1))\n\
            if dd if=/dev/vda bs=512 skip=$last count=1 2>/dev/null | grep -q KEPT; then echo DISK-KEPT > /dev/console; \
            else printf KEPT | dd of=/dev/vda bs=512 seek=$last conv=notrunc 2>/dev/null; sync; echo DISK-FRESH > /dev/console; fi\n"
            .into();
        let wish = MachineWish {
            boot,
            memory_mib: 128,
            no_cloud: Some(no_cloud),
            ..bench.wish()
        };
        let start = std::time::Instant::now();
        bench.ensure(id, &wish, std::slice::from_ref(&plug)).await;
        bench.comes_up("10.88.0.2").await;
        println!("from disk: first ping after {:?}", start.elapsed());
        until("the disk is written", BOOT, async || {
            bench.machines.console(id, 9_999).await.unwrap().contains("DISK-FRESH")
        })
        .await;
        bench
            .ensure(
                id,
                &MachineWish {
                    generation: 2,
                    ..wish.clone()
                },
                &[plug],
            )
            .await;
        until("what was written is kept", BOOT, async || {
            bench.machines.console(id, 9_999).await.unwrap().contains("DISK-KEPT")
        })
        .await;
        assert!(
            before == std::fs::read(&image.disk).unwrap(),
            "the image is never written to"
        );
        bench.machines.remove(id).await.unwrap();
        assert_eq!(std::fs::read_dir("/run/disks").unwrap().count(), 0);
    });
}

fn accelerator() {
    with_image(async |bench| {
        let image = bench.image.clone().unwrap();
        let mut config = bench.config.clone();
        config.accelerator = Accelerator::Auto;
        assert_eq!(
            Machines::open(config.clone()).await.unwrap().accelerator().await,
            "tcg",
            "nothing to try it with"
        );
        config.trial = Some(Trial {
            kernel: image.kernel,
            initramfs: image.initramfs,
            ready_mark: manifold_image::READY_MARK.into(),
        });
        let start = std::time::Instant::now();
        let tried = Machines::open(config.clone()).await.unwrap().accelerator().await;
        println!("{tried} after {:?}", start.elapsed());
        assert!(["kvm", "tcg"].contains(&tried.as_str()));
        assert_eq!(std::fs::read_dir(bench.run_dir.join("machines")).unwrap().count(), 0);

        // Remembered: with a QEMU that cannot be started, the answer is still the same.
        config.qemu = "/nonexistent".into();
        assert_eq!(Machines::open(config.clone()).await.unwrap().accelerator().await, tried);
        config.accelerator = Accelerator::Kvm;
        assert_eq!(
            Machines::open(config).await.unwrap().accelerator().await,
            "kvm",
            "told, not tried"
        );
    });
}
