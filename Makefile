# make demo             a generated trading day, executed by the deployed state machine, in a few seconds
# make quick            lint and the fast tests: the domain, the functions, the state machine, the architecture
# make test             the whole gate: lint, every test, and a floor for the branch coverage of each package
# make lint             ruff (rules and format) and mypy
# make fmt              format the code and fix what ruff can fix
# make docs             write every generated page anew; check the two that take long to measure
# make site             the documentation as a site that needs no network: open site/index.html
# make coverage         the report of the last `make test`, line by line, in htmlcov/index.html
# make verify           what can be proved of the stack without an AWS account: linters, build, every function, permissions
# make sam-local        every function in a container, by `sam local invoke`, where Docker is running
# make bench            how fast a full day, the engine, the exchange, its matching and replays run on this machine
# make smoke            STACK=name: one preview in the deployed stack, compared with the local engine
# make simulate-faults  SEEDS=100 simulated days with faults
# make wheel            dist/repeg-*.whl, which runs `repeg demo` and all the rest without the repository
# make build            sam build: what would be deployed, in .aws-sam/build
# make lock             update the pinned dependencies
# make clean            remove everything that these targets have made

.DEFAULT_GOAL := help
SHELL := /bin/bash

SEEDS ?= 100
# Environments are set up side by side, and beside the linters.
MAKEFLAGS += --jobs=2
export SAM_CLI_TELEMETRY = 0
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# The first candidate that runs. pyenv puts a shim on PATH even for versions that are not active, so each is tried.
CANDIDATES = python3.13 $(wildcard $(shell pyenv root 2>/dev/null)/versions/3.13*/bin/python3.13)
first = $(firstword $(foreach candidate,$(1),$(shell $(candidate) -c 'import sys; sys.version_info < (3, 11) or print(sys.executable)' 2>/dev/null)))
LAMBDA_PYTHON = $(call first,$(CANDIDATES))
PYTHON = $(call first,$(CANDIDATES) python3.12 python3.11 python3 python)
# sam and the layers' Makefiles call python3.13 and its pip by name.
BUILD_PATH = $(CURDIR)/.venv-lambda/bin:$(CURDIR)/.venv-sam/bin:$(PATH)

define install
	@[ -n "$(2)" ] || { echo "repeg needs Python 3.11 or newer, on PATH or in pyenv; there is none." >&2; exit 1; }
	@echo "Setting up $(1) with $(2)"
	@[ -x $(1)/bin/python ] || $(2) -m venv $(1) || { rm -rf $(1); exit 1; }
	@$(1)/bin/python -m pip install --quiet --require-hashes --requirement requirements/pip.txt
	@$(1)/bin/python -m pip install --quiet --require-hashes --requirement $(3)
endef

.PHONY: help demo quick test lint fmt docs coverage verify sam-local bench smoke simulate-faults wheel build lock site clean

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

demo: .venv/.workbench
	@.venv/bin/repeg demo

quick: lint
	.venv/bin/python -m pytest -q -n 2 --dist loadgroup --hypothesis-profile quick $(QUICK)
QUICK = tests/domain tests/functions tests/statemachine $(filter-out tests/test_secrets.py,$(wildcard tests/test_*.py))

test: lint .venv-sam/.installed .venv-lambda/.installed .venv-ministack/.installed .venv-docs/.installed .node/.installed
	.venv/bin/python -m pytest -n 2 --dist loadgroup $(MEASURED)
	$(if $(MEASURED),.venv/bin/python -m tests.coverage.floors)
# Measuring is cheap with sys.monitoring, which Python 3.11 does not have.
MEASURED = $(shell .venv/bin/python -c 'import sys; sys.version_info < (3, 12) or print("-p tests.coverage.branch_events --cov --cov-report=")')

lint: .venv/.development
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

fmt: .venv/.development
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

docs: .venv/.development
	.venv/bin/python -m repeg_workbench.docs.alarms
	.venv/bin/python -m repeg_workbench.docs.architecture
	.venv/bin/python -m repeg_workbench.docs.cli_reference
	.venv/bin/python -m repeg_workbench.docs.events
	.venv/bin/python -m repeg_workbench.docs.failure_matrix
	.venv/bin/python -m repeg_workbench.docs.glossary
	.venv/bin/python -m repeg_workbench.docs.settings_table
	.venv/bin/python -m repeg_workbench.faults publish
	.venv/bin/python -m repeg_workbench.mutation page
	.venv/bin/python -m tests.conformance.tables
	# These take many minutes to measure, so they are only checked: see the pages' first lines.
	.venv/bin/python -m repeg_workbench.calibration --check
	.venv/bin/python -m repeg_workbench.replay.publish --check
	.venv/bin/python -m repeg_workbench.replay.estimates --check

# Strict: a warning, such as a link to nothing or a page without a place in the navigation, is an error.
site: .venv-docs/.installed .node/.installed
	@.venv-docs/bin/python -m sphinx -b html --fail-on-warning --keep-going -q -c docs -d site/.doctrees . site
	@echo "The site is in site/index.html."

coverage: .venv/.development
	@[ -f .coverage ] || { echo "There is nothing to report: run make test first." >&2; exit 1; }
	.venv/bin/python -m coverage html --quiet
	.venv/bin/python -m tests.coverage.floors

verify: .venv/.development .venv-sam/.installed .venv-lambda/.installed .venv-checkov/.installed .node/.installed
	.venv-checkov/bin/checkov --config-file .checkov.yaml
	.venv/bin/python -m pytest -q -n 2 --dist loadgroup tests/template tests/statemachine tests/engine/test_deployment.py

# OPTIONS are further ones of `sam local invoke`, such as --skip-pull-image.
sam-local: .venv/.development .venv-sam/.installed .venv-lambda/.installed
	@PATH="$(BUILD_PATH)" .venv/bin/python -m tests.template.sam_local $(OPTIONS)

bench: .venv/.development
	@.venv/bin/python -m repeg_workbench.bench

smoke: .venv/.workbench
	@.venv/bin/python -m repeg_workbench.operate.smoke $(if $(STACK),--stack $(STACK))

simulate-faults: .venv/.development
	.venv/bin/python -m repeg_workbench.faults seeds --seeds $(SEEDS)

wheel: .venv/.development
	.venv/bin/python -m hatchling build --target wheel

build: .venv-sam/.installed .venv-lambda/.installed
	@[ -x .venv-lambda/bin/python3.13 ] || { echo "sam build needs python3.13 on PATH (or in pyenv): it is what Lambda runs." >&2; exit 1; }
	PATH="$(BUILD_PATH)" sam build

lock: .venv-sam/.installed
	for name in runtime workbench development docs lambda sam ministack; do \
		.venv-sam/bin/uv pip compile $(LOCK) --universal --python-version 3.11 requirements/$$name.in -o requirements/$$name.txt || exit; done
	.venv-sam/bin/uv pip compile $(LOCK) --universal --python-version 3.11 --override requirements/checkov-overrides.txt \
		requirements/checkov.in -o requirements/checkov.txt
	.venv-sam/bin/uv pip compile $(LOCK) --python-version 3.13 --python-platform x86_64-manylinux_2_34 \
		-c requirements/runtime.txt --override requirements/layer-overrides.txt \
		requirements/runtime.in -o layers/dependencies/requirements.txt
	$(if $(NODE),cd requirements/node && npm install $(NPM) --package-lock-only && node -e '$(WITHOUT_ADDRESSES)')
NPM = --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund --loglevel=error
# npm notes where each package asks for money.
WITHOUT_ADDRESSES = const fs = require("fs"), lock = JSON.parse(fs.readFileSync("package-lock.json")); \
	for (const one of Object.values(lock.packages)) delete one.funding; \
	fs.writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");
LOCK = --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

clean:
	rm -rf .venv .venv-sam .venv-lambda .venv-ministack .venv-checkov .venv-docs .node site .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

# Each environment is set up once, and again when its pins change.
.venv/.workbench: requirements/workbench.txt pyproject.toml
	$(call install,.venv,$(PYTHON),$<)
	$(EDITABLE)
	@touch $@

# It has the workbench's packages too, so one installation does for both. Two must not write to .venv at the same time.
.venv/.development: requirements/development.txt requirements/workbench.txt pyproject.toml | $(if $(filter demo smoke .venv/.workbench,$(MAKECMDGOALS)),.venv/.workbench)
	$(call install,.venv,$(PYTHON),$<)
	$(EDITABLE)
	@touch .venv/.workbench $@
EDITABLE = @.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .

# sam pins boto3 to one patch release, so it has its own environment.
.venv-sam/.installed: requirements/sam.txt
	$(call install,.venv-sam,$(PYTHON),$<)
	@touch $@

# checkov pins many packages, and nothing here imports it. Without --no-deps pip would refuse the overridden one.
.venv-checkov/.installed: requirements/checkov.txt
	@[ -x $(@D)/bin/python ] || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --require-hashes --requirement requirements/pip.txt
	@$(@D)/bin/python -m pip install --quiet --require-hashes --no-deps --requirement $<
	@touch $@

# ministack has many dependencies of its own, and nothing here imports it.
.venv-ministack/.installed: requirements/ministack.txt
	$(call install,.venv-ministack,$(PYTHON),$<)
	@touch $@

# Sphinx, and what makes pages of Markdown: nothing here imports it but docs/conf.py.
.venv-docs/.installed: requirements/docs.txt
	$(call install,.venv-docs,$(PYTHON),$<)
	@touch $@

# The packages of the Lambda runtime, on its own Python: the tests of the built functions run in it. Without that Python
# they are skipped and say why.
.venv-lambda/.installed: requirements/lambda.txt
	$(if $(LAMBDA_PYTHON),$(call install,.venv-lambda,$(LAMBDA_PYTHON),$<))
	@[ ! -d $(@D) ] || touch $@

# A validator and a second interpreter of the state machine's language, and what draws the site's diagrams, from npm.
# npm ci checks the hash of each package against the lock, and runs no script of any. Without Node the tests that need
# them are skipped and say why, and the site shows its diagrams as text.
.node/.installed: requirements/node/package.json requirements/node/package-lock.json
	$(if $(NODE),@mkdir -p $(@D) && cp $^ $(@D) && cd $(@D) && npm ci $(NPM))
	@[ ! -d $(@D) ] || touch $@
NODE = $(and $(shell command -v node),$(shell command -v npm))
