# Everything a user or a developer does here, by name. The work is in tools/.
# cargo runs as the owner of the checkout even under sudo (tools/env.sh says how).
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help toolchain build start stop test check bench soak install uninstall deb clean

NODES ?= 3
PREFIX ?= /usr/local
DESTDIR ?=
BENCH ?=
SOAK ?= 600
TARGET := $(or $(CARGO_TARGET_DIR),target)/release

help: ## this list
	@echo "ssi: many Linux machines, one system"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables: NODES=3 (start), BENCH='clms --quick' (bench), SOAK=600 (soak), PREFIX=/usr/local and DESTDIR (install)"

toolchain: ## install what is missing: Debian packages, Rust and its sources, bpf-linker
	@tools/toolchain.sh

build: toolchain ## build everything, the BPF programs too, into target/release
	@tools/build.sh

start: build ## boot a cluster of NODES nodes on this machine and show it work (root)
	@tools/start.sh $(NODES)

stop: ## stop that cluster and remove every trace of it (root)
	@tools/stop.sh

test: build ## every check and every test, in real clusters too (root)
	@tools/test.sh

check: ## lints and unit tests: needs no root and no bpf-linker
	@tools/check.sh

bench: build ## measure against direct, nftables, HAProxy and nginx (root; BENCH=arguments)
	@tools/bench.sh $(BENCH)

soak: build ## fifteen nodes and each fault for SOAK seconds, then chaos: over an hour (root)
	@tools/soak.sh $(SOAK)

install: ## programs, manual pages, completions, systemd unit, default configuration
	@tools/install.sh install "$(TARGET)" "$(DESTDIR)" "$(PREFIX)"

uninstall: ## what install put there, but for the configuration and the state
	@tools/install.sh uninstall "$(TARGET)" "$(DESTDIR)" "$(PREFIX)"

deb: build ## a Debian package, into target/
	@tools/deb.sh

clean: ## what was built
	@tools/cargo clean
	@rm -rf .cache
