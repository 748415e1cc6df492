#!/usr/bin/env bash
# Every check and every test. Tests are built by the checkout's owner and run by root, one
# program after the other: they load BPF programs and boot clusters.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$ROOT/tools/phase.sh"
need_root "the test suite" test
cargo=$ROOT/tools/cargo
export SSI_BPF_REQUIRED=1

lint_bpf() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Ctarget-cpu=v3 --cfg=bpf_target_arch=\"$(uname -m)\"" \
        "$cargo" clippy --quiet --package ssi-ebpf --target bpfel-unknown-none \
        -Z build-std=core --target-dir "$TARGET_DIR/bpf-lints" -- -D warnings
}

document() {
    RUSTDOCFLAGS="-D warnings" "$cargo" doc --quiet --no-deps --document-private-items
}

# One line a test program: kind, folder of its crate, path.
build_tests() {
    # Said aloud, as bash's errexit is off in what a phase runs.
    "$cargo" test --no-run --message-format=json-render-diagnostics >"$plan.json" || return
    jq -r 'select(.reason == "compiler-artifact" and .profile.test and .executable != null)
        | [.target.kind[0], (.manifest_path | rtrimstr("/Cargo.toml")), .executable] | @tsv' \
        "$plan.json" >"$plan" || return
    [ -s "$plan" ] || die "cargo built no test program"
}

# run_tests KIND…: the programs of those kinds, all of them even when one fails. What failed
# is said once more at the end.
run_tests() {
    local kind folder program name failed=() wanted=" $* " threads=()
    while IFS=$'\t' read -r kind folder program; do
        [[ $wanted == *" $kind "* ]] || continue
        name=$(basename "$program")
        # Integration tests share the machine's namespaces, interfaces and the one testbed;
        # but for the simulations, which have worlds of their own.
        threads=()
        [ "$kind" = test ] && [ "${name%-*}" != sim ] && threads=(--test-threads=1)
        printf '\n%s\n' "${folder#"$ROOT"/}: ${name%-*}"
        # Not a pipe that is waited for: a test may leave a process behind that holds it.
        (cd "$folder" && CARGO_MANIFEST_DIR=$folder SSI_BIN_DIR=$TARGET_DIR/release \
            "$program" "${threads[@]}" </dev/null) > >(tee "$said/$name") 2>&1 || failed+=("$name")
    done <"$plan"
    [ ${#failed[@]} -gt 0 ] || return 0
    for name in "${failed[@]}"; do
        printf '\nfailed: %s\n' "${name%-*}"
        grep -aE -A 3 "^(thread .* panicked at|test .* FAILED)" "$said/$name" | cut -c1-2000
    done >&2
    return 1
}

plan=$(mktemp)
said=$(mktemp -d)
trap 'rm -rf "$plan" "$plan.json" "$said"' EXIT
# Where a test failed is said by its message.
export RUST_BACKTRACE=0
# The same faults each time; `make soak` has others.
export SSI_CHAOS_SEED=${SSI_CHAOS_SEED:-7}

phase "format" "$cargo" fmt --all --check
phase "lints" "$cargo" clippy --quiet --all-targets -- -D warnings
phase "lints of the small programs" "$cargo" clippy --quiet --package ssi-remote-programs -- -D warnings
phase "lints of the BPF programs" lint_bpf
phase "documentation" document
phase "building the tests" build_tests
phase "unit tests" run_tests lib bin
phase "examples in the documentation" "$cargo" test --quiet --doc
phase "kernel and cluster tests" run_tests test
