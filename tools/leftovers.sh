# What a test run could leave behind on a machine, as lines that can be compared. Sourced.
# shellcheck shell=bash

leftovers() (
    # Each line is about something that may not be there, its program neither.
    set +e +o pipefail
    ip netns list 2>/dev/null | sed 's/ (id:.*//; s/^/network namespace /'
    ip -o link 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/interface \1/'
    # `ip netns` makes /run/netns a mount at its first use, and nobody ever undoes that.
    awk '$5 != "/run/netns" { print "mount " $5 }' /proc/self/mountinfo
    find /sys/fs/bpf -mindepth 1 -maxdepth 3 -name '*ssi*' 2>/dev/null | sed 's/^/pin /'
    find /sys/fs/cgroup -maxdepth 3 -type d -name '*ssi*' 2>/dev/null | sed 's/^/cgroup /'
    [ ! -e /cluster ] || echo "directory /cluster"
    tmux -L ssi-testbed list-sessions 2>/dev/null | sed 's/^/tmux session /'
    true
)

# Processes that carry $1 (NAME=value) in their environment, this shell's own excepted.
marked_processes() {
    local environ pid
    for environ in /proc/[0-9]*/environ; do
        pid=${environ#/proc/}
        pid=${pid%/environ}
        [ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || ! tr '\0' '\n' 2>/dev/null <"$environ" | grep -qx "$1" || echo "$pid"
    done
}
