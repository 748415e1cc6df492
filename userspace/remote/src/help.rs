//! What their `--help` says.

/// Of the command of this name.
#[must_use]
pub fn help(name: &str) -> &'static str {
    match name {
        "onnode" => ONNODE,
        "onall" => ONALL,
        "onclass" => ONCLASS,
        "fast" => FAST,
        "fastnode" => FASTNODE,
        _ => RUN,
    }
}

const RUN: &str = "\
Run a command on another node

Usage: ssi run [OPTION]... [--] COMMAND [ARGUMENT]...

The command runs as you, with your groups, environment, limits, umask and directory. What you
see here is its surrogate: signals, stops (^Z, fg, bg), the terminal and the exit status are
the command's.

Where:
  -n, --node NODE    on this node, by its number or name
      --near PID     where this process is: 2/1234 or its number in the cluster
      --class CLASS  on the least loaded node of this class (node.classes in ssi.toml)
                     without one of these: on the least loaded node

How:
  -p, --pin          it stays on that node
  -l, --local        in the node's own context: at /, with the environment of a login there
  -t, --tty          it gets a terminal if standard input is one
  -T, --no-tty       it gets none; otherwise it does if standard input and output are one
      --no-input     nothing is read for it
      --detach       start it, print its number in the cluster, and leave it alone: its
                     streams are /dev/null, and it lives on when this node goes down
  -v, --verbose      say which process it is

If you, or your node, go away, the command is sent SIGHUP, as when a terminal hangs up.

Examples:
  ssi run --node 2 -- vi notes
  ssi run make -j4
  tar c . | ssi run --node 3 tar x -C /scratch
  ssi run --class db --detach /usr/local/bin/compact

Exit status: the command's own; if it was killed, ssi run dies by the same signal. 125 ssi
failed and nothing was run, 126 the command can't be executed, 127 there is no such command,
255 the node or the connection was lost, and how the command ended is not known.
";

const ONNODE: &str = "\
Traditional: run a command on a node

Usage: ssi onnode [-p] [-l] [-t | -T] [-v] [--no-input] [--detach] NODE COMMAND [ARGUMENT]...

It is ssi run --node NODE; see ssi run --help.

Examples:
  ssi onnode 2 vi notes
  ssi onnode -lp blue3 free -m

Exit status: the command's own; 125 ssi failed, 126 it can't be executed, 127 there is no
such command, 255 lost.
";

const ONALL: &str = "\
Traditional: run a command on all nodes

Usage: ssi onall [-P NUMBER] [-g] [--class CLASS] [-p] [-l] [-v] [--detach] COMMAND [ARGUMENT]...

Runs it on all nodes that are UP, at the same time. Each line that it prints has the number of
its node before it. Nothing is read for it.

  -P, --parallel NUMBER  on so many nodes at a time
  -g, --group            what a node prints comes together, when it is done, below its name
      --class CLASS      only on the nodes of this class
  -p, -l, -v, --detach   as those of ssi run

A node that doesn't say within 5 s whether it is of the class is named on standard error, and the
command is run on the others; -o json has it under missing.

Examples:
  ssi onall uptime
  ssi onall -g -P 4 apt-get -q upgrade
  ssi -o json onall cat /etc/hostname

Exit status: the highest of all nodes', of one that was killed 128 and the signal; 125 ssi
failed, or a node did not say whether it is of the class.
";

const ONCLASS: &str = "\
Traditional: run a command on a node of a class

Usage: ssi onclass [-p] [-l] [-t | -T] [-v] [--no-input] [--detach] CLASS COMMAND [ARGUMENT]...

It is ssi run --class CLASS: on the least loaded node of those that have CLASS among
node.classes in their ssi.toml. See ssi run --help.

Examples:
  ssi onclass db mysqldump shop

Exit status: the command's own; 125 ssi failed, 126 it can't be executed, 127 there is no
such command, 255 lost.
";

const FAST: &str = "\
Traditional: run a command on the least loaded node

Usage: ssi fast [-p] [-l] [-t | -T] [-v] [--no-input] [--detach] [--] COMMAND [ARGUMENT]...

It is ssi run without a place; see ssi run --help. The least loaded node is the one on which
one more process would make the least load (ssi ps -e -o json shows the loads).

Examples:
  ssi fast make -j4

Exit status: the command's own; 125 ssi failed, 126 it can't be executed, 127 there is no
such command, 255 lost.
";

const FASTNODE: &str = "\
Traditional: the number of the least loaded node

Usage: ssi fastnode [--class CLASS]

Where ssi fast would run a command now.

Examples:
  ssi fastnode
  ssi -o json fastnode --class db

Exit status: 0, or 125 if ssi failed.
";
