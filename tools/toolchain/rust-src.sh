# The sources of `core`, from which cargo's build-std makes the BPF target's standard
# library: stable Rust ships none for bpfel-unknown-none.
# shellcheck shell=bash

# Where cargo looks for them.
rust_src_dir() {
    printf '%s/lib/rustlib/src/rust' "$(as_builder sh -c "cd '$ROOT' && rustc --print sysroot")"
}

install_rust_src() {
    local dir
    dir=$(rust_src_dir)
    [ -f "$dir/library/core/src/lib.rs" ] && return 0
    if has_rustup; then
        say "rust-src: installing through rustup"
        if as_builder sh -c "cd '$ROOT' && rustup component add rust-src" &&
            [ -f "$dir/library/core/src/lib.rs" ]; then
            return 0
        fi
        say "rust-src: rustup can't; trying Debian's package of the same version"
    fi
    rust_src_from_debian "$dir"
}

# The archive that this machine's own apt uses; apt tells it once it has package lists.
debian_mirror() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        grep -v -- '-security' | grep -m 1 '/debian/\?$'
}

# Debian keeps several versions of rust-src, for all architectures, in trixie-backports.
# apt gets a configuration and a cache of its own, so the machine's sources stay as they are.
rust_src_from_debian() {
    local dir=$1 mirror work keyring version
    mirror=$(debian_mirror) || { apt-get -q update >/dev/null 2>&1 && mirror=$(debian_mirror); } ||
        die "rust-src $RUST_VERSION is missing, and apt has no Debian mirror configured to take it from; next step: rustup component add rust-src"
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} ""; do
        [ -f "$keyring" ] && break
    done
    [ -n "$keyring" ] ||
        die "no /usr/share/keyrings/debian-archive-keyring.*; next step: apt-get install debian-archive-keyring"
    work=$(mktemp -d)
    mkdir -p "$work"/{lists,cache,parts}
    echo "deb [signed-by=$keyring] $mirror trixie-backports main" >"$work/sources.list"
    # apt drops to the user _apt to download.
    chmod -R a+rX "$work"
    chown _apt "$work" 2>/dev/null || true
    local own=(-q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts"
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Get::List-Cleanup=0)
    say "rust-src: looking in trixie-backports at $mirror"
    if ! apt-get "${own[@]}" update >"$work/log" 2>&1; then
        tail -n 5 "$work/log" >&2
        die "trixie-backports can't be read at $mirror; next step: rustup component add rust-src"
    fi
    version=$(apt-cache "${own[@]}" madison rust-src | awk -v want="$RUST_VERSION" 'index($3, want "+") == 1 || index($3, want "-") == 1 { print $3; exit }')
    [ -n "$version" ] || die "trixie-backports has no rust-src $RUST_VERSION any more; next step: rustup component add rust-src"
    (cd "$work" && apt-get "${own[@]}" download "rust-src=$version") >"$work/log" 2>&1 || {
        tail -n 5 "$work/log" >&2
        die "rust-src $version could not be downloaded from $mirror"
    }
    dpkg-deb -x "$work"/rust-src_*.deb "$work/unpacked"
    chmod -R a+rX "$work"
    as_builder mkdir -p "$dir"
    as_builder cp -r "$work/unpacked/usr/src/rustc-$RUST_VERSION/library" "$dir/" ||
        die "rust-src could not be written to $dir as $BUILDER"
    rm -rf "$work"
    say "rust-src: installed $version into $dir"
}
