# Coatcheck. `make demo` shows it, `make test` proves it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
FUZZTIME ?= 10m

# Modules beside the program's: what only tests and measurements need is required there.
# The servers of upstream/realapi have a suite of their own.
MODULES := bff/bench bff/command/stories bff/conformance bff/release configs/deploy configs/schema

.NOTPARALLEL:
.PHONY: realapis-all build install release test test-again check unit modules client browser realapis certified short-fuzz fuzz bench beside soak release-check docs demo clean

## build: the program, ./coatcheck
build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)" -o coatcheck ./bff

## install: the program that make built, its manual page and bash completions below PREFIX (/usr/local)
PREFIX ?= /usr/local
install:
	@[ -x coatcheck ] || { echo "build it first, as yourself: make"; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 0755 coatcheck $(DESTDIR)$(PREFIX)/bin/coatcheck
	./coatcheck man > $(DESTDIR)$(PREFIX)/share/man/man1/coatcheck.1
	./coatcheck completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/coatcheck

## release: archives and bills of materials for every platform, images, and checksums, in ./dist; TARGETS="linux/amd64" is a part of them
release:
	@.ci/release $(TARGETS)

## test: everything, from a fresh clone; installs what is missing. SUITES="unit browser" is a part of it
SUITES ?= unit browser modules short-fuzz client check realapis certified
test:
	@.ci/suites $(SUITES)

## test-again: make test N times from fresh clones of HEAD; reports every test that ever failed. BUSY=1: on a busy machine
test-again:
	@N="$(N)" BUSY="$(BUSY)" SUITES="$(if $(filter file,$(origin SUITES)),,$(SUITES))" .ci/again

# Formatting and the two linters.
check:
	@.ci/prepare
	@out=$$(gofmt -l .); \
	if [ -n "$$out" ]; then echo "gofmt is needed for:"; echo "$$out"; exit 1; fi
	@for module in . $(MODULES); do echo "$$module: vet, staticcheck"; \
		(cd $$module && go vet ./... && $(CURDIR)/.tools/staticcheck ./...) || exit 1; done

# The Go tests of the program under the race detector, with coverage by package; four packages
# at a time, since about half of that is waiting.
unit:
	@.ci/prepare
	go test -p 4 -race -cover -timeout 20m ./...

# The same of the modules beside it.
modules:
	@.ci/prepare
	@failed=0; for module in $(MODULES); do \
		(cd $$module && go test -p 4 -race -cover -timeout 20m ./...) || failed=1; done; exit $$failed

# The browser client in Node's own test runner: with the frameworks it binds to, and
# as a package. The documentation as a site, and every link in it. Four files at a time,
# since one waits for the registry for half a minute.
client:
	@.ci/prepare
	@.ci/prepare npm web/client
	@.ci/prepare npm web/docs
	cd web && node --test --test-concurrency=4 client/*.test.js docs/*.test.js

## docs: the documentation as a site with search, in ./site
docs:
	@.ci/prepare npm web/docs
	cd web/docs && node build.js

# A real Chromium and a real Firefox against the built program; the demo's pages, built anew.
browser:
	@.ci/prepare
	@$(MAKE) --no-print-directory build
	@.ci/prepare npm web/demo
	@.ci/prepare npm web/e2e
	go build -o .tools/provider ./web/e2e/provider
	node web/e2e/run.js

# The ready-made mappings against real servers.
realapis:
	@.ci/realapis

## realapis-all: the same, and the servers that take minutes to install
realapis-all:
	@.ci/realapis all

# Sign-in at OpenID Providers by others: a certified one from npm, and libraries of Go.
certified:
	@.ci/prepare
	@.ci/prepare npm upstream/oidc/certified
	go test -tags certified -count=1 -run '^TestCertified$$' ./upstream/oidc
	cd upstream/oidc/opinions && go vet ./... && go test -count=1 ./...

# Every fuzz target for a moment.
short-fuzz:
	@FUZZTIME=20s .ci/fuzz

## fuzz: every fuzz target, FUZZTIME each; a million answers compared with net/http
fuzz:
	FUZZTIME=$(FUZZTIME) DIFFERENTIAL=1000000x .ci/fuzz

# Installed by go install, for the two commands that measure beside it.
OAUTH2_PROXY_VERSION := v7.15.6
.tools/oauth2-proxy:
	GOFLAGS= GOBIN=$(CURDIR)/.tools go install github.com/oauth2-proxy/oauth2-proxy/v7@$(OAUTH2_PROXY_VERSION)

## bench: what a call and a connection cost, beside nginx, nginx with Lua, HAProxy, Caddy, oauth2-proxy, and Go
bench: build
	@.ci/prepare nginx-extras lua-resty-core lua-nginx-redis wrk haproxy
	@$(MAKE) --no-print-directory .tools/oauth2-proxy || echo "bench: oauth2-proxy was not installed, so its row is not run"
	go build -o .tools/provider ./web/e2e/provider
	go -C bff/bench build -o $(CURDIR)/.tools/bench .
	.tools/bench -bff ./coatcheck $(BENCH)

## beside: twelve tabs of one browser sign in at once, here and at oauth2-proxy
beside: build .tools/oauth2-proxy
	@.ci/prepare
	@.ci/prepare npm web/e2e
	go build -o .tools/provider ./web/e2e/provider
	node web/e2e/beside.js

## soak: 30 minutes of everything at once; fails where an answer is wrong or the process grows
SOAK ?= 30m
soak: build
	@.ci/prepare
	go -C bff/bench build -o $(CURDIR)/.tools/bench .
	.tools/bench soak -bff ./coatcheck -for $(SOAK)

## release-check: the program builds for every platform of a release; with goreleaser, a snapshot's archives and packages are opened
release-check:
	@for os in linux darwin windows; do for arch in amd64 arm64; do \
		echo "$$os/$$arch"; CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -o /dev/null ./bff; done; done
	@if command -v goreleaser >/dev/null; then goreleaser check && \
		goreleaser release --snapshot --clean --skip=docker,sign && .ci/packages dist; \
	else echo "goreleaser is not installed: its file was not checked (go install github.com/goreleaser/goreleaser/v2@v2.14.3)"; fi

## demo: two frontends and an API, nothing to set up
demo:
	go run ./bff demo

clean:
	rm -rf coatcheck .tools dist dist-extra site web/docs/.tools
