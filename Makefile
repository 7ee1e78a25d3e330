# Two commands: `make bench` measures the quick profile of every topic, `make test` checks the code.
# Both set up .venv by themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: bench test facts pins clean

bench: $(READY)
	$(BIN)/bakeoff run --profile quick

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

# The measured facts that the documentation quotes, and the harness's own cost: ratios and times of this machine.
facts: $(READY)
	$(BIN)/python -m pytest benchmarks -s

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Bakeoff needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[boosting,query,dev]'
	touch $@

# Writes constraints.txt anew: the newest versions that pyproject.toml allows.
pins:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet '.[boosting,gpu,query,dev]'
	{ echo "# Every direct and indirect dependency, as tested together; made by 'make pins'."; \
	  $(BIN)/python -m pip freeze --exclude bakeoff; } > constraints.txt
	rm -rf $(VENV)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
