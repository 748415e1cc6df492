#!/usr/bin/env bash
# Stops the cluster that start.sh booted.
set -euo pipefail
. "$(dirname "$0")/env.sh"
need_root "stopping a cluster" stop
testbed=$TARGET_DIR/release/ssi-testbed
[ -x "$testbed" ] || die "there is no $testbed, so nothing was started from here; run: make build"
exec "$testbed" stop
