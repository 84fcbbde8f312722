# SPDX-License-Identifier: GPL-2.0
# The commands for people; `make help` lists them. Kbuild has the rules for the kernel's build.

# These go to the scripts, whether from the command line or the environment.
export KDIR KERNEL CASE CMD LONG QUICK BASE V W C CLIPPY KRUSTFLAGS KCFLAGS INSTALL_MOD_PATH

.DEFAULT_GOAL := module
.PHONY: module install kit demo test test-long test-debug bench bench-match fuzz vm shell check clean distclean help

module: ## the modules, dm-imgrement.ko first, in build/module/RELEASE
	@scripts/module

install: ## into the running kernel's module folder (or INSTALL_MOD_PATH), with depmod
	@scripts/install

kit: ## Debian tree with toolchain, stock kernel and prepared source (done by whatever needs it)
	@scripts/kit $(KERNEL)

demo: ## the walkthrough, in a virtual machine with a stock kernel
	@scripts/demo

test: ## all tests, on the host and in virtual machines; CASE=name runs one
	@tests/run $(CASE)

test-long: ## the same with the full counts of each case: hours
	@LONG=1 tests/run $(CASE)

test-debug: ## the virtual machines' tests with a kernel that looks for mistakes, built once
	@tests/run --debug $(CASE)

bench: ## what it costs, beside other tools: build/bench/report.md; QUICK=1, BASE=old report.json
	@scripts/bench

bench-match: ## how fast patterns are found, in build/bench/match.json; QUICK=1 in two minutes
	@scripts/bench-match

fuzz: ## the fuzz targets of core/fuzz, all beside each other, FOR=SECONDS (60)
	@scripts/fuzz $(FOR)

vm: ## run CMD='...' in the virtual machine and end with its status
	@scripts/module-for-vm
	@scripts/vm "$${CMD:?tells what to run: make vm CMD='lsblk'}"

shell: ## a prompt in the virtual machine
	@scripts/module-for-vm
	@scripts/vm --shell

check: ## format and lints
	@scripts/check

clean: ## remove what was built, but keep the kit and what was fetched
	rm -rf build/module build/vm build/test build/log

distclean: ## remove everything under build/
	@# Who is not root made trees with other users' files in it.
	bash -c '. scripts/lib/common.sh; as_root rm -rf "$$BUILD"'

help: ## this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
	@echo
	@echo 'KERNEL=RELEASE  a stock Debian kernel instead of the newest cloud kernel with Rust'
	@echo 'KDIR=FOLDER     the build folder of a kernel with Rust metadata, instead of a kit'
	@echo 'V=1, W=1, ...   as in the kernel'
