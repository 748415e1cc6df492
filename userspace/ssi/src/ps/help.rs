/// What `ssi ps --help` says.
pub(crate) const HELP: &str = "\
The processes of this node, with the habits of ps

Usage: ssi ps [OPTIONS] [PID]...

Whom to show; without any of these, one's own processes of this terminal:
  -e, -A          everybody
  a               everybody who has a terminal
  x               one's own, with a terminal or without; ax: everybody
  -u USERS        of these users (names or numbers, with commas)
  -p PIDS, PID    these
  --ppid PIDS     children of these
  -C NAMES        those that run programs of these names

What to show:
  -f              with parent, start and arguments
  u               with use of processor and memory
  -o COLUMNS      these columns, with commas; NAME=HEADER heads it so, and NAME= not at all
  -o json         one JSON object (`table` and `wide` are no columns either)
  --sort KEYS     by these columns; -KEY: the largest first
  --no-headers    without the first line

Columns:
  pid ppid pgid sid user uid euser euid tty stat s ni nlwp comm args cgroup
  time utime stime wait etime start lstart %cpu %mem rss swap vsz load vol invol

  wait is the time that it was ready and waited for a processor; load what it adds to the
  node's load lately (100: a whole processor); vol and invol are switches to other tasks.

Examples:
  ssi ps -ef
  ssi ps aux --sort -rss
  ssi ps -e -o pid,user,load,wait,args --sort -load
  ssi ps -e -o json | jq '.node.load'

Exit status: 0 done, 1 failed or nobody found, 2 the command line makes no sense, 3 ssid
cannot be reached.
";
