//! The language server over stdin and stdout, with descriptors from files alone: what the tests speak with, and enough for an editor.

use manifold_nemo::leaf::{Leaf, LeafError, LeafSource};
use manifold_nemo_server::serve;
use std::io::{stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Descriptors beside the scripts of a folder.
struct Files {
    folder: PathBuf,
}

impl LeafSource for Files {
    fn leaf(&self, uri: &str, _digest: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        let path = uri.strip_prefix("file:").unwrap_or(uri);
        let path = self.folder.join(path.strip_prefix("//").unwrap_or(path));
        let bytes = std::fs::read(&path).map_err(|error| LeafError {
            message: format!("{}: {error}", path.display()),
            help: None,
            suggestion: None,
        })?;
        Leaf::read(uri, &path.display().to_string(), &bytes).map(Arc::new)
    }
}

fn main() -> ExitCode {
    let sources = |folder: &Path| -> Box<dyn LeafSource> {
        Box::new(Files {
            folder: folder.to_path_buf(),
        })
    };
    match serve(stdin(), stdout(), Box::new(sources)) {
        Ok(ending) => ExitCode::from(ending.exit_code()),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
