package api_test

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

func TestGate(t *testing.T) {
	const jsonType = "application/json"
	for _, test := range []struct {
		name        string
		method      string
		status      int
		contentType string
		body        string
		want        string // in the error; empty for none
	}{
		{"JSON", "GET", 200, jsonType, session, ""},
		{"upper case and parameter", "GET", 200, "Application/JSON ; Charset=UTF-8", session, ""},
		{"JSON by suffix", "GET", 200, "application/vnd.ngrok+JSON", session, ""},
		{"white space around the body", "GET", 200, jsonType, "\r\n " + session + "\n", ""},
		{"created", "POST", 201, jsonType, session, ""},
		{"commanded", "POST", 204, "", "", ""},
		{"changed", "PATCH", 200, jsonType, session, ""},
		{"replaced", "PUT", 200, jsonType, session, ""},
		{"deleted", "DELETE", 204, "", "", ""},
		{"HEAD", "HEAD", 200, "text/html", "", ""},

		{"HTML as JSON", "GET", 200, jsonType, "<html>log in</html>", "not a JSON object"},
		{"JSON as HTML", "GET", 200, "text/html", session, `"text/html"`},
		{"media type like JSON", "GET", 200, "application/x-ndjson", session, "not JSON"},
		{"no content type", "GET", 200, "", session, "not JSON"},
		{"null", "GET", 200, jsonType, "null", "not a JSON object"},
		{"array", "GET", 200, jsonType, "[{}]", "not a JSON object"},
		{"empty", "GET", 200, jsonType, "", "empty"},
		{"truncated", "GET", 200, jsonType, session[:9], "does not end as a JSON object"},
		{"created, but empty", "POST", 201, jsonType, "", "empty"},
		{"created, but another status", "POST", 200, jsonType, session, "200 OK"},
		{"got, but another status", "GET", 201, jsonType, session, "201 Created"},
		{"changed, but no content", "PATCH", 204, "", "", "204 No Content"},
		{"replaced, but created", "PUT", 201, jsonType, session, "201 Created"},
		{"deleted, but another status", "DELETE", 200, jsonType, "{}", "200 OK"},
		{"moved", "GET", 301, "text/html", "", "301 Moved Permanently"},
		{"informational", "GET", 199, "", "", "199"},
		{"switching protocols", "GET", 101, "", "", "101 Switching Protocols"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScript(answer(test.status, test.contentType, test.body))
			rsp, err := s.do(t.Context(), api.Doer{}, test.method, nil)
			if test.want == "" {
				if err != nil || rsp.StatusCode != test.status || rsp.ContentLength != int64(len(test.body)) {
					t.Errorf("got %+v, %v, want the response", rsp, err)
				}
				return
			}
			var e *api.ResponseError
			if rsp != nil || !errors.Is(err, api.ErrUnexpectedResponse) || !errors.As(err, &e) {
				t.Fatalf("got %v, %v, want a ResponseError that is ErrUnexpectedResponse", rsp, err)
			}
			if e.StatusCode != test.status || string(e.Body) != test.body || e.Attempts != 1 {
				t.Errorf("got status %d, body %q and %d attempts", e.StatusCode, e.Body, e.Attempts)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
		})
	}
}

// What passes the gate can still be no session.
func TestWhatIsNoSession(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"status":"ok"}`, `{"id":null}`, `{"error_code":"ERR_NGROK_203","status_code":403,"msg":"unknown key"}`,
		`{"id":7}`, `{"id":"ts_1",}`,
	} {
		client := once(t, answer(200, "application/json", body))
		got, err := client.GetTunnelSession(t.Context(), "ts_1")
		var e *api.ResponseError
		if got != nil || !errors.Is(err, api.ErrUnexpectedResponse) || !errors.As(err, &e) || e.StatusCode != 200 || string(e.Body) != body || e.Attempts != 1 {
			t.Errorf("%s: got %+v, %v, want ErrUnexpectedResponse with the body", body, got, err)
		}
		if errors.Is(err, api.ErrAuthentication) {
			t.Errorf("%s: got ErrAuthentication", body)
		}
	}
}

// A fake can give every request the same response. The client writes to none of it.
func TestSharedResponseIsNotWrittenTo(t *testing.T) {
	reply := func(status int, header http.Header) *http.Response {
		rsp := response(status, session)
		rsp.Header = header
		return rsp
	}
	for name, test := range map[string]struct {
		method string
		shared *http.Response
	}{
		"session":                    {"GET", reply(200, http.Header{"Content-Type": {"Application/JSON; charset=utf-8"}})},
		"error":                      {"GET", reply(503, http.Header{"X-Echo": {apiKey}})},
		"no body, header or request": {"DELETE", &http.Response{StatusCode: 204}},
	} {
		t.Run(name, func(t *testing.T) {
			before := *test.shared
			before.Header = before.Header.Clone()
			s := newScript(func(*http.Request) (*http.Response, error) { return test.shared, nil })
			if _, err := s.do(t.Context(), api.Doer{MaxAttempts: 1}, test.method, nil); (err == nil) != (before.StatusCode < 300) {
				t.Errorf("got %v", err)
			}
			if !reflect.DeepEqual(*test.shared, before) {
				t.Errorf("the shared response is %+v now, and was %+v", *test.shared, before)
			}
		})
	}
}

// A client that New did not make has no Doer, and a layer around the client can put another body in. What the methods
// promise holds all the same.
func TestMethodsWithoutDoer(t *testing.T) {
	for _, test := range []struct {
		name   string
		doer   doerFunc
		target error
	}{
		{"not found", answer(404, "application/json", `{"msg":"Resource not found"}`), api.ErrNotFound},
		{"wrong type", answer(200, "application/json", `{"id":7}`), api.ErrUnexpectedResponse},
		{"session", ok, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := api.NewClientWithResponses("https://api.test", api.WithHTTPClient(test.doer))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := client.GetTunnelSession(t.Context(), "ts_1"); (got == nil) != (test.target != nil) || !errors.Is(err, test.target) {
				t.Errorf("GetTunnelSession: got %v, %v, want %v", got, err, test.target)
			}
			if err := client.StopTunnelSession(t.Context(), "ts_1"); err == nil {
				t.Error("StopTunnelSession: got no error for what is not a 204")
			}
		})
	}
	client := newClient(t, api.WithHTTPClient(ok))
	client.ClientInterface = interceptor{client.ClientInterface, func(rsp *http.Response) { rsp.Body = io.NopCloser(rsp.Body) }}
	if got, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil || got.ID != "ts_1" {
		t.Errorf("with another body: got %v, %v", got, err)
	}
	client.ClientInterface = interceptor{client.ClientInterface, func(rsp *http.Response) { rsp.Request = nil }}
	if got, err := client.GetTunnelSession(t.Context(), "ts_1"); err == nil {
		t.Errorf("with no request: got %v and no error", got)
	}
}
