//! The clients that the configuration names, with the secrets from their files.

use crate::config::{Client, Config};
use anyhow::{Context as _, bail, ensure};
use manifold_call::Role;
use manifold_http::auth::{ClientEntry, Secret};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Longer than any secret that a person or a generator makes.
const SECRET_BYTES_MAX: u64 = 4_096;

/// All of them. Errors name the client and what is wrong with it, never its secret.
pub fn read(config: &Config) -> anyhow::Result<Vec<ClientEntry>> {
    let entries = config.clients.iter().map(|client| {
        entry(client, &config.tenant).with_context(|| format!("the client {:?} of the configuration", client.id))
    });
    entries.collect()
}

fn entry(client: &Client, tenant: &str) -> anyhow::Result<ClientEntry> {
    ensure!(!client.id.is_empty(), "its id is empty");
    let Some(role) = Role::find(&client.role) else {
        let known: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        bail!("there is no role {:?}; there are {}", client.role, known.join(", "));
    };
    let any = client.tenants.iter().any(|tenant| tenant == "*");
    let named = || client.tenants.iter().map(|tenant| tenant.as_str().into()).collect();
    Ok(ClientEntry {
        id: client.id.clone(),
        secret: secret(&client.secret_file)?,
        role,
        default_tenant: client.tenant.as_deref().unwrap_or(tenant).into(),
        tenants: (!any).then(named),
        scopes: Vec::new(),
    })
}

/// The file's text without the space around it. The mode is asked of the open file, so that it is the file that is read.
fn secret(path: &Path) -> anyhow::Result<Secret> {
    let reading = || format!("reading its secret from {}", path.display());
    let file = std::fs::File::open(path).with_context(reading)?;
    let found = file.metadata().with_context(reading)?;
    ensure!(found.is_file(), "its secret file {} is no regular file", path.display());
    let mode = found.permissions().mode() & 0o777;
    ensure!(
        mode & 0o077 == 0,
        "its secret file {} has mode {mode:03o}, so others than its owner reach it; `chmod 600` it",
        path.display()
    );
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .with_context(reading)?;
    ensure!(
        text.len() as u64 <= SECRET_BYTES_MAX,
        "its secret file {} holds more than {SECRET_BYTES_MAX} bytes",
        path.display()
    );
    ensure!(!text.trim().is_empty(), "its secret file {} is empty", path.display());
    Ok(Secret::new(text.trim()))
}
