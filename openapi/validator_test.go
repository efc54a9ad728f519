package openapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const small = `
openapi: VERSION
info: {title: small, version: 1.0.0}
servers: [{url: "https://api.test"}]
security: [{authentication: []}]
paths:
  /things/{id}:
    get:
      parameters:
        - {name: ngrok-version, in: header, required: true, schema: {type: integer}}
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        200: {description: a thing, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
        4XX: {description: an error, content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
components:
  schemas:
    Thing: {type: object, properties: {id: {type: string}, next_page_uri: {type: string}, list: {type: array}}}
    Error: {type: object, required: [msg], properties: {msg: {type: string}}}
  securitySchemes:
    authentication: {type: http, scheme: bearer}
`

// The fake and the tests of the client rely on the validator, which must not accept everything.
func TestValidatorFindsViolations(t *testing.T) {
	for _, version := range []string{"3.0.0", "3.1.0", "3.2.0"} {
		doc, err := Parse([]byte(strings.Replace(small, "VERSION", version, 1)))
		if err != nil {
			t.Fatal(err)
		}
		v, err := NewValidator(doc)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("responses in "+version, func(t *testing.T) { testResponses(t, v) })
		t.Run("requests in "+version, func(t *testing.T) { testRequests(t, v) })
	}
}

func testResponses(t *testing.T, v *Validator) {
	req := httptest.NewRequest("GET", "/things/t_1", nil)
	for _, test := range []struct {
		name, contentType, body string
		status                  int
		says                    string // the error; empty for none
	}{
		{"thing", "application/json", `{"id":"t_1"}`, 200, ""},
		{"field that the document lacks", "application/json", `{"more":1}`, 200, ""},
		{"last page", "application/json", `{"next_page_uri":null}`, 200, ""},
		{"array without items", "application/json", `{"list":["a",1]}`, 200, ""},
		{"null for a string", "application/json", `{"id":null}`, 200, "/id"},
		{"number for a string", "application/json", `{"id":1}`, 200, "/id"},
		{"other content type", "text/html", `{}`, 200, "text/html"},
		{"error", "application/json", `{"msg":"x"}`, 404, ""},
		{"error without a message", "application/json", `{}`, 404, "msg"},
		{"status that is not defined", "application/json", `{}`, 201, "status 201"},
		{"redirect, which kin-openapi accepts", "application/json", `{}`, 301, "status 301"},
	} {
		err := v.Response(req, test.status, http.Header{"Content-Type": {test.contentType}}, []byte(test.body))
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want an error that says %q", test.name, err, test.says)
		}
	}
}

func testRequests(t *testing.T, v *Validator) {
	for _, test := range []struct {
		name, method, path, authorization, version string
		valid                                      bool
	}{
		{"request", "GET", "/things/t_1", "Bearer k", "2", true},
		{"no version", "GET", "/things/t_1", "Bearer k", "", false},
		{"no key", "GET", "/things/t_1", "", "2", false},
		{"empty key", "GET", "/things/t_1", "Bearer ", "2", false},
		{"other scheme", "GET", "/things/t_1", "Basic eA==", "2", false},
		{"unknown path", "GET", "/nothing", "Bearer k", "2", false},
	} {
		req := httptest.NewRequest(test.method, test.path, nil)
		req.Header = http.Header{"Authorization": {test.authorization}, "Ngrok-Version": {test.version}}
		if err := v.Request(req); (err == nil) != test.valid {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}
