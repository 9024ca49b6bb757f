# `make demo` is all that a visitor needs; `make check` is all that an author needs.
# Set-up happens by itself, once, and again when pyproject.toml changes (set_up.py).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help map demo test test-pythons setup-pythons test-debian13 test-slow clients test-each coverage lint types check bench fuzz docs clean setup ready ready-for-tests python

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PYTEST := $(BIN)/python -m pytest
# Two processes are the fastest on two cores; `--dist loadfile` keeps a file's tests in order.
JOBS ?= 2
# Seconds that a wait of the test kit lasts at most, as `tests/waiting.py` has it for the others.
export TUIHOST_TEST_DEADLINE ?= 60

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ready ## a host on this machine, for everyone who is on it: ssh -p 8022 localhost
	@TUIHOST_CALLED_BY=make exec $(BIN)/tuihost demo $(ARGS)

test: ready-for-tests ## everything but the slow tests
	$(PYTEST) -q -n $(JOBS) --dist loadfile -m "not slow" $(ARGS)

test-pythons: ready-for-tests ## all that `make test` runs, on the other Pythons that pyproject.toml names
	$(BIN)/python -m tests.pythons test $(ARGS)

setup-pythons: ready-for-tests ## only the set-up, for those Pythons
	@$(BIN)/python -m tests.pythons setup

test-debian13: ## the tests on Debian 13, with its OpenSSH 10, in a root made by debootstrap; as root
	tests/debian13.sh $(ARGS)

clients: .clients/node_modules/.ready ## the clients that come from npm, for the tests that run them

.clients/node_modules/.ready:
	timeout 120 npm install --prefix .clients --no-save --no-audit --no-fund --ignore-scripts ssh2@1
	@touch $@

test-slow: ready-for-tests ## the slow tests alone
	$(PYTEST) -q --timeout 600 -m slow $(ARGS)

test-each: ready-for-tests ## each test file alone, which takes long
	$(BIN)/python -m tests.each $(ARGS)

coverage: ready-for-tests ## every branch of the core, by its own tests
	$(BIN)/coverage run -m pytest -q tests/core
	$(BIN)/coverage report

lint: ready-for-tests ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: ready-for-tests ## mypy --strict
	$(BIN)/mypy

check: lint types coverage test ## all that has to be well before a commit

bench: ready-for-tests ## how fast and how large it is here
	$(BIN)/python benchmarks/bench.py $(ARGS)

fuzz: ready-for-tests ## property tests, at length
	$(PYTEST) -q --timeout 1800 -n $(JOBS) --hypothesis-profile fuzz -m fuzz $(ARGS)

docs: ready-for-tests ## the pages that are made from the code
	$(BIN)/python -m tuihost.settings.pages > docs/settings.md.new
	@mv docs/settings.md.new docs/settings.md
	$(BIN)/python -m tests.house --write
	$(BIN)/python -m tests.bounds --write
	$(BIN)/python docs/make_images.py

map: ready-for-tests ## the rooms of the code and what each imports
	@$(BIN)/python -m tests.house

clean: ## takes away what was made, the environments too
	rm -rf $(VENV) $(VENV).lock .venv-3.* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: ready-for-tests ## only the set-up

# ------------------------------------------------------------------------------------- set-up

ready: python
	@$(PYTHON) set_up.py $(VENV)

ready-for-tests: python
	@$(PYTHON) set_up.py $(VENV) development

python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "tuihost needs Python 3.11 or newer, and there is no '$(PYTHON)' here." \
	       "Say which one to take: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tuihost needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." \
	       "Say which one to take: make PYTHON=/path/to/python3.12" >&2; exit 1; }
