use manifold_call::{Subject, interface, uuid_id};
use manifold_sol::{
    CreateNsdInfoRequest, CreatePnfdInfoRequest, CreateVnfPkgInfoRequest, NsdInfo, NsdInfoModifications, PnfdInfo,
    VnfPkgInfo, VnfPkgInfoModifications,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

uuid_id! {
    /// An on-boarded VNF package.
    pub VnfPkgId
}
uuid_id! {
    /// An on-boarded NSD.
    pub NsdInfoId
}
uuid_id! {
    /// An on-boarded PNFD.
    pub PnfdInfoId
}

interface! {
    /// VNF package management (IFA 013 7.7, SOL005 9; the queries also SOL003 10). Producer: NFVO.
    pub trait VnfPackageManagement as BoundVnfPackageManagement by Nfvo {
        /// Makes the resource that content is then uploaded to.
        async fn create(ask: New<CreateVnfPkgInfoRequest>) -> VnfPkgInfo;
        /// Takes the archive in, checks it, and makes it ONBOARDED and ENABLED; or ERROR with every fault. The file is moved away
        /// from where it lies. Errors: `Conflict` (has content), `Invalid` (all faults; the resource keeps them).
        async fn upload(ask: Upload<VnfPkgId>) -> VnfPkgInfo;
        /// Changes state and user data.
        async fn update(ask: Modify<VnfPkgId, VnfPkgInfoModifications>) -> VnfPkgInfo;
        /// All.
        async fn query(ask: ()) -> Vec<VnfPkgInfo>;
        /// One.
        async fn find(id: VnfPkgId) -> VnfPkgInfo;
        /// Deletes one. Errors: `Conflict` (ENABLED, or in use: names by whom).
        async fn delete(id: VnfPkgId) -> ();
        /// The archive.
        async fn content(id: VnfPkgId) -> Content;
        /// The descriptor of the enabled package with this vnfdId, as the parsed model in JSON (ours: our VNFM asks for this;
        /// SOL003's `GET …/vnfd` is made of it).
        async fn vnfd(vnfd_id: VnfdId) -> serde_json::Value;
    }
}

interface! {
    /// NSD management (IFA 013 7.2, SOL005 5). Producer: NFVO.
    pub trait NsdManagement as BoundNsdManagement by Nfvo {
        /// Makes the resource that content is then uploaded to.
        async fn create(ask: New<CreateNsdInfoRequest>) -> NsdInfo;
        /// Takes the archive in, checks it, also against the packages and PNFDs that it names.
        async fn upload(ask: Upload<NsdInfoId>) -> NsdInfo;
        /// Changes state and user data.
        async fn update(ask: Modify<NsdInfoId, NsdInfoModifications>) -> NsdInfo;
        /// All.
        async fn query(ask: ()) -> Vec<NsdInfo>;
        /// One.
        async fn find(id: NsdInfoId) -> NsdInfo;
        /// Deletes one.
        async fn delete(id: NsdInfoId) -> ();
        /// The archive.
        async fn content(id: NsdInfoId) -> Content;
    }
}

interface! {
    /// PNFD management (IFA 013 7.2, SOL005 5). Producer: NFVO.
    pub trait PnfdManagement as BoundPnfdManagement by Nfvo {
        /// Makes the resource that content is then uploaded to.
        async fn create(ask: New<CreatePnfdInfoRequest>) -> PnfdInfo;
        /// Takes the archive in and checks it.
        async fn upload(ask: Upload<PnfdInfoId>) -> PnfdInfo;
        /// All.
        async fn query(ask: ()) -> Vec<PnfdInfo>;
        /// One.
        async fn find(id: PnfdInfoId) -> PnfdInfo;
        /// Deletes one.
        async fn delete(id: PnfdInfoId) -> ();
        /// The archive.
        async fn content(id: PnfdInfoId) -> Content;
    }
}

manifold_call::text_id! {
    /// What a descriptor calls itself.
    pub VnfdId
}

/// A request that makes something.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct New<T>(pub T);

impl<T> Subject for New<T> {
    fn subject(&self) -> String {
        String::new()
    }
}

/// An archive that has been received completely into a file of the NFVO's spool folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload<Id> {
    /// For which resource.
    pub id: Id,
    /// Where the bytes lie.
    pub file: PathBuf,
}

impl<Id: Subject> Subject for Upload<Id> {
    fn subject(&self) -> String {
        self.id.subject()
    }
}

/// A request that changes something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Modify<Id, T> {
    /// What.
    pub id: Id,
    /// How.
    pub changes: T,
}

impl<Id: Subject, T> Subject for Modify<Id, T> {
    fn subject(&self) -> String {
        self.id.subject()
    }
}

/// An archive of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Where the bytes lie; never changed in place.
    pub file: PathBuf,
    /// In bytes.
    pub size: u64,
}
