//! `ssi service apply`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use ssi_api::control::Client;
use ssi_api::service::{ServiceFile, ServiceRequest};

use super::change;
use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};

/// Keep alive what files say
///
/// Processes and groups of the files come, or take the place of those of the same names; the
/// others stay. Everything is right, or nothing is applied and each mistake is named with file
/// and line. What runs goes on as it is: the next start is by the new words.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi service apply /etc/ssi/keepalive.d
  ssi service apply --check web.toml      only look whether it is right
  ssi service show --text | ssi service apply --only -"))]
pub(super) struct Options {
    /// Files, folders (all *.toml in them), or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Remove everything that is in none of the files
    #[arg(long)]
    only: bool,
    /// Only look whether it is right
    #[arg(long)]
    check: bool,
}

pub(super) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let putting = Putting {
        only: options.only,
        check: options.check,
        ..Putting::default()
    };
    let names = put(&mut common.connect()?, &options.files, putting)?;
    let text = match common.output {
        Format::Json => output::json(&[("names", &names)]),
        _ if options.check => format!("right: {}\n", names.join(", ")),
        _ => format!("applied: {}\n", names.join(", ")),
    };
    Ok(output::print(&text)?)
}

/// How files are applied.
#[derive(Default)]
pub(crate) struct Putting {
    /// Everything else goes.
    pub(crate) only: bool,
    /// It is only looked at.
    pub(crate) check: bool,
    /// What goes before the files, as options of spawndaemon.
    pub(crate) options: Vec<String>,
    /// What comes stands still until it is started.
    pub(crate) stopped: bool,
}

/// Applies files; the names of what they say.
pub(crate) fn put(
    client: &mut Client,
    paths: &[PathBuf],
    putting: Putting,
) -> Result<Vec<String>, Fail> {
    let mut files = Vec::new();
    for path in paths {
        read(path, &mut files)?;
    }
    let Putting {
        only,
        check,
        options,
        stopped,
    } = putting;
    let request = ServiceRequest::Apply {
        files,
        only,
        check,
        options,
        stopped,
    };
    let outcome = change(client, request)?;
    Ok(outcome
        .instances
        .into_iter()
        .map(|(name, _)| name)
        .collect())
}

fn read(path: &Path, files: &mut Vec<ServiceFile>) -> Result<(), Fail> {
    let fail = |error| Fail::Failed(format!("{}: {error}", path.display()));
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(fail)?;
        let name = "standard input".to_owned();
        files.push(ServiceFile { name, text });
        return Ok(());
    }
    if !path.is_dir() {
        let text = fs::read_to_string(path).map_err(fail)?;
        let name = path.display().to_string();
        files.push(ServiceFile { name, text });
        return Ok(());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let file = entry.map_err(fail)?.path();
        // Editors leave `.web.toml.swp` and `web.toml~` behind.
        let hidden = file
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if !hidden && file.extension().is_some_and(|ext| ext == "toml") {
            found.push(file);
        }
    }
    if found.is_empty() {
        let why = format!("{}: there is no *.toml in it", path.display());
        return Err(Fail::Failed(why));
    }
    found.sort();
    found.iter().try_for_each(|file| read(file, files))
}
