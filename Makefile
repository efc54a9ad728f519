# Every target needs only Go, and no network beyond Go's module proxy unless its line says so.

GO ?= go
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# apidiff has no releases: this is a commit of golang.org/x/exp.
OASDIFF := github.com/oasdiff/oasdiff@v1.35.0
APIDIFF := golang.org/x/exp/cmd/apidiff@v0.0.0-20261014143641-f0251eb4aa3e

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## print a tunnel session: ID=ts_…, key in NGROK_API_KEY; without a key, from a built-in fake
	@$(GO) run ./api/examples/tunnelsession $(ID)

.PHONY: test
test: ## run all tests with the race detector
	$(GO) test -race ./...

.PHONY: generate
generate: ## write api/client.gen.go from openapi/ngrok.yaml
	$(GO) generate ./...

.PHONY: lint
lint: ## run vet and golangci-lint
	$(GO) vet ./...
	$(GOLANGCI_LINT) run

.PHONY: update
update: ## follow ngrok's document, over the network; UPSTREAM=url|file ADD=A,B ALL=1 BREAKING=allow
	@$(GO) run ./openapi/update -regenerate -oasdiff $(OASDIFF) -apidiff $(APIDIFF) \
		$(if $(UPSTREAM),-upstream '$(UPSTREAM)') $(if $(ADD),-add '$(ADD)') $(if $(ALL),-all) \
		$(if $(filter allow,$(BREAKING)),-allow-breaking)
