# Ringledger. `make run` needs nothing but make and Python 3.11 with venv; the rest it fetches, pinned and hashed.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first Python that is new enough; `make PYTHON=/path/to/python3` decides otherwise.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$python >/dev/null && $$python -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$python; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# --no-build-isolation: what comes as source is built with the setuptools pinned here, not with one fetched unseen.
INSTALL := $(PIP) install --root-user-action=ignore --require-hashes --no-build-isolation
BRIEFLY := grep --line-buffered -v -e '^Requirement already satisfied' -e '^  Using cached' || true

.PHONY: help run test static check bench chaos soak capture screens lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## serve calls here and now: database, switch, orchestrator, and a live view; Ctrl-C ends it
	@exec $(BIN)/ringledger run

test: $(READY_DEV) ## all tests, unpatched and gevent-patched; ARGS='-k word' chooses
	@$(BIN)/python -m tests.run $(ARGS)

static: $(READY_DEV) ## format, lint, types, direction of imports, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ringledger docs --check

check: static test ## everything that must hold before a commit

bench: $(READY_DEV) ## measure, one JSON line a figure; ONLY=store|esl|decide|switch|shedding|control|projections|web|matching|fairness|scale|replay|redrive|takeover|chaos|spool for one group, SIZE=20m for replay's long log, KEEP=dir to keep it
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(SIZE),--size $(SIZE)) $(if $(KEEP),--keep $(KEEP))

chaos: $(READY_DEV) ## kill every process in turn and at random under calls, then compare callers and ledger; SECONDS=300 SEED=7 RATE=20
	@$(BIN)/python -m tests.acceptance.chaos --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED)) $(if $(RATE),--rate $(RATE))

soak: $(READY_DEV) ## many more seeds of the simulation than the tests play; SEEDS=5000
	@$(BIN)/python -m tests.simulation 1000-$$((999 + $(or $(SEEDS),5000)))

capture: $(READY_DEV) ## record event streams from a real FreeSWITCH (RINGLEDGER_FREESWITCH) for the tests
	@$(BIN)/python -m tests.lab.capture

screens: $(READY_DEV) ## take the pictures of docs/screens anew, from a run of the demo
	@mkdir -p docs/screens
	@SCREENS=$(CURDIR)/docs/screens $(BIN)/python -m pytest -q tests/web/browser/test_walks.py

lock: ## resolve requirements*.in anew into pinned and hashed requirements*.txt
	@directory=$$(mktemp -d); trap 'rm -rf "$$directory"' EXIT; \
	$(PYTHON) -m venv "$$directory"; \
	"$$directory/bin/python" -m pip install --quiet --disable-pip-version-check pip-tools==7.6.2; \
	for each in requirements-build requirements requirements-dev; do \
		echo "resolving $$each.in …"; \
		CUSTOM_COMPILE_COMMAND='make lock' "$$directory/bin/pip-compile" --quiet --generate-hashes --strip-extras \
			--allow-unsafe --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			--upgrade --output-file $$each.txt $$each.in; \
	done

clean: ## remove caches and the virtual environment; the ledger's home stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info

$(MADE):
	@if [ -z '$(PYTHON)' ]; then \
		echo "Ringledger needs Python 3.11 or newer, and there is none on PATH (python3 is $$(python3 --version 2>&1 || true))."; \
		echo "Install it:  apt-get install python3 python3-venv"; exit 1; \
	fi
	@if ! $(PYTHON) -c '$(NEW_ENOUGH)'; then \
		echo "Ringledger needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; exit 1; \
	fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "Python's venv is not installed. Install it:  apt-get install python3-venv"; exit 1; \
	fi
	@if ! { [ -x $(BIN)/python ] && $(BIN)/python -m pip --version >/dev/null 2>&1; }; then \
		echo "[1/3] making $(VENV) with $$($(PYTHON) --version) …"; $(PYTHON) -m venv $(VENV); \
	fi
	@touch $@

$(READY): $(MADE) requirements-build.txt requirements.txt setup.cfg pyproject.toml
	@echo "[2/3] fetching $$(grep -c '==' requirements.txt) packages, pinned and hashed; a minute or two the first time …"
	@$(INSTALL) -r requirements-build.txt | { $(BRIEFLY); }
	@$(INSTALL) -r requirements.txt | { $(BRIEFLY); }
	@echo "[3/3] installing ringledger itself …"
	@$(PIP) install --root-user-action=ignore --quiet --no-deps --no-build-isolation \
		--config-settings editable_mode=compat --editable .
	@touch $@

$(READY_DEV): $(READY) requirements-dev.txt
	@echo "[+] fetching $$(grep -c '==' requirements-dev.txt) packages for the tests, pinned and hashed …"
	@$(INSTALL) -r requirements-dev.txt | { $(BRIEFLY); }
	@touch $@
