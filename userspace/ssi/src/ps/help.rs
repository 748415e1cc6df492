/// What `ssi ps --help` says.
pub(crate) const HELP: &str = "\
The processes of the cluster, with the habits of ps

Usage: ssi ps [OPTIONS] [PID]...

Whom to show; without any of these, one's own processes of this terminal:
  -e, -A          everybody
  a               everybody who has a terminal
  x               one's own, with a terminal or without; ax: everybody
  -u USERS        of these users (names or numbers, with commas)
  -p PIDS, PID    these: 1234 (of this node), 2/1234 or 8389842 (of node 2)
  --ppid PIDS     children of these
  -C NAMES        those that run programs of these names
  --node NODES    only of these nodes (numbers or names, with commas); otherwise of all

What to show:
  -f              with parent, start and arguments; -F with sizes too
  -l              with state and niceness; l likewise
  -j              with process group and session; j likewise
  u               with use of processor and memory
  -H              as trees, children farther to the right; --forest, f: with lines
  -w, w           lines of 132 columns or more; twice: whole lines, as without a terminal
  -o COLUMNS      these columns, with commas; NAME=HEADER heads it so, and NAME= not at all
  -o json         one JSON object (`table` and `wide` are no columns either)
  --sort KEYS     by these columns; -KEY: the largest first
  --no-headers    without the first line

Columns:
  pid ppid pgid sid user uid euser euid tty stat s ni nlwp comm args cgroupid
  cpid node nodename npid nppid npgid nsid
  time utime stime wait etime start lstart %cpu %mem rss swap vsz sz load vol invol

  cpid is the number in the whole cluster, as ssi kill takes it; npid, nppid, npgid and nsid
  are such in the form NODE/PID; pid, ppid, pgid and sid are numbers on the process's own
  node. Terminals and start times are each node's own, users go by the names that this node
  has for them. wait is the time that it was ready and waited for a processor; load what it adds to the
  node's load lately (100: a whole processor); vol and invol are switches to other tasks; sz
  is in pages of 4 KiB. Flags, priority, address, processor and threads (-L) nodes don't tell:
  ssi run --near 2/1234 ps -l -p 1234 does.

Examples:
  ssi ps -ef
  ssi ps aux --sort -rss
  ssi ps auxwwf
  ssi ps -e -o pid,user,load,wait,args --sort -load
  ssi ps -e --node 2,blue3 -o cpid,node,nodename,args
  ssi ps -e -o json | jq '.nodes[] | {name, load}'

A node that does not answer within a second is named on standard error, and the others are
shown. On a machine that is in no cluster, all is about that machine, and -o json has it
under node.

Exit status: 0 done, 1 failed, nobody found or a node silent, 2 the command line makes no
sense, 3 ssid cannot be reached.
";
