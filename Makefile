# `make demo` and `make test` need Python 3.11 or newer and nothing else. ARGS goes to the tool.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# The scripts in .venv name the place where they were made: a checkout that was moved gets new ones.
MOVED := $(shell test -f .venv/place && test "$$(cat .venv/place)" != "$$(cd .venv && pwd -P)" && rm -rf .venv && echo yes)
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" pyproject.toml

.PHONY: demo test check docs bench chaos load soak lock clean

demo: .venv/base.stamp
	@$(BIN)/python -m flipr.demo

# The whole suite in three processes, for some of it waits, and then, alone on the machine, a short storm and a burst; what
# ARGS names, in one process.
SUITE = $(BIN)/pytest $(or $(ARGS),-n 3 --dist loadfile && $(BIN)/pytest -m chaos tests/chaos)

test: .venv/dev.stamp
	$(SUITE)

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --skip-checks
	$(SUITE)

# what is printed from the code: the table of exchanges
docs: .venv/dev.stamp
	$(BIN)/python manage.py venues --markdown > docs/exchanges.tmp
	mv docs/exchanges.tmp docs/exchanges.md

bench: .venv/dev.stamp
	$(BIN)/python -m tests.bench $(ARGS)

# CHAOS_COMMANDS=5000 CHAOS_SEED=7 make chaos
chaos: .venv/dev.stamp
	$(BIN)/python -m tests.chaos storm $(ARGS)

load: .venv/dev.stamp
	$(BIN)/python -m tests.chaos load --commands 1000 $(ARGS)

soak: .venv/dev.stamp
	$(BIN)/python -m tests.chaos soak $(ARGS)

lock: .venv/dev.stamp
	$(LOCK) --output-file requirements/base.txt $(ARGS)
	$(LOCK) --extra generic --group pyproject.toml:dev --output-file requirements/dev.txt $(ARGS)

clean:
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps say which lock file the environment was made from; dev.txt has everything that base.txt has.
.venv/base.stamp: requirements/base.txt | .venv/bin/pip
	@test -f .venv/dev.stamp || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/bin/pip
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "flipr needs Python 3.11 or newer; set PYTHON=/path/to/it"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version); the first time takes a minute."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	@cd .venv && pwd -P > place
