package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/speakeasy-api/openapi/openapi"
	"go.yaml.in/yaml/v3"

	vendored "example.com/ngrokapi/openapi"
)

// selection says which operations of the upstream document a fragment keeps.
type selection struct {
	keep []string // what the vendored fragment has
	add  []string // what it is to have from now on
	all  bool     // whatever upstream has, besides
}

// cut returns the part of the upstream document, given as YAML or JSON, that chosen selects, and the names of the
// operations in it. The part holds the components that those operations need, and no others.
func cut(ctx context.Context, upstream []byte, chosen selection) (fragment []byte, operations []string, err error) {
	doc, err := parseUpstream(ctx, upstream)
	if err != nil {
		return nil, nil, fmt.Errorf("read the upstream document: %w", err)
	}
	found, err := index(doc)
	if err != nil {
		return nil, nil, fmt.Errorf("read the upstream document: %w", err)
	}
	wanted, err := chosen.from(found)
	if err != nil {
		return nil, nil, err
	}
	var unwanted []openapi.OperationIdentifier
	for _, each := range found {
		if slices.Contains(wanted, each.name) {
			operations = append(operations, each.name)
			continue
		}
		unwanted = append(unwanted, openapi.OperationIdentifier{Path: each.path, Method: each.method})
	}
	if _, err := openapi.Snip(ctx, doc, unwanted); err != nil {
		return nil, nil, fmt.Errorf("cut operations out of the upstream document: %w", err)
	}
	// Snip leaves components alone when no operation goes.
	if err := openapi.Clean(ctx, doc); err != nil {
		return nil, nil, fmt.Errorf("cut components out of the upstream document: %w", err)
	}
	var out bytes.Buffer
	if err := openapi.Marshal(ctx, doc, &out); err != nil {
		return nil, nil, fmt.Errorf("write the new fragment: %w", err)
	}
	fragment, err = normalize(out.Bytes())
	if err != nil {
		return nil, nil, fmt.Errorf("write the new fragment: %w", err)
	}
	if _, err := vendored.Parse(fragment); err != nil {
		return nil, nil, fmt.Errorf("check the new fragment: %w; nothing can be generated from it: tell upstream", err)
	}
	return fragment, operations, nil
}

func parseUpstream(ctx context.Context, data []byte) (*openapi.OpenAPI, error) {
	if isMarkup(data) {
		return nil, errors.New("it is a web page, not an OpenAPI document; check -upstream")
	}
	data, err := normalize(data)
	if err != nil {
		return nil, fmt.Errorf("%w; it is neither whole YAML nor JSON: check -upstream, or try again later", err)
	}
	var version struct {
		OpenAPI string `yaml:"openapi"`
	}
	if err := yaml.Unmarshal(data, &version); err != nil || !strings.HasPrefix(version.OpenAPI, "3.") {
		return nil, fmt.Errorf("it is not an OpenAPI 3 document, as its version is %q; check -upstream", version.OpenAPI)
	}
	// A document that was cut short is often still YAML, but refers to what it has lost, if not in the operations
	// to keep then in others.
	if _, err := openapi3.NewLoader().LoadFromData(data); err != nil {
		return nil, fmt.Errorf("%w; part of it is missing or wrong: check -upstream, or try again later", err)
	}
	// openapi.Parse of this module validates what is kept. What is not kept may be invalid.
	doc, _, err := openapi.Unmarshal(ctx, bytes.NewReader(data), openapi.WithSkipValidation())
	return doc, err
}

// operation is one operation of a document.
type operation struct {
	name         string // the operation ID, or the method and path of an operation that has none
	path, method string
}

func (o operation) String() string { return strings.ToUpper(o.method) + " " + o.path }

// index lists the operations of doc, in its order.
func index(doc *openapi.OpenAPI) ([]operation, error) {
	var found []operation
	for path, item := range doc.GetPaths().All() {
		if item.IsReference() {
			return nil, fmt.Errorf("path %s is a $ref, which operations can't be cut from; put what it refers to in its place", path)
		}
		for method, each := range item.GetObject().All() {
			next := operation{name: each.GetOperationID(), path: path, method: string(method)}
			if next.name == "" {
				next.name = next.String()
			}
			found = append(found, next)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("it has no operations; check -upstream")
	}
	return found, nil
}

// from returns the names of the operations to keep of those found.
func (s selection) from(found []operation) ([]string, error) {
	places := make(map[string][]string)
	for _, each := range found {
		places[each.name] = append(places[each.name], each.String())
	}
	var wanted []string
	var failures []error
	want := func(name string, missing error) {
		switch at := places[name]; len(at) {
		case 0:
			failures = append(failures, missing)
		case 1:
			wanted = append(wanted, name)
		default:
			failures = append(failures, fmt.Errorf("upstream has %d operations named %s: %s; a client can't have both, tell upstream",
				len(at), name, strings.Join(at, ", ")))
		}
	}
	for _, name := range s.keep {
		now := recase(name, found)
		switch {
		case now == "":
			want(name, fmt.Errorf("operation %s is gone from upstream; to do without it, delete it from %s and run again",
				name, vendoredFile))
		case now == name || !slices.Contains(s.add, now):
			want(name, fmt.Errorf("operation %s is gone from upstream, which has %s; to follow the new name, run again with -add %s",
				name, now, now))
		}
	}
	for _, name := range s.add {
		missing := fmt.Errorf("add operation %s: upstream has none of that name; look its operationId up there", name)
		if now := recase(name, found); now != "" {
			missing = fmt.Errorf("add operation %s: upstream has none of that name, but %s; run again with -add %s",
				name, now, now)
		}
		want(name, missing)
	}
	if s.all {
		for _, each := range found {
			want(each.name, nil)
		}
	}
	if len(wanted) == 0 && len(failures) == 0 {
		return nil, fmt.Errorf("keep operations: %s has none; name some with -add", vendoredFile)
	}
	return wanted, errors.Join(failures...)
}

// recase returns the name among those found that is name, or else one that differs from it in letter case only, or
// else "".
func recase(name string, found []operation) string {
	var now string
	for _, each := range found {
		if each.name == name {
			return name
		}
		if strings.EqualFold(each.name, name) {
			now = each.name
		}
	}
	return now
}
