#!/usr/bin/env bash
# start.sh N: boots a cluster of N nodes and ends with a look at it doing its main job.
set -euo pipefail
. "$(dirname "$0")/env.sh"
need_root "a cluster" start
testbed=$TARGET_DIR/release/ssi-testbed
"$testbed" start "$1"
exec "$testbed" show
