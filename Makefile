# make demo and make test are all that you need; both begin with make setup.

VENV := .venv
BIN := $(VENV)/bin
# Rather one that scythe-engine 1.3.0 runs on, which the tests need; all else runs on newer ones too.
those = $(foreach name,$(1),$(shell $(name) -c 'import sys; sys.exit(not $(2) <= sys.hexversion < $(3))' 2>&- && echo $(name)))
PYTHON := $(firstword $(call those,python3 python3.12 python3.11,0x030b0000,0x030d0000) \
  $(call those,python3 python3.14 python3.13,0x030d0000,0x04000000))
# Changes when what is to be installed does; in the stamp once it is installed.
WANTED = $$(cat requirements.lock pyproject.toml | cksum) $$($(PYTHON) -V) $(CURDIR)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
COMPILE := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header

.PHONY: help setup demo test test-all lock
.SILENT:

help: ## say what can be made
	sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 15

setup: ## make .venv with the locked packages, unless it is there
	if [ -z "$(PYTHON)" ]; then \
	  echo 'Python 3.11 or newer is needed: install it from https://www.python.org/downloads' >&2; exit 2; \
	fi
	$(PYTHON) -m ops.prerequisites
	if [ "$$(cat $(VENV)/.installed 2>/dev/null)" != "$(WANTED)" ]; then $(MAKE) --no-print-directory install; fi

.PHONY: install
install:
	echo 'Setting up $(VENV) (once; a minute or two) ...'
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv: install the package python3-venv" >&2; exit 2; }
	rm -f $(VENV)/.installed
	[ "$$($(BIN)/python -V 2>&1)" = "$$($(PYTHON) -V)" ] && $(BIN)/python -m pip --version >/dev/null 2>&1 || \
	  $(PYTHON) -m venv --clear $(VENV)
	# uv is faster where it is there. It reads other settings than pip: where it fails, pip does it.
	{ command -v uv >/dev/null && \
	  VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes --requirement requirements.lock \
	    $${PIP_FIND_LINKS:+--find-links "$$PIP_FIND_LINKS"} $${PIP_INDEX_URL:+--default-index "$$PIP_INDEX_URL"} \
	    2>/dev/null; } || \
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	echo "$(WANTED)" > $(VENV)/.installed

demo: setup ## apply environments/docs.yaml to a local AWS, and show that a second plan has no changes
	$(BIN)/scythe-aws demo

# GOGC is for Terraform, which lives for seconds. Tests wait for a provider that polls, so more of them run than there
# are processors. Without kept bytecode, each of a thousand processes compiles the project again.
unexport PYTHONDONTWRITEBYTECODE
PYTEST = $(BIN)/python -c 'import scythe' 2>/dev/null || { \
  echo 'Python 3.11 or 3.12 is needed for the tests, as for scythe-engine 1.3.0: install it beside' >&2; exit 2; }; \
  PATH="$(CURDIR)/$(BIN):$$PATH" GOGC=800 $(BIN)/pytest --durations 10

test: setup ## before a commit: lint, types, fast tests, one deployment, benchmarks (5 minutes)
	$(PYTEST) --numprocesses 4 -m 'not slow' --budget 5

test-all: test tools ## everything (20 minutes), and a real Hatchet engine's tests where there is one (20 more)
	$(PYTEST) --numprocesses 4 -m 'slow and not engine' --budget 15
	if reason=$$($(BIN)/python -m tests.support.fargate.binaries); then $(PYTEST) --numprocesses 2 -m engine --budget 20; \
	else echo "The engine's tests are skipped: $$reason"; fi

.PHONY: tools
tools: setup
	$(BIN)/python -m tests.support.tools

lock: ## renew the lock files (needs uv)
	$(COMPILE) --all-extras pyproject.toml --output-file requirements.lock
	$(COMPILE) requirements-checkov.in --output-file requirements-checkov.lock
	$(COMPILE) --no-deps requirements-provider-6.in --output-file requirements-provider-6.lock
