package main

import (
	"bytes"
	"context"
	"fmt"
	"go/version"
	"io"
	"os"
	"path/filepath"

	"example.com/ngrokapi/openapi/internal/tool"
)

// promised are the packages that callers import.
var promised = []string{"api", "api/ngroktest"}

// difference is what changed since a release.
type difference struct {
	otherPath string // the module path then, if it was another one: nothing else is compared
	changes   tool.Changes
}

// changes shows and returns what changed since the release tag.
func (c command) changes(ctx context.Context, apidiff, tag string, now mod) (difference, error) {
	scratch, err := os.MkdirTemp("", "ngrokapi-release-")
	if err != nil {
		return difference{}, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	then := filepath.Join(scratch, "then")
	if err := os.Mkdir(then, 0o755); err != nil {
		return difference{}, err
	}
	if err := checkOut(ctx, c.root, tag, then); err != nil {
		return difference{}, err
	}
	before, err := readModule(then)
	if err != nil {
		return difference{}, fmt.Errorf("look at %s: %w", tag, err)
	}
	if err := c.print("last release: " + tag); err != nil {
		return difference{}, err
	}
	if before.path != now.path {
		return difference{otherPath: before.path}, nil
	}
	var all tool.Changes
	for _, name := range promised {
		found, err := c.comparePackage(ctx, apidiff, comparison{
			then: then, path: now.path + "/" + name, folder: filepath.FromSlash(name), export: filepath.Join(scratch, "export"),
		})
		if err != nil {
			return difference{}, fmt.Errorf("compare package %s with %s: %w", name, tag, err)
		}
		if err := c.print(found.Section("for Go callers of " + name + " (apidiff)")...); err != nil {
			return difference{}, err
		}
		all.Lines = append(all.Lines, found.Lines...)
		all.Breaking += found.Breaking
	}
	if version.Compare("go"+before.goVersion, "go"+now.goVersion) < 0 {
		var needs tool.Changes
		needs.Add(false, fmt.Sprintf("go.mod needs Go %s, and needed %s", now.goVersion, before.goVersion))
		if err := c.print(needs.Section("for all callers")...); err != nil {
			return difference{}, err
		}
		all.Lines = append(all.Lines, needs.Lines...)
	}
	return difference{changes: all}, nil
}

// comparison is of one package in two folders.
type comparison struct {
	then   string // the other module folder
	path   string // the import path
	folder string // within the module
	export string // a file for notes
}

func (c command) comparePackage(ctx context.Context, apidiff string, of comparison) (tool.Changes, error) {
	was, is := hasFolder(of.then, of.folder), hasFolder(c.root, of.folder)
	var found tool.Changes
	switch {
	case was && is:
		if err := c.run(ctx, of.then, io.Discard, "run", apidiff, "-w", of.export, of.path); err != nil {
			return found, err
		}
		var report bytes.Buffer
		if err := c.run(ctx, c.root, &report, "run", apidiff, of.export, of.path); err != nil {
			return found, err
		}
		return tool.ParseCallers(report.String()), nil
	case is:
		found.Add(false, "package added")
	case was:
		found.Add(true, "package removed")
	}
	return found, nil
}

func hasFolder(root, folder string) bool {
	info, err := os.Stat(filepath.Join(root, folder))
	return err == nil && info.IsDir()
}
