//! Every step of every operation, struck by every fault; over an NFVO in memory.

mod nfvo;

use crate::apply::{self, Params};
use crate::onboard::{Parcel, Sort};
use crate::record::{self, Onboarded, ScriptRecord, json};
use crate::{Neighbours, Scripts, delete};
use async_trait::async_trait;
use manifold_call::Context;
use manifold_lcm::fault::{Arena, matrix_of};
use manifold_lcm::{Engine, Registry, Start};
use manifold_store::{Expect, SqliteStore, Store};
use nfvo::Nfvo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is done to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    First,
    Second,
    Delete,
}

struct Lives {
    case: Case,
    store: Arc<dyn Store>,
    nfvo: Arc<Nfvo>,
    scripts: Mutex<Option<Arc<Scripts>>>,
    folder: tempfile::TempDir,
}

impl Lives {
    fn new(case: Case) -> Self {
        let folder = tempfile::tempdir().expect("a folder for a test");
        Self {
            case,
            store: Arc::new(SqliteStore::open(&folder.path().join("data")).expect("a store for a test")),
            nfvo: Arc::default(),
            scripts: Mutex::default(),
            folder,
        }
    }

    /// Revision 1 brings in `f-1`, and `s-1` inside of `root-1`.
    fn first() -> Params {
        let parcel = |sort, id: &str| Parcel::new(sort, id.to_owned(), id.as_bytes());
        Params {
            record: ScriptRecord {
                name: "demo".to_owned(),
                revision: 1,
                nsd_id: Some("root-1".to_owned()),
                ..ScriptRecord::default()
            },
            parcels: vec![
                parcel(Sort::Vnfd, "f-1"),
                parcel(Sort::Nsd, "s-1"),
                parcel(Sort::Nsd, "root-1"),
            ],
            flavour: "default".to_owned(),
            ns: None,
            nsds_gone: vec![],
            packages_gone: vec![],
        }
    }

    /// Revision 2 has another root and another function, and keeps what is inside.
    fn second(before: &ScriptRecord) -> Params {
        let parcel = |sort, id: &str| Parcel::new(sort, id.to_owned(), id.as_bytes());
        let kept = |all: &[Onboarded], id: &str| -> (Vec<Onboarded>, Vec<Onboarded>) {
            all.iter().cloned().partition(|one| one.descriptor == id)
        };
        let (nsds, nsds_gone) = kept(&before.nsds, "s-1");
        let (packages, packages_gone) = kept(&before.packages, "");
        Params {
            record: ScriptRecord {
                revision: 2,
                nsd_id: Some("root-2".to_owned()),
                nsds,
                packages,
                ..before.clone()
            },
            parcels: vec![
                parcel(Sort::Vnfd, "f-2"),
                parcel(Sort::Nsd, "s-1"),
                parcel(Sort::Nsd, "root-2"),
            ],
            flavour: "default".to_owned(),
            ns: before.ns.clone().zip(before.nsd_id.clone()),
            nsds_gone,
            packages_gone,
        }
    }

    async fn kept(&self) -> Option<(manifold_store::Doc, ScriptRecord)> {
        record::find(&*self.store, &cx().tenant, "demo").await.unwrap()
    }
}

fn cx() -> Context {
    Context::root("a".into())
}

#[async_trait]
impl Arena for Lives {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    fn registry(&self) -> Registry {
        let scripts = Scripts::new(Arc::clone(&self.store), self.folder.path().join("spool"));
        let mut registry = Registry::new();
        for operation in scripts.operations() {
            registry.register_arc(operation).unwrap();
        }
        *self.scripts.lock().unwrap_or_else(PoisonError::into_inner) = Some(scripts);
        registry
    }

    async fn connect(&self, engine: &Engine) {
        let scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        scripts.unwrap().connect(Neighbours {
            engine: engine.clone(),
            packages: self.nfvo.clone(),
            nsds: self.nfvo.clone(),
            lifecycle: self.nfvo.clone(),
        });
    }

    async fn sample(&self, engine: &Engine, operation: &str) -> Result<Start, String> {
        let cx = cx();
        let empty = ScriptRecord {
            name: "demo".to_owned(),
            ..ScriptRecord::default()
        };
        let subject = record::id(&cx.tenant, "demo");
        let first = Start::new(&cx, apply::KIND, &subject, json(&Self::first()).unwrap());
        let first = first.write(empty.put(&cx.tenant, Expect::Any).unwrap());
        if self.case == Case::First {
            return Ok(first);
        }
        let started = engine.start(first).await.map_err(|error| error.to_string())?;
        let limit = std::time::Duration::from_secs(20);
        let ended = engine
            .settled(started, limit)
            .await
            .map_err(|error| error.to_string())?;
        if ended.error.is_some() {
            return Err(format!("{:?}", ended.error));
        }
        let (_, record) = self.kept().await.ok_or("there is no document")?;
        let params = match self.case {
            Case::Second => json(&Self::second(&record)),
            _ => json(&delete::Params { record }),
        };
        Ok(Start::new(&cx, operation, &subject, params.unwrap()))
    }

    async fn snapshot(&self) -> Value {
        let record = self.kept().await.map(|(_, record)| ScriptRecord {
            operation: None,
            ..record
        });
        let spooled = std::fs::read_dir(self.folder.path().join("spool")).map_or(0, Iterator::count);
        json!({ "script": record, "nfvo": self.nfvo.snapshot(), "spooled": spooled })
    }

    async fn check_completed(&self, _: &str) -> Result<(), String> {
        let told = self.nfvo.descriptors();
        let wished: Vec<&str> = match self.case {
            Case::First => vec!["f-1", "root-1", "s-1"],
            Case::Second => vec!["f-2", "root-2", "s-1"],
            Case::Delete => vec![],
        };
        if told != wished {
            return Err(format!("{told:?} are on-boarded, not {wished:?}"));
        }
        let revision = self
            .kept()
            .await
            .map(|(_, record)| (record.revision, record.ns.is_some()));
        let expected = match self.case {
            Case::First => Some((1, true)),
            Case::Second => Some((2, true)),
            Case::Delete => None,
        };
        match revision == expected {
            true => Ok(()),
            false => Err(format!("the document is at {revision:?}")),
        }
    }
}

async fn all_faults(case: Case) {
    let operation = match case {
        Case::First | Case::Second => apply::KIND,
        Case::Delete => delete::KIND,
    };
    matrix_of(async || Lives::new(case), operation).await.assert_all_right();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_apply_survives_every_fault_of_every_step() {
    all_faults(Case::First).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_apply_survives_every_fault_of_every_step() {
    all_faults(Case::Second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_survives_every_fault_of_every_step() {
    all_faults(Case::Delete).await;
}

#[test]
fn saps_are_where_the_user_says() {
    let points = BTreeMap::from([("left".to_owned(), "client".to_owned())]);
    let saps = crate::ns::saps(&points);
    assert_eq!(
        (saps[0].sapd_id.as_str(), saps[0].sap_name.as_str()),
        ("left", "client")
    );
}
