package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

const inYAML = `
x-owner: ngrok
openapi: 3.0.0
info: {version: 2026-01-02, title: "cut \U0001F600 <here>"}
paths:
  /a:
    get:
      operationId: AGet
      x-go-name: Other
      responses:
        200: {description: an A, content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}}
  /b:
    get:
      operationId: BGet
      responses:
        200: {description: a B, content: {application/json: {schema: {$ref: "#/components/schemas/B"}}}}
components:
  schemas:
    B: {type: string}
    A: {<<: {type: integer}, default: 9007199254740993, description: "null"}
    Last:
      description: nothing needs it
`

const inJSON = `{"info":{"title":"cut \ud83d\ude00 <here>","version":"2026-01-02"},"openapi":"3.0.0","paths":{
"/b":{"get":{"operationId":"BGet","responses":{"200":{
	"description":"a B","content":{"application/json":{"schema":{"$ref":"#/components/schemas/B"}}}}}}},
"/a":{"get":{"x-go-name":"Other","operationId":"AGet","responses":{"200":{
	"description":"an A","content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}}},
"components":{"schemas":{
	"A":{"type":"integer","default":9007199254740993,"description":"null"},
	"Last":{"description":"nothing needs it"},
	"B":{"type":"string"}}}}`

const onlyA = `components:
  schemas:
    A:
      default: 9007199254740993
      description: "null"
      type: integer
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
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/A'
          description: an A
`

func TestCut(t *testing.T) {
	for name, document := range map[string]string{"YAML": inYAML, "JSON": inJSON} {
		got, err := cut(t.Context(), []byte(document), []string{"AGet"})
		if err != nil || string(got) != onlyA {
			t.Errorf("%s: got %v\n%s\nwant\n%s", name, err, got, onlyA)
		}
	}
	all, err := cut(t.Context(), []byte(inYAML), []string{"*"})
	both, err2 := cut(t.Context(), []byte(inJSON), []string{"BGet", "AGet"})
	if err != nil || err2 != nil || !bytes.Equal(all, both) || !strings.Contains(string(all), "BGet") {
		t.Errorf("got %v, %v\n%s\nand\n%s", err, err2, all, both)
	}
}

func TestCutRefuses(t *testing.T) {
	for _, test := range []struct{ name, document, operations, says string }{
		{"operation that is not there", inYAML, "AGet Nope", "no operation Nope"},
		{"no operations", "openapi: 3.0.0\n", "*", "no operations"},
		{"JSON that is cut short", inJSON[:len(inJSON)-40], "AGet", "cut short"},
		{"more behind JSON", inJSON + "}\n", "AGet", "cut short"},
		{"YAML that is cut short", inYAML[:len(inYAML)-3], "AGet", "cut short"},
		{"YAML that lacks a schema", strings.Split(inYAML, "    A:")[0], "AGet", "schemas/A"},
		{"nothing", "", "AGet", "no OpenAPI 3 document"},
		{"HTML", "<html>", "AGet", "no OpenAPI 3 document"},
		{"Swagger", `{"swagger":"2.0"}`, "AGet", "no OpenAPI 3 document"},
	} {
		got, err := cut(t.Context(), []byte(test.document), strings.Fields(test.operations))
		if got != nil || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want an error that says %q\n%s", test.name, err, test.says, got)
		}
	}
}

// Cut out of itself, the vendored document is the same.
func TestCutAgain(t *testing.T) {
	vendored, err := os.ReadFile("../ngrok.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := cut(t.Context(), vendored, []string{"*"})
	if err != nil || !bytes.HasSuffix(vendored, append([]byte("\n"), got...)) {
		t.Errorf("got %v\n%s", err, got)
	}
}
