//! Which columns there are unless `-o` says.

/// What was said of the form.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form {
    /// With parent, start and arguments (`-f`).
    pub(super) full: bool,
    /// With sizes too (`-F`).
    pub(super) extra: bool,
    /// With state and niceness (`-l`).
    pub(super) long: bool,
    /// With process group and session (`-j`).
    pub(super) jobs: bool,
    /// Letters without a dash were used.
    pub(super) bsd: Option<Bsd>,
}

/// As BSD has it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Bsd {
    #[default]
    Plain,
    /// `u`
    Users,
    /// `j`
    Jobs,
    /// `l`
    Long,
}

impl Form {
    /// The columns. What ps has besides (flags, priority, address, where it waits, processor) nodes
    /// don't tell each other.
    pub(super) fn columns(self) -> String {
        let dashed = self.full || self.extra || self.long || self.jobs;
        let bsd = match self.bsd {
            Some(Bsd::Users) => "euser=USER,npid,%cpu,%mem,vsz,rss,tty,stat,start=START,time,args",
            Some(Bsd::Jobs) => "nppid,npid,npgid,nsid,tty,stat,euid=UID,time,args",
            Some(Bsd::Long) => "euid=UID,npid,nppid,ni,vsz,rss,stat,tty,time,args",
            Some(Bsd::Plain) if !dashed => "npid,tty,stat,time,args",
            _ => return self.dashed(),
        };
        bsd.to_owned()
    }

    fn dashed(self) -> String {
        let full = self.full || self.extra;
        let user = if full { "euser=UID" } else { "euid=UID" };
        let command = if full { "args=CMD" } else { "comm=CMD" };
        let columns = [
            (self.long, "s"),
            (full || self.long, user),
            (true, "npid"),
            (full || self.long, "nppid"),
            (self.jobs, "npgid,nsid"),
            (full || self.long, "c"),
            (self.long, "ni"),
            (self.extra || self.long, "sz"),
            (self.extra, "rss"),
            (full, "start=STIME"),
            (true, "tty,time"),
            (true, command),
        ];
        let columns = columns.into_iter().filter(|(wanted, _)| *wanted);
        columns
            .map(|(_, names)| names)
            .collect::<Vec<_>>()
            .join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_ps_has_them() {
        let form = |letters: &str| Form {
            full: letters.contains('f'),
            extra: letters.contains('F'),
            long: letters.contains('l'),
            jobs: letters.contains('j'),
            bsd: letters.contains('x').then(Bsd::default),
        };
        for (letters, wanted) in [
            ("", "npid,tty,time,comm=CMD"),
            ("x", "npid,tty,stat,time,args"),
            ("f", "euser=UID,npid,nppid,c,start=STIME,tty,time,args=CMD"),
            ("xf", "euser=UID,npid,nppid,c,start=STIME,tty,time,args=CMD"),
            (
                "F",
                "euser=UID,npid,nppid,c,sz,rss,start=STIME,tty,time,args=CMD",
            ),
            ("l", "s,euid=UID,npid,nppid,c,ni,sz,tty,time,comm=CMD"),
            ("j", "npid,npgid,nsid,tty,time,comm=CMD"),
        ] {
            assert_eq!(form(letters).columns(), wanted, "{letters}");
        }
    }
}
