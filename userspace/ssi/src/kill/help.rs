/// What `ssi kill --help` says.
pub(crate) const HELP: &str = "\
Send signals to processes of the cluster, with the habits of kill

Usage: ssi kill [-SIGNAL | -s SIGNAL] [--session SIDS] [--] [PID]...
       ssi kill -l [SIGNAL]...

Processes, process groups and sessions:
  1234            of this node
  2/1234          of node 2
  8389842         the same: the number in the whole cluster (ssi ps -o cpid)
  -1234           the process group of this node; after a signal or --
  2/-1234         the process group of node 2; -8389842 is the same
  --session SIDS  all processes of these sessions, with commas: 1234 (of this node), 2/1234 or
                  8389842 (of node 2); the number is that of the process that began it, which
                  ssi ps -o npid,sid shows (pkill's -s; kill's is the signal)

Signals, by name (TERM, SIGTERM, RTMIN+1) or number; without one, TERM:
  -SIGNAL, -s SIGNAL, -n SIGNAL
                  this one; 0 is none: only says whether it could be sent
  -l              the names; of a number, its name; of a name, its number

You may signal what you could signal with kill on the process's node: root may all, others
the processes whose real or saved user they are.

Examples:
  ssi kill 2/1234
  ssi kill -9 8389842 3/77
  ssi kill -s HUP 2/-1234
  ssi kill -9 --session 2/1200,3/88
  ssi kill -0 2/1234 && echo it is there

Exit status: 0 all were sent, 1 some were not, 2 the command line makes no sense, 3 ssid
cannot be reached.
";
