use serde::{Deserialize, Serialize};

use super::{Bytes, ProcFile};

// Nodes tell each other these in a form without names (postcard): no field may be left out.

/// What was seen of the processes of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Swept {
    /// These, in order of their numbers.
    Page {
        /// Each.
        processes: Vec<Seen>,
        /// There are more, with numbers above these.
        more: bool,
    },
    /// The node was not there to be asked, or did not answer: why, in words that follow its
    /// name.
    NoNode(String),
}

/// What everybody may see of a process, as its node's /proc has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its number there.
    pub pid: u32,
    /// Whose it is.
    pub uid: u32,
    /// Of which group.
    pub gid: u32,
    /// What `stat` says.
    pub stat: Bytes,
    /// What `statm` says.
    pub statm: Bytes,
    /// What `status` says.
    pub status: Bytes,
    /// What `cmdline` says.
    pub cmdline: Bytes,
}

impl Seen {
    /// The files that a sweep sees.
    pub const FILES: [ProcFile; 4] = [
        ProcFile::Stat,
        ProcFile::Statm,
        ProcFile::Status,
        ProcFile::Cmdline,
    ];

    /// What a file of it says, if it is one of [`FILES`](Self::FILES).
    #[must_use]
    pub const fn file(&mut self, file: ProcFile) -> Option<&mut Bytes> {
        match file {
            ProcFile::Stat => Some(&mut self.stat),
            ProcFile::Statm => Some(&mut self.statm),
            ProcFile::Status => Some(&mut self.status),
            ProcFile::Cmdline => Some(&mut self.cmdline),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_files_it_says() {
        let mut seen = Seen::default();
        for file in Seen::FILES {
            let bytes = seen.file(file).expect("it is one of them");
            assert_eq!(*bytes, Bytes::default());
            *bytes = Bytes(file.name().as_bytes().to_vec());
        }
        assert_eq!(seen.statm, Bytes(b"statm".to_vec()));
        assert_eq!(seen.file(ProcFile::Environ), None);
    }
}
