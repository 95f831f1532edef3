//! `manifold nemo`: scripts on this machine. Nothing here needs a control plane, but for what a script names by `catalog:` and for
//! questions about a service that runs.

mod catalogue;
mod compile;
mod explain;
mod query;
mod repl;
mod texts;

pub use compile::write;
pub use texts::{Leaving, Texts};

use crate::client::print;
use crate::config::Config;
use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use manifold_leaves::{Aliases, Files, Leaves, Options as Sources};
use manifold_nemo::expand::{Limits, expand};
use manifold_nemo::leaf::LeafSource;
use manifold_nemo::{fix, graph};
use manifold_nemo_server::{Ending, serve};
use manifold_nemo_syntax::format;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say everything that is wrong with a script
    Check {
        #[command(flatten)]
        what: What,
    },
    /// Lay scripts out as the language is written
    Fmt {
        /// Files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Change nothing; say which files are laid out otherwise
        #[arg(long)]
        check: bool,
    },
    /// Mend what can be mended in one way only
    Fix {
        #[command(flatten)]
        what: What,
    },
    /// Make packages of a script: network services, one VNF, or an OpenMANO scenario
    Compile(compile::Arguments),
    /// Draw a service
    Graph(GraphArguments),
    /// Say what the code of a fault means, and show how it is mended
    Explain {
        /// As it stands in brackets behind the fault: `E-SEMI`; all codes if absent
        code: Option<String>,
    },
    /// Answer a question about a service: `Query nodes From left;`
    Query(query::Arguments),
    /// Answer questions as they come, about a service that runs or a script in files
    Repl(repl::Arguments),
    /// Serve an editor over standard input and output (Language Server Protocol)
    Lsp {
        #[command(flatten)]
        leaving: Leaving,
    },
}

/// Scripts, and how they are looked at.
#[derive(Debug, Args)]
pub struct What {
    /// Files of one script; what one defines can be used in all of them. Descriptors are looked for beside the first one
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The model that is the service, where no nodes stand at the top
    #[arg(long, value_name = "MODEL")]
    pub root: Option<String>,
    /// Let pass, with a warning, what printed drafts of the language leave out
    #[arg(long)]
    pub lenient: bool,
    #[command(flatten)]
    pub leaving: Leaving,
}

#[derive(Debug, Args)]
pub struct GraphArguments {
    #[command(flatten)]
    what: What,
    /// How
    #[arg(long, value_enum, default_value = "svg")]
    format: Picture,
    /// Show what stands at this depth as closed boxes
    #[arg(long, value_name = "DEPTH")]
    fold: Option<usize>,
    /// Where to; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Picture {
    Svg,
    Dot,
    Mermaid,
    Json,
}

pub fn run(config: &Config, command: Command, json: bool) -> anyhow::Result<()> {
    match command {
        Command::Check { what } => check(config, &what, json),
        Command::Fmt { files, check } => layout(&files, check, json),
        Command::Fix { what } => mend(config, &what, json),
        Command::Compile(arguments) => compile::run(config, arguments, json),
        Command::Graph(arguments) => draw(config, &arguments),
        Command::Explain { code } => explain::run(code.as_deref(), json),
        Command::Query(arguments) => query::run(config, arguments, json),
        Command::Repl(arguments) => repl::run(config, arguments, json),
        Command::Lsp { leaving } => editor(config, leaving),
    }
}

/// Descriptors for scripts in a folder.
pub fn leaves(config: &Config, folder: &Path, leaving: &Leaving) -> Leaves {
    Leaves::new(Sources {
        files: Some(Files::beside(folder)),
        catalogue: catalogue::Live::of(config),
        policy: leaving.policy(),
        cache: None,
        aliases: Aliases::default(),
    })
}

fn check(config: &Config, what: &What, json: bool) -> anyhow::Result<()> {
    let texts = Texts::read(&what.files)?;
    let leaves = leaves(config, texts.folder(), &what.leaving);
    let told = texts.look(&leaves, what.lenient, what.root.as_deref(), None).told();
    if json {
        print::value(&texts.places(&told))?;
    } else if !told.is_empty() {
        print!("{}", texts.render(&told));
    }
    if texts::has_errors(&told) {
        bail!("{} cannot be used as it is", texts.title());
    }
    if !json {
        println!("{} is in order", texts.title());
    }
    Ok(())
}

fn layout(files: &[PathBuf], only_check: bool, json: bool) -> anyhow::Result<()> {
    let texts = Texts::read(files)?;
    let parses = texts.parse(true);
    let mut otherwise = Vec::new();
    let mut broken = Vec::new();
    for ((path, parse), text) in files.iter().zip(&parses).zip(texts.all()) {
        if parse.has_errors() {
            eprint!("{}", texts.render(parse.diagnostics()));
            broken.push(path.display().to_string());
            continue;
        }
        let laid_out = format(parse);
        if laid_out == *text {
            continue;
        }
        otherwise.push(path.display().to_string());
        if !only_check {
            std::fs::write(path, laid_out).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    if json {
        print::value(&otherwise)?;
    } else {
        otherwise.iter().for_each(|path| println!("{path}"));
    }
    if !broken.is_empty() {
        bail!("{} cannot be read, and stays as it is", broken.join(", "));
    }
    if only_check && !otherwise.is_empty() {
        bail!("laid out otherwise: {}", otherwise.join(", "));
    }
    Ok(())
}

fn mend(config: &Config, what: &What, json: bool) -> anyhow::Result<()> {
    let texts = Texts::read(&what.files)?;
    let leaves = leaves(config, texts.folder(), &what.leaving);
    let options = texts::options(what.lenient, what.root.as_deref(), None);
    let before: Vec<&str> = texts.all().iter().map(String::as_str).collect();
    let fixed = fix::fix(&before, &leaves, &options);
    for ((path, before), after) in what.files.iter().zip(&before).zip(&fixed.texts) {
        if before != after {
            std::fs::write(path, after).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    let texts = texts.with(fixed.texts);
    let told = texts.look(&leaves, what.lenient, what.root.as_deref(), None).told();
    if json {
        print::value(&serde_json::json!({"mended": fixed.applied, "left": texts.places(&told)}))?;
    } else {
        match fixed.applied {
            1 => println!("1 place was mended"),
            count => println!("{count} places were mended"),
        }
        if !told.is_empty() {
            print!("{}", texts.render(&told));
        }
    }
    if texts::has_errors(&told) {
        bail!("{} has faults that only its author can mend", texts.title());
    }
    Ok(())
}

fn draw(config: &Config, arguments: &GraphArguments) -> anyhow::Result<()> {
    let what = &arguments.what;
    let texts = Texts::read(&what.files)?;
    let leaves = leaves(config, texts.folder(), &what.leaving);
    let looked = texts.look(&leaves, what.lenient, what.root.as_deref(), Some(&texts.name()));
    let service = looked.service(&texts)?;
    let limits = Limits {
        fold_depth: arguments.fold,
        ..Limits::default()
    };
    let all = expand(&service, &limits)?;
    let picture = match arguments.format {
        Picture::Svg => graph::svg(&all),
        Picture::Dot => graph::dot(&all),
        Picture::Mermaid => graph::mermaid(&all),
        Picture::Json => graph::json(&all),
    };
    match &arguments.output {
        Some(path) => std::fs::write(path, picture).with_context(|| format!("writing {}", path.display())),
        None => {
            print!("{picture}");
            Ok(())
        }
    }
}

fn editor(config: &Config, leaving: Leaving) -> anyhow::Result<()> {
    let config = config.clone();
    let sources = move |folder: &Path| -> Box<dyn LeafSource> { Box::new(leaves(&config, folder, &leaving)) };
    match serve(std::io::stdin(), std::io::stdout(), Box::new(sources)) {
        Ok(Ending::Orderly) => Ok(()),
        Ok(Ending::Abrupt) => Err(anyhow!("the editor went away in the middle of the conversation")),
        Err(error) => Err(anyhow!(error).context("talking to the editor")),
    }
}
