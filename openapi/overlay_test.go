package openapi

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	"github.com/speakeasy-api/openapi/overlay/loader"
	"gopkg.in/yaml.v3"
)

// The generator applies the overlay in the same way.
func TestOverlay(t *testing.T) {
	const before = `
paths:
  /things/{id}:
    get:
      parameters:
        - $ref: '#/components/parameters/ngrokVersion'
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: plan, in: query, schema: {type: string, nullable: true, enum: [free, paid, null]}}
        - {name: ids, in: query, required: true, schema: {type: array}}
      responses:
        "200": {description: a thing}
        "404": {description: none}
        4XX: {description: an error}
        default: {description: anything else}
components:
  schemas:
    Thing:
      properties:
        owner: {$ref: '#/components/schemas/Ref', description: the owner}
        scopes: {type: array, description: what it may do}
        sizes: {type: array, items: {type: integer}}
`
	const after = `
paths:
  /things/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, x-go-type: PathParam}}
        - name: plan
          in: query
          schema: {type: string, nullable: true, enum: [free, paid]}
          x-go-type-skip-optional-pointer: false
        - {name: ids, in: query, required: true, schema: {type: array, items: {type: string}}}
      responses:
        "200": {description: a thing}
components:
  schemas:
    Thing:
      properties:
        owner: {description: the owner, allOf: [{$ref: '#/components/schemas/Ref'}]}
        scopes: {type: array, description: what it may do, items: {type: string}}
        sizes: {type: array, items: {type: integer}}
`
	data, err := os.ReadFile("overlay.yaml")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := loader.LoadOverlayFromReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(before), &document); err != nil {
		t.Fatal(err)
	}
	if err := overlay.ApplyTo(&document); err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := document.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(after), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		text, _ := yaml.Marshal(got)
		t.Errorf("got\n%s", text)
	}
}
