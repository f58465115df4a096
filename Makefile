PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Many tests wait for processes and clocks: twice as many workers as the smallest machine has cores.
PARALLEL := -n 4 --dist loadscope --no-loadscope-reorder

.PHONY: demo test coverage check live bench docs clean

demo: $(VENV)/.user
	@$(BIN)/or-mcp demo

test: check
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST)

# Counting doubles what the tests cost, so it is done apart, for the rooms that have a bar.
coverage: $(VENV)/.dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) tests/openrouter tests/fusion tests/tools tests/conversation tests/runs tests/vectors tests/media tests/rows
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='or_mcp/openrouter/*,or_mcp/fusion/*,or_mcp/tools/*' --fail-under=95

check: $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright

# Asks the real OpenRouter, for less than a dollar, what nobody could look up; lists only, unless YES=1.
live: $(VENV)/.dev
	$(BIN)/python -m tests.live.probe $(if $(YES),--yes)

bench: $(VENV)/.dev
	$(BIN)/python -m bench

docs: $(VENV)/.dev
	$(BIN)/python -m tests.recording
	$(BIN)/python -m tests.simulator.page

clean:
	rm -rf $(VENV) dist build .coverage* .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "or-mcp needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.user: $(BIN)/python pyproject.toml
	@printf 'Installing into $(VENV), once: this takes about a minute '
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e . & installing=$$!; \
	  while kill -0 $$installing 2>/dev/null; do printf .; sleep 2; done; echo; wait $$installing
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.user
