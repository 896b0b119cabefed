# SPDX-License-Identifier: GPL-2.0
#
# The front door for people; the kernel reads Kbuild. `make help` lists what
# there is. Set-up is part of every target and does only what is missing.

SHELL := /bin/bash
.DEFAULT_GOAL := help

kernel := $(if $(BASELINE),c,rust)
export KDIR ARCH
# As it was typed: a $ in it is the shell's, not make's.
override CMD := $(value CMD)

.PHONY: help setup ready kernel run test check vm shell oracle stress rounds fuzz mutants faults test-debug litmus configs bench clean

help: ## list the targets; ARCH=arm64, riscv64 or s390x: for that architecture
	@awk -F ' *## ' '/^[a-z-]+:.*##/ { sub(/:.*/, "", $$1); printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install and find what is needed, and nothing else
	@scripts/setup.sh

# What builds a kernel fetches the tree while the tools are set up.
ready:
	@scripts/setup.sh --source

kernel: ready ## build the kernel; BASELINE=1: the one with seccomp in C; KDIR=path: from this tree
	@scripts/kernel.sh $(kernel)
	@. scripts/common.sh && echo "$${BUILD#$$ROOT/}/$(kernel)/$$image"

run: ready ## learn a program's allowlist in the guest; CMD='…': that program's
	@scripts/kernel.sh rust
	@scripts/run.sh $(if $(CMD),"$$CMD")

test: ready ## every test there is
	@scripts/test.sh

check: setup ## format, lints and host tests: seconds, no kernel
	@scripts/check.sh

vm: ready ## CMD='…': run a command in the guest, with its exit status; BASELINE=1: on the C kernel
	@$(if $(CMD),,echo "error: make vm CMD='command'" >&2; exit 2;) \
	scripts/kernel.sh $(kernel) && scripts/vm.sh --kernel $(kernel) -- "$$CMD"

shell: ready ## a shell in the guest; BASELINE=1: on the C kernel
	@scripts/kernel.sh $(kernel) && scripts/vm.sh --kernel $(kernel)

oracle: ready ## random cases on both kernels, which must not differ; CASES=n SEED=n
	@scripts/kernel.sh rust && scripts/kernel.sh c && scripts/oracle.sh $(or $(CASES),10000) $(or $(SEED),1)

stress: ready ## everything at once in the guest, for SECONDS=60; BASELINE=1: on the C kernel
	@scripts/kernel.sh $(kernel) && scripts/selftests.sh && \
	scripts/vm.sh --kernel $(kernel) --timeout $$(($(or $(SECONDS),60) + 900)) -- \
		build/selftests/seccomp_log/stress $(or $(SECONDS),60)

rounds: ready ## the kernel's TSYNC and notification tests, ROUNDS=60 times over, on both kernels
	@scripts/kernel.sh rust && scripts/kernel.sh c && scripts/selftests.sh && scripts/rounds.sh $(or $(ROUNDS),60)

fuzz: ready ## fuzz the rules, each for SECONDS=30
	@scripts/source.sh && scripts/fuzz.sh $(or $(SECONDS),30)

mutants: setup ## change the rules in each way, and see that a test notices
	@scripts/mutants.sh

faults: ready ## put faults into the kernel side, and see which test catches each
	@scripts/faults.sh

test-debug: ready ## the tests on kernels that look for their own faults: KASAN, lockdep, KCSAN, …
	@scripts/test-debug.sh

configs: ready ## compile seccomp in every configuration, boot some; SEED=n RANDOM_CONFIGS=n
	@scripts/configs.sh

litmus: ready ## the order of loads and stores, by herd7 on the kernel's memory model
	@scripts/litmus.sh

bench: ready ## instructions per system call, C beside Rust; KVM=1: time as well; VARIANT=distro: on those kernels
	@scripts/bench.sh

clean: ## remove all that was built, but for the cache of downloads
	rm -rf build

export CMD KVM CASES SEED RANDOM_CONFIGS VARIANT
