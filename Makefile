# `make demo` and `make test` do all set-up themselves. They need Python 3.11, 3.12 or 3.13 with pip, or
# uv alone, which is used where it is installed (`make UV= demo` uses pip all the same).
#   PYTHON=python3.12 make setup     with this Python
#   make setup EXTRAS=jax,torch      with these extras of pyproject.toml

VENV := .venv
PY := $(VENV)/bin/python
PEERS := .venv-peers
UV ?= $(shell command -v uv 2>/dev/null)
EXTRAS ?= base

# Without bytecode every start of Keras takes twice as long; so it is asked for by name, whatever
# the user's own settings say.
ifneq ($(UV),)
install = $(UV) pip install --quiet --python $(@D)/bin/python --compile-bytecode
else
install = $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --compile
endif

# What `make bench` runs, in this order; benchmarks/README.md says what each of them shows.
BENCHMARKS := seed time_to_99 time_to_report classical start_up throughput memory growth

.DELETE_ON_ERROR:
# Two installations into one environment would destroy each other, and lines of tools would mix.
.NOTPARALLEL:
.PHONY: help setup demo test slow lint types check bench model clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1@/p' $(firstword $(MAKEFILE_LIST)) | tr '@' '\t'

setup: $(VENV)/.has-$(EXTRAS)  ## make .venv with tenfold in it

demo: $(VENV)/.has-base  ## train, judge and save a classifier of digits
	$(VENV)/bin/tenfold train

# Two at a time, with a core each: each loads Keras for itself, and a third finds no core where there are two.
PYTEST := TF_NUM_INTRAOP_THREADS=1 OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist worksteal

test: $(VENV)/.has-dev  ## run the fast tests, about two minutes
	$(PYTEST) -m "not slow"

slow: $(VENV)/.has-dev  ## run the tests that take seconds each
	$(PYTEST) -m slow

lint: $(VENV)/.has-dev  ## look for faults of style
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types: $(VENV)/.has-dev  ## check the types
	$(PY) -m mypy

check: lint types slow test  ## all that a change must pass

bench: $(VENV)/.has-jax $(PEERS)/.has-peers  ## measure tenfold beside its peers, one or two hours; fills results/
	@for name in $(BENCHMARKS); do echo "benchmarks/$$name.py ..."; $(PY) benchmarks/$$name.py || exit 1; done
	$(PY) benchmarks/tables.py

model: $(VENV)/.has-base  ## train the model in the box anew: two minutes
	$(PY) tools/make_model.py

clean:  ## remove .venv and all that tools leave behind; runs/ stays
	rm -rf $(VENV) $(PEERS) build dist src/*.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -prune -exec rm -rf {} +

# A stamp says what .venv holds; a change of what it was made from makes it out of date.
$(VENV)/.has-%: $(PY) pyproject.toml constraints.txt
	@echo "Installing tenfold ($*) into $(VENV): one minute or two, more on a slow line ..."
	@$(install) -c constraints.txt -e '.$(patsubst %,[%],$(filter-out base,$*))'
	@touch $(VENV)/.has-base $@

$(PEERS)/.has-peers: $(PEERS)/bin/python benchmarks/peers.txt constraints.txt
	@echo "Installing what tenfold is measured beside into $(PEERS): a few minutes ..."
	@$(install) -r benchmarks/peers.txt
	@touch $@

$(PY) $(PEERS)/bin/python:
	@UV='$(UV)' sh tools/make-venv $(@:/bin/python=)
