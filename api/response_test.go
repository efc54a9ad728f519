package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

func TestGate(t *testing.T) {
	const jsonType = "application/json"
	for _, test := range []struct {
		name        string
		status      int
		contentType string
		body        string
		want        string // in the error; empty for none
	}{
		{"JSON", 200, jsonType, session, ""},
		{"charset", 200, jsonType + "; charset=utf-8", session, ""},
		{"upper case and parameter", 200, "Application/JSON; Charset=UTF-8", session, ""},
		{"JSON by suffix", 200, "application/vnd.ngrok+JSON", session, ""},
		{"white space around the body", 200, jsonType, "\r\n " + session + "\n", ""},
		{"HTML", 200, "text/html", "<html>log in</html>", `"text/html"`},
		{"HTML as JSON", 200, jsonType, "<html>log in</html>", "not a JSON object"},
		{"JSON as HTML", 200, "text/html", session, `"text/html"`},
		{"media type like JSON", 200, "application/x-ndjson", session, "not JSON"},
		{"no content type", 200, "", session, "not JSON"},
		{"null", 200, jsonType, "null", "not a JSON object"},
		{"array", 200, jsonType, "[]", "not a JSON object"},
		{"string", 200, jsonType, `"x"`, "not a JSON object"},
		{"empty", 200, jsonType, "", "empty"},
		{"blank", 200, jsonType, " \n", "empty"},
		{"truncated", 200, jsonType, session[:9], "end of JSON"},
		{"trailing data", 200, jsonType, session + "{}", "after top-level value"},
		{"byte order mark", 200, jsonType, "\ufeff" + session, "not a JSON object"},
		{"wrong type", 200, jsonType, `{"id":7}`, "cannot unmarshal number"},
		{"wrong type within a reference", 200, jsonType, `{"credential":[]}`, "cannot unmarshal array"},
		{"created", 201, jsonType, session, "201 Created"},
		{"accepted", 202, jsonType, session, "202 Accepted"},
		{"no content", 204, "", "", "204 No Content"},
		{"moved", 301, "text/html", "", "301 Moved Permanently"},
		{"not modified", 304, "", "", "304 Not Modified"},
		{"status below 200", 199, jsonType, session, "199"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := once(t, answer(test.status, test.contentType, test.body))
			got, err := client.GetTunnelSession(t.Context(), "ts_1")
			rsp, rspErr := client.TunnelSessionsGetWithResponse(t.Context(), "ts_1")
			if test.want == "" {
				if err != nil || got == nil || got.ID != "ts_1" || got.Region != "eu" {
					t.Errorf("GetTunnelSession: got %+v, %v", got, err)
				}
				if rspErr != nil || rsp.JSON200 == nil || rsp.JSON200.ID != "ts_1" || string(rsp.Body) != test.body {
					t.Errorf("TunnelSessionsGetWithResponse: got %+v, %v", rsp, rspErr)
				}
				return
			}
			if got != nil || rsp != nil {
				t.Errorf("got %+v and %+v with an error", got, rsp)
			}
			var e *api.ResponseError
			if !errors.Is(err, api.ErrUnexpectedResponse) || !errors.As(err, &e) {
				t.Fatalf("GetTunnelSession: got %v, want a ResponseError that is ErrUnexpectedResponse", err)
			}
			if e.StatusCode != test.status || string(e.Body) != test.body || e.Attempts != 1 {
				t.Errorf("got status %d, body %q and %d attempts", e.StatusCode, e.Body, e.Attempts)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
			// What fits no type is for the generated parser to find, and its error.
			if wrongType := strings.HasPrefix(test.name, "wrong type"); rspErr == nil || errors.Is(rspErr, api.ErrUnexpectedResponse) == wrongType {
				t.Errorf("TunnelSessionsGetWithResponse: got %v", rspErr)
			}
		})
	}
}

func TestGateOfOtherMethods(t *testing.T) {
	for _, test := range []struct {
		name        string
		method      string
		status      int
		contentType string
		body        string
		ok          bool
	}{
		{"created", "POST", 201, "application/json", session, true},
		{"empty", "DELETE", 204, "", "", true},
		{"blank", "DELETE", 200, "text/plain", "\n", true},
		{"JSON of any kind", "PATCH", 200, "application/json", "[]", true},
		{"HTML", "POST", 200, "text/html", "<html>", false},
		{"no content type", "PUT", 200, "", session, false},
		{"truncated", "POST", 201, "application/json", session[:9], false},
		{"redirect", "POST", 303, "", "", false},
		{"HEAD", "HEAD", 200, "text/html", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), test.method, "https://api.test/things", nil)
			if err != nil {
				t.Fatal(err)
			}
			doer := &api.Doer{HTTPClient: answer(test.status, test.contentType, test.body)}
			rsp, err := doer.Do(req)
			if test.ok && (err != nil || rsp.StatusCode != test.status) {
				t.Errorf("got %v, %v, want the response", rsp, err)
			}
			if !test.ok && (rsp != nil || !errors.Is(err, api.ErrUnexpectedResponse)) {
				t.Errorf("got %v, %v, want ErrUnexpectedResponse", rsp, err)
			}
		})
	}
}

// A client that New did not make has no Doer, and no gate. What GetTunnelSession promises holds all the same.
func TestGetTunnelSessionWithoutDoer(t *testing.T) {
	for _, test := range []struct {
		name   string
		doer   doerFunc
		target error
	}{
		{"not found", answer(404, "application/json", `{"msg":"Resource not found"}`), api.ErrNotFound},
		{"HTML", answer(200, "text/html", "<html>"), api.ErrUnexpectedResponse},
		{"wrong type", answer(200, "application/json", `{"id":7}`), api.ErrUnexpectedResponse},
		{"wrong type, by a Doer without the context", func(r *http.Request) (*http.Response, error) {
			return (&api.Doer{HTTPClient: answer(200, "application/json", `{"id":7}`)}).Do(r.WithContext(context.Background()))
		}, api.ErrUnexpectedResponse},
		{"HTML, by a Doer that gets a copy", func(r *http.Request) (*http.Response, error) {
			return (&api.Doer{HTTPClient: answer(200, "text/html", "<html>")}).Do(r.Clone(r.Context()))
		}, api.ErrUnexpectedResponse},
		{"no request", func(*http.Request) (*http.Response, error) { return response(404, ""), nil }, api.ErrNotFound},
		{"session", answer(200, "application/json", session), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := api.NewClientWithResponses("https://api.test", api.WithHTTPClient(test.doer))
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.GetTunnelSession(t.Context(), "ts_1")
			if (got == nil) != (test.target != nil) || !errors.Is(err, test.target) {
				t.Errorf("got %v, %v, want %v", got, err, test.target)
			}
		})
	}
}
