# For people: `make demo` shows the main job, `make quick` checks an edit, `make test` checks the whole. Each sets up all
# that it needs.
PYTHON ?= python3
SLOW ?=
CORPUS ?=
COVERAGE ?=
LOAD ?= crm:dashboard-only-smoke
# Where it is set, every start of the service would compile its libraries anew, and be measured doing so.
export PYTHONDONTWRITEBYTECODE =
# Plug-ins that come with libraries and that no test uses: loading them takes half of what pytest needs to start.
export PYTEST_ADDOPTS += -p no:anyio -p no:faker -p no:schemathesis
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo quick map test check bench site lock load-test systems monitoring clean
help:  ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# The lock files decide what is installed; uv only makes it quick.
$(READY): requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "perfci needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY)  ## The main job on the demo service: `make demo`, `make demo SLOW=1.6`, `make demo SLOW=1.1`
	$(BIN)/perfci run tickets:smoke --against ref --base . $(if $(SLOW),--candidate-env "DEMO_SLOW=GET /tickets/=$(SLOW)")

# Tests that read files of the repository (documents, templates, golden files, sources) always run: no import shows what they
# read. Each of their modules names the repository ROOT.
READERS = $(shell grep -l '^ROOT = ' tests/unit/test_*.py)
REACHABLE = tests/unit/*/ $(filter-out $(READERS),$(wildcard tests/unit/test_*.py))

# Which of the others an edit reaches says .testmondata, the map of what each test executes. To write it, tests are traced, and
# take several times as long; so they are traced when there is no map, and by `make map`, and untraced after each edit.
quick: $(READY) .testmondata  ## Lint, types, golden tests and the unit tests that an edit reaches: after every edit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n logical --dist loadfile tests/golden $(READERS)
	$(BIN)/python -m pytest -n logical --testmon-nocollect $(REACHABLE) || [ $$? = 5 ]

.testmondata:
	@$(MAKE) --no-print-directory map

map: $(READY)  ## What each unit test executes, for `make quick`: after a merge, or when it runs too many tests
	$(BIN)/python -m pytest -n logical --testmon $(REACHABLE) || [ $$? = 5 ]

check: $(READY)  ## Lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy -m perfci_log -m perfci_recorder -m perfci_turns -m perfci_census -m perfci_locust
	$(BIN)/shellcheck -x .ci/run action/setup tests/e2e/toolchain/install tests/e2e/toolchain/engine tests/e2e/toolchain/images
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml action/*/action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --quiet --offline --strict-collection --persona=pedantic .

# Tracing nearly doubles what a test computes, so only CI asks for it: `make test COVERAGE=1`. Whole runs wait most of their time,
# so three processes serve two cores; beside a fourth one the services of a test got too little of a core now and then.
test: check  ## Lint, types and every test that this machine can run
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not alone and not e2e" $(if $(COVERAGE),--cov --cov-report=)
	$(BIN)/python -m pytest -m "alone or e2e"
	$(if $(COVERAGE),$(BIN)/coverage report --skip-covered --skip-empty --fail-under=85)

bench: $(READY)  ## How often the gate is wrong: `make bench CORPUS=DIR`, recorded rounds (bench/README.md)
	@mkdir -p .perfci/bench
	$(BIN)/python -m bench.gate_quality $(addprefix --corpus ,$(CORPUS)) --json .perfci/bench/quality.json --picture .perfci/bench/quality.png

load-test: $(READY)  ## One load test, by its limits: `make load-test`, `make load-test LOAD=saas:mixed-smoke`
	$(BIN)/perfci run $(LOAD) --against limits

systems: $(READY)  ## Show each promise of the five systems: writes docs/systems.md
	$(BIN)/python -m bench.systems --performance-page docs/performance-baselines.md

monitoring:  ## Demo, Locust, Prometheus and Grafana in containers, until Ctrl-C: :8000, :8089, :9090, :3000
	DEMO_PORT=8000 docker compose --profile monitoring up --build

site: $(READY)  ## Build the documents as a site, in .perfci/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: $(READY)  ## Write the lock files anew
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements/action.txt
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --extra demo --extra load-testing --extra object-storage --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements/dev.txt
	echo 'uv>=0.9' | $(BIN)/uv pip compile -q --upgrade - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements/uv.txt

clean:  ## Remove what the other targets made, and stop what a killed run left
	-$(BIN)/perfci clean
	rm -rf .venv .perfci .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .testmondata*
