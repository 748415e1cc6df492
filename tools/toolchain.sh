#!/usr/bin/env bash
# Installs what building, running and testing ssi needs and this machine lacks; nothing else.
# Everything is looked at afresh each time (under a second when nothing is missing).
set -euo pipefail
. "$(dirname "$0")/env.sh"
for part in packages rust rust-src bpf-linker; do
    . "$ROOT/tools/toolchain/$part.sh"
done

install_packages
install_rust
install_rust_src
install_bpf_linker
say "toolchain complete: Rust $RUST_VERSION with its sources, bpf-linker $BPF_LINKER_VERSION, Debian packages"
