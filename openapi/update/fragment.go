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

	vendored "example.com/ngrokapi/openapi"
)

// everything stands for all operations where their names are listed.
const everything = "*"

// document is upstream's document.
type document struct {
	*openapi.OpenAPI
	operations []openapi.OperationIdentifier
}

// readDocument reads upstream's document, given as YAML or JSON.
func readDocument(ctx context.Context, data []byte) (*document, error) {
	content, err := parse(data)
	if err != nil {
		return nil, err
	}
	plain, err := format(content)
	if err != nil {
		return nil, err
	}
	// A document that was cut short is often still YAML, but has references to parts that are missing.
	if _, err := openapi3.NewLoader().LoadFromData(plain); err != nil {
		return nil, fmt.Errorf("part of it is missing or wrong: %w", err)
	}
	// What is kept is validated later. What is not may be invalid.
	all, _, err := openapi.Unmarshal(ctx, bytes.NewReader(plain), openapi.WithSkipValidation())
	if err != nil {
		return nil, err
	}
	doc := &document{OpenAPI: all}
	for path, item := range all.GetPaths().All() {
		if !item.IsReference() && item.GetObject() == nil {
			return nil, fmt.Errorf("path %s is empty", path)
		}
		if item.IsReference() {
			return nil, fmt.Errorf("path %s is a $ref, from which no operation can be cut", path)
		}
		for method, each := range item.GetObject().All() {
			doc.operations = append(doc.operations,
				openapi.OperationIdentifier{OperationID: each.GetOperationID(), Path: path, Method: string(method)})
		}
	}
	if len(doc.operations) == 0 {
		return nil, errors.New("it has no operations")
	}
	return doc, nil
}

// choose returns the names of the operations to keep: those that were kept and those to add, or everything. A name to
// add replaces one that differs in letter case only.
func (d *document) choose(o options, keep []string) ([]string, error) {
	if o.all {
		keep = []string{everything}
	}
	var chosen, renamed []string
	var problems []error
	for _, name := range slices.Concat(keep, o.add) {
		switch found := d.find(name); {
		case name == everything || found == name:
			chosen = append(chosen, name)
		case found == "" && slices.Contains(o.add, name):
			problems = append(problems, fmt.Errorf("upstream has no operation %s to add; look its operationId up there", name))
		case found == "":
			problems = append(problems, fmt.Errorf("upstream has no operation %s; if the document is whole, take it out of the line Operations"+
				" in %s and run %s", name, fragmentFile, o.makeCommand()))
		case !slices.Contains(o.add, found):
			renamed = append(renamed, found)
			problems = append(problems, fmt.Errorf("upstream has no operation %s, but %s", name, found))
		}
	}
	if len(renamed) > 0 {
		problems = append(problems, fmt.Errorf("to keep the operations of other names, run %s", o.makeCommand(renamed...)))
	}
	if slices.Contains(chosen, everything) {
		chosen = []string{everything}
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), errors.Join(problems...)
}

// find returns the operation ID that is name, or else one that differs from it in letter case only, or else "".
func (d *document) find(name string) string {
	var similar string
	for _, each := range d.operations {
		if each.OperationID == name {
			return name
		}
		if strings.EqualFold(each.OperationID, name) {
			similar = each.OperationID
		}
	}
	return similar
}

// cut returns the part of the document that the named operations need, in the form of this command.
func (d *document) cut(ctx context.Context, names []string) ([]byte, error) {
	var remove []openapi.OperationIdentifier
	for _, each := range d.operations {
		if !slices.Contains(names, everything) && !slices.Contains(names, each.OperationID) {
			remove = append(remove, each)
		}
	}
	if _, err := openapi.Snip(ctx, d.OpenAPI, remove); err != nil {
		return nil, err
	}
	// Extensions, such as x-go-name, give orders to the generator: those are for overlay.yaml. Snip leaves unused
	// components where they are when no operation goes.
	if _, err := openapi.Sanitize(ctx, d.OpenAPI, &openapi.SanitizeOptions{KeepUnknownProperties: true}); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := openapi.Marshal(ctx, d.OpenAPI, &out); err != nil {
		return nil, err
	}
	content, err := parse(out.Bytes())
	if err != nil {
		return nil, err
	}
	fragment, err := format(content)
	if err != nil {
		return nil, err
	}
	if _, err := vendored.Parse(fragment); err != nil {
		return nil, fmt.Errorf("%w; no client can be generated from it, so tell upstream", err)
	}
	return fragment, nil
}
