//! This project's supervisor.

use std::path::Path;

use anyhow::Result;

use super::Contender;
use crate::keepalive::herd::{Herd, Supervisor};
use crate::keepalive::news::News;

/// It, with one process.
#[derive(Debug, Default)]
pub(super) struct Ours(Option<(Supervisor, Herd)>);

impl Contender for Ours {
    fn name(&self) -> String {
        "ssi".to_owned()
    }

    fn start(&mut self, folder: &Path, news: &News) -> Result<()> {
        let herd = Herd::new(folder.join("one"), news, 1)?;
        let mut supervisor = herd.supervisor()?;
        supervisor.go()?;
        self.0 = Some((supervisor, herd));
        Ok(())
    }
}
