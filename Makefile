# A fresh machine needs Python (>= 3.11), pip and make. `make check` and `make test` do the rest.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
JOBS   ?= 2
PIP     = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: check test lint types bench bench-smoke certificates clean

check: $(VENV)/.core         ## judge every statement; table of verdicts, report.html
	$(BIN)/proveout check --jobs $(JOBS) --html report.html

test: $(VENV)/.test          ## all tests, on $(JOBS) cores
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

lint: $(VENV)/.test
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

bench: $(VENV)/.test         ## the ratios of the README, measured on this machine
	$(BIN)/python benchmarks/speed.py

bench-smoke: $(VENV)/.test   ## the same code, once, small: does it run?
	$(BIN)/python benchmarks/speed.py --smoke

$(VENV)/.venv:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.venv pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.venv pyproject.toml constraints.txt
	$(PIP) --editable ".[torch,data,peers,test,lint]"
	@touch $@ $(VENV)/.core

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis report.html
