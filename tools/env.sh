# Who builds, and with what. Sourced by every script of this folder; prints nothing.
#
# `sudo make start` must leave a checkout that its owner can go on building in, and must
# find the cargo of a user whose ~/.cargo/bin isn't on root's PATH. So cargo always runs as
# the owner of the checkout; only what needs root (packages, tests, the testbed) runs as root.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RUST_VERSION=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
BPF_LINKER_VERSION=0.10.3
TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
PRIVATE_TOOLS=$ROOT/.cache/tools

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
    warn "error: $*"
    exit 1
}

home_of() { getent passwd "$1" | cut -d: -f6; }

BUILDER=$(id -un)
BUILDER_HOME=${HOME:-$(home_of "$BUILDER")}
if [ "$EUID" -eq 0 ]; then
    owner=$(stat -c %U "$ROOT")
    if [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then
        BUILDER=$owner
        BUILDER_HOME=$(home_of "$owner")
    elif [ -n "${SUDO_USER:-}" ]; then
        BUILDER_HOME=$(home_of root)
    fi
fi

builder_env=(PATH="$PRIVATE_TOOLS/bin:${CARGO_HOME:-$BUILDER_HOME/.cargo}/bin:$PATH" HOME="$BUILDER_HOME")

# Root's own checkout, but the only Rust is that of the user who said sudo: borrow it.
# Downloads and built files stay root's.
if [ "$BUILDER" = root ] && [ -n "${SUDO_USER:-}" ] && ! PATH="$BUILDER_HOME/.cargo/bin:$PATH" command -v cargo >/dev/null; then
    lender=$(home_of "$SUDO_USER")
    if [ -x "$lender/.cargo/bin/cargo" ]; then
        builder_env=(PATH="$PRIVATE_TOOLS/bin:$BUILDER_HOME/.cargo/bin:$lender/.cargo/bin:$PATH"
            HOME="$BUILDER_HOME" RUSTUP_HOME="$lender/.rustup")
    fi
fi

# Asking for a version must not download one unseen: make toolchain does, and says so.
builder_env+=(RUSTUP_AUTO_INSTALL=0)

# as_builder CMD…: with the builder's identity, home and PATH.
as_builder() {
    if [ "$(id -un)" = "$BUILDER" ]; then
        env "${builder_env[@]}" "$@"
    else
        runuser -u "$BUILDER" -- env -u SUDO_USER -u CARGO_HOME -u RUSTUP_HOME "${builder_env[@]}" "$@"
    fi
}

has_rustup() { as_builder sh -c 'command -v rustup' >/dev/null 2>&1; }

# The pinned version may be installed under another name ("stable"): then say so to rustup,
# which would otherwise want to download it again.
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && has_rustup; then
    toolchains=$(as_builder rustup toolchain list 2>/dev/null | cut -d' ' -f1 || true)
    if ! grep -q "^$RUST_VERSION\(-\|$\)" <<<"$toolchains"; then
        for toolchain in $toolchains; do
            if as_builder rustup run "$toolchain" rustc --version 2>/dev/null | grep -q "^rustc $RUST_VERSION "; then
                builder_env+=(RUSTUP_TOOLCHAIN="$toolchain")
                break
            fi
        done
    fi
fi

# Whether the Rust that a build would use is the pinned one.
has_rust() {
    as_builder sh -c "cd '$ROOT' && rustc --version" 2>/dev/null | grep -q "^rustc $RUST_VERSION " &&
        as_builder sh -c "cd '$ROOT' && cargo --version" >/dev/null 2>&1
}

need_root() {
    [ "$EUID" -eq 0 ] || die "$1 needs root (namespaces, BPF): sudo make $2"
}
