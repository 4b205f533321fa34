# `make demo` and `make test` are all a fresh clone needs; each sets up what is missing first.
# More for pytest goes into ARGS: make test ARGS='-k chain -x'

python := .venv/bin/python
ARGS ?=

.PHONY: demo test check bench soak lock setup setup-tests

# A day of the product in a minute: plants a world with known errors and finds them.
demo: setup
	@.venv/bin/engine demo $(ARGS)

# Three processes share the tests: see tests/side_by_side.py.
test: setup-tests
	$(python) -m pytest -n 3 --dist loadscope $(ARGS)

check: setup
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports

# Each benchmark prints a table of ratios against its peers in the same run.
bench: setup
	@scripts/bench

# The tests that take minutes: half an hour in all. They say how far they are.
soak: setup-tests
	$(python) -m pytest -m soak -s --durations=0 $(ARGS)

# Renew requirements.lock: the newest versions that pyproject.toml allows, with every file's hash.
lock: setup
	$(python) -m pip install --quiet uv
	.venv/bin/uv pip compile pyproject.toml --all-extras --group dev --group bench \
	    --universal --upgrade --python-version 3.11 --generate-hashes \
	    --no-strip-extras --no-annotate --no-emit-index-url \
	    --custom-compile-command "make lock" --quiet --output-file requirements.lock

setup:
	@scripts/setup

setup-tests:
	@scripts/setup --for-tests
