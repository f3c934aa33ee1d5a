# Two commands for a newcomer: `make demo` and `make test`. Both set up what they need.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# Set in some shells; it makes every import several times slower.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check format bench bench-pull bench-unpack bench-pack bench-push \
	bench-list bench-compare bench-diff bench-rollback torture screenshots clean servers

help: ## Show these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.stamp-run ## Set up everything and run the main job on example versions
	@$(BIN)/rolldeck demo

test: $(VENV)/.stamp-dev servers ## Set up everything and run the tests
	@$(BIN)/python -m pytest -n auto

check: $(VENV)/.stamp-dev ## Format, lint, types, import contracts, spelling
	@$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/.stamp-dev ## Format the code
	@$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.stamp-dev ## Measure start-up side by side with its yardsticks
	@$(BIN)/python -m benchmarks.startup

bench-pull: $(VENV)/.stamp-dev servers ## Race pull against kit, oras, crane, regctl, skopeo (10 min)
	@$(BIN)/python -m benchmarks.pull

bench-list: $(VENV)/.stamp-dev servers ## List 2,000 and 10,000 tags over a slow line, and race kit (5 min)
	@$(BIN)/python -m benchmarks.list

bench-pack: $(VENV)/.stamp-dev ## Race pack against kit, on tmpfs and on disk (3 min)
	@$(BIN)/python -m benchmarks.pack

bench-compare: $(VENV)/.stamp-dev servers ## Compare versions, open a large file, read 1,000 versions, beside kit (3 min)
	@$(BIN)/python -m benchmarks.compare

bench-diff: $(VENV)/.stamp-dev servers ## Compare two versions of 10 GiB in a registry (2 min, 1 MB of disk)
	@$(BIN)/python -m benchmarks.diff_huge

bench-push: $(VENV)/.stamp-dev servers ## Race push against kit, oras, crane, regctl, skopeo (5 min)
	@$(BIN)/python -m benchmarks.push

bench-rollback: $(VENV)/.stamp-dev servers ## Race a whole rollback against kit pull and unpack (3 min)
	@$(BIN)/python -m benchmarks.rollback

bench-unpack: $(VENV)/.stamp-dev servers ## Race pull with unpack and switching against kit (5 min)
	@$(BIN)/python -m benchmarks.unpack

torture: $(VENV)/.stamp-dev servers ## The tests by chance, forty times as long: kills, mutated archives and records
	@ROLLDECK_TORTURE=1 $(BIN)/python -m pytest -n auto

screenshots: $(VENV)/.stamp-dev ## Draw screenshots/ from the real app on the demo library
	@bash tools/screenshot_fonts.sh
	$(BIN)/pip install -q 'cairosvg>=2.9'
	$(BIN)/python tools/screenshots.py

servers:
	@bash tools/servers.sh

$(VENV)/.stamp-run: pyproject.toml
	@bash tools/venv.sh "$(PYTHON)" $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run
	@$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install -q --group dev
	touch $@

clean: ## Remove the environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
