package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

func TestNewRejects(t *testing.T) {
	baseURL := func(u string) []api.ClientOption { return []api.ClientOption{api.WithBaseURL(u)} }
	for _, test := range []struct {
		name string
		key  string
		opts []api.ClientOption
		want string // in the error
	}{
		{"empty key", "", nil, "empty"},
		{"space in the key", "2Nfake key", nil, "white space"},
		{"line break after the key", apiKey + "\n", nil, "white space"},
		{"quotes around the key", `"` + apiKey + `"`, nil, "quotes"},
		{"non-ASCII key", apiKey + "ä", nil, "no key has"},

		{"no scheme", apiKey, baseURL("api.ngrok.com"), "must be https"},
		{"http", apiKey, baseURL("http://api.ngrok.com"), "unencrypted"},
		{"no host but a port", apiKey, baseURL("https://:443"), "with a host"},
		{"http to a name like localhost", apiKey, baseURL("http://localhost.evil.test"), "unencrypted"},
		// In this spelling, net/http sends requests to a proxy.
		{"http to LOCALHOST", apiKey, baseURL("http://LOCALHOST"), "unencrypted"},
		{"not a URL", apiKey, baseURL("https://[::1"), "missing ']'"},
		{"user info", apiKey, baseURL("https://user:pass-word@api.ngrok.com"), "with a host and perhaps a path"},
		{"fragment", apiKey, baseURL("https://api.ngrok.com/#a"), "with a host and perhaps a path"},
		{"ftp", apiKey, baseURL("ftp://localhost"), "must be https"},
		{"query", apiKey, baseURL("https://api.ngrok.com/?a=pass-word"), "with a host and perhaps a path"},
		{"failing option", apiKey, []api.ClientOption{func(*api.Client) error { return errReset }}, "connection reset"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := api.New(test.key, test.opts...)
			if client != nil || err == nil {
				t.Fatalf("got %v, %v, want only an error", client, err)
			}
			if !strings.HasPrefix(err.Error(), "new ngrok client: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
			if strings.Contains(err.Error(), "2Nf") || strings.Contains(err.Error(), "pass-word") {
				t.Errorf("%q has a secret in it", err)
			}
		})
	}
}

func TestDefaultDoer(t *testing.T) {
	doer, ok := newClient(t).ClientInterface.(*api.Client).Client.(*api.Doer)
	if !ok || *doer != (api.Doer{}) {
		t.Errorf("got %+v, want a Doer without settings", doer)
	}
}

func TestNewAcceptsBaseURL(t *testing.T) {
	for baseURL, want := range map[string]string{
		"HTTPS://API.ngrok.com:443":   "https://API.ngrok.com:443/tunnel_sessions/ts_1",
		"https://proxy.corp/ngrok":    "https://proxy.corp/ngrok/tunnel_sessions/ts_1",
		"https://proxy.corp/ngrok/":   "https://proxy.corp/ngrok/tunnel_sessions/ts_1",
		"https://proxy.corp/a%2Fb":    "https://proxy.corp/a%2Fb/tunnel_sessions/ts_1",
		"http://localhost:8080":       "http://localhost:8080/tunnel_sessions/ts_1",
		"http://127.255.0.3:1":        "http://127.255.0.3:1/tunnel_sessions/ts_1",
		"http://[::1]:8080/x":         "http://[::1]:8080/x/tunnel_sessions/ts_1",
		"http://[::ffff:127.0.0.1]:1": "http://[::ffff:127.0.0.1]:1/tunnel_sessions/ts_1",
	} {
		var got string
		client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return ok(r)
		}), api.WithBaseURL(baseURL))
		if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil || got != want {
			t.Errorf("%s: sent to %s, want %s: %v", baseURL, got, want, err)
		}
	}
}

// Editors run in order: the client's own, those of its options, and those of the call.
// client_test.go at the top of the module compares the other headers with ngrok's document.
func TestEditors(t *testing.T) {
	add := func(word string) api.RequestEditorFn {
		return func(_ context.Context, r *http.Request) error {
			r.Header.Set("User-Agent", r.Header.Get("User-Agent")+" "+word)
			return nil
		}
	}
	var got []string
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		got = r.Header["User-Agent"]
		return ok(r)
	}), api.WithRequestEditorFn(add("client")), api.WithUserAgent("myapp/1.2 (fleet)"))
	_, err := client.GetTunnelSession(t.Context(), "ts_1", add("call"))
	if want := "myapp/1.2 (fleet) ngrokapi client call"; err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	failed := func(context.Context, *http.Request) error { return errReset }
	if _, err = client.GetTunnelSession(t.Context(), "ts_1", failed); !errors.Is(err, errReset) {
		t.Errorf("got %v, want the editor's error", err)
	}
}

// An ID is refused before anything is sent, or arrives unchanged in one path segment.
func TestIDs(t *testing.T) {
	var sent []*url.URL
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL)
		return ok(r)
	}))
	for _, id := range []string{"", ".", ".."} {
		if _, err := client.GetTunnelSession(t.Context(), id); !errors.Is(err, api.ErrInvalidID) || sent != nil {
			t.Errorf("%q: got %v, and sent %v", id, err, sent)
		}
	}
	for _, id := range []string{
		"ts_1", "...", "../api_keys", "a/b", "a/../b", "%2e%2e", "%2E", "a%2Fb", "?a=b", "#a", " ", "\x00", "\xff", "é",
		"http://h/", "//h", ":", ";a=b", "{id}", "%s", "%", "\\", "a\r\nHost: b",
	} {
		sent = nil
		if _, err := client.GetTunnelSession(t.Context(), id); err != nil || len(sent) != 1 {
			t.Fatalf("%q: got %v, and sent %v", id, err, sent)
		}
		// As it goes over the wire.
		segment, isIn := strings.CutPrefix(sent[0].RequestURI(), "/tunnel_sessions/")
		got, err := url.PathUnescape(segment)
		if !isIn || err != nil || got != id || strings.ContainsAny(segment, "/?#") || sent[0].Host != "api.ngrok.com" {
			t.Errorf("%q: sent %s", id, sent[0])
		}
	}
}
