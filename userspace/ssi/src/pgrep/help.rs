/// Whom both look for.
macro_rules! whom {
    () => {
        "  PATTERN         whose name matches this regular expression, anywhere in it
  -f              match the arguments, the first 128 KiB of them, instead of the name (which has
                  15 bytes at most)
  -x              the whole of it has to match
  -i              capitals or not
  -u USERS        of these effective users; -U USERS: real users
  -P PIDS         children of these: 1234 (of this node), 2/1234 or 8389842 (of node 2)
  -g PGIDS        of these process groups, likewise; 0: one's own
  -s SIDS         of these sessions, likewise; 0: one's own
  -t TTYS         with these terminals; -: with none
  -r STATES       in these states, letters as in ssi ps -o s
  -n, -o          only the newest, or the oldest, of all nodes
  --node NODES    only of these nodes (numbers or names, with commas); otherwise of all
"
    };
}

/// What `ssi pgrep --help` says.
pub(crate) const PGREP: &str = concat!(
    "\
Look processes of the cluster up by name and more, with the habits of pgrep

Usage: ssi pgrep [OPTIONS] [PATTERN]

Whom; all of it has to be so:
",
    whom!(),
    "  -v              everybody else

What to print of each; without these, its number (2/1234, in no cluster 1234), a line each:
  -l              also the name
  -a              also the arguments
  -c              only how many
  -q              nothing
  -d TEXT         TEXT between the numbers, not a new line
  --output json   one JSON object

Examples:
  ssi pgrep -a ssh
  ssi pgrep -u postgres --node 2,blue3
  ssi kill -HUP $(ssi pgrep -x nginx -P 2/1)
  ssi pgrep -n -f 'python .*train'

Exit status: as of pgrep, 0 somebody matched, 1 nobody, 2 the command line makes no sense, 3
something went wrong: ssid cannot be reached, or a node did not answer, so that what was
printed may not be all.
"
);

/// What `ssi pkill --help` says.
pub(crate) const PKILL: &str = concat!(
    "\
Signal processes of the cluster by name and more, with the habits of pkill

Usage: ssi pkill [-SIGNAL] [OPTIONS] [PATTERN]

Whom; all of it has to be so:
",
    whom!(),
    "
What:
  -SIGNAL, --signal SIGNAL
                  this one, by name or number (ssi kill -l); without it, TERM; 0 only looks
  -e              say who was signalled
  -c              say how many matched

Whoever is found and has ended by then gets nothing, nor does who has its number now. You may
signal what you could signal with kill on the process's node. See first: ssi pgrep -a

Examples:
  ssi pkill -HUP -x nginx
  ssi pkill -e -u guest --node 3
  ssi pkill -KILL -P 2/1234

Exit status: as of pkill, 0 somebody was signalled, 1 nobody matched or none of them could be
signalled, 2 the command line makes no sense, 3 something went wrong: ssid cannot be reached,
or a node did not answer.
"
);
