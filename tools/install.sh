#!/usr/bin/env bash
# install.sh install|uninstall BINARIES DESTDIR PREFIX: what the Debian package contains too.
set -euo pipefail
. "$(dirname "$0")/env.sh"
action=$1 binaries=$2 destdir=$3 prefix=$4

PROGRAMS=(ssid ssi ssi-testbed ssi-bench)
# Commands of ssi, which have pages of their own: ssi-status(1) …
COMMANDS=(status doctor cluster init token join leave rejoin forget evict fenced witness ics ping
    lvs ps kill pgrep pkill renice nice pstree top shell service drain run completion
    clustertab)
# The traditional names of the testbed's verbs.
ALIASES=(ssi-start ssi-add ssi-rm ssi-stop ssi-console)
# The traditional names that ssi goes by.
TRADITIONAL=(clustername clusternode_num clusternode_avail clusternode_info clusternode_getstate
    cluster_maxnodes loads where_pid node_pid spawndaemon)
# Those of commands that run others, which have a small program of their own.
REMOTE=(onnode onall onclass fast fastnode)
# Those that other packages have too (graphviz, ipvsadm). They are in a directory of their
# own, which comes first in PATH where they are wanted.
SHARED=(cluster ipvsadm)

bin=$destdir$prefix/bin
prefix_lib=$destdir$prefix/lib/ssi
shared_bin=$prefix_lib/bin
man=$destdir$prefix/share/man
bash_completions=$destdir$prefix/share/bash-completion/completions
zsh_completions=$destdir$prefix/share/zsh/site-functions
fish_completions=$destdir$prefix/share/fish/vendor_completions.d
config=$destdir/etc/ssi/ssi.toml
# Units of locally installed programs live apart from the distribution's.
case $prefix in
    /usr) units=$destdir/usr/lib/systemd/system ;;
    *) units=$destdir/etc/systemd/system ;;
esac

# The daemon is of section 8, everything else of section 1.
section() { [ "$1" = ssid ] && echo 8 || echo 1; }

put() { install -D -m "$1" "$2" "$3"; }

# generated PROGRAM WHAT FILE [OPTION…]: what the program itself knows about its options.
generated() {
    mkdir -p "$(dirname "$3")"
    "$binaries/$1" --generate "$2" "${@:4}" >"$3.new"
    [ -s "$3.new" ] || die "$binaries/$1 --generate $2 wrote nothing; is it of this version? run: make build"
    mv "$3.new" "$3"
}

# completions NAME PROGRAM [OPTION…]: for a name that PROGRAM goes by.
completions() {
    generated "$2" bash "$bash_completions/$1" "${@:3}"
    generated "$2" zsh "$zsh_completions/_$1" "${@:3}"
    generated "$2" fish "$fish_completions/$1.fish" "${@:3}"
}

do_install() {
    local program alias command
    for program in "${PROGRAMS[@]}"; do
        [ -x "$binaries/$program" ] || die "there is no $binaries/$program; run: make build"
        put 755 "$binaries/$program" "$bin/$program"
        generated "$program" man "$man/man$(section "$program")/$program.$(section "$program")"
        completions "$program" "$program"
    done
    for command in "${COMMANDS[@]}" "${TRADITIONAL[@]}" "${REMOTE[@]}"; do
        generated ssi man "$man/man1/ssi-$command.1" --of "$command"
    done
    for alias in "${TRADITIONAL[@]}"; do
        ln -sfn ssi "$bin/$alias"
    done
    for alias in "${REMOTE[@]}"; do
        ln -sfn ../lib/ssi/ssi-remote "$bin/$alias"
    done
    for alias in "${TRADITIONAL[@]}" "${REMOTE[@]}"; do
        echo ".so man1/ssi-$alias.1" >"$man/man1/$alias.1"
        completions "$alias" ssi --of "$alias"
    done
    # What has a command of another node's user: the daemon starts it, nobody else.
    put 755 "$binaries/ssi-session" "$prefix_lib/ssi-session"
    put 755 "$binaries/ssi-remote" "$prefix_lib/ssi-remote"
    install_library
    mkdir -p "$shared_bin"
    for alias in "${SHARED[@]}"; do
        ln -sfn ../../../bin/ssi "$shared_bin/$alias"
    done
    for alias in "${ALIASES[@]}"; do
        ln -sfn ssi-testbed "$bin/$alias"
        echo ".so man1/ssi-testbed.1" >"$man/man1/$alias.1"
    done
    mkdir -p "$units"
    sed "s#/usr/bin/#$prefix/bin/#" "$ROOT/dist/ssid.service" >"$units/ssid.service"
    if [ ! -e "$config" ]; then
        mkdir -p "${config%/*}"
        "$binaries/ssid" --print-default-config >"$config"
    fi
    [ -n "$destdir" ] || after_install
}

# What C programs are built and linked with.
install_library() {
    local lib=$destdir$prefix/lib
    put 644 "$binaries/libssi.so" "$lib/libssi.so.0"
    ln -sfn libssi.so.0 "$lib/libssi.so"
    put 644 "$binaries/libssi.a" "$lib/libssi.a"
    put 644 "$ROOT/userspace/libssi/c/include/ssi.h" "$destdir$prefix/include/ssi.h"
    mkdir -p "$lib/pkgconfig"
    cat >"$lib/pkgconfig/ssi.pc" <<EOF
Name: ssi
Description: the cluster for programs
Version: $(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -1)
Cflags: -I$prefix/include
Libs: -L$prefix/lib -lssi
Libs.private: -lgcc_s -lm
EOF
}

after_install() {
    getent group ssi >/dev/null || groupadd --system ssi
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
    ldconfig
    say "installed into $prefix; the daemon starts with: systemctl enable --now ssid"
}

do_uninstall() {
    local program command alias
    if [ -z "$destdir" ] && [ -d /run/systemd/system ]; then
        systemctl disable --now ssid.service 2>/dev/null || true
    fi
    if [ -z "$destdir" ] && [ -x "$bin/ssid" ]; then
        "$bin/ssid" --unload || warn "warning: the data path could not be taken out of the kernel (see above)"
    fi
    for command in "${COMMANDS[@]}" "${TRADITIONAL[@]}" "${REMOTE[@]}"; do
        rm -f "$man/man1/ssi-$command.1"
    done
    for alias in "${SHARED[@]}"; do
        rm -f "$shared_bin/$alias"
    done
    rm -f "$prefix_lib"/{ssi-session,ssi-remote} "$destdir$prefix/include/ssi.h"
    rm -f "$destdir$prefix"/lib/{libssi.a,libssi.so,libssi.so.0,pkgconfig/ssi.pc}
    rmdir "$shared_bin" "$prefix_lib" 2>/dev/null || true
    for program in "${PROGRAMS[@]}" "${ALIASES[@]}" "${TRADITIONAL[@]}" "${REMOTE[@]}"; do
        rm -f "$bin/$program" "$man/man$(section "$program")/$program.$(section "$program")" \
            "$bash_completions/$program" "$zsh_completions/_$program" "$fish_completions/$program.fish"
    done
    rm -f "$units/ssid.service"
    [ -n "$destdir" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload
    say "uninstalled; the configuration in $destdir/etc/ssi and the state in $destdir/var/lib/ssi are left"
}

"do_$action"
