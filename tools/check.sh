#!/usr/bin/env bash
# What can be checked without root and without bpf-linker: format, lints, and the tests of
# the code that touches no kernel (those in a crate's tests/ load BPF programs).
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$ROOT/tools/phase.sh"
cargo=$ROOT/tools/cargo

phase "format" "$cargo" fmt --all --check
phase "lints" "$cargo" clippy --all-targets --quiet -- -D warnings
phase "unit tests of the pure crates" "$cargo" test --quiet --lib --package ssi-abi --package ssi-api --package ssi-lvs --package ssi-mosix --package ssi-keepalive --package ssi-records --package ssi-remote --package ssi-rexec --package ssi-tree --features ssi-rexec/host
