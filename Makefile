# Every target needs only Go, and of the network only Go's module proxy, unless it says so.

GO ?= go
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT := $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
OASDIFF := github.com/oasdiff/oasdiff@v1.35.0
# These two have no releases: they are commits of golang.org/x/exp and golang.org/x/perf.
APIDIFF := golang.org/x/exp/cmd/apidiff@v0.0.0-20261014143641-f0251eb4aa3e
BENCHSTAT := $(GO) run golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

define HELP
make run            list the tunnel sessions, or print ID=ts_…; JSON=1; NGROK_API_KEY from the environment, or a fake API
make test           run the tests with the race detector
make check          check what .ci/run checks after the tests: files, lint, platforms, callers, updates; UPSTREAM=file
make generate       write api/client.gen.go from openapi/ngrok.yaml
make lint           run go vet, golangci-lint and actionlint
make bench          measure calls beside plain net/http: ROUNDS, BENCHTIME
make fuzz           run each fuzz test for FUZZTIME, 30s by default
make live           compare the real API's answer with the document: ID=ts_…, needs NGROK_API_KEY and the network
make update         follow ngrok's document, over the network: UPSTREAM=url|file, ADD=A,B, ALL=1, BREAKING=allow
make module-path    rename the module everywhere: MODULE=git.example.org/you/ngrokapi
make release-check  say which version the changes since the last tag call for, and refuse a smaller VERSION=v1.2.3
endef

.PHONY: help
help:
	$(info $(HELP))@:

.PHONY: run
run:
	@echo 'the first time, this compiles for a minute' >&2
	@$(GO) run ./api/examples/tunnelsession $(if $(JSON),-json) $(ID)

.PHONY: test
test:
	$(GO) test -race ./...

.PHONY: check
check:
	@UPSTREAM='$(UPSTREAM)' bash .ci/check

.PHONY: fuzz
FUZZTIME ?= 30s
fuzz:
	$(GO) test -run '^$$' -fuzz '^FuzzID$$' -fuzztime $(FUZZTIME) ./api
	$(GO) test -run '^$$' -fuzz '^FuzzResponse$$' -fuzztime $(FUZZTIME) ./api
	$(GO) test -run '^$$' -fuzz '^FuzzRetryAfter$$' -fuzztime $(FUZZTIME) ./api

.PHONY: live
live:
	@NGROK_LIVE_ID="$(ID)" $(GO) test -count=1 -v -run '^TestLive$$' .

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
	@$(GO) run ./openapi/update -oasdiff $(OASDIFF) -apidiff $(APIDIFF) \
		$(if $(UPSTREAM),-upstream '$(UPSTREAM)') $(if $(ADD),-add '$(ADD)') $(if $(ALL),-all) \
		$(if $(filter allow,$(BREAKING)),-allow-breaking)

.PHONY: module-path
module-path:
	@sh .ci/module-path '$(MODULE)'

.PHONY: release-check
release-check:
	@sh .ci/release-check $(APIDIFF) '$(VERSION)'

# Each round runs every row once, so that rows that are compared run one after the other. Many short rounds say more
# than a few long ones on a machine that has other work too.
.PHONY: bench
ROUNDS ?= 16
BENCHTIME ?= 0.2s
bench:
	@rm -f bench.out
	$(GO) test -c -o bench.test ./api
	for round in $$(seq $(ROUNDS)); do \
		./bench.test -test.run '^$$' -test.bench . -test.benchtime $(BENCHTIME) >>bench.out || { cat bench.out; exit 1; }; done
	$(BENCHSTAT) -col '/row@(baseline generated client)' bench.out
