# Everything a contributor or CI runs. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := $(BIN)/bench
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup engine postgres demo bench test chaos quick check fmt fmt-check lint types imports clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## install Mintmark and its tools into .venv

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: Mintmark needs Python 3.11 or newer and '$(PYTHON)' is not;" \
	        "name another: make PYTHON=python3.12 setup" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: '$(PYTHON)' cannot make virtual environments;" \
	        "on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    -c constraints.txt -e ".[dev]"
	@touch $@

engine: ## make sure that a Docker engine answers, setting one up if need be
	@sh harness/sandbox/engine.sh

demo: setup engine ## see a whole run, without a model or a key
	@$(BENCH) demo

bench: setup engine ## measure what a run costs, and rewrite docs/performance.md
	@$(BIN)/python tests/performance/measure.py --write

postgres: ## make sure that there is a PostgreSQL server to test with
	@sh tests/store/postgres.sh

chaos: setup engine ## kill a batch of 200 runs 200 times, and one of its nodes; half an hour
	MINTMARK_CHAOS_KILLS=200 MINTMARK_CHAOS_RUNS=200 MINTMARK_RAY_RUNS=200 \
	    $(BIN)/python -m pytest -q -s -m docker \
	    tests/endtoend/test_chaos.py tests/endtoend/test_ray_engine.py

test: quick engine postgres ## run every test, on the real engine and a real database
	$(BIN)/python -m pytest -m "docker or postgres or s3 or ray"

quick: setup ## run the tests that need no engine and no server, on every core
	$(BIN)/python -m pytest -m "not (docker or postgres or s3 or ray)" -n auto -q

check: fmt-check lint types imports test ## run everything that has to be green

fmt: setup ## put the code into its format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

fmt-check: setup
	$(BIN)/ruff format --check

lint: setup
	$(BIN)/ruff check

types: setup
	$(BIN)/mypy
	cd harness/sandbox/inside && MYPYPATH=. $(CURDIR)/$(BIN)/mypy --config-file= --strict --explicit-package-bases *.py

imports: setup
	$(BIN)/lint-imports

clean: ## remove what can be made again; results stay
	rm -rf $(VENV) dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
