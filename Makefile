target := $(abspath $(or $(CARGO_TARGET_DIR),target))
guests := $(CURDIR)/target/guests
# Tests wait for guests more than they compute: with six at once, two cores are often idle.
tests_at_once := $(shell echo $$(($$(nproc) * 4)))

# Where https://rustup.rs puts cargo, for a shell that was started before; and where daemons are, which Debian's ordinary
# users do not have in their path.
export PATH := $(HOME)/.cargo/bin:$(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help

help: ## Lists these targets.
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## Installs what is missing, builds virhai and runs a first guest with it.
	./setup.sh demo
	$(MAKE) guests || echo "no guest could be built; going on with libvirt's test driver alone"
	cargo build --release --locked
	tests/demo.sh $(target)/release/virhai $(guests)/tiny

test: ## Runs the tests that a change needs.
	./setup.sh test
	$(MAKE) guests
	rm -f $(target)/tmp/skipped
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked --no-fail-fast --test-threads $(tests_at_once); else cargo test --locked --no-fail-fast --lib --bins --tests -- --test-threads $(tests_at_once); fi; \
	    status=$$?; if [ -e $(target)/tmp/skipped ]; then echo "skipped:"; sort -u $(target)/tmp/skipped; fi; exit $$status
	cargo test --locked --doc

test-all: export VIRHAI_TEST_ALL = 1
test-all: export NEXTEST_PROFILE = all
test-all: test ## Runs every test, the slow ones too.

bench: ## Measures virhai beside C, Python and virsh.
	./setup.sh bench
	cargo build --release --locked
	/usr/bin/python3 tests/bench/run.py $(target)/release/virhai $(target)/bench

guests: ## Builds the guests that the tests boot.
	tests/guests/tiny/build.sh $(guests)/tiny
	tests/guests/micro/build.py $(guests)/micro

lint: export RUSTDOCFLAGS = -Dwarnings
lint: ## Checks the format, the lints, the documentation and the shell scripts.
	cargo fmt --check
	cargo clippy --locked --all-targets --all-features -- -D warnings
	cargo doc --locked --no-deps
	if command -v shellcheck >/dev/null; then \
	    shellcheck $$(git grep -lE '^#!/(usr/)?bin/(env )?(ba)?sh' -- ':!*.rs' ':!*.md'); \
	fi

clean-guests: ## Removes the built guests.
	rm -rf $(guests)

.PHONY: help demo test test-all bench guests lint clean-guests
