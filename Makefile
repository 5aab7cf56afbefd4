# Two commands do everything: `make demo` and `make test`. Both make their own virtual environment in .venv.
#
# check, build, submit and status work on the example repository that `make demo` leaves in DEMO, through that
# repository's own Makefile; NAME=EP-0123 picks one submission. DEMO lies outside this checkout, because neither
# patient data nor keys may lie inside a Git work tree.

PYTHON ?= python3
DEMO   ?= ../rttqa-build-demo
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo check build submit status test lint style types layers suite test-long fuzz bench codes conformance clean

help:            ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

$(VENV)/.made:
	@"$(PYTHON)" -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: pyproject.toml | $(VENV)/.made
	$(PIP) --editable .
	@touch $@

# Everything at once: what the program itself needs is among it.
$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/.runtime $@

# An older example is replaced only where it says that it is one.
demo: $(VENV)/.runtime  ## a synthetic patient, built and submitted to a folder portal
	@command -v git >/dev/null || { echo "git is needed, and is not on the PATH" >&2; exit 1; }
	@demo="$(DEMO)"; demo="$${demo%/}"; \
	if grep -qs "^# Centre settings of the demonstration" "$$demo/rttqa.yaml"; then rm -rf "$$demo"; fi; \
	if grep -qs "^Data of the demonstration" "$$demo-data/README.txt"; then rm -rf "$$demo-data"; fi; \
	$(PY) -m rttqa_build demo "$$demo"
	@echo
	@echo "Or from here: make status, make check, make build, make submit"

# The example repository's Makefile runs what RTTQA says.
check build submit status: export RTTQA := "$(CURDIR)/$(PY)" -m rttqa_build
check build submit status: $(VENV)/.runtime
	@test -f "$(DEMO)/rttqa.yaml" || { echo "there is no example repository yet: run 'make demo' first" >&2; exit 1; }
	@$(MAKE) --no-print-directory -C "$(DEMO)" $@

check:           ## check the example repository's manifests
build:           ## build its submissions again
submit:          ## hand them to the folder portal
status:          ## show where each stands

test: lint suite  ## lint, types, layers and the whole test suite; with -j beside each other

lint: style types layers  ## ruff, mypy --strict, import-linter

style: $(VENV)/.dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types: $(VENV)/.dev
	$(PY) -m mypy

layers: $(VENV)/.dev
	$(PY) -c "from importlinter.cli import lint_imports_command as run; run()"

suite: $(VENV)/.dev
	$(PY) -m pytest --quiet --numprocesses auto -m "not long"

test-long: $(VENV)/.dev  ## the tests that take minutes
	$(PY) -m pytest --quiet --numprocesses auto -m long

fuzz: $(VENV)/.dev       ## a million damaged inputs through the readers; FIRST=N begins elsewhere
	$(PY) tests/fuzzing.py 1000000 $(or $(FIRST),1000000)

bench: $(VENV)/.dev      ## the speed comparison, in bench/run.py
	$(PIP) --editable '.[bench]'
	$(PY) bench/run.py

codes: $(VENV)/.runtime  ## write docs/codes.md and docs/reference from the code
	$(PY) docs/write_codes.py
	$(PY) docs/write_reference.py

conformance: $(VENV)/.runtime  ## write docs/conformance.md from the table and the keep list
	$(PY) docs/write_conformance.py

clean:           ## remove the virtual environment and caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
