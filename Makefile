# Every target works in a fresh clone; `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# The embedded PostgreSQL warns where there is no login session; its fallback is as good.
PYTHON := $(BIN)/python -W "ignore:XDG_RUNTIME_DIR is not set"
COMPILE := $(BIN)/uv pip compile --system-certs --generate-hashes --no-emit-index-url --no-header --python-version 3.12 --quiet
SOURCES := copier_onex extensions runtime tests examples benchmarks scripts

.PHONY: help setup demo test tutorial preview fuzz drawn try-llm catalogue interface corpus classifier adopt-corpus faults attacks mutants lint bench check golden reference docs audit lock dist clean imported

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.installed ## Build .venv from requirements.lock; does nothing when it is current.

.venv/.installed: requirements.lock pyproject.toml runtime/pyproject.toml $(wildcard runtime/onex_node_runtime/*.py runtime/onex_node_runtime/*/*.py) .ci/setup
	@bash .ci/setup

demo: setup ## Draft a contract from a sentence, generate the example node, run its tests on PostgreSQL, then call it once.
	@$(PYTHON) -m examples.demo

test: setup ## Run the test suite; ALL=1: with the tests that every night runs.
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(if $(ALL),,-m "not nightly")

fuzz: setup ## Generate drawn contracts: EXAMPLES of them, from SEED on.
	@$(PYTHON) -m tests.contracts.fuzz --examples $(or $(EXAMPLES),10000) --seed $(or $(SEED),0)

preview: setup ## Show what the working tree changes in the output for CONTRACT, against AGAINST (HEAD).
	@$(PYTHON) -m scripts.preview $(or $(CONTRACT),examples/contracts/distributed_lock.yaml) --against $(or $(AGAINST),HEAD)

drawn: setup ## Count how many of EXAMPLES drawn projects, from SEED on, pass their own checks and tests.
	@$(PYTHON) -m tests.contracts.drawn --examples $(or $(EXAMPLES),100) --seed $(or $(SEED),0)

tutorial: setup ## Follow the tutorial in a fresh clone, command by command.
	@$(PYTHON) -m scripts.tutorial

faults: setup ## Make what nodes depend on fail, and print what was counted.
	@$(PYTHON) -m benchmarks.faults

catalogue: setup ## Generate, check and test every example; ONLY="name ..." picks some.
	@$(PYTHON) -m scripts.catalogue

.PHONY: pipeline
pipeline: setup ## Put the package of examples/pipeline together, and run its checks and tests; FOLDER=DEST keeps it.
	@$(PYTHON) -m scripts.pipeline $(if $(FOLDER),--folder $(FOLDER))

interface: setup ## Compare what every example answers with its OpenAPI document; ONLY="name ..." picks some.
	@$(PYTHON) -m scripts.interface

imported: setup ## Ask nodes made of the OpenAPI documents DOCUMENTS, with stand-ins of their APIs that hold requests against them.
	@$(PYTHON) -m scripts.imported

corpus: setup ## Draft contracts from the descriptions of the corpus, and print how many were understood.
	@$(PYTHON) -m scripts.corpus

adopt-corpus: setup ## Adopt the nodes of the installed omnibase_infra; CHECKED of them pass through their own checks, CARRIED with their bodies.
	@$(PYTHON) -m scripts.adopt_corpus --checked $(or $(CHECKED),12) --carried $(or $(CARRIED),4)

try-llm: setup ## Let MODEL at BASE_URL draft the corpus and fill in stubs, and print what that took; PRICE_IN and PRICE_OUT.
	@$(PYTHON) -m scripts.try_llm $(if $(MODEL),--model $(MODEL)) $(if $(BASE_URL),--base-url $(BASE_URL)) \
	  $(if $(PRICE_IN),--price-in $(PRICE_IN)) $(if $(PRICE_OUT),--price-out $(PRICE_OUT))

attacks: setup ## Attack a generated service on loopback, and print what was counted.
	@$(PYTHON) -m benchmarks.attacks

classifier: setup ## Learn the types of nodes from labelled descriptions, and print how well that holds for others.
	@VIRTUAL_ENV="$$PWD/.venv" $(BIN)/uv pip install --quiet --system-certs --require-hashes --requirement scripts/classifier-requirements.txt
	@$(PYTHON) -m scripts.classifier

mutants: setup ## Mutate the runtime, ONLY="module ..." of it, or the node of CONTRACT, or a SAMPLE of each module, and count what tests notice.
	@VIRTUAL_ENV="$$PWD/.venv" $(BIN)/uv pip install --quiet --system-certs --require-hashes --requirement scripts/mutants-requirements.txt
	@$(PYTHON) -m scripts.mutants $(ONLY) $(if $(CONTRACT),--contract $(CONTRACT)) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

lint: setup ## Check format, style, types, imports, schemas and the golden copy.
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/check-jsonschema --check-metaschema $$(find schemas -name '*.json')
	@$(PYTHON) -m scripts.reference --check
	@$(PYTHON) -m examples.golden --check

check: lint test ## Run lint and test.

bench: setup ## Compare a copy with plain Copier, and an operation with bare asyncpg.
	@$(PYTHON) -m benchmarks.copy
	@$(PYTHON) -m benchmarks.operation
	@$(PYTHON) -m benchmarks.selection
	@$(PYTHON) -m benchmarks.validation
	@$(PYTHON) -m benchmarks.fleet
	@$(PYTHON) -m scripts.pipeline bench

golden: setup ## Render the golden copies again.
	@$(PYTHON) -m examples.golden
	@$(PYTHON) -m scripts.index

reference: setup ## Write the reference pages from the schema and the catalogues.
	@$(PYTHON) -m scripts.reference

docs: setup ## Build the documentation as a site in build/site, and check its links.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

lock: setup ## Resolve requirements.lock, what ONEX's kernel needs of it, and what generated projects pin.
	@$(COMPILE) pyproject.toml --extra llm --extra sql --group dev -o requirements.lock
	@$(COMPILE) --group kernel --constraint requirements.lock -o tests/generation/kernel-requirements.txt
	@$(COMPILE) --group mutants --constraint requirements.lock -o scripts/mutants-requirements.txt
	@$(COMPILE) --group classifier --constraint requirements.lock -o scripts/classifier-requirements.txt
	@$(PYTHON) -m scripts.pin

dist: setup ## Build the distributions into dist/: the commands with the template, and the runtime.
	@$(BIN)/uv build --quiet --offline --no-build-isolation --out-dir dist
	@$(BIN)/uv build --quiet --offline --no-build-isolation --out-dir dist runtime

audit: ## Name known vulnerabilities in the pinned versions; needs pipx, and the network for their database.
	@pipx run 'pip-audit>=2.9,<3' --requirement requirements.lock --require-hashes --disable-pip

clean: ## Remove what was built, .venv included.
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
