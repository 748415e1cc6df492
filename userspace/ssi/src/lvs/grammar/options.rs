//! The options of ipvsadm, and how a command line is cut into them.
//!
//! The rules are popt's, which ipvsadm uses: short options combine (`-Ln`), a value may
//! be attached (`-w5`, `-w=5`, `--weight=5`) or follow (`-w 5`), options and arguments
//! come in any order, and after `--` there are only arguments.

use super::UsageError;

/// Whether an option has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arg {
    No,
    Yes,
    /// The next argument, unless that is an option.
    Maybe,
    /// The next argument, if it names an output format.
    Format,
}

macro_rules! options {
    ($($name:ident $long:literal $short:expr, $arg:ident;)+) => {
        /// An option.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Opt { $($name),+ }

        impl Opt {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            pub(super) const fn long(self) -> &'static str {
                match self { $(Self::$name => $long),+ }
            }

            const fn short(self) -> Option<char> {
                match self { $(Self::$name => $short),+ }
            }

            const fn arg(self) -> Arg {
                match self { $(Self::$name => Arg::$arg),+ }
            }
        }
    };
}

options! {
    AddService "add-service" Some('A'), No;
    EditService "edit-service" Some('E'), No;
    DeleteService "delete-service" Some('D'), No;
    Clear "clear" Some('C'), No;
    Restore "restore" Some('R'), No;
    Save "save" Some('S'), No;
    AddServer "add-server" Some('a'), No;
    EditServer "edit-server" Some('e'), No;
    DeleteServer "delete-server" Some('d'), No;
    List "list" Some('L'), No;
    Zero "zero" Some('Z'), No;
    Set "set" None, No;
    StartDaemon "start-daemon" None, Yes;
    StopDaemon "stop-daemon" None, Yes;
    Help "help" Some('h'), No;
    Version "version" Some('v'), No;
    Tcp "tcp-service" Some('t'), Yes;
    Udp "udp-service" Some('u'), Yes;
    Sctp "sctp-service" None, Yes;
    Mark "fwmark-service" Some('f'), Yes;
    V6 "ipv6" Some('6'), No;
    Scheduler "scheduler" Some('s'), Yes;
    Persistent "persistent" Some('p'), Maybe;
    Netmask "netmask" Some('M'), Yes;
    Engine "pe" None, Yes;
    SchedFlags "sched-flags" Some('b'), Yes;
    OnePacket "ops" Some('o'), Format;
    Member "member" None, Yes;
    Server "real-server" Some('r'), Yes;
    Route "gatewaying" Some('g'), No;
    Tunnel "ipip" Some('i'), No;
    Masq "masquerading" Some('m'), No;
    TunType "tun-type" None, Yes;
    TunPort "tun-port" None, Yes;
    TunNoCsum "tun-nocsum" None, No;
    TunCsum "tun-csum" None, No;
    TunRemCsum "tun-remcsum" None, No;
    Weight "weight" Some('w'), Yes;
    Upper "u-threshold" Some('x'), Yes;
    Lower "l-threshold" Some('y'), Yes;
    Connection "connection" Some('c'), No;
    Numeric "numeric" Some('n'), No;
    Timeout "timeout" None, No;
    Daemon "daemon" None, No;
    Stats "stats" None, No;
    Rate "rate" None, No;
    Thresholds "thresholds" None, No;
    PersistentConn "persistent-conn" None, No;
    TunInfo "tun-info" None, No;
    Sort "sort" None, No;
    NoSort "nosort" None, No;
    Exact "exact" None, No;
    Output "output" None, Yes;
    SyncId "syncid" None, Yes;
    SyncMaxLen "sync-maxlen" None, Yes;
    McastInterface "mcast-interface" None, Yes;
    McastGroup "mcast-group" None, Yes;
    McastPort "mcast-port" None, Yes;
    McastTtl "mcast-ttl" None, Yes;
}

impl Opt {
    /// How a person would type it.
    pub(super) fn typed(self) -> String {
        match self.short() {
            Some(short) => format!("-{short}"),
            None => format!("--{}", self.long()),
        }
    }

    fn from_long(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|opt| opt.long() == name)
    }

    fn from_short(name: char) -> Option<Self> {
        // ipvsadm lists with either.
        let name = if name == 'l' { 'L' } else { name };
        Self::ALL
            .iter()
            .copied()
            .find(|opt| opt.short() == Some(name))
    }
}

/// Output formats: what `-o` takes rather than meaning one-packet scheduling.
const FORMATS: [&str; 3] = ["json", "table", "wide"];

/// A command line, cut.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) options: Vec<(Opt, Option<String>)>,
    pub(super) arguments: Vec<String>,
}

/// Cuts a command line into options and arguments.
pub(super) fn cut(args: &[String]) -> Result<Cut, UsageError> {
    let mut cut = Cut::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            cut.arguments.extend(rest.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let opt = Opt::from_long(name)
                .ok_or_else(|| UsageError::UnknownOption(format!("--{name}")))?;
            if attached.is_some() && opt.arg() == Arg::No {
                return Err(UsageError::NoValue(opt.typed()));
            }
            let value = value(opt, attached, &mut rest)?;
            cut.push(opt, value);
        } else if let Some(shorts) = arg.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
            cut_shorts(shorts, &mut rest, &mut cut)?;
        } else {
            cut.arguments.push(arg.clone());
        }
    }
    Ok(cut)
}

fn cut_shorts(
    shorts: &str,
    rest: &mut std::slice::Iter<'_, String>,
    cut: &mut Cut,
) -> Result<(), UsageError> {
    let mut chars = shorts.chars();
    while let Some(short) = chars.next() {
        let opt =
            Opt::from_short(short).ok_or_else(|| UsageError::UnknownOption(format!("-{short}")))?;
        let remainder = chars.as_str();
        let takes_remainder = match opt.arg() {
            Arg::No => false,
            Arg::Yes => true,
            // `-p300`, but `-pn` is `-p -n`: a timeout is a number.
            Arg::Maybe => remainder.starts_with(|c: char| c == '=' || c.is_ascii_digit()),
            Arg::Format => FORMATS.contains(&remainder.trim_start_matches('=')),
        };
        if !takes_remainder && !remainder.is_empty() {
            cut.push(opt, None);
            continue;
        }
        let attached =
            (!remainder.is_empty()).then(|| remainder.strip_prefix('=').unwrap_or(remainder));
        let value = value(opt, attached, rest)?;
        cut.push(opt, value);
        break;
    }
    Ok(())
}

fn value(
    opt: Opt,
    attached: Option<&str>,
    rest: &mut std::slice::Iter<'_, String>,
) -> Result<Option<String>, UsageError> {
    if let Some(attached) = attached {
        return Ok(Some(attached.to_owned()));
    }
    let next = rest.as_slice().first();
    let take = match opt.arg() {
        Arg::No => false,
        Arg::Yes if next.is_none() => return Err(UsageError::NeedsValue(opt.typed())),
        Arg::Yes => true,
        Arg::Maybe => next.is_some_and(|next| !next.starts_with('-')),
        Arg::Format => next.is_some_and(|next| FORMATS.contains(&next.as_str())),
    };
    Ok(if take { rest.next().cloned() } else { None })
}

impl Cut {
    fn push(&mut self, opt: Opt, value: Option<String>) {
        // `-o json` is an output format, `-o` alone one-packet scheduling.
        let opt = if opt == Opt::OnePacket && value.is_some() {
            Opt::Output
        } else {
            opt
        };
        self.options.push((opt, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match cut(&args) {
            Ok(cut) => {
                let mut words: Vec<String> = cut
                    .options
                    .into_iter()
                    .map(|(opt, value)| match value {
                        Some(value) => format!("{}={value}", opt.long()),
                        None => opt.long().to_owned(),
                    })
                    .collect();
                words.extend(cut.arguments.into_iter().map(|a| format!("<{a}>")));
                words.join(" ")
            }
            Err(e) => format!("error: {e}"),
        }
    }

    #[test]
    fn lines_are_cut_as_popt_cuts_them() {
        for (line, expected) in [
            ("-Ln", "list numeric"),
            ("-lnc", "list numeric connection"),
            ("-At 1.2.3.4:80", "add-service tcp-service=1.2.3.4:80"),
            ("-A -t1.2.3.4:80", "add-service tcp-service=1.2.3.4:80"),
            ("-w=5 --weight=6 --weight 7", "weight=5 weight=6 weight=7"),
            ("-p -n", "persistent numeric"),
            ("-p 600 -n", "persistent=600 numeric"),
            ("-p600 -pn", "persistent=600 persistent numeric"),
            ("--persistent=9 --persistent", "persistent=9 persistent"),
            ("-o", "ops"),
            ("-o json", "output=json"),
            ("-Lno wide", "list numeric output=wide"),
            ("-ojson", "output=json"),
            ("-A -o -u [::1]:53", "add-service ops udp-service=[::1]:53"),
            ("--set 900 120 300", "set <900> <120> <300>"),
            ("-w -1", "weight=-1"),
            ("-- -L", "<-L>"),
            ("-", "<->"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
        for (line, part) in [
            ("-q", "unknown option -q"),
            ("--frob", "unknown option --frob"),
            ("-t", "-t needs a value"),
            ("--list=3", "-L takes no value"),
        ] {
            assert!(shown(line).contains(part), "{line}: {}", shown(line));
        }
    }
}
