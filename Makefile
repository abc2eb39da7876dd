# Every target sets up the virtual environment it needs; nothing has to be installed beforehand but Python, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Tests at a time: three a core, because much of what the live ones do is wait for servers.
WORKERS ?= $(shell echo $$((3 * $$(nproc 2>/dev/null || echo 1))))

# The tests start `arr` hundreds of times: compiled modules are kept, also where the environment says not to.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-seedbox test lint fidelity bench proof search docs lock clean

help:
	@echo "make demo      a simulated Sonarr and Radarr on small disks: plan, apply, plan again"
	@echo "make demo-seedbox  a torrent from the seedbox to the library and away (needs rtorrent and OpenSSH)"
	@echo "make test      lint, types, layers and every test"
	@echo "make lint      ruff, mypy and the import rules"
	@echo "make fidelity  the sandbox against the recordings of the real servers"
	@echo "make bench     the benchmarks; writes benchmarks/README.md"
	@echo "make proof     every test at its longest, then docs/reliability.md with its figures"
	@echo "make search    random worlds that nobody has drawn before, until one breaks a law or you stop it"
	@echo "make docs      writes docs/ anew from the code"
	@echo "make lock      pins the dependencies anew (needs uv)"
	@echo "make clean     removes what the targets made"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "arr needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	@$(BIN)/python -m sandbox.demo

demo-seedbox: $(READY)
	@$(BIN)/python -m sandbox.seedbox

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fidelity: $(READY)
	$(BIN)/python -m pytest tests/fidelity

bench: $(READY)
	$(BIN)/python -m benchmarks.run

proof: lint
	rm -rf build/figures
	mkdir -p build/figures
	date +%s > build/figures/began
	ARR_PROOF=1 ARR_FIGURES=$(CURDIR)/build/figures $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
	ARR_PROOF=1 ARR_FIGURES=$(CURDIR)/build/figures $(BIN)/python -m tests.reliability docs/reliability.md

search: $(READY)
	while ARR_PROOF=1 ARR_SEED=$$(date +%s%N) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -k laws_hold \
		tests/simulation/test_simulation.py tests/simulation/test_torrents.py; do :; done; \
	echo "what was found is in tests/simulation/seeds"; exit 1

docs: $(READY)
	$(BIN)/python -m reconciler.cli.reference docs

lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --no-emit-index-url --no-header \
		--generate-hashes -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .sandbox build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
