//! Labels: whose a kernel object is. Every link of ours carries one as its alias; what each object was wished to be stands in
//! `<run>/objects/<id>.json`, written before the first effect and removed after the last. A file without a kernel object is
//! harmless: `ensure` makes the object, `remove` removes the file.
//!
//! The files need no flush to disk: they tell of kernel objects, and what a crash of the machine takes from them it takes from
//! the kernel, too. The agent's own death loses nothing that was written.

use manifold_nfvi_interface::{KindName, ObjectId, Owner, Wish};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a link is to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// The one link, or the one on the segment's side.
    Main,
    /// The other end of a pair.
    Far,
    /// A segment's tunnel.
    Tunnel,
    /// The device in which what a machine sends is queued.
    Queue,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Main => "main",
            Part::Far => "far",
            Part::Tunnel => "tunnel",
            Part::Queue => "queue",
        }
    }
}

/// A label, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// Which object.
    pub(crate) id: ObjectId,
    /// Whose.
    pub(crate) owner: Owner,
    /// Of which kind.
    pub(crate) kind: KindName,
    /// Whether it is the link that people should look at.
    pub(crate) main: bool,
}

/// Writes a label. Kernel aliases hold 255 bytes; the parts' limits keep it below.
pub(crate) fn write(instance: &str, id: ObjectId, owner: &Owner, kind: KindName, part: Part) -> String {
    let tenant = owner.tenant.as_ref().map_or("-", |tenant| tenant.as_str());
    format!(
        "manifold:{instance}:{}:{tenant}:{}:{id}:{}",
        owner.manager,
        kind_text(kind),
        part.name()
    )
}

/// Reads a label of this instance; `None` for anything else.
pub(crate) fn read(instance: &str, alias: &str) -> Option<Label> {
    let mut parts = alias
        .strip_prefix("manifold:")?
        .strip_prefix(instance)?
        .strip_prefix(':')?
        .split(':');
    let manager = parts.next()?.to_owned();
    let tenant = Some(parts.next()?).filter(|tenant| *tenant != "-");
    let kind = KINDS
        .iter()
        .find(|kind| Some(kind_text(**kind)) == parts.clone().next())?;
    let id = parts.nth(1)?.parse().ok()?;
    let main = parts.next()? == Part::Main.name();
    Some(Label {
        id,
        owner: Owner {
            manager,
            tenant: tenant.map(Into::into),
        },
        kind: *kind,
        main,
    })
}

const KINDS: [KindName; 8] = [
    KindName::Node,
    KindName::Switch,
    KindName::Cable,
    KindName::Segment,
    KindName::Port,
    KindName::Router,
    KindName::Stitch,
    KindName::Machine,
];

fn kind_text(kind: KindName) -> &'static str {
    match kind {
        KindName::Node => "node",
        KindName::Switch => "switch",
        KindName::Cable => "cable",
        KindName::Segment => "segment",
        KindName::Port => "port",
        KindName::Router => "router",
        KindName::Stitch => "stitch",
        KindName::Machine => "machine",
    }
}

/// The files of the wishes. Machines' files are their keeper's: user data may hold secrets, which stand in no label.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    folder: PathBuf,
}

impl Labels {
    pub(crate) fn open(run_dir: &Path) -> io::Result<Self> {
        let folder = run_dir.join("objects");
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Writes one, wholly or not at all.
    pub(crate) fn write(&self, wish: &Wish) -> io::Result<()> {
        let path = self.path(wish.id);
        let partial = path.with_extension("partial");
        fs::write(&partial, serde_json::to_vec(wish)?)?;
        fs::rename(partial, path)
    }

    /// Absent is success.
    pub(crate) fn remove(&self, id: ObjectId) -> io::Result<()> {
        absent_is_fine(fs::remove_file(self.path(id)))
    }

    /// All of them. A file that cannot be read is left alone and said; partial ones are swept.
    pub(crate) fn read_all(&self) -> io::Result<HashMap<ObjectId, Wish>> {
        let mut wishes = HashMap::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "partial") {
                absent_is_fine(fs::remove_file(&path))?;
                continue;
            }
            match read_json::<Wish>(&path) {
                Ok(wish) => drop(wishes.insert(wish.id, wish)),
                Err(error) => tracing::warn!(path = %path.display(), %error, "A label could not be read; left alone."),
            }
        }
        Ok(wishes)
    }

    fn path(&self, id: ObjectId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Names that the agent gives to interfaces: `mf`, a letter for what it is, and twelve digits of the object's id, whose last 62
/// bits differ between objects. Names that people choose never begin so.
pub(crate) mod name {
    use super::ObjectId;

    /// What every name of the agent's begins with.
    pub(crate) const PREFIX: &str = "mf";
    /// Segments' bridges.
    pub(crate) const SEGMENT: char = 's';
    /// Ports' ends on their segment.
    pub(crate) const PORT: char = 'p';
    /// Segments' tunnels.
    pub(crate) const TUNNEL: char = 'x';
    /// Stitches' tunnels.
    pub(crate) const STITCH: char = 't';
    /// Queues.
    pub(crate) const QUEUE: char = 'i';
    /// Switches.
    pub(crate) const SWITCH: char = 'w';
    /// Routers' legs, on their segment.
    pub(crate) const LEG: char = 'r';
    /// Routers' legs, inside the router.
    pub(crate) const LEG_INSIDE: char = 'l';

    /// An object's link.
    pub(crate) fn of(letter: char, id: ObjectId) -> String {
        let id = id.0.simple().to_string();
        format!("{PREFIX}{letter}{}", &id[20..])
    }

    /// Whether an interface of this name is a bridge's port.
    pub(crate) fn has_master(name: &str) -> bool {
        name.strip_prefix(PREFIX)
            .is_some_and(|rest| rest.starts_with([PORT, TUNNEL, STITCH, LEG]))
    }

    /// Whether people may call an interface so.
    pub(crate) fn allowed(name: &str) -> bool {
        (1..=15).contains(&name.len())
            && !name.starts_with(PREFIX)
            && name != "lo"
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !name.starts_with('.')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_reads_back_and_another_instances_does_not() {
        let id = ObjectId::random();
        for tenant in [None, Some("blue".into())] {
            let owner = Owner {
                manager: "vim/site-1".to_owned(),
                tenant,
            };
            for kind in KINDS {
                let label = write("lab", id, &owner, kind, Part::Main);
                assert!(label.len() < 255);
                let read_back = read("lab", &label).expect("just written");
                assert_eq!(
                    (read_back.id, &read_back.owner, read_back.kind, read_back.main),
                    (id, &owner, kind, true)
                );
                assert_eq!(read("la", &label), None);
                assert_eq!(read("other", &label), None);
            }
        }
        assert_eq!(read("lab", "someone's own words"), None);
    }

    #[test]
    fn an_interface_name_fits_the_kernel() {
        assert_eq!(name::of(name::PORT, ObjectId::random()).len(), 15);
        assert!(name::allowed("uplink-0") && name::allowed("eth0"));
        assert!(
            !name::allowed("mfp0")
                && !name::allowed("lo")
                && !name::allowed("")
                && !name::allowed("sixteen-bytes-xx")
                && !name::allowed("a/b")
        );
    }
}
