# `make test` and `make demo` do all their set-up by themselves, on a fresh Debian machine, as root.
# What is set up leaves a stamp behind, so the second time costs nothing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BUILD  := build
STAMPS := $(BUILD)/stamps
CORES  := $(shell nproc)
OWN    := src tests bench demo scripts conformance fuzz chaos examples soak

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

$(STAMPS)/packages-%: scripts/debian-packages scripts/apt-install
	@mkdir -p $(STAMPS)
	scripts/apt-install $*
	@touch $@

$(STAMPS)/venv: requirements.lock pyproject.toml scripts/make-venv $(wildcard scripts/wharf*) $(STAMPS)/packages-venv
	@mkdir -p $(STAMPS)
	scripts/make-venv $(VENV) $(PYTHON)
	@touch $@

.PHONY: help
help:  ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: venv
venv: $(STAMPS)/venv  ## the virtual environment, with Wharf in it

.PHONY: test
test: venv  ## everything that must pass: check, unit and root
	@$(MAKE) --no-print-directory --jobs=4 --output-sync=target ready unit types lint layers
	@$(MAKE) --no-print-directory root

.PHONY: check
check: lint types layers  ## all that only reads the code: lint, types, layers

.PHONY: lint
lint: venv  ## ruff: rules and format
	$(BIN)/ruff check $(OWN)
	$(BIN)/ruff format --check $(OWN)

.PHONY: types
types: venv  ## mypy, strict
	$(BIN)/mypy
	$(BIN)/mypy bench conformance fuzz chaos soak

.PHONY: layers
layers: venv  ## a package imports only lower ones
	$(BIN)/lint-imports --no-logo

.PHONY: format
format: venv  ## rewrite the code as ruff formats it
	$(BIN)/ruff check --fix $(OWN)
	$(BIN)/ruff format $(OWN)

.PHONY: unit
unit: venv  ## tests that need neither root nor a kernel
	$(BIN)/pytest --worlds=$(CORES) tests/unit tests/architecture

.PHONY: ready
ready: venv $(STAMPS)/packages-run $(STAMPS)/packages-image $(STAMPS)/packages-test  ## what the root tests need, which takes its time to come over the wire
	@scripts/docker-cli >/dev/null
	@scripts/criu >/dev/null || true

# Root tests wait for the kernel half of their time: there is one world more than there are cores.
# On CI there is no excuse: without root the root tests fail. Elsewhere they are left out, and we say so.
.PHONY: root
root: ready  ## tests that use the kernel for real (as root)
	@if [ "$$(id -u)" = 0 ] || [ "$$CI" = true ]; then \
	    docker="$$(scripts/docker-cli)" || exit 1; criu="$$(scripts/criu)" || criu=/nonexistent; set -x; \
	    PATH="$$criu:$$PATH:$$(dirname "$$docker")" $(BIN)/pytest --worlds=$$(($(CORES) + 1)) tests/root; \
	else echo "make root: NOT RUN: the root tests need root" >&2; fi

.PHONY: demo
demo: venv $(STAMPS)/packages-run $(STAMPS)/packages-image $(STAMPS)/packages-demo  ## a web application and its database, by wharf and by docker (as root; KEEP=1 leaves them running)
	demo/run.sh

.PHONY: examples
examples: venv $(STAMPS)/packages-run $(STAMPS)/packages-image  ## run the examples (as root), by wharf and by docker compose
	DOCKER_COMPOSE="$$(scripts/docker-compose)" PATH="$$PATH:$$(dirname "$$(scripts/docker-cli)")" $(BIN)/pytest tests/examples

.PHONY: bench
bench: venv $(STAMPS)/packages-run $(STAMPS)/packages-image $(STAMPS)/packages-bench  ## measure, into build/bench.json (as root)
	$(BIN)/python -m bench

.PHONY: bench-networks
bench-networks: venv $(STAMPS)/packages-run $(STAMPS)/packages-image $(STAMPS)/packages-bench $(STAMPS)/packages-peers  ## starts on bridges, throughput and names, beside docker and podman
	$(BIN)/python -m bench.networks --peers

.PHONY: bench-peers
bench-peers: venv $(STAMPS)/packages-run $(STAMPS)/packages-image $(STAMPS)/packages-bench $(STAMPS)/packages-peers  ## the same beside docker, podman, crun and runc (installs them)
	$(BIN)/python -m bench --peers

.PHONY: bench-transfers
bench-transfers: venv $(STAMPS)/packages-run $(STAMPS)/packages-image $(STAMPS)/packages-bench $(STAMPS)/packages-peers $(STAMPS)/packages-test  ## pull, push, load and save a large image beside docker and podman (as root)
	$(BIN)/python -m bench.transfers

.PHONY: fuzz
fuzz: venv $(STAMPS)/packages-run $(STAMPS)/packages-image  ## documents nobody would write, for the runtime (as root; EXAMPLES=500)
	$(BIN)/python -m fuzz $(EXAMPLES)

.PHONY: fuzz-guided
fuzz-guided: venv  ## bytes that reach new code, for what reads archives and manifests (SECONDS=60)
	$(BIN)/pip install --quiet --require-hashes --no-deps --upgrade --target build/fuzz-guided -r fuzz/guided.txt
	PYTHONPATH=build/fuzz-guided:. $(BIN)/python -m fuzz.guided $(SECONDS)

.PHONY: chaos
chaos: venv $(STAMPS)/packages-run $(STAMPS)/packages-test  ## kill pulls, pushes, loads, prunes and builds at random instants (as root; POINTS=100)
	$(BIN)/python -m chaos $(POINTS)

.PHONY: soak
soak: venv $(STAMPS)/packages-run $(STAMPS)/packages-image  ## eight clients beside a daemon that is killed again and again (as root; MINUTES=10)
	$(BIN)/python -m soak $(MINUTES)

.PHONY: conformance
conformance: venv $(STAMPS)/packages-run $(STAMPS)/packages-peers  ## run suites that others wrote, into build/conformance.json
	@command -v go >/dev/null || scripts/apt-install go
	$(BIN)/python -m conformance

.PHONY: vm
vm: venv $(STAMPS)/packages-image $(STAMPS)/packages-vm  ## cgroup v2, systemd and security modules for real: small virtual machines (10 minutes; as root; it fetches Debian's cloud kernel)
	$(BIN)/python -m conformance.v2
	$(BIN)/python -m conformance.v2 --systemd
	$(BIN)/python -m conformance.v2 --selinux

.PHONY: api-coverage
api-coverage: venv  ## write docs/api-coverage.md: each endpoint, parameter and field of the Engine API, done or not
	$(BIN)/python scripts/api_coverage.py

# uv resolves for every platform at once. Its index is the one pip is configured for; the lock file names none.
.PHONY: lock
lock: venv  ## resolve the dependencies anew, into requirements.lock
	@test -x $(BUILD)/uv/bin/uv || { $(PYTHON) -m venv $(BUILD)/uv && $(BUILD)/uv/bin/pip install --quiet uv; }
	index="$$($(BIN)/pip config get global.index-url 2>/dev/null)"; \
	env $${index:+UV_DEFAULT_INDEX="$$index"} $(BUILD)/uv/bin/uv pip compile --quiet --upgrade --generate-hashes \
	    --no-header --no-emit-index-url --extra dev --python-version 3.11 pyproject.toml --output-file requirements.lock

.PHONY: clean
clean:  ## remove what was built (not the virtual environment)
	rm -rf $(BUILD) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests bench demo conformance fuzz -name __pycache__ -prune -exec rm -rf {} +
