# `make run` sets everything up and runs the pipeline; `make test` sets everything up and runs all tests.

PYTHON ?= python3.11
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# What Python itself, the C of the export-c stage and the emulated core of benchmark-mcu need.
RUN_PACKAGES := git gcc libc6-dev gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm
# What the tests of the generated C need beside them.
TEST_PACKAGES := cmake clang libclang-rt-dev g++ gcc-multilib openssh-server chromium qemu-user \
	gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc

PIP := $(VENV)/bin/pip --quiet --disable-pip-version-check

.PHONY: run test lock readme studies experiments benchmark release clean
.DELETE_ON_ERROR:

run: $(VENV)/run.stamp
	dvc repro --quiet
	@python -m tools.summary

test: $(VENV)/test.stamp
	ruff check .
	ruff format --check .
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
		|| tools/debian_packages.sh python3.11-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml tools/debian_packages.sh Makefile | $(VENV)/bin/pip
	tools/debian_packages.sh $(RUN_PACKAGES)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: requirements-dev.lock $(VENV)/run.stamp
	tools/debian_packages.sh $(TEST_PACKAGES)
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Move the locks on to today's versions (needs uv); the smaller lock takes the versions of the larger.
LOCK := uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade --quiet
lock:
	$(LOCK) --extra dev -o requirements-dev.lock
	$(LOCK) --extra benchmark --constraint requirements-dev.lock -o requirements.lock

# Write the pipeline's own tables and picture into README and docs/firmware.md.
readme: $(VENV)/run.stamp
	python -m tools.readme
	python -m tools.firmware

# What each part of the method brings, and the documents' tables of it.
studies: $(VENV)/run.stamp
	dvc repro studies/dvc.yaml
	python -m tools.studies

# The finished experiments of this commit: errors and costs, at most 160 columns wide.
experiments: $(VENV)/run.stamp
	@python -m tools.experiments

benchmark: $(VENV)/test.stamp
	python -m benchmarks

# Register what is committed, reproduced and pushed as a version: make release VERSION=v1.0.0
release: $(VENV)/run.stamp
	python -m tools.release $(VERSION)

clean:
	rm -rf $(VENV) build *.egg-info
