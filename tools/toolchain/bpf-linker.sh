# bpf-linker, of the last version that links with rustc's own LLVM (later ones want a
# system LLVM 23).
# shellcheck shell=bash

has_bpf_linker() {
    [ "$(as_builder bpf-linker --version 2>/dev/null)" = "bpf-linker $BPF_LINKER_VERSION" ]
}

install_bpf_linker() {
    has_bpf_linker && return 0
    local where=()
    # Another version may be somebody's for something else: ours goes beside it, into the
    # checkout, and comes first on the builds' PATH.
    if as_builder sh -c 'command -v bpf-linker' >/dev/null; then
        where=(--root "$PRIVATE_TOOLS")
    fi
    say "bpf-linker $BPF_LINKER_VERSION: building from crates.io (2–3 minutes)"
    as_builder sh -c "cd '$ROOT' && exec cargo install --locked --version '=$BPF_LINKER_VERSION' \"\$@\" bpf-linker" sh "${where[@]}" ||
        die "bpf-linker could not be built (see above; it comes from crates.io). make check works without it"
    has_bpf_linker || die "bpf-linker was built, but doesn't run: $(as_builder bpf-linker --version 2>&1 | head -n 1)"
}
