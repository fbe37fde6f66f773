# A newcomer's two commands; meson does the work. See README.md and CONTRIBUTING.md.
#   make run    installs what a run needs (asks only if something is missing), builds, runs configs/quickstart.yaml
#   make test   installs what tests need, builds, runs every suite; the last line counts
.PHONY: all run test test-all clean

all: build/build.ninja
	ninja -C build

build/build.ninja:
	meson setup build

run:
	scripts/setup run
	$(MAKE) all
	scripts/quickstart

test:
	scripts/setup test
	scripts/run-tests

test-all:
	scripts/setup test-all
	scripts/run-tests all

clean:
	rm -rf build build-test build-asan build-clang build-tsan
