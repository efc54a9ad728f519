package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// report regenerates the client, prints what changes on the wire and for Go callers, runs the tests, and returns the verdict.
func (c command) report(ctx context.Context, o options, rev revision) (verdict string, err error) {
	if rev.same {
		// An earlier run may have left another client.
		return "no change", c.regenerate(ctx, o)
	}
	head, remove, err := c.checkOutHead(ctx)
	if err != nil {
		return "major: HEAD cannot be checked out", err
	}
	defer remove()
	wire, err := c.compareDocuments(ctx, o.oasdiff, head, rev)
	if err != nil {
		return "major: the documents cannot be compared", err
	}
	c.show("on the wire (oasdiff changelog)", wire)
	if err := c.regenerate(ctx, o); err != nil {
		return "major: the client cannot be built", err
	}
	callers, err := c.compareClients(ctx, o.apidiff, head)
	if err != nil {
		return "major: the clients cannot be compared", err
	}
	c.show("for Go callers of api (apidiff)", callers)
	fmt.Fprintln(c.stdout, "\ntests:")
	// The tests of other packages do not depend on upstream.
	if err := c.run(ctx, c.root, c.stdout, "go", "test", ".", "./api/...", "./openapi"); err != nil {
		return "major: the tests fail", fmt.Errorf("test the client: %w", err)
	}
	return judge(wire, callers), nil
}

// checkOutHead returns the folder of a worktree of HEAD, and a function that removes it.
func (c command) checkOutHead(ctx context.Context) (head string, remove func(), err error) {
	// An interrupt must not leave the repository with half of a worktree.
	ctx = context.WithoutCancel(ctx)
	var folder strings.Builder
	if err := c.run(ctx, c.root, &folder, "git", "rev-parse", "--path-format=absolute", "--git-path", "update-head"); err != nil {
		return "", nil, fmt.Errorf("check out HEAD: %w", err)
	}
	head = strings.TrimSpace(folder.String())
	remove = func() {
		_ = os.RemoveAll(head)
		// Git forgets worktrees whose folder is gone.
		_ = c.run(ctx, c.root, io.Discard, "git", "worktree", "prune")
	}
	remove() // A run that was killed may have left one.
	if err := c.run(ctx, c.root, io.Discard, "git", "worktree", "add", "--detach", head, "HEAD"); err != nil {
		return "", nil, fmt.Errorf("check out HEAD: %w", err)
	}
	return head, remove, nil
}

// regenerate writes the client and compiles it.
func (c command) regenerate(ctx context.Context, o options) error {
	err := c.run(ctx, c.root, c.stdout, "go", "generate", "./...")
	if err == nil {
		err = c.run(ctx, c.root, c.stdout, "go", "build", "./api/...")
	}
	if err != nil {
		return fmt.Errorf("regenerate the client: %w%s", err, advice(err.Error(), o))
	}
	return nil
}

// advice returns what to do about an error of the generator or the compiler, or "" if that is not known.
func advice(text string, o options) string {
	var cause, action string
	switch {
	case strings.Contains(text, "redeclared in this block"), strings.Contains(text, "already declared"), strings.Contains(text, "duplicate typename"):
		cause = "a name of upstream's is taken in package api, or two are the same in Go: choose another"
		action = "components.schemas.Client\n    update: {x-go-name: NgrokClient}"
	case strings.Contains(text, "invalid recursive type"):
		cause = "a schema contains itself: make the property that closes the circle a pointer"
		action = "components.schemas.Node.properties.parent\n    update: {x-go-type-skip-optional-pointer: false}"
	default:
		return ""
	}
	return fmt.Sprintf("\n%s in openapi/overlay.yaml, as in\n  - target: $.%s\nthen run %s", cause, action, o.makeCommand())
}

// compareDocuments returns the changes on the wire.
func (c command) compareDocuments(ctx context.Context, oasdiff, head string, rev revision) (changes, error) {
	var changelog bytes.Buffer
	err := c.run(ctx, c.root, &changelog, "go", "run", oasdiff, "changelog", "--format", "json", "--flatten-allof",
		filepath.Join(head, fragmentFile), fragmentFile)
	if err != nil {
		return changes{}, fmt.Errorf("compare the documents: %w", err)
	}
	wire, err := parseChangelog(changelog.Bytes())
	if err != nil {
		return changes{}, err
	}
	return wire, wire.addServers(rev)
}

// compareClients returns the changes for programs that use package api.
func (c command) compareClients(ctx context.Context, apidiff, head string) (changes, error) {
	exports := filepath.Join(head, "api.exports")
	if err := c.run(ctx, head, io.Discard, "go", "run", apidiff, "-w", exports, "./api"); err != nil {
		return changes{}, fmt.Errorf("list what package api exports at HEAD: %w", err)
	}
	var report bytes.Buffer
	if err := c.run(ctx, c.root, &report, "go", "run", apidiff, exports, "./api"); err != nil {
		return changes{}, fmt.Errorf("compare what package api exports: %w", err)
	}
	return parseExports(report.String()), nil
}

// show prints changes under a title.
func (c command) show(title string, found changes) {
	lines := found.lines
	if len(lines) == 0 {
		lines = []string{"            nothing"}
	}
	fmt.Fprintf(c.stdout, "\n%s:\n%s\n", title, strings.Join(lines, "\n"))
}
