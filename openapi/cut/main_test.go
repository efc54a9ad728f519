package main

import (
	"os"
	"strings"
	"testing"
)

const inYAML = `
openapi: 3.0.0
x-owner: ngrok
info: {version: 2026-01-02, title: "cut \U0001F600 <here>"}
paths:
  /a: {get: {operationId: AGet, x-go-name: X, responses: {200: {$ref: "#/components/responses/A"}}}}
  /b: {get: {operationId: BGet, responses: {200: {$ref: "#/components/responses/B"}}}}
components:
  responses:
    B: {description: a B}
    A: {<<: {description: an A}, headers: {N: {schema: {default: 9007199254740993}}}}
    C:
      description: nothing needs it
`

const inJSON = `{"paths":{
"/b":{"get":{"operationId":"BGet","responses":{"200":{"$ref":"#/components/responses/B"}}}},
"/a":{"get":{"operationId":"AGet","responses":{"200":{"$ref":"#/components/responses/A"}}}}},
"components":{"responses":{"B":{"description":"a B"},
"A":{"headers":{"N":{"schema":{"default":9007199254740993}}},"description":"an A"}}},
"info":{"title":"cut \ud83d\ude00 <here>","version":"2026-01-02"},"openapi":"3.0.0"}`

const onlyA = `components:
  responses:
    A:
      description: an A
      headers:
        "N":
          schema:
            default: 9007199254740993
info:
  title: "cut \U0001F600 <here>"
  version: "2026-01-02"
openapi: 3.0.0
paths:
  /a:
    get:
      operationId: AGet
      responses:
        "200":
          $ref: '#/components/responses/A'
`

func TestCut(t *testing.T) {
	vendored, err := os.ReadFile("../ngrok.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, fragment, _ := strings.Cut(string(vendored), "\ncomponents:")
	for _, test := range []struct{ name, document, operations, want, says string }{
		{"YAML", inYAML, "AGet", onlyA, ""},
		{"JSON", inJSON, "AGet", onlyA, ""},
		{"JSON with a byte order mark", "\ufeff" + inJSON, "AGet", onlyA, ""},
		{"fragment, which stays the same", string(vendored), "*", "components:" + fragment, ""},
		{"operation that is not there", inYAML, "AGet Nope", "", "no operation Nope"},
		{"no operations", "openapi: 3.0.0\n", "*", "", "no operations"},
		{"JSON that is cut short", inJSON[:len(inJSON)-40], "AGet", "", "cut short"},
		{"data after JSON", inJSON + "}\n", "AGet", "", "cut short"},
		{"YAML that is cut short", inYAML[:len(inYAML)-3], "AGet", "", "cut short"},
		{"YAML without a response that is needed", strings.Split(inYAML, "    A:")[0], "AGet", "", "responses/A"},
		{"UTF-16", "\xff\xfe{\x00}\x00\n\x00", "AGet", "", "UTF-16"},
		{"UTF-16, high bytes first", "\xfe\xff\x00{\x00}\x00\n", "AGet", "", "UTF-16"},
		{"YAML with a key twice", "openapi: 3.0.0\nopenapi: 3.0.0\n", "AGet", "", "already defined"},
		{"path without operations", "openapi: 3.0.0\npaths: {/a: null}\n", "AGet", "", "is empty"},
		{"nothing", "", "AGet", "", "not an OpenAPI 3 document"},
		{"HTML", "<html>", "AGet", "", "not an OpenAPI 3 document"},
		{"Swagger", `{"swagger":"2.0"}`, "AGet", "", "not an OpenAPI 3 document"},
	} {
		got, err := cut(t.Context(), strings.NewReader(test.document), strings.Fields(test.operations))
		if string(got) != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want an error that says %q", test.name, err, test.says)
		}
	}
}
