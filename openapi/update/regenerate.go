package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"example.com/ngrokapi/openapi/internal/tool"
)

// tools are the programs that compare, as go run takes them.
type tools struct {
	oasdiff, apidiff string
}

// callersPackage is the package whose exported names are compared for Go callers.
const callersPackage = "example.com/ngrokapi/api"

// regenerate carries the change through to the client and reports what it means, in the order in which a maintainer
// asks: for the protocol, for Go code, for the tests, for the next release.
func (c command) regenerate(ctx context.Context, prepared change, pinned tools, allowBreaking bool) error {
	if err := c.print(prepared.summary()); err != nil {
		return err
	}
	if !prepared.differs {
		return c.print("verdict: no change")
	}
	scratch, err := os.MkdirTemp("", "ngrokapi-update-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	wire, err := c.wireChanges(ctx, prepared, pinned.oasdiff, scratch)
	if err != nil {
		return err
	}
	exported := filepath.Join(scratch, "api.export")
	if err := c.run(ctx, c.root, io.Discard, "run", pinned.apidiff, "-w", exported, callersPackage); err != nil {
		return fmt.Errorf("record what package api exports: %w", err)
	}
	before, err := tool.TakeSnapshot(c.path(vendoredFile), c.path(clientFile))
	if err != nil {
		return err
	}
	callers, err := c.apply(ctx, prepared, pinned.apidiff, exported)
	if err != nil {
		return errors.Join(err, before.Restore(), errRestored)
	}
	if err := c.print("", "tests:"); err != nil {
		return err
	}
	failure := c.run(ctx, c.root, c.stdout, "test", "./...")
	if ctx.Err() != nil {
		return errors.Join(fmt.Errorf("test the regenerated client: %w", ctx.Err()), before.Restore(), errRestored)
	}
	outcome := verdict(wire, callers)
	if failure != nil {
		failure = errors.Join(fmt.Errorf("test the regenerated client: %w", failure), errToReview)
		outcome += "; the tests fail"
	} else if wire.Breaking+callers.Breaking > 0 && !allowBreaking {
		failure = errors.Join(errors.New("the change is breaking: BREAKING=allow accepts it"), errToReview)
	}
	return errors.Join(failure, c.print("", "verdict: "+outcome))
}

var (
	errRestored = errors.New("every file is as it was; to change them nonetheless, run go run ./openapi/update" +
		" with the same -upstream, -add and -all, then make generate")
	// Hand-written code that a change breaks is best repaired with the change at hand.
	errToReview = errors.New(vendoredFile + " and " + clientFile +
		" are changed: review them, repair what they break, and commit; or discard them")
)

// apply puts the change into the module, regenerates the client, and shows and returns what that means for callers.
func (c command) apply(ctx context.Context, prepared change, apidiff, exported string) (tool.Changes, error) {
	if err := c.write(prepared); err != nil {
		return tool.Changes{}, err
	}
	if err := c.run(ctx, c.root, c.stdout, "generate", "./..."); err != nil {
		return tool.Changes{}, fmt.Errorf("regenerate the client: %w", err)
	}
	if err := c.run(ctx, c.root, c.stdout, "build", callersPackage); err != nil {
		return tool.Changes{}, fmt.Errorf("compile the regenerated client: %w", err)
	}
	if err := c.print("", clientFile+": regenerated"); err != nil {
		return tool.Changes{}, err
	}
	var report bytes.Buffer
	if err := c.run(ctx, c.root, &report, "run", apidiff, exported, callersPackage); err != nil {
		return tool.Changes{}, fmt.Errorf("compare what package api exports: %w", err)
	}
	callers := tool.ParseCallers(report.String())
	return callers, c.print(callers.Section("for Go callers of api (apidiff)")...)
}

// wireChanges shows and returns how the change alters the protocol.
func (c command) wireChanges(ctx context.Context, prepared change, oasdiff, scratch string) (tool.Changes, error) {
	before, after := filepath.Join(scratch, "before.yaml"), filepath.Join(scratch, "after.yaml")
	if err := errors.Join(os.WriteFile(before, prepared.before, 0o600), os.WriteFile(after, prepared.after, 0o600)); err != nil {
		return tool.Changes{}, fmt.Errorf("write the documents to compare: %w", err)
	}
	var changelog bytes.Buffer
	if err := c.run(ctx, c.root, &changelog, "run", oasdiff, "changelog", "--format", "json", before, after); err != nil {
		return tool.Changes{}, fmt.Errorf("compare the documents: %w", err)
	}
	wire, err := parseWire(changelog.Bytes())
	if err != nil {
		return tool.Changes{}, err
	}
	return wire, c.print(wire.Section("on the wire (oasdiff changelog)")...)
}
