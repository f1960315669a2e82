# Everything is made inside .venv of this checkout: only Python 3.11 or newer, make and git are needed.
# On Windows, CONTRIBUTING.md has the same steps by hand.

PYTHON ?= $(shell for p in python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
UV ?= uv
ENGINE ?= docker
BIN := .venv/bin
REPORTS := build/reports

PIP_INSTALL = $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check --no-deps
PYTEST = $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=loadfile $(PYTEST_FLAGS)
LOCK = $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	$(LOCK_FLAGS)
COMPILE = $(LOCK) pyproject.toml --universal --python-version 3.11

.PHONY: install demo lint test test-all slow bench image lock clean

install: .venv/.installed
	@:

.venv/.locked: requirements-dev.lock
	@if [ -z "$(PYTHON)" ]; then echo "No Python 3.11 or newer was found as python3.11, python3 or python:" \
		"install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; exit 1; fi
	$(PYTHON) -m venv --clear .venv
	$(PIP_INSTALL) --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml integrity/__init__.py
	$(PIP_INSTALL) --no-build-isolation --no-index -e .
	@touch $@

demo: install
	$(BIN)/integrity demo

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/hadolint Dockerfile

test: lint
	$(PYTEST) -m "not slow" --junitxml=$(REPORTS)/test.xml --cov --cov-report=
	$(BIN)/coverage report --fail-under=100

slow: install
	$(PYTEST) -m slow --junitxml=$(REPORTS)/slow.xml

test-all: test slow

bench: install
	$(BIN)/python -m bench --write $(CASES)

# `make image ENGINE=podman`, or with IMAGE_FLAGS='--build-arg BASE_IMAGE=...' from a mirror's base.
image:
	$(ENGINE) build --tag integrity $(IMAGE_FLAGS) \
		--build-arg VERSION="$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' integrity/__init__.py)" \
		--build-arg REVISION="$$(git describe --always --dirty --abbrev=40)" .

# What is pinned stays pinned; `make lock LOCK_FLAGS=--upgrade` takes what is new.
# The development lock comes first: what is shipped, the service, is what was tested.
lock:
	@command -v "$(UV)" >/dev/null || { echo "uv is needed to make the locks:" \
		"'pip install uv' anywhere, then make lock UV=/path/to/uv" >&2; exit 1; }
	$(COMPILE) --extra lab --extra service --group dev -o requirements-dev.lock
	$(COMPILE) --extra service --constraint requirements-dev.lock -o requirements.lock
	cd tests/deploy && $(LOCK) checkov.in --universal --python-version 3.11 -o checkov.lock
	cd tests/deploy && $(LOCK) localstack.in --python-version 3.13 \
		--python-platform x86_64-manylinux_2_28 --prerelease=allow -o localstack.lock

clean:
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find integrity tests -name __pycache__ -prune -exec rm -rf {} +
