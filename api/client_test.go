package api_test

import (
	"context"
	"errors"
	"net/http"
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
		{"non-ASCII key", "2Nfäke_key", nil, "no key has"},
		{"quotes around the key", `"` + apiKey + `"`, nil, "quotes"},
		{"a character that no bearer token has", apiKey + "!", nil, "no key has"},
		{"= within the key", "2N=fake", nil, "no key has"},

		{"no scheme", apiKey, baseURL("api.ngrok.com"), "no scheme or no host"},
		{"scheme left out", apiKey, baseURL("//api.ngrok.com"), "no scheme or no host"},
		{"no host but a port", apiKey, baseURL("https://:443"), "no scheme or no host"},
		{"other scheme", apiKey, baseURL("ftp://api.ngrok.com"), "use https"},
		{"http", apiKey, baseURL("http://api.ngrok.com"), "unencrypted"},
		{"http to a private address", apiKey, baseURL("http://192.168.0.1"), "unencrypted"},
		{"http to all addresses", apiKey, baseURL("http://0.0.0.0"), "unencrypted"},
		{"http to a name like localhost", apiKey, baseURL("http://localhost.evil.test"), "unencrypted"},
		{"http to a name like loopback", apiKey, baseURL("http://127.0.0.1.evil.test"), "unencrypted"},
		{"http to localhost in a spelling that net/http sends to a proxy", apiKey, baseURL("http://LOCALHOST"), "unencrypted"},
		{"http to what folds to localhost", apiKey, baseURL("http://localho\u017ft"), "unencrypted"},
		{"http to an address with a zone", apiKey, baseURL("http://[::1%25lo]"), "unencrypted"},
		{"http to an IPv4 address in IPv6", apiKey, baseURL("http://[::ffff:127.0.0.1]"), "unencrypted"},
		{"not a URL", apiKey, baseURL("https://[::1"), "cannot be parsed"},
		{"user info", apiKey, baseURL("https://user:pass-word@api.ngrok.com"), "user info"},
		{"user info and a bad port", apiKey, baseURL("https://user:pass-word@api.ngrok.com:x"), "cannot be parsed"},
		{"user info without a scheme", apiKey, baseURL("user:pass-word@api.ngrok.com"), "no scheme or no host"},
		{"user info and another scheme", apiKey, baseURL("pass-word://api.ngrok.com"), "use https"},
		{"user info as host, unencrypted", apiKey, baseURL("http://pass-word"), "unencrypted"},
		{"query", apiKey, baseURL("https://api.ngrok.com/?a=pass-word"), "query"},
		{"empty query", apiKey, baseURL("https://api.ngrok.com/?"), "query"},
		{"fragment", apiKey, baseURL("https://api.ngrok.com/#pass-word"), "fragment"},
		{"not a URL, by an option of the caller's", apiKey, []api.ClientOption{func(c *api.Client) error {
			c.Server = "https://user:pass-word@[::1"
			return nil
		}}, "cannot be parsed"},

		{"nil option", apiKey, []api.ClientOption{api.WithUserAgent("a"), nil}, "option 2 of 2 is nil"},
		{"nil HTTP client", apiKey, []api.ClientOption{api.WithHTTPClient(nil)}, "HTTP client is nil"},
		{"nil http.Client", apiKey, []api.ClientOption{api.WithHTTPClient((*http.Client)(nil))}, "HTTP client is nil"},
		{"nil function", apiKey, []api.ClientOption{api.WithHTTPClient(doerFunc(nil))}, "HTTP client is nil"},
		{"failing option", apiKey, []api.ClientOption{func(*api.Client) error { return errors.New("no " + apiKey) }}, "no "},
		{"empty user agent", apiKey, []api.ClientOption{api.WithUserAgent("")}, "user agent"},
		{"space before the user agent", apiKey, []api.ClientOption{api.WithUserAgent(" a")}, "user agent"},
		{"user agent that is not ASCII", apiKey, []api.ClientOption{api.WithUserAgent("é")}, "user agent"},
		{"line break in the user agent", apiKey, []api.ClientOption{api.WithUserAgent("a\r\nb: c")}, "user agent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := api.New(test.key, test.opts...)
			if client != nil || err == nil {
				t.Fatalf("got %v, %v, want an error alone", client, err)
			}
			if !strings.HasPrefix(err.Error(), "new ngrok client: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
			for _, secret := range []string{apiKey, "2Nf", "pass-word"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q has a secret in it", err)
				}
			}
		})
	}
}

func TestNewAcceptsBaseURL(t *testing.T) {
	for _, test := range []struct{ baseURL, want string }{
		{"https://api.ngrok.com", "https://api.ngrok.com/tunnel_sessions/ts_1"},
		{"HTTPS://API.ngrok.com:443", "https://API.ngrok.com:443/tunnel_sessions/ts_1"},
		{"https://proxy.corp/ngrok", "https://proxy.corp/ngrok/tunnel_sessions/ts_1"},
		{"https://proxy.corp/ngrok/", "https://proxy.corp/ngrok/tunnel_sessions/ts_1"},
		{"https://proxy.corp/a/../b//c", "https://proxy.corp/b/c/tunnel_sessions/ts_1"},
		{"https://proxy.corp/a%2Fb", "https://proxy.corp/a%2Fb/tunnel_sessions/ts_1"},
		{"http://localhost:8080", "http://localhost:8080/tunnel_sessions/ts_1"},
		{"http://127.255.0.3:1", "http://127.255.0.3:1/tunnel_sessions/ts_1"},
		{"http://[::1]:8080/x", "http://[::1]:8080/x/tunnel_sessions/ts_1"},
	} {
		t.Run(test.baseURL, func(t *testing.T) {
			var got string
			client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
				got = r.URL.String()
				return ok(r)
			}), api.WithBaseURL(test.baseURL))
			if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil || got != test.want {
				t.Errorf("sent to %s, want %s: %v", got, test.want, err)
			}
		})
	}
}

// New does not put a Doer into a Doer.
func TestNewTakesDoer(t *testing.T) {
	given := &api.Doer{HTTPClient: ok, MaxAttempts: 7}
	if got := newClient(t, api.WithHTTPClient(given)).ClientInterface.(*api.Client).Client; got != api.HttpRequestDoer(given) {
		t.Errorf("got %+v, want the one given", got)
	}
}

// An editor may write into the values of a header. They are of its own request.
func TestEditorOwnsHeaderValues(t *testing.T) {
	var sent http.Header
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		sent = r.Header
		return ok(r)
	}))
	scribble := func(_ context.Context, r *http.Request) error {
		for _, values := range r.Header {
			values[0] = "x"
		}
		return nil
	}
	for _, editor := range []api.RequestEditorFn{scribble, nil} {
		if _, err := client.GetTunnelSession(t.Context(), "ts_1", editor); err != nil {
			t.Error(err)
		}
	}
	if sent.Get("Authorization") != "Bearer "+apiKey || sent.Get("Ngrok-Version") != "2" {
		t.Errorf("after the editor of another call: sent %v", sent)
	}
}

func TestNilEditorIsSkipped(t *testing.T) {
	client := once(t, respond(map[string]doerFunc{
		"GET /tunnel_sessions/ts_1":          ok,
		"GET /tunnel_sessions":               answer(200, "application/json", `{"tunnel_sessions":[]}`),
		"POST /tunnel_sessions/ts_1/stop":    noContent,
		"POST /tunnel_sessions/ts_1/restart": noContent,
		"POST /tunnel_sessions/ts_1/update":  noContent,
	}), api.WithRequestEditorFn(nil), api.WithUserAgent("myapp/1"), api.WithRequestEditorFn(nil))
	_, err := client.GetTunnelSession(t.Context(), "ts_1", nil)
	_, listErr := collect(client.ListTunnelSessions(t.Context(), nil))
	err = errors.Join(err, listErr)
	for _, command := range commands {
		err = errors.Join(err, command(client, t.Context(), "ts_1", nil))
	}
	if err != nil {
		t.Error(err)
	}
	own := []api.RequestEditorFn{nil, func(context.Context, *http.Request) error { return nil }}
	if _, err := client.GetTunnelSession(t.Context(), "ts_1", own...); err != nil || own[0] != nil || own[1] == nil {
		t.Errorf("got %v, and the caller's editors are changed: %v", err, own[1] == nil)
	}
}

func TestEditorsOfCallComeLast(t *testing.T) {
	var got string
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		got = r.Header.Get("X-Order")
		return ok(r)
	}), api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("X-Order", r.Header.Get("Ngrok-Version")+" client")
		return nil
	}))
	_, err := client.GetTunnelSession(t.Context(), "ts_1", func(_ context.Context, r *http.Request) error {
		r.Header.Set("X-Order", r.Header.Get("X-Order")+" call")
		return nil
	})
	if want := "2 client call"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	failed := errors.New("no token")
	_, err = client.GetTunnelSession(t.Context(), "ts_1", func(context.Context, *http.Request) error { return failed })
	if !errors.Is(err, failed) {
		t.Errorf("got %v, want the editor's error", err)
	}
}
