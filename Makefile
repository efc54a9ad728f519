# Each target needs Go, and the network only for Go's module proxy, unless it says so. Variables from the command line are in
# the environment of the commands, which quote them.

GO ?= go
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT := $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
OASDIFF := github.com/oasdiff/oasdiff@v1.37.0
# These two have no releases: they are commits of golang.org/x/exp and golang.org/x/perf.
APIDIFF := golang.org/x/exp/cmd/apidiff@v0.0.0-20261113113407-e3970619a1a4
BENCHSTAT := $(GO) run golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

define HELP
make run            list the tunnel sessions, or print one: ID=ts_…, FILTER=…, JSON=1; without NGROK_API_KEY, of a fake API
make test           run the tests with the race detector
make check          check everything else: generated files, lint, other platforms, two Go versions; UPSTREAM=file also updates
make generate       write api/client.gen.go from openapi/ngrok.yaml
make lint           run go vet, golangci-lint and actionlint
make bench          compare calls with plain net/http: ROUNDS, BENCHTIME
make fuzz           run each fuzz test for FUZZTIME, by default 30s
make live           compare a response of the real API with the document: ID=ts_…, needs NGROK_API_KEY
make update         follow ngrok's document and report what changes: UPSTREAM=url|file, ADD=A,B, ALL=1, BREAKING=allow
make module-path    rename the module everywhere: MODULE=git.example.org/you/ngrokapi
make release-check  print the version that the changes since the last tag need, and refuse a lower VERSION=v1.2.3
endef

.PHONY: help
help:
	$(info $(HELP))@:

# Values from the command line, taken as they are: a filter can have a $.
export ID FILTER JSON
override ID := $(value ID)
override FILTER := $(value FILTER)

.PHONY: run
run:
	@$(GO) run ./api/examples/tunnelsession $${JSON:+-json="$$JSON"} -filter="$$FILTER" -- $${ID:+"$$ID"}

.PHONY: test
test:
	$(GO) test -race ./...

.PHONY: check
check:
	@bash .ci/check

.PHONY: fuzz
FUZZTIME ?= 30s
fuzz:
	$(GO) test -run '^$$' -fuzz '^FuzzID$$' -fuzztime $(FUZZTIME) ./api

.PHONY: live
live:
	@NGROK_LIVE_ID="$$ID" $(GO) test -count=1 -v -run '^TestLive$$' .

.PHONY: generate
generate:
	$(GO) generate ./...

.PHONY: lint
lint:
	$(GO) vet ./...
	$(GOLANGCI_LINT) run
	$(ACTIONLINT)

.PHONY: update
update:
	@bash .ci/update $(OASDIFF) $(APIDIFF)

.PHONY: module-path
module-path:
	@sh .ci/module-path "$$MODULE"

.PHONY: release-check
release-check:
	@sh .ci/release-check $(APIDIFF) "$$VERSION"

# Each round runs every row once, so that rows that are compared run one after the other. On a busy machine, many short
# rounds say more than a few long ones.
.PHONY: bench
ROUNDS ?= 16
BENCHTIME ?= 0.2s
bench:
	@rm -f bench.out
	$(GO) test -c -o bench.test ./api
	for round in $$(seq $(ROUNDS)); do \
		./bench.test -test.run '^$$' -test.bench . -test.benchtime $(BENCHTIME) >>bench.out || { cat bench.out; exit 1; }; done
	$(BENCHSTAT) -col '/row@(baseline generated client)' bench.out
