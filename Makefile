# adcore's commands.  They need python3 (3.11 or newer) and make; everything else goes into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
BENCH_ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint types contracts wheel bench bench-suite accuracy ci clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-demo ## Fit an epidemic model to the 1978 influenza outbreak; writes influenza.png
	$(BIN)/adcore demo

test: $(VENV)/.installed-test ## Run the tests and the doctests
	$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## Check style with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## Check types with pyright
	$(BIN)/pyright --pythonpath $(BIN)/python

contracts: $(VENV)/.installed-dev ## Check that the core, the frontends and the backends do not import each other
	$(BIN)/lint-imports

wheel: $(VENV)/.installed-dev ## Build the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

bench: $(VENV)/.installed-bench ## Measure adcore beside its peers (BENCH_ARGS="--help" shows what to choose)
	$(BIN)/python -m bench $(BENCH_ARGS)

bench-suite: $(VENV)/.installed-bench ## Run the pytest-benchmark suites
	$(BIN)/python -m pytest bench -W default --benchmark-group-by=group $(PYTEST_ARGS)

accuracy: $(VENV)/.installed-bench ## Measure errors in ulps beside JAX and autograd; writes docs/accuracy.md
	$(BIN)/python -m bench.accuracy

ci: test lint types contracts wheel ## Everything that must pass before a change lands

clean: ## Remove what the other commands made
	rm -rf $(VENV) dist .pytest_cache .hypothesis .ruff_cache .benchmarks .import_linter_cache

# The environment, made anew where it is missing, and one stamp for each set of extras that is installed in it.

EXTRAS_demo := demo
EXTRAS_test := test,demo
EXTRAS_dev := dev,test,demo
EXTRAS_bench := bench,test,demo

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "adcore needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed-%: pyproject.toml $(VENV)/.made
	@echo "Installing adcore with the extras $(EXTRAS_$*) into $(VENV): done once, takes a minute or two"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS_$*)]'
	@touch $@
