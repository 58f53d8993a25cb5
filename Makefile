# make demo: train and evaluate the small network on its embedded data.
# make test: all fast tests. make test-all: the slow ones too.
# make test-lowest: the fast ones with the oldest versions of what is needed.
# make on-gpu: measure a GPU in nine minutes, with the packages of PYTHON.
# make docs: write what is generated in docs/, and build the site in site/.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all test-lowest lint docs on-gpu

# Huge pages: 1.1 times the speed with glibc on Linux, ignored elsewhere.
demo: export GLIBC_TUNABLES := glibc.malloc.hugetlb=1
demo: .venv/demo.installed
	$(BIN)/python train.py --config=configs/camera_motion.py --workdir=runs/demo

# A file's tests stay together while there are enough: they share what they made.
PYTEST = $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

test: .venv/test.installed
	$(PYTEST)

test-all: .venv/test.installed
	$(PYTEST) -m "slow or not slow"

# The oldest versions have a folder of their own.
test-lowest: BIN := .venv-lowest/bin
test-lowest:
	test -x $(BIN)/python || $(PYTHON) -m venv .venv-lowest
	$(PYTHON) .ci/lowest.py > .venv-lowest/constraints.txt
	$(BIN)/pip install --quiet --constraint .venv-lowest/constraints.txt \
	  --editable ".[test]"
	$(PYTEST)

lint: .venv/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

on-gpu:
	$(PYTHON) -m benchmarks.on_gpu

docs: .venv/test.installed .venv/docs.installed
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.draw_slots
	$(BIN)/python -m temporal_jax.data.tools.annotations_page > docs/annotations.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.venv/%.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable ".[$*]"
	touch $@
