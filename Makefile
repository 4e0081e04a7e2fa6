# `make run` sets everything up and runs the pipeline; `make test` sets everything up and runs all tests.

# Python 3.11, 3.12 or 3.13: `make PYTHON=python3.12`. Default: the first that tools/find_python.sh finds.
PYTHON ?=
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Python keeps the bytecode of a module that it imports: packages are installed without.
export PYTHONDONTWRITEBYTECODE :=

# Debian packages for Python, the stage export-c (C compiler) and the stage benchmark-mcu (Arm compiler, emulator).
RUN_PACKAGES := git gcc libc6-dev gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm
# Further packages for the tests of the generated C; tools/debian_packages.sh explains "|" and "?".
TEST_PACKAGES := cmake clang doxygen 'libclang-rt-dev|libclang-rt-19-dev|libclang-rt-18-dev|libclang-rt-14-dev' g++ \
	'gcc-multilib?' openssh-server 'chromium?' 'qemu-user?' \
	gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf 'qemu-system-riscv|qemu-system-misc'
# Packages that compile the C library to WebAssembly; the runtime must have the version of clang.
DEMO_PACKAGES := clang lld wasi-libc 'libclang-rt-dev-wasm32|libclang-rt-19-dev-wasm32|libclang-rt-18-dev-wasm32|libclang-rt-14-dev-wasm32'
SET_UP := tools/virtual_environment.sh tools/find_python.sh tools/packages.sh tools/debian_packages.sh tools/install.py

.PHONY: run check test lock readme studies peers experiments benchmark demo docs docs-c release clean
.DELETE_ON_ERROR:

run: $(VENV)/run.stamp
	@touch -c $< 2>/dev/null || { echo "error: $(CURDIR) is not writable; use a clone of your own" >&2; exit 1; }
	@dvc repro --quiet
	@python -m tools.summary

# Before each commit: everything except the tests with a marker.
check: $(VENV)/test.stamp
	ruff check .
	ruff format --check .
	python -m tools.language
	python -m tools.docstrings
	mypy
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "$(UNMARKED)"
UNMARKED := not (pipeline or mcu or compilers or browser or cluster or slow)

test: $(VENV)/test.stamp
	ruff check .
	ruff format --check .
	python -m tools.language
	python -m tools.docstrings
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The stamp is touched last, so that an interrupted installation does not count as complete.
$(VENV)/run.stamp: requirements.lock pyproject.toml setup.py $(SET_UP)
	@tools/virtual_environment.sh $(VENV) $(PYTHON)
	@tools/packages.sh $(VENV)/bin/python requirements.lock $(RUN_PACKAGES)
	@touch $@

# The development lock contains all packages of the smaller lock.
$(VENV)/test.stamp: requirements-dev.lock pyproject.toml setup.py $(SET_UP)
	@tools/virtual_environment.sh $(VENV) $(PYTHON)
	@tools/packages.sh $(VENV)/bin/python requirements-dev.lock $(RUN_PACKAGES) $(TEST_PACKAGES) $(DEMO_PACKAGES)
	@touch $(VENV)/run.stamp $@

# Update the locks to the newest versions (needs uv): one version of each package for every system and Python, with
# hashes. The smaller locks use the versions of the development lock.
LOCK := uv pip compile pyproject.toml --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	--no-emit-index-url --quiet --constraint tools/lock_constraints.txt
lock:
	$(LOCK) --extra dev --group build $(UPGRADE) -o requirements-dev.lock >/dev/null
	$(LOCK) --extra pipeline --group build --constraint requirements-dev.lock -o requirements.lock >/dev/null
	$(LOCK) --constraint requirements-dev.lock -o requirements-core.lock >/dev/null
# `make lock UPGRADE=` keeps versions and adds new requirements of pyproject.toml.
UPGRADE := --upgrade

# Write the results of the pipeline into README.md, docs/results.md and docs/firmware.md.
readme: $(VENV)/run.stamp
	python -m tools.readme
	python -m tools.firmware

# Compare with gaitmap's methods, in a separate environment: gaitmap needs older versions of NumPy and pandas.
peers: $(VENV)/run.stamp
	dvc repro --quiet download
	test -x .venv-peers/bin/python || python -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --editable '.[peers]'
	.venv-peers/bin/python -m studies.peers

# Run the studies (comparisons outside of the pipeline) and write their tables into the documents.
studies: $(VENV)/run.stamp
	dvc repro studies/dvc.yaml
	python -m tools.studies

# List the finished experiments of this commit: errors and costs, at most 160 columns wide.
experiments: $(VENV)/run.stamp
	@python -m tools.experiments

benchmark: $(VENV)/test.stamp
	python -m benchmarks

# The page that runs the C library in a browser: build/demo/index.html, one file.
demo: $(VENV)/run.stamp
	@tools/debian_packages.sh $(DEMO_PACKAGES)
	@python demo/build.py

# The documentation site, to be opened from the disk: build/site/index.html, with that page as demo/index.html. Each
# tutorial is executed as a notebook, again if its script, the library or the pipeline has changed.
TUTORIALS := $(patsubst docs/tutorials/%.py,build/tutorials/%.ipynb,$(wildcard docs/tutorials/*.py))
docs: demo $(TUTORIALS)
	@NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict --quiet
	@echo build/site/index.html
build/tutorials/%.ipynb: docs/tutorials/%.py tools/docs/tutorials.py $(VENV)/test.stamp \
	$(wildcard $(shell git ls-files docs/tutorials/*.csv stages tinystride dvc.yaml params.yaml 2>/dev/null))
	@echo $<
	@python -m tools.docs.tutorials $< $@

# API documentation of the C library, from the comments of its header: build/docs-c/html/index.html.
docs-c:
	@tools/debian_packages.sh doxygen
	@mkdir -p build/docs-c
	@doxygen tinystride/firmware/Doxyfile

# Release the models of this commit, which must be reproduced and pushed: make release VERSION=v1.0.0
release: $(VENV)/run.stamp
	python -m tools.release $(VERSION)

clean:
	rm -rf $(VENV) build *.egg-info
