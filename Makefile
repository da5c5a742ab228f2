# Three commands: `make run`, `make test`, `make check`. Nothing but Python 3.11 or newer is needed.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
BIN := .venv/bin

# A foreign product with many packages of its own, so it lives apart.
MLSERVER := .mlserver/bin/mlserver

.DEFAULT_GOAL := help
.PHONY: help install run test test-postgres test-mlserver check format browser clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

install: .venv/product ## Make .venv and install the product

run: install ## Set up the demo where needed, then run everything until Ctrl-C (PORT=8000)
	@exec $(BIN)/python manage.py up --host $(HOST) --port $(PORT)

test: .venv/developer browser ## Run every test, the browser ones included
	@$(BIN)/python -m pytest -n auto --dist loadfile $(TESTS)

test-postgres: .venv/developer browser ## The same on a real PostgreSQL: its own from a wheel, or DATABASE_URL
	@SLUICE_TEST_DATABASE=postgresql $(BIN)/python -m pytest -n auto --dist loadfile $(TESTS)

test-mlserver: .venv/developer $(MLSERVER) ## Test remote models against a real MLServer, installed once
	@MLSERVER=$(CURDIR)/$(MLSERVER) $(BIN)/python -m pytest tests/gateway/test_mlserver.py

check: .venv/developer browser ## Format, lint, types, migrations, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m pytest -n auto --dist loadfile $(TESTS)

format: .venv/developer ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Takes the Chromium there is, else tries to install one; where that fails the browser tests say why they are skipped.
browser: .venv/developer
	@$(BIN)/python tests/browser/find_chromium.py

clean: ## Remove everything that was made here, the demo's data included
	rm -rf .venv .mlserver var

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sluice needs Python 3.11 or newer."; exit 1; }
	$(PYTHON) -m venv .venv

$(MLSERVER):
	$(PYTHON) -m venv .mlserver
	.mlserver/bin/python -m pip install --quiet --disable-pip-version-check mlserver==1.7.1

.venv/product: requirements.txt constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

.venv/developer: requirements-dev.txt .venv/product
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@
