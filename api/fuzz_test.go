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
	for _, id := range []string{
		"ts_1", "", ".", "..", "...", "../api_keys", "a/b", "a/../b", "%2e%2e", "%2E", "a%2Fb", "?a=b", "#a",
		" ", "\x00", "\xff", "é", "http://h/", "//h", ":", ";a=b", "{id}", "%s", "%", "\\", "a\r\nHost: b",
	} {
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
