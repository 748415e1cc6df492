# phase NAME CMD…: says what goes on and how long it took. Sourced.
# shellcheck shell=bash

phase() {
    local name=$1 start=$SECONDS status=0
    shift
    printf '\n── %s\n' "$name"
    "$@" || status=$?
    if [ "$status" -ne 0 ]; then
        printf '── %s: FAILED after %d s\n' "$name" $((SECONDS - start)) >&2
        exit "$status"
    fi
    printf '── %s: %d s\n' "$name" $((SECONDS - start))
}
