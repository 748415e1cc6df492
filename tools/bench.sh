#!/usr/bin/env bash
# bench.sh [ARGUMENTS]: the benchmark, by default all of the connection scheduler's.
set -euo pipefail
. "$(dirname "$0")/env.sh"
need_root "the benchmark" bench
[ $# -gt 0 ] || set -- lvs
exec "$TARGET_DIR/release/ssi-bench" "$@"
