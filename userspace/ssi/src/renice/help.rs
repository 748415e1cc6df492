/// What `ssi renice --help` and `ssi nice --help` say.
pub(crate) const HELP: &str = "\
Change the niceness of processes of the cluster, with the habits of renice

Usage: ssi renice [-n] PRIORITY [--relative] [-p] PID...
       ssi renice [-n] PRIORITY [--relative] -g PGID... | -u USER...
       ssi nice   the same

  PRIORITY        -20 (before others) to 19 (after them); 0 is usual
  --relative      so much more than it is now
  -p PID...       of these processes: 1234 (of this node), 2/1234 or 8389842 (of node 2)
  -g PGID...      of all of these process groups, likewise
  -u USER...      of all processes of these real users (names or numbers)
  --node NODES    what -u says, only on these nodes; otherwise on all

All threads of a process are changed, where renice would change its first alone. ssi nice is
the same command: it changes processes that run, and starts none, as nice(1) would. A command
on another node has the niceness of whoever starts it: nice -n 10 ssi run --node 2 make.

You may what setpriority would let you on the process's node: root may all; others may make
what is theirs nicer, and less nice as far as the process's RLIMIT_NICE goes.

Examples:
  ssi renice 10 2/1234
  ssi renice -n -5 8389842 3/77
  ssi renice --relative -n 3 -u guest --node 2,blue3

Exit status: 0 all were changed, 1 some were not or a node did not answer, 2 the command line
makes no sense, 3 ssid cannot be reached.
";
