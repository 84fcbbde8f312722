# SPDX-License-Identifier: GPL-2.0
# The commands for people; `make help` lists them. Kbuild has the rules for the kernel's build.

# These go to the scripts, whether from the command line or the environment.
export KDIR KERNEL CASE CMD LONG QUICK ONLY BASE V W C CLIPPY KRUSTFLAGS KCFLAGS INSTALL_MOD_PATH PREFIX

.DEFAULT_GOAL := all
.PHONY: all module command install kit demo test test-long test-debug bench bench-match fuzz vm shell check clean distclean help

all: module command ## build the modules and the command

module: ## build the modules, dm-imgrement.ko among them, in build/module/RELEASE
	@scripts/module

command: ## build the command imgrement, its man pages and completions, in build/command
	@scripts/command

install: ## install the modules for the running kernel, and the command in PREFIX (/usr/local); below INSTALL_MOD_PATH
	@scripts/install

kit: ## make the kernel kit: toolchain, stock kernel, prepared source (runs when needed)
	@scripts/kit $(KERNEL)

demo: ## run the walkthrough in a virtual machine with a stock kernel
	@scripts/demo

test: ## run all tests, on the host and in virtual machines; CASE=name runs one
	@tests/run $(CASE)

test-long: ## run all tests with their full counts, which takes hours
	@LONG=1 tests/run $(CASE)

test-debug: ## run the tests in virtual machines on a debug kernel, which is built once
	@tests/run --debug $(CASE)

bench: ## measure the cost against other tools: build/bench/report.md; QUICK=1, BASE=old report.json
	@scripts/bench

bench-match: ## measure the pattern search: build/bench/match.json; QUICK=1 takes two minutes
	@scripts/bench-match

fuzz: ## run the fuzz targets in parallel, for FOR=SECONDS (60)
	@scripts/fuzz $(FOR)

vm: ## run CMD='...' in the virtual machine, and fail if it fails
	@scripts/vm "$${CMD:?is missing: make vm CMD='lsblk'}"

shell: ## start a prompt in the virtual machine
	@scripts/vm --shell

check: ## check format and lints
	@scripts/check

clean: ## remove what was built, but keep the kit and downloads
	rm -rf build/module build/command build/programs build/vm build/test build/log

distclean: ## remove everything under build/
	@# The kit's trees contain files of other users.
	bash -c '. scripts/lib/common.sh; as_root rm -rf "$$BUILD"'

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
	@echo
	@echo 'KERNEL=RELEASE  a stock Debian kernel instead of the newest cloud kernel with Rust'
	@echo 'KDIR=FOLDER     the build folder of a kernel with Rust metadata, instead of a kit'
	@echo 'V=1, W=1, ...   as in the kernel'
