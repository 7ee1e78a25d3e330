# Two commands: `make bench` measures the quick profile of every topic, `make test` checks the code.
# Both set up .venv by themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILED := $(VENV)/.compiled
KERNELS := $(shell grep --recursive --files-with-matches --include='*.py' numba harness/topics)

.PHONY: bench test lint unmeasured chromium facts tracked screenshot pins recompile clean

# The page is made even where a trial failed; the exit code stays that of the run.
bench: $(COMPILED)
	$(BIN)/bakeoff run --profile quick; code=$$?; $(BIN)/bakeoff report && exit $$code

# The tests that measure run last and alone; the linters beside the others. The parallel tests get one thread each.
test: $(READY) chromium
	$(MAKE) --no-print-directory --jobs=2 lint unmeasured
	$(BIN)/python -m pytest -m measured $$(grep --recursive --files-with-matches --include='test_*.py' mark.measured tests)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/oxlint --deny-warnings harness/report/static
	$(BIN)/lint-imports
	$(BIN)/mypy

unmeasured: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not measured" -n 2 --dist loadfile --no-loadscope-reorder

# The browser that pages are tested in.
chromium:
	@tests/report/install_chromium.sh

# The measured facts that the documentation quotes, and the harness's own cost: ratios and times of this machine.
facts: $(READY)
	$(BIN)/python -m pytest benchmarks/own -s

# One page of all topics, from the runs that results/claims.json lists; without the history over this checkout's other runs.
tracked: $(READY)
	$(BIN)/bakeoff report --no-history -o tracked.html $$(grep --only-matching '[0-9a-f]\{6\}' results/claims.json)

# The README's picture, of the page that `make bench` has written.
screenshot: $(READY) chromium
	$(BIN)/python docs/make_screenshot.py report.html docs/report.png

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Bakeoff needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[all,dev]'
	touch $@

# Fills numba's cache: each strategy of the quick profile runs once, and the records are thrown away. Without it, the
# first `make bench` would spend minutes inside of trials.
$(COMPILED): $(READY) $(KERNELS)
	@echo "compiling kernels, once: a few minutes, a line for each strategy"
	-BAKEOFF_RESULTS=$(abspath $(VENV))/compiled $(BIN)/bakeoff run bandits ope logistic recommendation --blocks 1 --jobs 2 >/dev/null
	@rm -rf $(VENV)/compiled
	@touch $@

# Writes constraints.txt anew: the newest versions that pyproject.toml allows.
pins:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet '.[all,gpu,dev]'
	{ echo "# Every direct and indirect dependency, as tested together; made by 'make pins'."; \
	  $(BIN)/python -m pip freeze --exclude bakeoff; } > constraints.txt
	rm -rf $(VENV)

# numba's cache does not notice that a function of another file has changed.
recompile:
	find harness -name '*.nb[ic]' -delete
	rm -f $(COMPILED)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
