# Two commands: `make demo` and `make test`; `make wheel` builds the Python package,
# `make release` both as they are handed out. All set up what they need and can be
# repeated.

CARGO   ?= cargo
VENV    := .venv
PYTHON  := $(VENV)/bin/python
PROGRAM := target/release/stackmill

# Property tests try the same cases every time; other numbers try others.
export PROPTEST_RNG_SEED ?= 20260

.PHONY: build demo wheel release test clean

# The one profile and target folder of tests, demo and benches, so that each dependency is built once.
build:
	$(CARGO) build --release --locked -p stackmill

# Main job on real input: this repository's HEAD and the sources of the crates that the build downloaded.
demo: build
	$(PROGRAM) run examples/demo.toml --out out/demo --memory 2G --update --replace

# One wheel for every Python from 3.10 on: dist/stackmill-*.whl.
wheel: $(VENV)/ready
	rm -f dist/stackmill-*.whl
	$(PYTHON) -m maturin build --release --locked --quiet --manifest-path python/Cargo.toml --out dist

# What is handed out, the program and the wheel, with all grammars; the heavy ones are tried in workers of that program.
release: $(VENV)/ready
	$(CARGO) build --release --locked -p stackmill --features heavy-grammars
	rm -f dist/stackmill-*.whl
	$(PYTHON) -m maturin build --release --locked --quiet --manifest-path python/Cargo.toml --features heavy-grammars --out dist
	$(CARGO) test --release --locked -p stackmill-tests -p stackmill --features stackmill-tests/heavy-grammars,stackmill/heavy-grammars --test it -- grammars

test: build wheel
	$(CARGO) test --release --locked -p stackmill-filters --features heavy-grammars --lib syntax
	$(CARGO) test --release --locked --workspace
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/stackmill-*.whl
	$(PYTHON) -m pytest python/tests tests/golden

$(VENV)/ready: tests/requirements.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

clean:
	rm -rf target out dist $(VENV)
