package openapi

import (
	"errors"
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
      responses: {"200": {description: one}, "404": {description: none}, 4XX: {}, default: {}}
components:
  schemas:
    Thing:
      properties:
        owner: {$ref: '#/components/schemas/Ref', description: the owner}
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
      responses: {"200": {description: one}}
components:
  schemas:
    Thing:
      properties:
        owner: {description: the owner, allOf: [{$ref: '#/components/schemas/Ref'}]}
        sizes: {type: array, items: {type: integer}}
`
	overlay, err := loader.LoadOverlay("overlay.yaml")
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
	if err := errors.Join(document.Decode(&got), yaml.Unmarshal([]byte(after), &want)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}
