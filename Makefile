# `make run` and `make test` are enough to begin with: whatever a command needs is installed into .venv first, once.
# Needs a POSIX shell, GNU make 3.81 or newer and a Python from 3.11 to 3.14 (the embedded PostgreSQL comes for those).

# The Python that .venv is made with. Arguments for a command: make test ARGS="-k ledger".
PYTHON ?=
ARGS ?=

PYTHONS = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check
UV = build/uv/bin/uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url pyproject.toml $(ARGS)

# A .venv that was made in another folder, or whose Python is gone, is made anew.
SOUND := $(shell test "$$(cat .venv/.home 2>/dev/null)" = "$$(pwd)" && test -x .venv/bin/python && echo yes)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test demo lint bench openapi lock clean always

help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: .venv/.run-installed ## Serve on http://127.0.0.1:8000, on a PostgreSQL of its own and with a demo program
	@exec .venv/bin/loyalty serve --demo-program $(ARGS)

test: .venv/.dev-installed ## Run the tests
	@exec .venv/bin/python -m pytest $(ARGS)

demo: .venv/.demo-installed ## Load half a year of real supermarket purchases
	@exec .venv/bin/loyalty demo $(ARGS)

lint: .venv/.dev-installed ## Check style, types and the direction of imports
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/.dev-installed ## Measure how fast it is
	@exec .venv/bin/python -m bench $(ARGS)

openapi: .venv/.run-installed ## Write openapi.yaml
	@exec .venv/bin/loyalty openapi --write

lock: $(UV) ## Pin what pyproject.toml asks for (ARGS=--upgrade: in the newest versions)
	$(COMPILE) --extra demo --extra dev --output-file requirements/dev.lock
	$(COMPILE) --extra demo --constraints requirements/dev.lock --output-file requirements/demo.lock
	$(COMPILE) --constraints requirements/dev.lock --output-file requirements/run.lock

clean: ## Remove what was installed and built; the data in var/ stays
	rm -rf .venv build bench/out *.egg-info .coverage*
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Sets $python, or says in one sentence what to install.
FIND_PYTHON = python=; bare=; \
	for name in $(PYTHONS); do \
		"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || continue; \
		if "$$name" -c 'import ensurepip, venv' 2>/dev/null; then python=$$name; break; fi; \
		bare=$$name; \
	done; \
	if test -z "$$python" && test -n "$$bare"; then \
		echo "$$bare cannot make virtual environments: install its venv module (Debian, Ubuntu: sudo apt install" \
			"python3-venv) or name another Python (make PYTHON=...)." >&2; exit 1; \
	elif test -z "$$python"; then \
		echo "Python 3.11, 3.12, 3.13 or 3.14 is needed: install one (Debian, Ubuntu: sudo apt install python3" \
			"python3-venv; macOS: brew install python@3.13) or name it (make PYTHON=...)." >&2; exit 1; \
	fi

# While .installing exists, .venv is half-made. It holds the process that is at it; once that has died, we begin anew.
# The locks agree on versions and contain each other, so dev brings demo along, and demo brings run.
.venv/.%-installed: requirements/%.lock pyproject.toml $(if $(SOUND),,always)
	@set -e; \
	if test -e .venv/.installing && kill -0 "$$(cat .venv/.installing)" 2>/dev/null; then \
		echo "Another make is installing into .venv: wait for it, or delete .venv/.installing." >&2; exit 1; \
	fi; \
	if test -e .venv/.installing || test -z "$(SOUND)"; then \
		$(FIND_PYTHON); \
		rm -rf .venv; mkdir .venv; echo $$$$ > .venv/.installing; \
		"$$python" -m venv .venv; \
	fi; \
	echo $$$$ > .venv/.installing; \
	echo "Installing what $* needs into .venv ..."; \
	$(PIP) --require-hashes -r $< && $(PIP) --no-deps --no-build-isolation --editable . || { \
		echo "Installing failed, for the reason above; mend that and call make again." >&2; exit 1; }; \
	case $* in dev) touch .venv/.demo-installed .venv/.run-installed;; demo) touch .venv/.run-installed;; esac; \
	pwd > .venv/.home; touch $@; rm .venv/.installing

$(UV):
	@set -e; $(FIND_PYTHON); "$$python" -m venv build/uv; build/uv/bin/python -m pip install --quiet \
		--disable-pip-version-check uv
