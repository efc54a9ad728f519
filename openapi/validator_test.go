package openapi_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/ngrokapi/openapi"
)

func request(method, url string, header ...string) *http.Request {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

func validator(t *testing.T) *openapi.Validator {
	t.Helper()
	// A document of the tests' own: what is vendored changes with upstream.
	data, err := os.ReadFile(filepath.Join("testdata", "sessions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := openapi.NewValidator(doc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// check fails the test unless err is nil where want is empty, and otherwise has want in its text.
func check(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got error %v, want none", err)
	case want != "" && err == nil:
		t.Errorf("got no error, want one with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("got error %v, want one with %q", err, want)
	}
}

func TestValidatorRequest(t *testing.T) {
	const key, path = "Bearer k_1", "http://127.0.0.1:8080/tunnel_sessions/"
	for _, test := range []struct {
		name string
		req  *http.Request
		want string // in the error; empty for none
	}{
		{"conforms", request("GET", path+"ts_1", "Authorization", key, "Ngrok-Version", "2"), ""},
		{"escaped slash in the ID", request("GET", path+"a%2Fb", "Authorization", key, "Ngrok-Version", "2"), ""},
		{"no version", request("GET", path+"ts_1", "Authorization", key), "ngrok-version"},
		{"version not a number", request("GET", path+"ts_1", "Authorization", key, "Ngrok-Version", "two"), "ngrok-version"},
		{"no credential", request("GET", path+"ts_1", "Ngrok-Version", "2"), "bearer token"},
		{"empty credential", request("GET", path+"ts_1", "Authorization", "Bearer ", "Ngrok-Version", "2"), "bearer token"},
		{"other scheme", request("GET", path+"ts_1", "Authorization", "Basic eA==", "Ngrok-Version", "2"), "bearer token"},
		{"no ID", request("GET", path, "Authorization", key, "Ngrok-Version", "2"), "no matching operation"},
		{"unknown path", request("GET", "http://127.0.0.1/nothing", "Authorization", key, "Ngrok-Version", "2"), "no matching operation"},
		{"method", request("TRACE", path+"ts_1", "Authorization", key, "Ngrok-Version", "2"), "method not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, validator(t).Request(test.req), test.want)
		})
	}
}

func TestValidatorResponse(t *testing.T) {
	const json = "application/json"
	for _, test := range []struct {
		name        string
		status      int
		contentType string
		body        string
		want        string // in the error; empty for none
	}{
		{"conforms", 200, json, `{"id":"ts_1","credential":{"id":"cr_1"}}`, ""},
		{"charset", 200, json + "; charset=utf-8", `{"id":"ts_1"}`, ""},
		{"fields that the document does not have", 200, json, `{"id":"ts_1","new":1}`, ""},
		{"wrong type", 200, json, `{"id":"ts_1","region":7}`, "/region"},
		{"wrong type within a reference", 200, json, `{"credential":{"id":7}}`, "/credential/id"},
		{"array", 200, json, `[]`, "object"},
		{"null", 200, json, `null`, "null"},
		{"empty", 200, json, ``, "EOF"},
		{"HTML", 200, "text/html", `<p>`, "Content-Type"},
		{"undefined status", 404, json, `{}`, "404"},
		{"undefined status of success", 202, json, `{"id":"ts_1"}`, "202"},
		{"undefined redirect", 301, json, `{}`, "301"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := request("GET", "http://127.0.0.1/tunnel_sessions/ts_1")
			header := http.Header{"Content-Type": {test.contentType}}
			check(t, validator(t).Response(req, test.status, header, []byte(test.body)), test.want)
		})
	}
}
