# Everything installs into .venv; pip's own settings (proxy, index, find-links) are honoured.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo run test check format strings screenshots show fuzz chaos clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	$(BIN)/loradeck models pull demo
	$(BIN)/loradeck train sample_datasets/alpaca_example.json --model demo \
		--name "demo-$$(date +%Y%m%d-%H%M%S)"

run: setup
	$(BIN)/loradeck

# One process more than two cores have: tests wait for the processes that they start.
test: check
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

show: setup
	$(BIN)/pytest -s -m long

fuzz: setup
	$(BIN)/python -m tests.fuzz --files 20000 --seed 1
	$(BIN)/python -m tests.fuzz --homes --files 20000 --seed 1
	LORADECK_FUZZ_EXAMPLES=300 $(BIN)/pytest tests/engine/server/test_schema.py

chaos: setup
	$(BIN)/python -m tests.chaos --faults 1000 --seed 1

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

strings: setup
	$(BIN)/python -m tests.catalogue

screenshots: setup
	$(BIN)/python docs/make_screenshots.py

clean:
	rm -rf $(VENV) .cache .hypothesis build dist *.egg-info
