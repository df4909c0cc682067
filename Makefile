# The whole developer interface. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export TF_CPP_MIN_LOG_LEVEL ?= 3

# PyTorch brings 5 GB of libraries: beside the packages of VENV, in an environment of its own
TORCH := build/torch
# and what looks for vulnerabilities beside what it looks at
AUDIT := build/audit

# the rooms that need no Keras
QUICK := io spec data evaluation runs

.PHONY: demo test distributed backends backends-torch quick coverage lint format docs dist-check lowest audit clean

demo: $(VENV)/.user          ## training, metrics and figures on scikit-learn's digits, into demo/
	$(BIN)/archbuild -d DIGITS -a 0 --pretrain 50 --cluster 20 --metrics --visualize --out demo

test: $(VENV)/.dev           ## the tests
	$(BIN)/python -m pytest -n auto -m "not distributed"

distributed: $(VENV)/.dev    ## those that start a cluster of several processes, one after the other
	$(BIN)/python -m pytest -m distributed

# what is compiled for a test is there for the next one: that is most of the time
backends: $(VENV)/.dev       ## what trains or encodes, on JAX with two devices
	JAX_NUM_CPU_DEVICES=2 \
	  JAX_COMPILATION_CACHE_DIR=$(CURDIR)/build/jax JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 \
	  JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 \
	  KERAS_BACKEND=jax $(BIN)/python -m pytest -n auto -m backends tests

backends-torch: $(TORCH)/.done  ## the same on PyTorch
	KERAS_BACKEND=torch $(TORCH)/bin/python -m pytest -n auto -m backends tests

quick: $(VENV)/.dev          ## the tests of what needs no Keras, for the loop while coding
	$(BIN)/python -m pytest -n auto -m "not keras" $(QUICK:%=tests/%)

coverage: $(VENV)/.dev       ## the same; fails where less of these rooms is run than pyproject.toml asks for
	$(BIN)/python -m pytest -n auto -m "not keras" $(QUICK:%=tests/%) \
	  $(QUICK:%=--cov=archbuild/%) --cov-report=term:skip-covered

lint: $(VENV)/.dev           ## style, types and the order of the rooms
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

format: $(VENV)/.dev
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

docs: $(VENV)/.dev           ## the documentation site, into build/site; a warning is an error
	$(BIN)/mkdocs build --quiet --strict

dist-check: $(VENV)/.dev     ## wheel, sdist, editable install and checkout find the same files
	$(BIN)/python .ci/dist_check.py

lowest: $(VENV)/bin/python   ## the oldest versions of the dependencies that are allowed, in an environment of their own
	$(BIN)/python .ci/lowest.py

# --strict: a package that could not be looked up is a failure, not a pass
audit: $(VENV)/.dev $(AUDIT)/.done  ## known vulnerabilities of all that is installed, asked of an advisory service
	$(BIN)/python -m pip freeze --all --exclude-editable > $(AUDIT)/installed.txt
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --requirement $(AUDIT)/installed.txt

clean:                       ## the environment and what the demo made
	rm -rf $(VENV) demo build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "archbuild needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.user: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(TORCH)/.done: pyproject.toml $(VENV)/.dev
	$(BIN)/python -m venv $(TORCH)
	$(BIN)/python .ci/beside.py $(TORCH)/bin/python
	$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir '.[torch]'
	touch $@

$(AUDIT)/.done:
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.user
