# The front door. Every target sets up what is missing first; nothing else needs to be run before.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build test test-slow bench fuzz format tidy clean
MAKEFLAGS += --no-print-directory

help:
	@echo 'make run        set up, build, run the built-in study, say where its report lies'
	@echo 'make build      set up, build the program: build/reveille'
	@echo 'make test       set up, build, all tests but the slow ones'
	@echo 'make test-slow  the slow ones (real model, whole studies, the tutorial)'
	@echo 'make bench      against transformers, trl, peft and llama.cpp, in the same run'
	@echo 'make fuzz       every fuzz target for FUZZ_RUNS executions (default 1000000)'
	@echo 'make format     format the sources;  make tidy  run clang-tidy over them'
	@echo 'make clean      remove what was built (runs/, .venv/ and the cache stay)'

run:
	@STEPS=5 tools/setup.sh build
	@STEPS=5 tools/build.sh reveille
	@tools/run.sh $(ARGS)

build:
	@STEPS=4 tools/setup.sh build
	@STEPS=4 tools/build.sh reveille

test:
	@STEPS=5 tools/setup.sh test
	@STEPS=5 tools/build.sh all
	@tools/test.sh -LE slow $(ARGS)

test-slow:
	@STEPS=5 tools/setup.sh test
	@STEPS=5 tools/build.sh all
	@tools/test.sh -L slow $(ARGS)

bench:
	@STEPS=4 tools/setup.sh test
	@STEPS=4 tools/build.sh reveille
	@bench/run.sh $(ARGS)

fuzz:
	@STEPS=5 tools/setup.sh fuzz
	@tools/fuzz.sh $(ARGS)

format:
	@tools/format.sh

tidy:
	@tools/tidy.sh

clean:
	rm -rf build build-*
