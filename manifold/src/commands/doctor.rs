//! `manifold doctor`: what this machine can do, and the one command that mends each lack.

use crate::client::print;
use crate::config::Config;
use anyhow::bail;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    what: String,
    ok: bool,
    /// Without it the embedded infrastructure does not work.
    needed: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<String>,
}

pub fn run(config: &Config, json: bool) -> anyhow::Result<()> {
    let mut all = vec![
        root(),
        namespaces(),
        tool("qemu-system-x86_64", "qemu-system-x86", true),
        tool("nft", "nftables", true),
    ];
    all.push(tool("qemu-img", "qemu-utils", false));
    for name in ["apt-get", "dpkg-deb"] {
        all.push(tool(name, "apt", false));
    }
    all.extend([
        tun(),
        kvm(config),
        image(config),
        memory(),
        folder("run folder", &config.run),
        folder("data folder", &config.data),
    ]);
    let lacking: Vec<&str> = all
        .iter()
        .filter(|found| found.needed && !found.ok)
        .map(|found| found.what.as_str())
        .collect();
    print::rows(json, &["", "WHAT", "FOUND", "CURE"], &all, |found| {
        let mark = if found.ok {
            "ok"
        } else if found.needed {
            "LACKS"
        } else {
            "-"
        };
        vec![
            mark.to_owned(),
            found.what.clone(),
            found.found.clone(),
            found.cure.clone().unwrap_or_default(),
        ]
    })?;
    if lacking.is_empty() {
        Ok(())
    } else {
        bail!("this machine lacks {}", lacking.join(", "))
    }
}

fn finding(what: &str, needed: bool, ok: bool, found: impl Into<String>, cure: &str) -> Finding {
    Finding {
        what: what.into(),
        ok,
        needed,
        found: found.into(),
        cure: (!ok && !cure.is_empty()).then(|| cure.to_owned()),
    }
}

fn root() -> Finding {
    let uid = nix::unistd::geteuid();
    finding(
        "privileges",
        true,
        uid.is_root(),
        format!("user {uid}"),
        "sudo manifold agent   (the control plane needs no privileges)",
    )
}

/// Asked of the kernel in a child, so that this process stays where it is.
fn namespaces() -> Finding {
    let made = Command::new("unshare")
        .args(["--net", "--mount", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let ok = made.is_ok_and(|status| status.success());
    finding(
        "network namespaces",
        true,
        ok,
        if ok { "can be made" } else { "cannot be made" },
        "run as root on a kernel with CONFIG_NET_NS",
    )
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    places.map(|place| place.join(name)).find(|file| file.is_file())
}

fn tool(name: &str, package: &str, needed: bool) -> Finding {
    match find(name) {
        Some(path) => finding(name, needed, true, path.display().to_string(), ""),
        None => finding(
            name,
            needed,
            false,
            "not found",
            &format!("sudo apt-get install --yes --no-install-recommends {package}"),
        ),
    }
}

fn tun() -> Finding {
    let ok = Path::new("/dev/net/tun").exists();
    finding(
        "/dev/net/tun",
        true,
        ok,
        if ok { "there" } else { "not there" },
        "sudo modprobe tun",
    )
}

/// A device that opens proves nothing: what counts is whether a machine really booted with it, which the agent tries once.
fn kvm(config: &Config) -> Finding {
    let device = std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm");
    let kept = std::fs::read(config.run.join("accelerator.json")).ok();
    let tried = kept.and_then(|kept| serde_json::from_slice::<serde_json::Value>(&kept).ok());
    let shown = tried.as_ref().and_then(|tried| tried["accelerator"].as_str());
    match (device, shown) {
        (Err(_), _) => finding(
            "KVM",
            false,
            false,
            "no /dev/kvm; machines are emulated (TCG), a few times slower",
            "enable virtualisation, or sudo modprobe kvm",
        ),
        (Ok(_), Some("kvm")) => finding("KVM", false, true, "a machine booted with it", ""),
        (Ok(_), Some(_)) => finding(
            "KVM",
            false,
            false,
            "the agent tried it by booting a machine, which did not come up; machines are emulated (TCG)",
            "sudo chmod 0666 /dev/kvm   (machines run as nobody), then restart the agent; it may still not be usable here",
        ),
        (Ok(_), None) => finding(
            "KVM",
            false,
            true,
            "/dev/kvm opens; the agent tries it by booting before it is used",
            "",
        ),
    }
}

fn image(config: &Config) -> Finding {
    match manifold_image::built(&config.cache) {
        Some(image) => finding(
            "guest image",
            false,
            true,
            image.kernel.parent().unwrap_or(&image.kernel).display().to_string(),
            "",
        ),
        None => finding(
            "guest image",
            false,
            true,
            "not built yet; about 30 MB of Debian packages are fetched when it is first used",
            "",
        ),
    }
}

fn memory() -> Finding {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text.lines().find_map(|line| {
        line.strip_prefix("MemAvailable:")?
            .trim()
            .split(' ')
            .next()?
            .parse::<u64>()
            .ok()
    });
    let mib = kib.unwrap_or(0) / 1_024;
    finding(
        "memory",
        false,
        mib >= 2_048,
        format!("{mib} MiB available"),
        "the demo's seven machines take about 200 MiB each; close something",
    )
}

fn folder(what: &str, path: &Path) -> Finding {
    let existing = path.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/"));
    let ok = nix::unistd::access(existing, nix::unistd::AccessFlags::W_OK).is_ok();
    let option = if what.starts_with("run") { "--run" } else { "--data" };
    finding(
        what,
        false,
        ok,
        path.display().to_string(),
        &format!("name one that you may write to with {option}"),
    )
}
