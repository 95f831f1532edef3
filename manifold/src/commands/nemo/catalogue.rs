//! The catalogue of the control plane that runs, for leaves that a script names by `catalog:`.

use crate::client::Session;
use crate::config::Config;
use manifold_descriptors::interfaces::{ReadLeaf, read_leaf};
use manifold_leaves::Catalogue;
use manifold_sol::VnfPkgInfo;
use std::future::Future;
use std::sync::Arc;

/// Most bytes of a package that is read for its descriptor.
const PACKAGE_BYTES_MAX: u64 = 64 << 20;

/// It asks anew each time; what was asked is remembered by whoever has it.
pub struct Live {
    config: Config,
}

impl Live {
    /// That of the control plane whose login is in the configured folder; `None`: none runs.
    pub fn of(config: &Config) -> Option<Arc<dyn Catalogue>> {
        config
            .login_file()
            .exists()
            .then(|| Arc::new(Self { config: config.clone() }) as Arc<dyn Catalogue>)
    }

    /// On a thread and a runtime of its own: those who ask may or may not be on one.
    fn ask<T: Send, F: Future<Output = anyhow::Result<T>>>(
        &self,
        question: impl FnOnce(Session) -> F + Send,
    ) -> Result<T, String> {
        let answer = std::thread::scope(|scope| {
            let worker = scope.spawn(|| -> anyhow::Result<T> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let session = Session::open(&self.config)?;
                runtime.block_on(question(session))
            });
            worker.join()
        });
        match answer {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(_) => Err("the catalogue could not be asked".to_owned()),
        }
    }
}

impl Catalogue for Live {
    fn leaf(&self, name: &str) -> Result<Option<ReadLeaf>, String> {
        let name = name.to_owned();
        let bytes = self.ask(move |session| async move {
            let all = session.nfvo.packages.query(&session.cx(), ()).await?;
            let Some(package) = pick(&all, &name)? else {
                return Ok(None);
            };
            let content = session
                .nfvo
                .packages
                .content(&session.cx(), package.id.parse()?)
                .await?;
            let bytes = match content.size {
                0..=PACKAGE_BYTES_MAX => std::fs::read(&content.file),
                _ => Err(std::io::Error::other(
                    "the package is too large to be read for its descriptor",
                )),
            };
            std::fs::remove_file(&content.file)?;
            anyhow::Ok(Some(bytes?))
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        read_leaf("package.csar", &bytes)
            .map(Some)
            .map_err(|told| told.render())
    }

    fn names(&self) -> Vec<String> {
        let all = self.ask(|session| async move { Ok(session.nfvo.packages.query(&session.cx(), ()).await?) });
        // Names are for suggestions alone.
        let all = all.unwrap_or_default();
        let names = all
            .into_iter()
            .flat_map(|package| [package.vnfd_id, package.vnf_product_name]);
        names.flatten().collect()
    }
}

/// By the VNFD's id, else by the product's name, which has to be one package's alone.
fn pick<'a>(all: &'a [VnfPkgInfo], name: &str) -> anyhow::Result<Option<&'a VnfPkgInfo>> {
    let by_id = all.iter().find(|package| package.vnfd_id.as_deref() == Some(name));
    if by_id.is_some() {
        return Ok(by_id);
    }
    let mut named = all
        .iter()
        .filter(|package| package.vnfd_id.is_some() && package.vnf_product_name.as_deref() == Some(name));
    let first = named.next();
    anyhow::ensure!(
        named.next().is_none(),
        "several VNFDs of the catalogue are of a product of that name: name one by its id"
    );
    Ok(first)
}
