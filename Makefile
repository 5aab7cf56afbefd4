# Two commands do everything: `make demo` and `make test`. Both make their own virtual environment in .venv.
# check, build, submit and status work on the example repository that `make demo` leaves in demo/.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
DEMO   := demo
RUN    := ../$(PY) -m rttqa_build

.DEFAULT_GOAL := help
.PHONY: help demo check build submit status test lint test-long bench golden clean

help:            ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

$(VENV)/.runtime: pyproject.toml
	"$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.runtime  ## a synthetic patient, built and submitted to a folder portal
	@rm -rf $(DEMO)
	@$(PY) -m rttqa_build demo $(DEMO)

check: $(DEMO)/rttqa.yaml    ## check the example repository's manifests
	@cd $(DEMO) && $(RUN) check

build: $(DEMO)/rttqa.yaml    ## build its submissions again
	@cd $(DEMO) && $(RUN) build

submit: $(DEMO)/rttqa.yaml   ## hand them to the folder portal
	@cd $(DEMO) && $(RUN) submit

status: $(DEMO)/rttqa.yaml   ## show where each stands
	@cd $(DEMO) && $(RUN) status

$(DEMO)/rttqa.yaml:
	@echo "there is no example repository yet: run 'make demo' first" && exit 1

test: lint       ## lint, types, layers and the whole test suite
	$(PY) -m pytest --quiet --numprocesses auto

lint: $(VENV)/.dev  ## ruff, mypy --strict, import-linter
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -c "from importlinter.cli import lint_imports_command as run; run()"

test-long: $(VENV)/.dev  ## the tests that take minutes
	$(PY) -m pytest --quiet --numprocesses auto -m long

bench: $(VENV)/.dev      ## the speed comparison of bench/README.md
	$(PY) -m pip install --quiet --disable-pip-version-check '.[bench]'
	$(PY) bench/run.py

clean:           ## remove the virtual environment, caches and the example repository
	rm -rf $(VENV) $(DEMO) dist .mypy_cache .ruff_cache .pytest_cache
