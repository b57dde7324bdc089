# make demo: set everything up and fine-tune on the example pictures and sentences.
# make test: run the tests.   make test-all: those too that repeat for one more network what others say, and what
# hypothesis makes up is new each time.
# make lint: formatting, style, types.   make bench: the measurements, about two hours.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
# kerashub is large, and `zoo install kerashub` brings it; the tests need it.
DEMO := $(filter-out plugins/kerashub,$(PLUGINS))
PROJECTS := pyproject.toml constraints.txt $(PLUGINS:%=%/pyproject.toml)
# seqeval is published as source alone, with a setup.py that only works in a build environment of its own.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --use-pep517 --constraint constraints.txt

PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-all lint bench
.DELETE_ON_ERROR:

demo: .venv/.installed
	@$(BIN)/python examples/demo.py

test: .venv/.developed
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow" --hypothesis-profile ci

test-all: .venv/.developed
	$(BIN)/python -m pytest $(PARALLEL)

lint: .venv/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.developed
	for name in startup limit predict tutorial unfreeze text scale augment reviews; do \
		echo "== $$name" && $(BIN)/python benchmarks/$$name.py || exit 1; \
	done

.venv/.installed: $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "zoo needs Python 3.11 to 3.13, and this is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv (some minutes the first time: TensorFlow is large)"
	$(PYTHON) -m venv .venv
	$(PIP) --editable . $(DEMO:%=--editable ./%)
	@touch $@

.venv/.developed: .venv/.installed
	$(PIP) --editable '.[dev]' --editable ./plugins/kerashub
	@touch $@
