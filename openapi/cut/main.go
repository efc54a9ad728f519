// Command cut reads ngrok's OpenAPI document, in JSON or YAML, and writes the part of it that the named operations need, as
// YAML with sorted keys. "*" stands for all operations. It writes nothing unless the part is valid.
//
//	go run ./openapi/cut OPERATION… <ngrok.json >part.yaml
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/speakeasy-api/openapi/openapi"
	"go.yaml.in/yaml/v3"

	vendored "example.com/ngrokapi/openapi"
)

func main() {
	if err := cut(context.Background(), os.Stdin, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cut:", err)
		os.Exit(1)
	}
}

func cut(ctx context.Context, upstream io.Reader, part io.Writer, operations []string) error {
	data, err := io.ReadAll(upstream)
	if err != nil {
		return err
	}
	doc, _, err := openapi.Unmarshal(ctx, bytes.NewReader(escapedForYAML(data)), openapi.WithSkipValidation()) // the part is validated
	if err != nil {
		return err
	}
	if err := keep(ctx, doc, operations); err != nil {
		return err
	}
	var kept bytes.Buffer
	if err := openapi.Marshal(ctx, doc, &kept); err != nil {
		return err
	}
	sorted, err := sortKeys(kept.Bytes())
	if err != nil {
		return err
	}
	if _, err := vendored.Parse(sorted); err != nil {
		return err
	}
	_, err = part.Write(sorted)
	return err
}

// keep removes all that the operations do not need.
func keep(ctx context.Context, doc *openapi.OpenAPI, operations []string) error {
	var others []openapi.OperationIdentifier
	missing := slices.Clone(operations)
	for path, item := range doc.GetPaths().All() {
		if item.GetObject() == nil {
			return fmt.Errorf("the path %s is empty or a $ref", path)
		}
		for method, operation := range item.GetObject().All() {
			id := operation.GetOperationID()
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == id || name == "*" })
			if !slices.Contains(operations, id) && !slices.Contains(operations, "*") {
				others = append(others, openapi.OperationIdentifier{OperationID: id, Path: path, Method: string(method)})
			}
		}
	}
	if len(operations) == 0 || len(missing) > 0 {
		return fmt.Errorf("the document has no operation %q: if it is whole, look for its operationId there", missing)
	}
	if _, err := openapi.Snip(ctx, doc, others); err != nil {
		return err
	}
	// Extensions, such as x-go-name, give orders to the generator: those are for overlay.yaml.
	_, err := openapi.Sanitize(ctx, doc, &openapi.SanitizeOptions{KeepUnknownProperties: true})
	return err
}

// sortKeys returns a document in YAML whose bytes depend only on its content.
func sortKeys(document []byte) ([]byte, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(document, &node); err != nil {
		return nil, err
	}
	makeJSON(&node)
	var content any
	if err := node.Decode(&content); err != nil {
		return nil, err
	}
	var sorted bytes.Buffer
	encoder := yaml.NewEncoder(&sorted)
	encoder.SetIndent(2)
	if err := encoder.Encode(content); err != nil {
		return nil, err
	}
	return sorted.Bytes(), encoder.Close()
}

// makeJSON gives keys, such as 200, and dates without quotes the type that they have in JSON, which is string.
func makeJSON(node *yaml.Node) {
	for i, child := range node.Content {
		isKey := node.Kind == yaml.MappingNode && i%2 == 0 && child.ShortTag() != "!!merge"
		if isKey || child.ShortTag() == "!!timestamp" {
			child.Tag = "!!str"
		}
		makeJSON(child)
	}
}

// escapedForYAML returns JSON with the escapes that YAML has too: it has no pairs of them for one character. Other data is
// returned as it is.
func escapedForYAML(data []byte) []byte {
	var content any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&content); err != nil {
		return data
	}
	escaped, err := json.Marshal(content)
	if err != nil {
		return data
	}
	return escaped
}
