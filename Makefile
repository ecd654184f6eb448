# Everything runs from a bare clone: Python 3.11, git and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# tests wait half of the time, for processes and pages: four workers keep two cores busy
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 2) * 2)')
# the tests start hundreds of programs: what was compiled once is kept, whatever the shell says
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV := uv==0.13.9

.PHONY: help demo setup run test test-slow test-cluster test-space newcomer torture check wheel audit coverage format clean test-comfy test-gpu bench lock space-lock

help: ## what can be made
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | column -t -s "|"

demo: $(VENV)/.app ## every mode through the real path, into out/
	$(BIN)/clapper demo --out out

setup: $(VENV)/.app ## asks for bot tokens and who may use them, writes the settings, looks at everything
	$(BIN)/clapper setup

run: $(VENV)/.app ## the service: queue, Studio and every bot that has a token
	$(BIN)/clapper serve

test: $(VENV)/.dev ## what needs neither a GPU nor ComfyUI, about nine minutes; the structure: `make check`
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not slow" --ignore tests/architecture

test-slow: $(VENV)/.dev ## what `make test` takes a slice of, and crowds that need the machine alone
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "slow and not load and not space"
	$(BIN)/python -m pytest -m load

test-cluster: $(VENV)/.dev ## a front and workers as processes, killed fifty times; about five minutes, fifteen on a busy machine
	$(BIN)/python -m pytest tests/cluster

test-space: $(VENV)/.dev ## the built folder as a Space runs it; as root, with Debian's chromium
	$(BIN)/python -m pytest -n $(WORKERS) tests/space

newcomer: $(VENV)/.dev ## what README says, typed in a clean place with PYTHON; WHOLE=1: with all tests
	$(BIN)/python -m pytest -x --durations=0 --durations-min=1 tests/newcomer --newcomer=$(PYTHON) $(if $(WHOLE),--whole)

torture: $(VENV)/.dev ## every kill, full disk and jump of the clock, about 15 minutes
	$(BIN)/python -m pytest tests/torture tests/integration/media --torture

test-comfy: $(VENV)/.dev ## every mode in a real ComfyUI on tiny random models
	$(BIN)/python -m pytest --comfy-real tests/comfy

test-gpu: $(VENV)/.dev ## one clip a mode on a CUDA machine
	$(BIN)/python -m pytest --comfy-real --gpu tests/comfy
	$(BIN)/python -m pytest --comfy-real --gpu --comfy-vram high tests/comfy/acceleration

check: $(VENV)/.dev ## style, types, structure
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/architecture
	$(BIN)/python bench/structure.py --long
	@$(MAKE) --no-print-directory audit

RESOLVED := --constraint constraints.txt --universal --python-version 3.11 --generate-hashes --quiet \
  --no-annotate --no-header --no-emit-index-url --no-emit-find-links

lock: $(VENV)/.app ## every package with the hash of every file: requirements.lock, requirements-dev.lock
	$(PIP) install $(UV)
	printf '# What a checkout and the image install, with the hashes of all files: `make lock` writes it.\n' > requirements.lock
	printf 'hatchling\n' | $(BIN)/uv pip compile pyproject.toml - --extra cluster --extra mcp \
	  $(RESOLVED) >> requirements.lock
	printf '# The same and what tests need: `make lock` writes it.\n' > requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra mcp $(RESOLVED) >> requirements-dev.lock

space-lock: $(VENV)/.app ## what a Space installs, resolved anew for its Python
	$(PIP) install $(UV)
	$(BIN)/python -m core.cli.space.lock

wheel: $(VENV)/.app ## what pipx or uv tool installs, into dist/
	$(BIN)/python -m hatchling build --target wheel

audit: | $(VENV)/bin/python ## known weaknesses of what is pinned, where the package index tells them
	-@test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && \
	  $(VENV)/audit/bin/python -m pip --disable-pip-version-check --quiet install pip-audit==2.10.1; }
	@$(PYTHON) bench/audit.py $(VENV)/audit/bin/pip-audit constraints.txt

coverage: $(VENV)/.dev ## which lines `make test` runs, or TESTS="tests/unit": htmlcov/
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not slow" --ignore tests/architecture $(TESTS) \
	  --cov --cov-report term:skip-covered --cov-report html

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Clapper needs Python 3.11 or newer; try: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# Only files whose hashes are known, the same for everybody (ADR 79). uv takes seconds where pip takes
# minutes; pip does it where there is no uv for the machine, or an index that pip alone was told of.
LOCKED := --require-hashes --no-deps --requirement
define install_locked
	@$(PIP) config list | grep -q '\.index-url=' || $(PIP) install $(UV) || true
	@[ -x $(BIN)/uv ] && $(BIN)/uv pip install --quiet --python $(BIN)/python $(LOCKED) $(1) \
	  || { echo "pip installs $(1); this takes some minutes"; $(PIP) install $(LOCKED) $(1); }
endef

$(VENV)/.app: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(call install_locked,requirements.lock)
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.app | $(VENV)/bin/python
	$(call install_locked,requirements-dev.lock)
	touch $@

clean:
	rm -rf $(VENV) out
