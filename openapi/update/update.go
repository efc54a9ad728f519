package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	vendored "example.com/ngrokapi/openapi"
	"example.com/ngrokapi/openapi/internal/tool"
)

const (
	vendoredFile = "openapi/ngrok.yaml"
	clientFile   = "api/client.gen.go"
)

// updater brings the vendored fragment of one module up to date.
type updater struct {
	root   string // the module's folder
	source source
	today  func() string // the date, as in 2006-01-02
}

// request is what the command line asks for.
type request struct {
	upstream string   // "" for the URL in the fragment's header
	add      []string // operations to keep from now on
	all      bool     // to keep every operation
}

// change is what a request makes of the vendored fragment.
type change struct {
	before, after []byte   // the file
	operations    []string // in after
	added         []string // of those, the ones not in before
	differs       bool     // whether after means something else than before
}

// prepare works out what the request changes. It writes nothing.
func (u updater) prepare(ctx context.Context, asked request) (change, error) {
	before, err := os.ReadFile(u.path(vendoredFile))
	if err != nil {
		return change{}, fmt.Errorf("read the vendored fragment: %w; run this in the folder of go.mod", err)
	}
	header, document := splitHeader(before)
	keep, err := operationsOf(document)
	if err != nil {
		return change{}, fmt.Errorf("read the operations of %s: %w; repair it, or take it from an earlier commit",
			vendoredFile, err)
	}
	location := asked.upstream
	if location == "" {
		location = headerSource(header)
	}
	if location == "" {
		return change{}, fmt.Errorf("find upstream: the header of %s has no Source; pass -upstream", vendoredFile)
	}
	data, err := u.source.read(ctx, location)
	if err != nil {
		return change{}, err
	}
	fragment, operations, err := cut(ctx, data, selection{keep: keep, add: asked.add, all: asked.all})
	if err != nil {
		return change{}, err
	}
	differs, err := differ(document, fragment)
	if err != nil {
		return change{}, fmt.Errorf("compare %s with upstream: %w", vendoredFile, err)
	}
	header = stampHeader(header, u.today(), fmt.Sprintf("%x", sha256.Sum256(data)))
	return change{
		before:     before,
		after:      append([]byte(header), fragment...),
		operations: operations,
		added:      slices.DeleteFunc(slices.Clone(operations), func(name string) bool { return slices.Contains(keep, name) }),
		differs:    differs,
	}, nil
}

// write puts the change into the module.
func (u updater) write(c change) error {
	return tool.ReplaceFile(u.path(vendoredFile), c.after)
}

func (u updater) path(name string) string {
	return filepath.Join(u.root, filepath.FromSlash(name))
}

// summary says in one line what the change is.
func (c change) summary() string {
	if !c.differs {
		return vendoredFile + ": no change, upstream means the same"
	}
	line := fmt.Sprintf("%s: changed, %s", vendoredFile, tool.Count(len(c.operations), "operation"))
	switch added := len(c.added); {
	case added > 10:
		line += fmt.Sprintf(" (%d new)", added)
	case added > 0:
		line += fmt.Sprintf(" (new: %s)", strings.Join(c.added, ", "))
	}
	return line
}

// operationsOf names the operations of an OpenAPI document, in no particular order.
func operationsOf(document []byte) ([]string, error) {
	doc, err := vendored.Parse(document)
	if err != nil {
		return nil, err
	}
	var names []string
	for path, item := range doc.Paths.Map() {
		for method, each := range item.Operations() {
			name := each.OperationID
			if name == "" {
				name = operation{path: path, method: method}.String()
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// differ reports whether two documents mean different things.
func differ(a, b []byte) (bool, error) {
	first, err := meaning(a)
	if err != nil {
		return false, err
	}
	second, err := meaning(b)
	if err != nil {
		return false, err
	}
	return !reflect.DeepEqual(first, second), nil
}
