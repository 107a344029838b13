# What can be done with a checkout; `make help` lists it. Needs make and Python 3.11 or newer, nothing else.

# PYTHON=…: the interpreter that .venv is made with; without it, the first of these that is new enough.
PYTHON_CANDIDATES = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
# PORT=…: where `make run` serves.
PORT ?= 8000
# The desktop application has an environment of its own: the server never depends on Qt.
CLIENT := plugins/desktop/client
CLIENT_BIN := $(CLIENT)/.venv/bin
INSTALLED_CLIENT := $(CLIENT)/.venv/installed
# TESTS=…, ARGS=…: which tests `make test` runs, and further options of pytest.
TESTS ?= tests plugins $(CLIENT)
ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/installed
INSTALLED_DEV := .venv/installed-dev
export PORT

.DEFAULT_GOAL := help
.PHONY: help run demo desktop test lint bench messages clean elsewhere

# An environment that was copied from another folder, or whose Python is gone, is made anew.
ifneq ($(shell test -x $(BIN)/python && cat .venv/checkout 2>/dev/null),$(CURDIR))
$(INSTALLED) $(INSTALLED_DEV): elsewhere
endif

help: ## List what can be made
	@awk -F ':[^#]*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: $(INSTALLED) ## Start TimeTracker RX on 127.0.0.1:8000, ready to be tried; PORT=8001 changes the port
	@exec $(BIN)/python -m app.cli.serving

demo: $(INSTALLED) ## Fill what `make run` serves with a company to look around in, once it is set up
	@$(BIN)/flask db upgrade >/dev/null
	@$(BIN)/flask standard demo

desktop: $(INSTALLED_CLIENT) ## Start the desktop application from the checkout
	@exec $(CLIENT_BIN)/timetracker-desktop

test: $(INSTALLED_DEV) $(if $(filter $(CLIENT)%,$(TESTS)),$(INSTALLED_CLIENT)) ## Run every test; TESTS=tests/unit or ARGS="-k license" choose among them
ifneq ($(filter-out $(CLIENT)%,$(TESTS)),)
	@$(BIN)/python tests/browser/chromium.py
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS) $(filter-out $(CLIENT)%,$(TESTS))
endif
ifneq ($(filter $(CLIENT)%,$(TESTS)),)
	@$(CLIENT_BIN)/python $(CLIENT)/tests/xvfb.py
	@cd $(CLIENT) && .venv/bin/python -m pytest --numprocesses auto --dist loadfile $(ARGS) $(patsubst /%,%,$(patsubst $(CLIENT)%,%,$(filter $(CLIENT)%,$(TESTS))))
endif

lint: $(INSTALLED_DEV) $(INSTALLED_CLIENT) ## Check style, formatting and types
	@$(BIN)/python -m ruff check
	@$(BIN)/python -m ruff format --check
	@$(BIN)/python -m mypy
	@cd $(CLIENT) && .venv/bin/python -m mypy

bench: $(INSTALLED_DEV) $(INSTALLED_CLIENT) ## Measure what has to be fast, side by side
	@$(BIN)/python -m benchmarks

messages: $(INSTALLED_DEV) $(INSTALLED_CLIENT) ## Collect the texts to translate, and compile the translations
	@$(BIN)/python -m tests.catalogue
	@$(CLIENT_BIN)/python $(CLIENT)/tests/catalogue.py

clean: ## Remove the environment and everything built; the instance folder stays
	@rm -rf .venv $(CLIENT)/.venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find app plugins templates tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(INSTALLED): setup.cfg pyproject.toml
	$(call install,.,TimeTracker RX and what it needs)

$(INSTALLED_DEV): setup.cfg pyproject.toml
	$(call install,.[dev],TimeTracker RX and what its tests need)
	@touch $(INSTALLED)

$(INSTALLED_CLIENT): $(CLIENT)/pyproject.toml | $(INSTALLED)
	@echo 'Installing the desktop application and what its tests need …'
	@$(BIN)/python -m venv --clear $(CLIENT)/.venv
	@$(CLIENT_BIN)/python -m pip install --quiet --disable-pip-version-check --editable '$(CLIENT)[dev]'
	@touch $@

# $(call install,what pip installs,how it is called): makes .venv where it is missing, and leaves a stamp.
define install
	@set -eu; \
	if [ "$$(cat .venv/checkout 2>/dev/null)" != '$(CURDIR)' ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    python=; \
	    for candidate in $(PYTHON_CANDIDATES); do \
	        if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	    done; \
	    if [ -z "$$python" ]; then \
	        echo 'TimeTracker RX needs Python 3.11 or newer; tried: $(PYTHON_CANDIDATES).' >&2; \
	        echo 'Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; \
	        exit 1; \
	    fi; \
	    echo "Making the environment .venv with $$("$$python" --version) …"; \
	    if ! "$$python" -m venv --clear .venv >.venv.log 2>&1; then \
	        cat .venv.log >&2; rm -rf .venv .venv.log; \
	        echo 'The environment cannot be made. On Debian and Ubuntu the package python3-venv is missing.' >&2; \
	        exit 1; \
	    fi; \
	    rm -f .venv.log; \
	    printf '%s\n' '$(CURDIR)' >.venv/checkout; \
	fi; \
	echo 'Installing $(2); the first time takes a minute or two …'; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '$(1)'; \
	touch $@
endef
