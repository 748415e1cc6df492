# Rust itself, of the version that rust-toolchain.toml pins.
# shellcheck shell=bash

install_rust() {
    has_rust && has_lint_tools && return 0
    has_rustup || install_rustup
    if ! has_rust; then
        say "Rust $RUST_VERSION: installing through rustup"
        as_builder rustup toolchain install "$RUST_VERSION" --profile minimal ||
            die "rustup could not install Rust $RUST_VERSION (see above). It needs static.rust-lang.org, or a toolchain of that version under any name: rustup toolchain link NAME /path/to/rust-$RUST_VERSION"
    fi
    if ! has_lint_tools; then
        say "clippy and rustfmt: installing through rustup"
        as_builder rustup component add clippy rustfmt ||
            warn "warning: clippy or rustfmt is missing; make build works, make test needs them"
    fi
    has_rust || die "Rust $RUST_VERSION is installed, but cargo doesn't run here: $(as_builder cargo --version 2>&1 | head -n 1)"
}

has_lint_tools() {
    as_builder sh -c "cd '$ROOT' && cargo clippy --version && cargo fmt --version" >/dev/null 2>&1
}

# From Debian where it is packaged (13 and later), else by rustup's own installer, which
# puts it into the builder's home and changes no shell profile.
install_rustup() {
    if [ -n "$(apt-cache policy rustup 2>/dev/null | sed -n '/Candidate: (none)/d; s/^ *Candidate: //p')" ]; then
        [ "$EUID" -eq 0 ] || die "rustup is missing; run: sudo make toolchain"
        say "rustup: installing Debian's package"
        quiet_install rustup
        return
    fi
    # From the host that serves the toolchains too, so one address less has to be reachable.
    local installer log source=${RUSTUP_UPDATE_ROOT:-https://static.rust-lang.org/rustup}/rustup-init.sh
    installer=$(mktemp) log=$(mktemp)
    say "rustup: installing into $BUILDER_HOME/.cargo with its own installer"
    curl --proto '=https' --tlsv1.2 -sSf --retry 2 -o "$installer" "$source" || {
        rm -f "$installer" "$log"
        die "there is no Rust $RUST_VERSION on this machine, this Debian has no package of rustup, and $source could not be reached. Install rustup (https://rustup.rs) or Rust $RUST_VERSION by hand, then run make toolchain again"
    }
    chmod 644 "$installer"
    # What it says at the end is about shells, and our scripts need nothing of it.
    as_builder sh "$installer" -y -q --no-modify-path --profile minimal --default-toolchain none >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        die "rustup's installer failed; its log is $log"
    }
    rm -f "$installer" "$log"
}
