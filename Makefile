# make demo: set everything up and fine-tune on the example pictures and sentences.
# make test: run the tests, in some minutes.   make test-more: those that `make test` leaves out (conftest.SLOW).
# make test-all: all of them (conftest.LONG, too), and what hypothesis makes up is new each time.
# make lint: formatting, style, types.   make bench: the measurements, about two hours.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
# kerashub is large, and `zoo install kerashub` brings it; the tests need it. mlflow is large, wants an older pyarrow than
# constraints.txt has, and would report every training; its tests make an environment of their own.
DEMO := $(filter-out plugins/kerashub plugins/mlflow,$(PLUGINS))
PROJECTS := pyproject.toml constraints.txt $(PLUGINS:%=%/pyproject.toml)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
TEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-more test-all references lint bench
.DELETE_ON_ERROR:

demo: .venv/.installed
	@$(BIN)/python examples/demo.py

test: .venv/.developed
	$(TEST) -m "not slow and not long" --hypothesis-profile ci

test-more: .venv/.developed
	$(TEST) -m "slow and not long" --hypothesis-profile ci

test-all: references
	$(TEST)

# What tests compare with, and skip where it is not installed.
references: .venv/.references

lint: .venv/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.developed
	for name in startup ask limit predict tutorial unfreeze text scale second flat augment reviews label_errors intervals offline kills; do \
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

# seqeval is published as source alone, with a setup.py that only works in a build environment of its own.
.venv/.references: .venv/.developed
	$(PIP) --use-pep517 --editable '.[reference]'
	@touch $@
