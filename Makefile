# One command each. All are quick the second time: the environment is rebuilt only when a lock changes.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first interpreter that runs, is of a version we support and can make an environment.
PYTHON ?= $(shell for name in python3.12 python3.13 python3.11 python3; do \
	$$name -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
# Most tests wait for a process they started: one more at a time than there are processors; a file stays together.
# In the order of folders: files of few and long tests, whole nodes, come before the many of units.
SHARED_OUT := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist loadfile --no-loadscope-reorder

.PHONY: help demo up test test-slow check lint format docs reference lock clean

help: ## Say what each command does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# The lock is installed exactly and by hash; the project itself is linked, without its dependencies.
$(VENV)/run.stamp: requirements/run.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 with venv is needed (Debian: python3-venv)" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV) from the lock: a few minutes the first time"; $(PYTHON) -m venv $(VENV); }
	@test -e $(VENV)/test.stamp || $(PIP) install --require-hashes --no-deps -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: requirements/test.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 with venv is needed (Debian: python3-venv)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --no-deps -r requirements/test.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp

demo: $(VENV)/run.stamp ## Send sample studies to a throw-away node and show what comes back
	@$(BIN)/arcuate demo

up: $(VENV)/run.stamp ## Start the real node on this machine
	@$(BIN)/arcuate up

test: check ## Run the checks and the tests
	$(BIN)/pytest -m "not slow" $(SHARED_OUT)

test-slow: $(VENV)/test.stamp ## Run the slow tests too
	$(BIN)/pytest $(SHARED_OUT)

check: lint ## Check format, style, types and import contracts
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

lint: $(VENV)/test.stamp ## Check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/test.stamp ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/test.stamp ## Build the manual as a site in build/site; needs no network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open build/site/index.html"

reference: $(VENV)/test.stamp ## Write the pages of the manual that are made from the code anew
	$(BIN)/python -m tests.reference

lock: ## Compile requirements/*.lock anew; needs uv
	requirements/compile

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
