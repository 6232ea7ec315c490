# Two commands: `make run` and `make test`. Both create .venv from the hashed lock files.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test check lint lock bench bench-service bench-learning clean

help:
	@echo "make run    set up and start the service with the demo registry at 127.0.0.1:8000"
	@echo "make test   set up and run every test"
	@echo "make check  lint, types, import contract, tests: what CI runs"
	@echo "make bench  the benchmark table (ten minutes, 6 GB of disk)"
	@echo "make bench-learning  the same for learning (ten minutes, 6 GB of memory)"
	@echo "make bench-service  the same for the registry and its API (half an hour, 12 GB of disk; needs wrk, PostgreSQL)"
	@echo "make lock   resolve the lock files anew (needs uv)"

.venv/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新版本（Python 3.11 or newer is needed）：make PYTHON=python3.11 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: requirements-dev.lock .venv/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

run: .venv/.run
	@exec $(BIN)/tidui serve --demo

test: .venv/.test
	$(BIN)/python -m pytest -n 3 --dist worksteal $(PYTEST_ARGS)

lint: .venv/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/tidui rules check

check: lint test

bench: .venv/.test
	$(BIN)/python -m benchmarks.score

bench-learning: .venv/.test
	$(BIN)/python -m benchmarks.learning

bench-service: .venv/.test
	$(BIN)/python -m benchmarks.service

lock:
	uv pip compile pyproject.toml --extra build --universal --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra dev --universal --generate-hashes --no-emit-index-url --no-header -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv out data
