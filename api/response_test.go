package api_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
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
		{"truncated", 200, jsonType, session[:9], "does not end as a JSON object"},
		{"byte order mark", 200, jsonType, "\ufeff" + session, "not a JSON object"},
		{"opening brace alone", 200, jsonType, "{", "does not end as a JSON object"},
		{"created", 201, jsonType, session, "201 Created"},
		{"accepted", 202, jsonType, session, "202 Accepted"},
		{"no content", 204, "", "", "204 No Content"},
		{"moved", 301, "text/html", "", "301 Moved Permanently"},
		{"not modified", 304, "", "", "304 Not Modified"},
		{"informational", 199, "", "", "199"},
		{"switching protocols", 101, "", "", "101 Switching Protocols"},
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
			if !errors.Is(rspErr, api.ErrUnexpectedResponse) {
				t.Errorf("TunnelSessionsGetWithResponse: got %v", rspErr)
			}
		})
	}
}

// What passes the gate can still be no session.
func TestWhatIsNoSession(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"status":"ok"}`, `{"id":null}`, `{"id":""}`, `{"error_code":"ERR_NGROK_203","status_code":403,"msg":"unknown key"}`,
		`{"id":7}`, `{"id":"ts_1","credential":[]}`, `{"id":"ts_1"}{}`, `{"id":"ts_1",}`, `{x}`,
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

func TestGateOfOtherMethods(t *testing.T) {
	const jsonType = "application/json"
	for _, test := range []struct {
		name        string
		method      string
		status      int
		contentType string
		body        string
		ok          bool
	}{
		{"created", "POST", 201, jsonType, session, true},
		{"commanded", "POST", 204, "", "", true},
		{"changed", "PATCH", 200, jsonType, session, true},
		{"replaced", "PUT", 200, jsonType, session, true},
		{"deleted", "DELETE", 204, "", "", true},
		{"HEAD", "HEAD", 200, "text/html", "", true},
		{"created, but empty", "POST", 201, jsonType, "", false},
		{"created, but HTML", "POST", 201, "text/html", "<html>", false},
		{"created, but an array", "POST", 201, jsonType, "[]", false},
		{"created, but truncated", "POST", 201, jsonType, session[:9], false},
		{"created, but another status", "POST", 200, jsonType, session, false},
		{"accepted", "POST", 202, jsonType, session, false},
		{"changed, but empty", "PATCH", 204, "", "", false},
		{"replaced, but created", "PUT", 201, jsonType, session, false},
		{"replaced, but no content type", "PUT", 200, "", session, false},
		{"deleted, but another status", "DELETE", 200, jsonType, "{}", false},
		{"redirect", "POST", 303, "", "", false},
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

// A fake can give every request the same response. The client writes to none of it.
func TestSharedResponseIsNotWrittenTo(t *testing.T) {
	empty := &http.Response{StatusCode: 204} // without a Body, a Header and a Request
	stop := once(t, doerFunc(func(*http.Request) (*http.Response, error) { return empty, nil }))
	if err := stop.StopTunnelSession(t.Context(), "ts_1"); err != nil || empty.Body != nil || empty.Request != nil {
		t.Errorf("got %v, and the shared response is %+v now", err, empty)
	}
	shared := response(200, "")
	shared.Header.Set("Content-Type", "Application/JSON; charset=utf-8")
	client := once(t, doerFunc(func(*http.Request) (*http.Response, error) {
		rsp := *shared
		rsp.Body = io.NopCloser(strings.NewReader(session))
		return &rsp, nil
	}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if rsp, err := client.TunnelSessionsGetWithResponse(t.Context(), "ts_1"); err != nil || rsp.JSON200 == nil {
				t.Errorf("got %v, %v", rsp, err)
			}
		})
	}
	wg.Wait()
	if got := shared.Header.Get("Content-Type"); got != "Application/JSON; charset=utf-8" {
		t.Errorf("the shared header is %q now", got)
	}
	kept := response(200, session)
	kept.Header.Set("Content-Type", "application/json")
	body := kept.Body
	_, err := once(t, doerFunc(func(*http.Request) (*http.Response, error) { return kept, nil })).GetTunnelSession(t.Context(), "ts_1")
	if err != nil || kept.Body != body || kept.Request != nil || kept.ContentLength != -1 {
		t.Errorf("got %v, and the response is %+v now", err, kept)
	}
	failing := response(503, "")
	failing.Header.Set("X-Echo", apiKey)
	for range 2 {
		_, err := once(t, doerFunc(func(*http.Request) (*http.Response, error) { return failing, nil })).GetTunnelSession(t.Context(), "ts_1")
		if err == nil || failing.Header.Get("X-Echo") != apiKey {
			t.Errorf("got %v, and the shared header is %v now", err, failing.Header)
		}
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
		{"HTML", answer(200, "text/html", "<html>"), api.ErrUnexpectedResponse},
		{"wrong type", answer(200, "application/json", `{"id":7}`), api.ErrUnexpectedResponse},
		{"session", ok, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := api.NewClientWithResponses("https://api.test", api.WithHTTPClient(test.doer))
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.GetTunnelSession(t.Context(), "ts_1")
			if (got == nil) != (test.target != nil) || !errors.Is(err, test.target) {
				t.Errorf("GetTunnelSession: got %v, %v, want %v", got, err, test.target)
			}
			if err := client.StopTunnelSession(t.Context(), "ts_1"); err == nil {
				t.Error("StopTunnelSession: got no error for what is not a 204")
			}
		})
	}
	client := newClient(t, api.WithHTTPClient(ok))
	client.ClientInterface = interceptor{client.ClientInterface, func(rsp *http.Response) {
		rsp.Body = io.NopCloser(rsp.Body)
	}}
	if got, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil || got.ID != "ts_1" {
		t.Errorf("with another body: got %v, %v", got, err)
	}
	client.ClientInterface = interceptor{client.ClientInterface, func(rsp *http.Response) {
		rsp.Body, rsp.Request = http.NoBody, nil
	}}
	if got, err := client.GetTunnelSession(t.Context(), "ts_1"); err == nil {
		t.Errorf("with no request: got %v and no error", got)
	}
}
