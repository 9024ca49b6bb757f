# `make demo` is all that a visitor needs; `make check` is all that an author needs.
# Set-up happens by itself, once, and again when pyproject.toml changes.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help map demo test test-slow test-each coverage lint types check bench fuzz docs clean setup

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready-runtime
DEV_STAMP := $(VENV)/.ready-development
PYTHON ?= python3
PYTEST := $(BIN)/python -m pytest
# Two processes are the fastest on two cores; `--dist loadfile` keeps a file's tests in order.
JOBS ?= 2
# Seconds that a wait of the test kit lasts at most, as `tests/waiting.py` has it for the others.
export TUIHOST_TEST_DEADLINE ?= 60

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(STAMP) ## a host on this machine, for everyone who is on it: ssh -p 8022 localhost
	@exec $(BIN)/tuihost demo $(ARGS)

test: $(DEV_STAMP) ## everything but the slow tests
	$(PYTEST) -q -n $(JOBS) --dist loadfile -m "not slow" $(ARGS)

test-slow: $(DEV_STAMP) ## the slow tests alone
	$(PYTEST) -q --timeout 600 -m slow $(ARGS)

test-each: $(DEV_STAMP) ## each test file alone, which takes long
	$(BIN)/python -m tests.each $(ARGS)

coverage: $(DEV_STAMP) ## every branch of the core, by its own tests
	$(BIN)/coverage run -m pytest -q tests/core
	$(BIN)/coverage report

lint: $(DEV_STAMP) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP) ## mypy --strict
	$(BIN)/mypy

check: lint types coverage test ## all that has to be well before a commit

bench: $(DEV_STAMP) ## how fast and how large it is here
	$(BIN)/python benchmarks/bench.py $(ARGS)

fuzz: $(DEV_STAMP) ## property tests, at length
	$(PYTEST) -q --timeout 1800 -n $(JOBS) --hypothesis-profile fuzz -m fuzz $(ARGS)

docs: $(DEV_STAMP) ## the pages that are made from the code
	$(BIN)/python -m tuihost.settings.pages > docs/settings.md.new
	@mv docs/settings.md.new docs/settings.md
	$(BIN)/python -m tests.house --write
	$(BIN)/python docs/make_images.py

map: $(DEV_STAMP) ## the rooms of the code and what each imports
	@$(BIN)/python -m tests.house

clean: ## takes away what was made, the environments too
	rm -rf $(VENV) .venv-3.* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(DEV_STAMP) ## only the set-up

# ------------------------------------------------------------------------------------- set-up

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "tuihost needs Python 3.11 or newer, and there is no '$(PYTHON)' here." \
	       "Say which one to take: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tuihost needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." \
	       "Say which one to take: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; }
	@echo "Making a Python environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(STAMP): pyproject.toml | $(VENV)/bin/python
	@echo "Installing tuihost and what it needs ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# `--group` came with pip 25.1.
$(DEV_STAMP): pyproject.toml $(STAMP)
	@echo "Installing the tools for tests and checks ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test --group lint
	@touch $@
