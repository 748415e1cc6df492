#!/usr/bin/env bash
# soak.sh [SECONDS]: fifteen nodes, and each fault for SECONDS (600): nobody healthy is put
# out. Then five nodes that keep two hundred processes alive through SECONDS of chaos.
set -euo pipefail
. "$(dirname "$0")/env.sh"
need_root "the soak test" soak
export SSI_SOAK_SECONDS=${1:-600} SSI_BIN_DIR=$TARGET_DIR/release
[[ $SSI_SOAK_SECONDS =~ ^[1-9][0-9]*$ ]] || die "\"$SSI_SOAK_SECONDS\" is no number of seconds"
say "each fault for $SSI_SOAK_SECONDS s; it ends by itself, or with ^C and make stop"
for test in soak chaos; do
    "$ROOT/tools/cargo" test --quiet -p ssi-testbed --test "$test" -- --test-threads=1 --nocapture
done
