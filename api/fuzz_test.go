package api_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

// An ID is refused before anything is sent, or arrives unchanged in one path segment.
func FuzzID(f *testing.F) {
	for _, id := range []string{"ts_1", "", ".", "..", "...", "../api_keys", "a/b", "a/../b", "%2e%2e", "%2E", "a%2Fb", "?a=b", "#a", " ", "\x00",
		"\xff", "é", "http://h/", "//h", ":", ";a=b", "{id}", "%s", "%", "\\", "a\r\nHost: b"} {
		f.Add(id)
	}
	var sent []*url.URL
	client := once(f, doerFunc(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL)
		return ok(r)
	}))
	f.Fuzz(func(t *testing.T, id string) {
		sent = nil
		_, err := client.GetTunnelSession(t.Context(), id)
		if id == "" || id == "." || id == ".." {
			if !errors.Is(err, api.ErrInvalidID) || len(sent) > 0 {
				t.Errorf("%q: got %v, and sent %v", id, err, sent)
			}
			return
		}
		if err != nil || len(sent) != 1 {
			t.Fatalf("%q: got %v, and sent %v", id, err, sent)
		}
		// As it goes over the wire.
		segment, ok := strings.CutPrefix(sent[0].RequestURI(), "/tunnel_sessions/")
		got, err := url.PathUnescape(segment)
		if !ok || err != nil || got != id || strings.ContainsAny(segment, "/?#") || sent[0].Host != "api.ngrok.com" {
			t.Errorf("%q: sent %s", id, sent[0])
		}
	})
}

// A response is a session or an error, never both or neither, and no error contains the API key.
func FuzzResponse(f *testing.F) {
	for _, status := range []int{100, 199, 200, 201, 204, 301, 304, 400, 403, 404, 429, 500, 503, 599, 999} {
		f.Add(status, "application/json", []byte(session))
		f.Add(status, "text/html", []byte("<html>"+apiKey))
	}
	for _, contentType := range []string{"", "application/json; charset=utf-8", "application/problem+json", "Application/JSON", ";"} {
		f.Add(200, contentType, []byte(session))
	}
	for _, body := range []string{"", " ", "null", "[]", "{}", "{", "7", `"x"`, session + "x", `{"id":7}`, `{"credential":null}`, `{"credential":[]}`, "\ufeff{}",
		`{"msg":"` + apiKey + `"}`, `{"error_code":{},"msg":[],"details":7}`, `{"details":{"` + apiKey + `":[1e400]}}`, strings.Repeat("[", 1000)} {
		f.Add(200, "application/json", []byte(body))
		f.Add(403, "application/json", []byte(body))
	}
	var status int
	var contentType, body string
	client := once(f, doerFunc(func(r *http.Request) (*http.Response, error) {
		return answer(status, contentType, body)(r)
	}))
	f.Fuzz(func(t *testing.T, code int, mediaType string, data []byte) {
		status, contentType, body = code, strings.ReplaceAll(mediaType, apiKey, ""), string(data)
		got, err := client.GetTunnelSession(t.Context(), "ts_1")
		rsp, rspErr := client.TunnelSessionsGetWithResponse(t.Context(), "ts_1")
		if (got == nil) == (err == nil) {
			t.Errorf("GetTunnelSession: got %+v and %v", got, err)
		}
		if (rsp == nil) == (rspErr == nil) || rsp != nil && rsp.JSON200 == nil {
			t.Errorf("TunnelSessionsGetWithResponse: got %+v and %v", rsp, rspErr)
		}
		// The generated method lets a session without an ID pass.
		if (err == nil) != (rspErr == nil) && (rspErr != nil || rsp.JSON200.ID != "") {
			t.Errorf("the methods differ: %v and %v", err, rspErr)
		}
		if err == nil {
			return
		}
		var e *api.ResponseError
		if !errors.As(err, &e) || e.StatusCode != status {
			t.Fatalf("got %v, want a ResponseError with the status %d", err, status)
		}
		if strings.Contains(string(e.Body), apiKey) {
			t.Errorf("the key is in the body %s", e.Body)
		}
		checkSecret(t, err)
		checkSecret(t, rspErr)
	})
}
