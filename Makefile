# Every target works straight after `git clone`; `make` alone lists them. See README.md.
#
# PYTHON=python3.12  the interpreter to make .venv with (3.11 or newer)
# TORCH=...          another torch to install, e.g. TORCH="torch==2.13.0 --index-url=..." for a CUDA or a mirror's build
SHELL := /bin/bash
PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint
.DELETE_ON_ERROR:

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed  ## make .venv with everything, and the sandbox image where a Docker engine runs
	@docker/engine.sh
	@if timeout 10 docker version >/dev/null 2>&1; then $(BIN)/grader image build; \
	  else echo "no Docker engine: 'grader check' works, 'grader grade' needs one"; fi

demo: setup  ## grade candidates/ into out/demo/ with real isolation
	$(BIN)/python examples/demo.py

# One worker more than cores: some tests wait, for a deadline or an engine that is silent (with two cores a fifth less time).
test: setup  ## run the whole test suite, several tests at a time
	@docker/browser.sh
	$(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal

bench: setup  ## measure overhead, batches, other tools beside, memory; draw it (some 45 minutes)
	$(BIN)/python -m benchmarks

lint: $(VENV)/.installed  ## ruff and mypy
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

# Made again when the dependencies change; a Python that is too old or has no venv is said in one line.
# torch comes first and with a pin, so that pip takes a CPU wheel where its configuration offers one.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "grader needs Python 3.11 or newer: make setup PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || docker/venv.sh "$(PYTHON)"
	$(PYTHON) -m venv $(VENV)
	@echo "installing $(TORCH) and the packages of pyproject.toml"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check $(TORCH)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e ".[dev]"
	@touch $@
