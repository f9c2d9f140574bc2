# Fresh machine: `make demo` and `make test` make their own virtual environment.
# PYTHON chooses the interpreter (3.11 or 3.12); the first fitting one on PATH is taken.
.DEFAULT_GOAL := help
SHELL := /bin/bash
FITS := import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
	$$p -c '$(FITS)' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIN := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Prism, Beam's portable runner, in the version that setup.py names; Go builds it in some minutes.
BEAM := $(shell sed -n 's/.*"apache-beam\[gcp\]==\([0-9.]*\)".*/\1/p' setup.py)
PRISM := build/bin/prism-$(BEAM).stamp

.PHONY: demo test prism bench scenarios test-worker test-browser soak lint fuzz audit template lock clean

demo: $(VENV)/local.stamp
	$(BIN)/python -m local_runner demo

# Three processes for two processors: many tests wait.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup

test: lint prism
	$(PYTEST) --ignore=tests/scenarios

# Whole systems as processes, which are cut off, killed and compared: as long again.
scenarios: $(VENV)/test.stamp prism
	$(PYTEST) tests/scenarios

# Tests that need it are skipped without Go, or where Go cannot get the source: in CI they then fail.
ifneq ($(shell command -v go),)
prism: | $(PRISM)
endif

$(PRISM):
	@rm -f build/bin/prism build/bin/prism-*.stamp
	GOBIN=$(CURDIR)/build/bin go install github.com/apache/beam/sdks/v2/go/cmd/prism@v$(BEAM) \
	&& touch $@ || echo "Prism was not built: see above" >&2

# What it costs, in a quarter of an hour; BENCHMARKS names a selection.
bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks $(BENCHMARKS)

# Workers as Dataflow boots them: minutes, since a fresh virtual environment is filled. Needs Go.
test-worker: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m worker tests/deploy

# 420,000 hostile messages through our code, half of them nested; the scenarios take a sample.
fuzz: $(VENV)/test.stamp
	$(BIN)/python -m pytest tests/scenarios/fuzz --hypothesis-profile=fuzz --timeout=3600

# Known vulnerabilities of what constraints.txt pins, by PyPI (needs uv and the network). What cannot
# be looked up fails: silence would read as health.
audit:
	uv tool run pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

# The dashboard in a headless Chromium (skipped without one), and 200 random filters: minutes.
test-browser: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m browser tests/dashboard

# The long versions: outages by the clock, kills.
soak: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m soak

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The Flex Template with its image, built by Cloud Build. REPOSITORY: a repository of Artifact Registry; BUCKET: without gs://.
TAG ?= $(shell sed -n 's/^VERSION = "\(.*\)"/\1/p' pipeline/version.py)-$(shell git rev-parse --short HEAD)
template:
	@if [ -z "$(PROJECT)" ] || [ -z "$(REGION)" ] || [ -z "$(REPOSITORY)" ] || [ -z "$(BUCKET)" ]; then \
	echo "usage: make template PROJECT=... REGION=... REPOSITORY=... BUCKET=... [TAG=...]" >&2; exit 2; fi
	gcloud builds submit . --project=$(PROJECT) --region=$(REGION) --config=deploy/cloudbuild.yaml \
	--service-account=projects/$(PROJECT)/serviceAccounts/exam-build@$(PROJECT).iam.gserviceaccount.com \
	--gcs-source-staging-dir=gs://$(BUCKET)/source \
	--substitutions=_TAG=$(TAG),_REPOSITORY=$(REPOSITORY),_BUCKET=$(BUCKET)
	@echo "built $(TAG): deploy/launch.sh start $(TAG)"

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
	echo "Python 3.11 or 3.12 with the venv module is needed: install it (Debian: apt install python3 python3-venv) or name one with make PYTHON=/path/to/python3.11" >&2; \
	exit 2; fi
	$(PYTHON) -m venv $(VENV)

INSTALLING = @echo "Installing the pinned dependencies into $(VENV) (about 2 minutes) ..."

$(VENV)/local.stamp: $(BIN)/python setup.py pyproject.toml constraints.txt
	$(INSTALLING)
	$(PIN) --editable '.[local,dashboard,postgres]'
	@touch $@

$(VENV)/test.stamp: $(BIN)/python setup.py pyproject.toml constraints.txt
	$(INSTALLING)
	$(PIN) --editable '.[local,dashboard,micro-batch,postgres,bench,test]'
	@touch $@

# Renews constraints.txt from setup.py, for every supported Python at once (needs uv).
lock:
	uv pip compile setup.py --all-extras --universal --python-version 3.11 --upgrade \
	--no-header --output-file constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

## Targets; each makes the virtual environment that it needs:
##   demo          the whole system on this machine, with a report: about a minute
##   test          lint, types, and the tests of every part on real emulators
##   scenarios     whole systems, cut off and killed: as long again
##   lint          ruff and mypy alone
##   fuzz          420,000 hostile messages through our code
##   soak          the long tests: outages by the clock, kills
##   test-worker   workers as Dataflow boots them: minutes, needs Go
##   test-browser  the dashboard in a real browser: minutes, needs Chromium
##   bench         what it costs: a quarter of an hour; BENCHMARKS=... selects
##   audit         known vulnerabilities of the pinned packages (needs uv)
##   template      build the Flex Template (PROJECT, REGION, REPOSITORY, BUCKET)
##   lock          renew constraints.txt (needs uv)
##   clean         remove the virtual environment and everything that was built
.PHONY: help
help:
	@sed -n 's/^## \{0,1\}//p' Makefile
