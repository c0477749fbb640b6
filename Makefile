# make demo             a generated day, executed by the deployed state machine, in a few seconds
# make test             the whole gate: ruff, mypy, pytest
# make lint             ruff and mypy alone
# make bench            how fast a full day, the engine, the exchange and its matching run here
# make simulate-faults  SEEDS=100 days under faults
# make build            sam build: what would be deployed, in .aws-sam/build
# make lock             pin the dependencies anew
# make clean            everything that was made here

.DEFAULT_GOAL := help
SHELL := /bin/bash

SEEDS ?= 100
export SAM_CLI_TELEMETRY = 0
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# The first of these that runs. A pyenv shim lies on PATH even where its version is not switched on, so each is tried.
CANDIDATES = python3.13 $(wildcard $(shell pyenv root 2>/dev/null)/versions/3.13*/bin/python3.13)
first = $(firstword $(foreach candidate,$(1),$(shell $(candidate) -c 'import sys; sys.version_info < (3, 11) or print(sys.executable)' 2>/dev/null)))
LAMBDA_PYTHON = $(call first,$(CANDIDATES))
PYTHON = $(call first,$(CANDIDATES) python3.12 python3.11 python3 python)
# sam and the layers' own Makefiles look for python3.13 by name, and for its pip.
BUILD_PATH = $(CURDIR)/.venv-lambda/bin:$(CURDIR)/.venv-sam/bin:$(PATH)

define install
	@[ -n "$(2)" ] || { echo "repeg needs Python 3.11 or newer, on PATH or in pyenv; there is none." >&2; exit 1; }
	@echo "Setting up $(1) with $(2)"
	@[ -x $(1)/bin/python ] || $(2) -m venv $(1) || { rm -rf $(1); exit 1; }
	@$(1)/bin/python -m pip install --quiet --require-hashes --requirement requirements/pip.txt
	@$(1)/bin/python -m pip install --quiet --require-hashes --requirement $(3)
endef

.PHONY: help demo test lint bench simulate-faults build lock clean

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

demo: .venv/.workbench
	@.venv/bin/repeg simulate

test: lint .venv-sam/.installed .venv-lambda/.installed .venv-ministack/.installed
	.venv/bin/python -m pytest -n 2 --dist loadgroup

lint: .venv/.development
	.venv/bin/ruff check .
	.venv/bin/mypy

bench: .venv/.development
	@.venv/bin/python -m repeg_workbench.bench

simulate-faults: .venv/.development
	.venv/bin/python -m repeg_workbench.faults seeds --seeds $(SEEDS)

build: .venv-sam/.installed .venv-lambda/.installed
	@[ -x .venv-lambda/bin/python3.13 ] || { echo "sam build needs python3.13 on PATH (or in pyenv): it is what Lambda runs." >&2; exit 1; }
	PATH="$(BUILD_PATH)" sam build

lock: .venv-sam/.installed
	for name in runtime workbench development lambda sam ministack; do \
		.venv-sam/bin/uv pip compile $(LOCK) --universal --python-version 3.11 requirements/$$name.in -o requirements/$$name.txt || exit; done
	.venv-sam/bin/uv pip compile $(LOCK) --python-version 3.13 --python-platform x86_64-manylinux_2_34 \
		-c requirements/runtime.txt --override requirements/layer-overrides.txt \
		requirements/runtime.in -o layers/dependencies/requirements.txt
LOCK = --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

clean:
	rm -rf .venv .venv-sam .venv-lambda .venv-ministack .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

# Each environment is set up once and again when its pins change.
.venv/.workbench: requirements/workbench.txt pyproject.toml
	$(call install,.venv,$(PYTHON),$<)
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.development: requirements/development.txt .venv/.workbench
	$(call install,.venv,$(PYTHON),$<)
	@touch $@

# sam pins boto3 to the patch, so it lives apart.
.venv-sam/.installed: requirements/sam.txt
	$(call install,.venv-sam,$(PYTHON),$<)
	@touch $@

# Its own dependencies are many, and nothing here imports it.
.venv-ministack/.installed: requirements/ministack.txt
	$(call install,.venv-ministack,$(PYTHON),$<)
	@touch $@

# What Lambda brings by itself, on the Python that Lambda runs: here the built functions are tried. Without that Python
# their tests say why they are skipped.
.venv-lambda/.installed: requirements/lambda.txt
	$(if $(LAMBDA_PYTHON),$(call install,.venv-lambda,$(LAMBDA_PYTHON),$<))
	@[ ! -d $(@D) ] || touch $@
