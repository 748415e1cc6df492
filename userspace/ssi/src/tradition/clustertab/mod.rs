//! `ssi clustertab`: the original's list of nodes, and what it means here.

mod meaning;
mod parse;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};

/// Files larger than this are no clustertab.
const LARGEST: u64 = 1 << 20;

/// Traditional: read /etc/clustertab, check it, and say what it means here
///
/// The file has a line a node, its columns separated by tabs: Node, IP-address,
/// Hardware-address, Boot-Prot (P or E), Initnode? (1 or 0), Boot-device; what follows #
/// is a comment. Nothing is changed: it prints which node founds the cluster, what each
/// other node has to run so that all keep their numbers, and what to configure before.
/// ssid need not run.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("the file can't be read or has mistakes", "\
  ssi clustertab
  ssi clustertab old/clustertab
  ssi clustertab -o json | jq -r '.clustertab[].command'"))]
pub(crate) struct Options {
    /// The file; - is standard input
    #[arg(default_value = "/etc/clustertab")]
    file: PathBuf,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let file = &options.file;
    let text = read(file)?;
    let rows = parse::parse(&text).map_err(|problems| {
        for problem in &problems {
            let line = format!("{}:{}: {}", file.display(), problem.line, problem.why);
            eprintln!("ssi clustertab: {}", output::plain(&line));
        }
        Fail::Failed(match problems.len() {
            1 => format!("{}: a line has to be corrected", file.display()),
            n => format!("{}: {n} lines have to be corrected", file.display()),
        })
    })?;
    let meanings = meaning::meanings(&rows);
    let text = match common.output {
        Format::Json => output::json(&[("clustertab", &meanings)]),
        _ => meaning::text(&file.display().to_string(), &meanings),
    };
    Ok(output::print(&text)?)
}

fn read(file: &Path) -> Result<String, Fail> {
    let fail = |why: String| Fail::Failed(format!("cannot read {}: {why}", file.display()));
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|opened| opened.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|e| fail(e.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(fail("it is larger than a megabyte".to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| fail("it is not UTF-8 text".to_owned()))
}
