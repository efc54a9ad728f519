package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	before, err := takeSnapshot(c.path(vendoredFile), c.path(clientFile))
	if err != nil {
		return err
	}
	callers, err := c.apply(ctx, prepared, pinned.apidiff, exported)
	if err != nil {
		if failed := before.restore(); failed != nil {
			return errors.Join(err, failed)
		}
		return fmt.Errorf("%w; every file is as it was: for the changed ones, run go run ./openapi/update with the same"+
			" -upstream, -add and -all, then make generate", err)
	}
	breaking := wire.breaking+callers.breaking > 0 && !allowBreaking
	if breaking {
		if err := c.print("", "The change is breaking. It is in the work tree, to be reviewed: commit it or discard it.",
			"BREAKING=allow makes a breaking change exit with status 0."); err != nil {
			return err
		}
	}
	if err := c.print("", "verdict: "+verdict(wire, callers)); err != nil {
		return err
	}
	if breaking {
		return errBreaking
	}
	return nil
}

// errBreaking makes a breaking change that nobody has allowed end with status 1.
var errBreaking = errors.New("update the client: the change is breaking; review it, or allow it with BREAKING=allow")

// apply puts the change into the module, regenerates the client, and tests the result.
func (c command) apply(ctx context.Context, prepared change, apidiff, exported string) (changes, error) {
	if err := c.write(prepared); err != nil {
		return changes{}, err
	}
	if err := c.run(ctx, c.root, c.stdout, "generate", "./..."); err != nil {
		return changes{}, fmt.Errorf("regenerate the client: %w", err)
	}
	if err := c.run(ctx, c.root, c.stdout, "build", "./..."); err != nil {
		return changes{}, fmt.Errorf("compile the regenerated client: %w", err)
	}
	if err := c.print("", clientFile+": regenerated"); err != nil {
		return changes{}, err
	}
	var report bytes.Buffer
	if err := c.run(ctx, c.root, &report, "run", apidiff, exported, callersPackage); err != nil {
		return changes{}, fmt.Errorf("compare what package api exports: %w", err)
	}
	callers := parseCallers(report.String())
	if err := c.section("for Go callers of api (apidiff)", callers); err != nil {
		return changes{}, err
	}
	if err := c.print("", "tests:"); err != nil {
		return changes{}, err
	}
	if err := c.run(ctx, c.root, c.stdout, "test", "./..."); err != nil {
		return changes{}, fmt.Errorf("test the regenerated client: %w", err)
	}
	return callers, nil
}

// wireChanges shows and returns how the change alters the protocol.
func (c command) wireChanges(ctx context.Context, prepared change, oasdiff, scratch string) (changes, error) {
	before, after := filepath.Join(scratch, "before.yaml"), filepath.Join(scratch, "after.yaml")
	if err := errors.Join(os.WriteFile(before, prepared.before, 0o600), os.WriteFile(after, prepared.after, 0o600)); err != nil {
		return changes{}, fmt.Errorf("write the documents to compare: %w", err)
	}
	var changelog bytes.Buffer
	if err := c.run(ctx, c.root, &changelog, "run", oasdiff, "changelog", "--format", "json", before, after); err != nil {
		return changes{}, fmt.Errorf("compare the documents: %w", err)
	}
	wire, err := parseWire(changelog.Bytes())
	if err != nil {
		return changes{}, err
	}
	return wire, c.section("on the wire (oasdiff changelog)", wire)
}

func (c command) section(title string, found changes) error {
	lines := found.lines
	if len(lines) == 0 {
		lines = []string{"            nothing"}
	}
	return c.print(append([]string{"", title + ":"}, lines...)...)
}
