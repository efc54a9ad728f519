// Cut reads ngrok's OpenAPI document, in JSON or YAML, and writes the fragment that some operations
// need, as YAML with sorted keys:
//
//	go run ./openapi/cut "TunnelSessionsGet, TunnelSessionsList" <ngrok.json >fragment.yaml
//
// "*" stands for all operations. Cut writes nothing unless the fragment is valid.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/speakeasy-api/openapi/openapi"
	"go.yaml.in/yaml/v3"

	vendored "example.com/ngrokapi/openapi"
)

func main() {
	operations := strings.Fields(strings.ReplaceAll(strings.Join(os.Args[1:], " "), ",", " "))
	fragment, err := cut(context.Background(), os.Stdin, operations)
	if err == nil {
		_, err = os.Stdout.Write(fragment)
	}
	if err != nil {
		// Errors of parsers and validators can have many lines.
		fmt.Fprintln(os.Stderr, "cut:", strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(1)
	}
}

// cut returns the fragment of a document that the operations need.
func cut(ctx context.Context, upstream io.Reader, operations []string) ([]byte, error) {
	document, err := io.ReadAll(upstream)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	// PowerShell writes UTF-16, or a byte order mark, which JSON does not have.
	document = bytes.TrimPrefix(document, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(document, []byte("\xff\xfe")) || bytes.HasPrefix(document, []byte("\xfe\xff")) {
		return nil, errors.New("the document is UTF-16: save it as UTF-8")
	}
	document, isJSON := escapedForYAML(document)
	whole, err := normalize(document)
	if err != nil {
		return nil, fmt.Errorf("the document is not YAML or JSON, or is cut short: get it again: %w", err)
	}
	// Only the fragment is validated: ngrok's mistakes elsewhere do not matter.
	doc, _, err := openapi.Unmarshal(ctx, bytes.NewReader(whole), openapi.WithSkipValidation())
	if err != nil || !strings.HasPrefix(doc.OpenAPI, "3.") {
		return nil, errors.New("this is not an OpenAPI 3 document: name ngrok's with UPSTREAM, or in the header's Source")
	}
	if !isJSON && !bytes.HasSuffix(document, []byte("\n")) {
		return nil, errors.New("the document is cut short within its last line: get it again")
	}
	if err := keep(ctx, doc, operations); err != nil {
		return nil, err
	}
	var fragment bytes.Buffer
	if err := openapi.Marshal(ctx, doc, &fragment); err != nil {
		return nil, fmt.Errorf("write the fragment: %w", err)
	}
	if _, err := vendored.Parse(fragment.Bytes()); err != nil {
		return nil, fmt.Errorf("the fragment is invalid: get the whole document, or report this to ngrok: %w", err)
	}
	return fragment.Bytes(), nil
}

// keep removes everything that the operations do not need.
func keep(ctx context.Context, doc *openapi.OpenAPI, operations []string) error {
	all := slices.Contains(operations, "*")
	var found []string
	var others []openapi.OperationIdentifier
	for path, ref := range doc.GetPaths().All() {
		item := ref.GetObject()
		if item == nil {
			return fmt.Errorf("the path %s is empty, or a $ref, which is not supported", path)
		}
		for method, operation := range item.All() {
			id := operation.GetOperationID()
			if all || slices.Contains(operations, id) {
				found = append(found, id)
				continue
			}
			others = append(others, openapi.OperationIdentifier{Path: path, Method: string(method)})
		}
	}
	for _, id := range operations {
		if id != "*" && !slices.Contains(found, id) {
			return fmt.Errorf("the document has no operation %s: correct it in ADD or the header's Operations", id)
		}
	}
	if len(found) == 0 {
		return errors.New("the document has no operations: get the whole document")
	}
	if _, err := openapi.Snip(ctx, doc, others); err != nil {
		return fmt.Errorf("remove other operations: %w", err)
	}
	// Extensions, such as x-go-name, would instruct the generator. Ours are in overlay.yaml.
	if _, err := openapi.Sanitize(ctx, doc, &openapi.SanitizeOptions{KeepUnknownProperties: true}); err != nil {
		return fmt.Errorf("remove extensions: %w", err)
	}
	return nil
}

// normalize returns a document as YAML whose bytes depend only on its content.
func normalize(document []byte) ([]byte, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(document, &node); err != nil {
		return nil, err
	}
	makeStrings(&node)
	var content any
	if err := node.Decode(&content); err != nil {
		return nil, err
	}
	var normal bytes.Buffer
	encoder := yaml.NewEncoder(&normal)
	encoder.SetIndent(2)
	if err := encoder.Encode(content); err != nil { // sorts keys
		return nil, err
	}
	return normal.Bytes(), encoder.Close()
}

// makeStrings turns keys, such as 200, and dates into strings. In JSON they are strings; in YAML
// they have other types unless they are quoted.
func makeStrings(node *yaml.Node) {
	for i, child := range node.Content {
		isKey := node.Kind == yaml.MappingNode && i%2 == 0 && child.ShortTag() != "!!merge"
		if isKey || child.ShortTag() == "!!timestamp" {
			child.Tag = "!!str"
		}
		makeStrings(child)
	}
}

// escapedForYAML returns JSON without surrogate pairs, the escapes of an emoji, which YAML does not
// have. It returns other data as it is, and false.
func escapedForYAML(data []byte) (escaped []byte, isJSON bool) {
	var content any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // keeps numbers as written
	if !json.Valid(data) || decoder.Decode(&content) != nil {
		return data, false
	}
	escaped, err := json.Marshal(content)
	if err != nil {
		return data, false
	}
	return escaped, true
}
