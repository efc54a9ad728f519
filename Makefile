# Every target needs only Go, and no network beyond Go's module proxy unless its line says so.

GO ?= go
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

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
