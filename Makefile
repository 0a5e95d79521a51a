# Go and make are all it takes; `make` alone lists the targets.

GO      ?= go
ADDR    ?= 127.0.0.1:8000
# Brotli's quality for the page's files: 11 saves another 4% in twice the time, 5 takes a fiftieth of it.
QUALITY ?= 10

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
STAMP   := -X quantlab/cmd/internal/version.stamp=$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help run build web test clean

help:
	@echo 'make run [ADDR=127.0.0.1:8000]  build, fetch and train what is missing (the first time), serve the page'
	@echo 'make build                      bin/quantlab, bin/devserver and the page in web/'
	@echo 'make web [QUALITY=10]           the page in web/ only; QUALITY=5 compresses less and builds faster'
	@echo 'make test                       every test'
	@echo 'make clean                      remove what was built; data and trained models stay in the cache'

run: build
	@bin/devserver --addr $(ADDR)

build: web
	@$(GO) build -trimpath -buildvcs=false -ldflags '-s -w $(STAMP)' -o bin/ ./cmd/quantlab ./cmd/devserver

web:
	@$(GO) run ./cmd/internal/webbuild -version '$(VERSION)' -quality $(QUALITY)

# The browser tests run last and alone: they measure, on the models that `quantlab prepare` has trained.
BROWSER_TESTS := quantlab/cmd/devserver/e2e

test: build
	@.ci/tools.sh
	@bin/quantlab prepare
	$(GO) test $(filter-out $(BROWSER_TESTS),$(shell $(GO) list ./...))
	$(GO) test -v -timeout 20m $(BROWSER_TESTS)

clean:
	rm -rf bin web/app.wasm web/compute.wasm web/wasm_exec.js $(foreach d,web web/kernels,$d/*.br $d/*.gz $d/.precompressed.json $d/.tmp-*)
