# make run    publish the shipped example to the embedded services
# make test   run everything that CI runs
# make bench  measure publishing against floors and intern's own job; BENCH="--slices 256" for more
# make lock   pin the newest allowed versions of all packages, with hashes
# make clean  remove what runs left, but not what was published (local-store)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate

.PHONY: run test bench lock clean

run: $(VENV)/run.done
	$(BIN)/snakemake --cores all

test: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

$(VENV)/run.done: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/test.done: $(VENV)/run.done requirements-test.lock
	$(PIP) install --quiet --require-hashes --requirement requirements-test.lock
	touch $@

bench: $(VENV)/test.done
	PYTHONPATH=scripts $(BIN)/python bench/features.py
	PYTHONPATH=scripts $(BIN)/python bench/decode.py
	PYTHONPATH=scripts $(BIN)/python bench/upload.py $(BENCH)

lock:
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) --extra test --constraint requirements.lock pyproject.toml \
		--output-file requirements-test.lock

clean:
	rm -rf results logs benchmarks .snakemake .pytest_cache .ruff_cache .hypothesis
