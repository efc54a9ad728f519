// Package openapi has the fragment of ngrok's OpenAPI document from which the client is generated,
// for the tests and tools of this module. It may change in any release. Package api does not import
// it.
package openapi

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed ngrok.yaml
var document []byte

// refSiblings lets the document describe a property beside the $ref to its type, which OpenAPI 3.0
// does not.
var refSiblings = openapi3.AllowExtraSiblingFields("description")

// Load parses the fragment, without the changes of overlay.yaml. Each call returns a new document,
// which the caller may change.
func Load() (*openapi3.T, error) {
	return Parse(document)
}

// Parse parses an OpenAPI 3 document in YAML or JSON, resolves its references, and validates it. It
// adds to ngrok's schemas the facts that only descriptions have. A reference to another document is
// an error.
func Parse(data []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("load the OpenAPI document: %w", err)
	}
	err = doc.WalkSchemas(func(_ string, schema *openapi3.SchemaRef) error {
		complete(schema.Value, doc.IsOpenAPI31OrLater())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("complete the OpenAPI document: %w", err)
	}
	if err := doc.Validate(context.Background(), refSiblings); err != nil {
		return nil, fmt.Errorf("validate the OpenAPI document: %w", err)
	}
	return doc, nil
}

// complete adds to a schema what ngrok's document lacks. Since OpenAPI 3.1, null is a type.
func complete(schema *openapi3.Schema, nullIsType bool) {
	// The URI is null on the last page, as its description says.
	if next := schema.Properties["next_page_uri"]; next != nil {
		if nullIsType {
			next.Value.Type = &openapi3.Types{openapi3.TypeString, openapi3.TypeNull}
		} else {
			next.Value.Nullable = true
		}
	}
	// Some arrays have no items, which is invalid before OpenAPI 3.1. They can hold anything.
	if schema.Type.Is(openapi3.TypeArray) && schema.Items == nil {
		schema.Items = openapi3.NewSchemaRef("", openapi3.NewSchema())
	}
}
