# It works with make 3.81, the version of macOS.

GO ?= go
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT := $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GOVULNCHECK := $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0
OASDIFF := github.com/oasdiff/oasdiff@v1.37.0
# These two have no releases: they are commits of golang.org/x/exp and golang.org/x/perf.
APIDIFF := golang.org/x/exp/cmd/apidiff@v0.0.0-20261113113407-e3970619a1a4
BENCHSTAT := $(GO) run golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

# A go.work in a folder above could leave this module out, or change the versions that it needs.
export GOWORK := off

# Variables of the command line are in the environment of the commands, which quote them. These two
# are taken literally, because make would expand a $ in them.
export ID FILTER
override ID := $(value ID)
override FILTER := $(value FILTER)

.PHONY: help run test check generate lint vuln bench update module-path release-check

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

run: ## list tunnel sessions, or look one up: ID=ts_…, FILTER=…
	@$(GO) run ./api/examples/tunnelsession -filter="$$FILTER" -- $${ID:+"$$ID"}

test: ## run the tests, with the race detector if there is a C compiler
	@race=-race; \
	if [ "$$($(GO) env CGO_ENABLED)" = 0 ]; then \
		race=; echo "without the race detector: it needs a C compiler"; \
	fi; \
	$(GO) test $$race ./...

check: ## check everything else, which takes minutes; UPSTREAM=file also tries make update
	@bash .ci/check

generate: ## write api/client.gen.go from openapi/ngrok.yaml
	$(GO) generate .

lint: ## run go vet, golangci-lint and actionlint
	$(GO) vet ./...
	$(GOLANGCI_LINT) run
	$(ACTIONLINT)

vuln: ## look for known vulnerabilities, in a database on the network
	$(GOVULNCHECK) ./...

# Each round runs every row once, so that compared rows run one after the other. On a busy machine,
# many short rounds say more than a few long ones.
ROUNDS ?= 16
BENCHTIME ?= 0.2s
bench: ## compare calls with plain net/http: ROUNDS=16, BENCHTIME=0.2s
	@rm -f bench.out
	$(GO) test -c -o bench.test ./api
	for round in $$(seq $(ROUNDS)); do \
		./bench.test -test.run '^$$' -test.bench . -test.benchtime $(BENCHTIME) >>bench.out || \
		{ cat bench.out; exit 1; }; done
	$(BENCHSTAT) -col '/row@(baseline client)' bench.out

update: ## follow ngrok's document: UPSTREAM=url or file, ADD=A,B, ALL=1, BREAKING=allow
	@bash .ci/update $(OASDIFF) $(APIDIFF)

# Git can undo it. Longer names stay, such as the old path after "my-" or before "-tools".
module-path: ## rename the module everywhere: MODULE=git.example.org/you/ngrokapi
	@case $${MODULE%%/*} in *.*) ;; *) \
		echo "module-path: name a path that begins with a domain: MODULE=git.example.org/you/ngrokapi" >&2; exit 1 ;; \
	esac
	@old=$$($(GO) list -m) && grep="git grep --no-color --no-recurse-submodules --untracked -IF" && \
	$$grep -q -e "$$old" && $(GO) mod edit -module "$$MODULE" && \
	$$grep -lz -e "$$old" -- ':!go.mod' | old=$$old \
		xargs -0 perl -pi -e 's/(?<![\w.-])\Q$$ENV{old}\E(?![\w~-])/$$ENV{MODULE}/g' && \
	$(GO) fmt ./... >/dev/null && echo "the module path was $$old and is $$MODULE: run make test and commit"

release-check: ## say which version the changes need; VERSION=v1.2.3 checks that one
	@sh .ci/release-check $(APIDIFF) "$$VERSION"
