# The one door: everything that people and CI run has a target here. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV ?= .venv
export VENV
BIN := $(VENV)/bin
OUT ?= dist
# STATE=FILE: where `check` remembers what resolvers said (default: below the XDG state directory).
STATE_OPTION := $(if $(STATE),--state '$(STATE)')
# ARGS="-k rpz -x": more words for pytest.
ARGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## Make .venv with aidns and its tools in it (PYTHON=python3.12 chooses the interpreter)
	@scripts/setup.sh

.PHONY: lists
lists: setup ## Lint, check and build: every shipped policy in every format, in dist/ (OUT=DIR, STATE=FILE)
	@$(BIN)/aidns lint
	@$(BIN)/aidns check $(STATE_OPTION) || { code=$$?; [ $$code -eq 4 ] || exit $$code; \
	  echo 'warning: nothing new was learned about the names: the lists are built from what is known' >&2; }
	@$(BIN)/aidns build $(STATE_OPTION) --out '$(OUT)'

.PHONY: test
test: setup servers ## Install what the tests need, where that is allowed, and run them all (ARGS="-k name")
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: test-servers
test-servers: setup servers ## Run the tests on real DNS servers only
	@$(BIN)/python -m pytest tests/servers $(ARGS)

# QUERIES=N SEED=N JOBS=N: how many questions, which draw, how many processes.
QUERIES ?= 1000000
JOBS ?= 1
.PHONY: prove
prove: setup servers ## Compare every real server with the reference over a million random questions (QUERIES=n SEED=n)
	@$(BIN)/python -m tests.differential --queries $(QUERIES) --jobs $(JOBS) $(if $(SEED),--seed $(SEED))

.PHONY: servers
servers: ## Install the servers and engines that the tests start in private
	@scripts/install-servers.sh
	@scripts/install-engine.sh

.PHONY: lint
lint: setup ## Check style, types and the catalogue
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/aidns lint
	@$(BIN)/aidns fix --check

.PHONY: check
check: lint ## What a contribution must pass: lint, and every test that needs no DNS server
	@$(BIN)/python -m pytest --ignore tests/servers $(ARGS)

.PHONY: fmt
fmt: setup ## Format the code and apply the fixes that are safe
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: fix
fix: fmt ## Format the code and the catalogue, and mend what needs no judgement
	@$(BIN)/aidns fix

.PHONY: docs
docs: setup ## Write the output of the commands in README.md and docs/ anew
	@$(BIN)/python -m tests.documents

.PHONY: golden
golden: setup ## Write the golden files and the JSON Schemas anew; review the difference
	@AIDNS_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/unit/test_golden.py
	@$(BIN)/python -m aidns.catalog.schema catalog/schema

.PHONY: smoke
smoke: setup ## Build the wheel and run it from a bare environment outside the checkout
	@scripts/smoke.sh

.PHONY: bench
bench: setup ## Measure start-up and loading
	@$(BIN)/python bench/startup.py
	@$(BIN)/python bench/load.py

.PHONY: bench-compile
bench-compile: setup ## Measure `compile` beside others, which npm installs by name into .bench/ (ARGS="--sizes 100000")
	@scripts/bench-peers.sh
	@$(BIN)/python bench/compile.py $(ARGS)

.PHONY: bench-check
bench-check: setup ## Measure what `check` costs beside other clients, and how long it takes (ARGS="--only cpu")
	@$(BIN)/python bench/check.py $(ARGS)
	@AIDNS_KILLS=50 $(BIN)/python -m pytest tests/servers/test_check_killed.py

.PHONY: bench-prove
bench-prove: setup servers ## Measure how long `prove` takes for a policy of 2,000 rules, and what each server answers (ARGS="--rounds 5")
	@$(BIN)/python bench/prove.py $(ARGS)

.PHONY: clean
clean: ## Remove what was built and cached (.venv stays, and so does what check remembers)
	rm -rf .bench dist .dist build .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find src tests bench -type d -name __pycache__ -prune -exec rm -rf {} +
