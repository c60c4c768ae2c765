# `make help` lists what can be made. Everything lives in .venv and target: nothing is installed elsewhere.

VENV ?= .venv
BIN := $(VENV)/bin
# The Rust code is built in one profile only, release: the dependencies take minutes, and maturin needs them in it.
# Tests get the assertions of a debug build for the core alone, which leaves its dependencies as they are.
CHECKED := --config profile.release.package.tamis-core.debug-assertions=true \
           --config profile.release.package.tamis-core.overflow-checks=true
RUST_SOURCES := Cargo.toml Cargo.lock $(shell find crates -type f -not -path '*/target/*' 2>/dev/null)
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help build test lint types test-rust test-python test-other bench bench-rules bench-transcripts fuzz docs demo fmt clean
# One job at a time: cargo uses all cores by itself, and its lock would make the others wait.
.NOTPARALLEL:

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '  make %-12s %s\n' "$$target" "$$text"; done

build: $(VENV)/.built ## make .venv with tamis in it (PYTHON=... chooses the interpreter)

test: lint types test-rust test-python test-other ## everything that must hold before a change lands

lint: $(VENV)/.built ## formats and lints, without changing anything
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	cargo fmt --check
	PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo clippy --workspace --all-targets --release --locked -- -D warnings

types: $(VENV)/.built ## mypy in strict mode, and the native module against its stub
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest tamis._core --allowlist tools/stubtest-allow.txt

test-rust: $(VENV)/.installed ## the tests of the Rust crates, with the seeds of the fuzzers
	@tools/check-cargo
	$(BIN)/python fuzz/seeds.py target/seeds
	PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo test --workspace --release --locked $(CHECKED)

test-python: $(VENV)/.built ## the Python tests, those of the documentation among them
	$(PYTEST)

# The frame reader has a block of code per minor version, so one interpreter is not enough.
test-other: $(VENV)/.built ## the Python tests on the other one of CPython 3.12 and 3.13
	@other=$$($(BIN)/python -c 'import sys; print("3.13" if sys.version_info[:2] == (3, 12) else "3.12")'); \
	if python=$$(PYTHON= tools/find-python $$other); then \
		echo "The same tests on CPython $$other:"; \
		$(MAKE) --no-print-directory VENV=.venv-$$other PYTHON="$$python" test-python; \
	else echo "CPython $$other is not at hand: the tests ran on one interpreter only."; fi

bench: $(VENV)/.bench ## measure Tamis and VizTracer against the plain run (BENCH=--quick for a first look)
	@code=0; $(BIN)/python -m benchmarks $(BENCH) || code=$$?; \
	$(BIN)/python -m benchmarks.content || code=$$?; \
	$(BIN)/python -m benchmarks.quality || code=$$?; \
	$(BIN)/python -m benchmarks.transcripts || code=$$?; exit $$code

bench-rules: $(VENV)/.bench ## of that, the content rules only: beside re, google-re2 and hyperscan (two minutes)
	@code=0; $(BIN)/python -m benchmarks.content || code=$$?; \
	$(BIN)/python -m benchmarks.quality || code=$$?; exit $$code

bench-transcripts: $(VENV)/.bench ## of that, logs of agents only: 1 GB of them into the store (three minutes)
	$(BIN)/python -m benchmarks.transcripts

fuzz: $(VENV)/.fuzz ## look for bytes that break the content rules or their files (SECONDS=900 for each of four)
	fuzz/run $(or $(SECONDS),900)

docs: $(VENV)/.installed ## build the documentation as a site; a broken link fails (its snippets are run by `make test`)
	$(BIN)/python tools/build_site.py

demo: $(VENV)/.demo ## record sqlglot at work under a filter, and look at the trace
	@$(BIN)/python examples/demo.py

fmt: $(VENV)/.installed ## format the sources
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format
	cargo fmt

clean: ## remove what `make` made
	rm -rf .venv .venv-3.* target fuzz/target site .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find python tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/tamis/_core.*.so

# Files that say when something was last done.

$(VENV)/.created:
	@python=$$(PYTHON="$(PYTHON)" tools/find-python) && echo "Creating $(VENV) with $$python" && \
		"$$python" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(VENV)/.built: $(VENV)/.installed $(RUST_SOURCES)
	@tools/check-cargo
	PIP_QUIET=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --locked
	@touch $@

$(VENV)/.demo: $(VENV)/.built
	$(BIN)/python -m pip install --quiet --group demo
	@touch $@

$(VENV)/.fuzz: $(VENV)/.built
	$(BIN)/python -m pip install --quiet --group fuzz
	@touch $@

$(VENV)/.bench: $(VENV)/.built
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@
