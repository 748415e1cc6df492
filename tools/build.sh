#!/usr/bin/env bash
# Everything, the BPF programs too, into target/release.
set -euo pipefail
. "$(dirname "$0")/env.sh"
export SSI_BPF_REQUIRED=1

"$ROOT/tools/cargo" build --release
# Both are started for each command on another node. Small, and linked statically, they begin in
# half the time.
for program in ssi-remote ssi-session; do
    "$ROOT/tools/cargo" rustc --profile small --package ssi-remote-programs --bin "$program" -- \
        -C target-feature=+crt-static
    as_builder install -m 755 "$TARGET_DIR/small/$program" "$TARGET_DIR/release/$program"
done
