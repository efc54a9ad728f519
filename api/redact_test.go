package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

// oddKey has all that a bearer token may have, and so looks different in a URL.
const oddKey = `2N~fake/Key.that-must+never_Show0/1a2b==`

// printed returns all that the ways to print v make of it.
func printed(v any) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v\n%+v\n%#v\n", v, v, v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("text", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("json", "v", v)
	return b.String()
}

// checkSecret fails the test if text has the key in it, in any of its forms.
func checkSecret(t *testing.T, what, text, key string) {
	t.Helper()
	for _, form := range []string{key, url.QueryEscape(key), url.PathEscape(key)} {
		if strings.Contains(text, form) {
			t.Errorf("%s has the key in it, as %s:\n%.2000s", what, form, text)
		}
	}
}

func TestKeyIsNeverPrinted(t *testing.T) {
	const key = oddKey
	// As encoders do that are careful with HTML.
	escaped := `{"msg":"bad: ` + strings.NewReplacer("/", `\/`, "+", `\u002b`, "=", `\u003D`, "_", `\u005f`).Replace(key) + `"}`
	with := func(status int, contentType, body string) doerFunc {
		return func(r *http.Request) (*http.Response, error) {
			rsp, err := answer(status, contentType, body)(r)
			rsp.Header["Location"] = []string{"https://elsewhere.test/?key=" + url.QueryEscape(key)}
			rsp.Header["Ngrok-Operation-Id"] = []string{key}
			rsp.Header[key] = []string{key}
			return rsp, err
		}
	}
	for name, doer := range map[string]doerFunc{
		"quoted by ngrok": with(403, "application/json",
			fmt.Sprintf(`{"error_code":%[1]q,"msg":%[1]q,"details":{%[1]q:[{"a":%[1]q}],"operation_id":%[1]q}}`, key)),
		"HTML":              with(502, "text/html", "<p>"+key+"</p>"),
		"escaped by JSON":   with(500, "application/json", escaped),
		"escaped, and cut":  with(500, "application/json", escaped[:len(escaped)-1]),
		"cut by the server": with(500, "text/plain", "Your authentication: "+key[:len(key)-1]),
		"cut by the bound":  with(404, "text/plain", strings.Repeat("x", 64<<10-len(key)/2)+key+key),
		"too large":         with(200, "text/plain", key+strings.Repeat("x", 11<<20)),
		"redirect":          with(302, "text/html", key),
		"content type":      with(200, key, "{}"),
		"wrong type":        with(200, "application/json", fmt.Sprintf(`{"id":7,"region":%q}`, key)),
		"error and response": func(*http.Request) (*http.Response, error) {
			return response(302, key), errors.New("malformed response " + key)
		},
		"no response": func(*http.Request) (*http.Response, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			client, err := api.New(key, api.WithHTTPClient(&api.Doer{HTTPClient: doer, MaxAttempts: 1}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.GetTunnelSession(t.Context(), key) // the key for an ID, by mistake
			_, rspErr := client.TunnelSessionsGetWithResponse(t.Context(), api.PathParam(key))
			if err == nil || rspErr == nil {
				t.Fatal("got no error")
			}
			for _, err := range []error{err, rspErr, errors.Unwrap(err)} {
				checkSecret(t, "the error", printed(err), key)
			}
			var e *api.ResponseError
			if isResponse := name != "error and response" && name != "no response"; errors.As(err, &e) != isResponse {
				t.Fatalf("got %v, want a ResponseError: %v", err, isResponse)
			}
			if e == nil {
				return
			}
			checkSecret(t, "the ResponseError", printed(*e)+string(e.Body), key)
			for n := len(key) - 1; n >= 8; n-- {
				if bytes.HasSuffix(e.Body, []byte(key[:n])) {
					t.Errorf("the body ends in %d bytes of the key", n)
				}
			}
		})
	}
}

// The client and what it returns can end up in a log too.
func TestClientAndResultsDoNotPrintKey(t *testing.T) {
	client := newClient(t, api.WithHTTPClient(ok))
	rsp, err := client.TunnelSessionsGetWithResponse(t.Context(), "ts_1")
	if err != nil {
		t.Fatal(err)
	}
	inner := client.ClientInterface.(*api.Client)
	for _, v := range []any{
		client, inner, inner.RequestEditors, inner.Client,
		rsp, rsp.HTTPResponse, rsp.HTTPResponse.Request, rsp.HTTPResponse.Request.Header, rsp.HTTPResponse.Body,
	} {
		checkSecret(t, fmt.Sprintf("%T", v), printed(v), apiKey)
	}
}

// interceptor is a layer around the generated client, as for caching.
type interceptor struct {
	api.ClientInterface
	see func(*http.Response)
}

func (i interceptor) TunnelSessionsGet(ctx context.Context, id api.PathParam, editors ...api.RequestEditorFn) (*http.Response, error) {
	rsp, err := i.ClientInterface.TunnelSessionsGet(ctx, id, editors...)
	if err == nil {
		i.see(rsp)
	}
	return rsp, err
}

// From wherever it is seen, the Request of a response is a copy without the key. The one that was sent keeps it.
func TestRequestOfResponseHasNoKey(t *testing.T) {
	var sent *http.Request
	transport := doerFunc(func(r *http.Request) (*http.Response, error) {
		sent = r
		return ok(r)
	})
	for name, call := range map[string]func(t *testing.T, see func(*http.Response)) error{
		"generated method": func(t *testing.T, see func(*http.Response)) error {
			// HTTP/2 spells names in lower case, and an editor can too.
			lower := api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
				r.Header["authorization"] = r.Header["Authorization"]
				return nil
			})
			rsp, err := newClient(t, api.WithHTTPClient(transport), lower).TunnelSessionsGetWithResponse(t.Context(), "ts_1")
			if err == nil {
				see(rsp.HTTPResponse)
			}
			return err
		},
		"layer around the Doer": func(t *testing.T, see func(*http.Response)) error {
			client := newClient(t, api.WithHTTPClient(doerFunc(func(r *http.Request) (*http.Response, error) {
				rsp, err := (&api.Doer{HTTPClient: transport}).Do(r)
				if err == nil {
					see(rsp)
				}
				return rsp, err
			})))
			_, err := client.GetTunnelSession(t.Context(), "ts_1")
			return err
		},
		"layer around the client": func(t *testing.T, see func(*http.Response)) error {
			client := newClient(t, api.WithHTTPClient(transport))
			client.ClientInterface = interceptor{client.ClientInterface, see}
			_, err := client.GetTunnelSession(t.Context(), "ts_1")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			if err := call(t, func(rsp *http.Response) { got = rsp.Request }); err != nil {
				t.Fatal(err)
			}
			if got.URL.Path != "/tunnel_sessions/ts_1" || strings.Contains(fmt.Sprint(got.Header), apiKey) || got.Header.Get("Ngrok-Version") == "" {
				t.Errorf("got %s %v", got.URL, got.Header)
			}
			if key := sent.Header.Get("Authorization"); key != "Bearer "+apiKey {
				t.Errorf("sent request: Authorization is %q", key)
			}
		})
	}
}

// A token is found wherever an editor, a layer or a transport puts it.
func TestTokenIsRedacted(t *testing.T) {
	const token = "2NtokenOfTheCaller000000_5a6b7c8d"
	refuse := answer(403, "application/json", `{"msg":"not a key: `+token+`"}`)
	authorize := func(values ...string) http.Header { return http.Header{"Authorization": values} }
	for name, test := range map[string]struct {
		header http.Header // that an editor sets
		doer   api.HttpRequestDoer
	}{
		"name in lower case":          {http.Header{"authorization": {"Bearer " + token}}, refuse},
		"second value":                {authorize("Bearer other", "Bearer "+token), refuse},
		"no scheme":                   {authorize(token), refuse},
		"beginning of it, and spaces": {authorize("Bearer "+token[:9], "  Bearer\t"+token), refuse},
		"replaced by a layer": {authorize("Bearer " + token), doerFunc(func(r *http.Request) (*http.Response, error) {
			r.Header.Set("Authorization", "Basic eHg6eXk=")
			return refuse(r)
		})},
		"of the transport": {nil, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
			return refuse(r)
		})}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := once(t, test.doer).GetTunnelSession(t.Context(), "ts_1", func(_ context.Context, r *http.Request) error {
				maps.Copy(r.Header, test.header)
				return nil
			})
			var e *api.ResponseError
			if !errors.As(err, &e) || e.Message != "not a key: [redacted]" {
				t.Fatalf("got %v", err)
			}
			checkSecret(t, "the error", printed(err)+string(e.Body), token)
		})
	}
}

// Redaction takes the key out of a body and leaves the rest of it as it was.
func TestRedactedBodyIsOtherwiseTheSame(t *testing.T) {
	const rest = `{"b":"<&>","a":1e3,"a":9007199254740993, "key":"`
	for body, want := range map[string]string{
		rest + apiKey + `"}`: rest + `[redacted]"}`,
		`{"a":"\/\u0041"}`:   `{"a":"\/\u0041"}`,
	} {
		_, err := once(t, answer(403, "application/json", body)).GetTunnelSession(t.Context(), "ts_1")
		var e *api.ResponseError
		if !errors.As(err, &e) || string(e.Body) != want {
			t.Errorf("got %v, want the body %s", err, want)
		}
	}
}

// What a redacted error matched before, it matches still.
func TestRedactedErrorMatches(t *testing.T) {
	cause := errors.New("reset")
	client := once(t, doerFunc(func(*http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: "https://h/" + apiKey, Err: cause}
	}))
	_, err := client.GetTunnelSession(t.Context(), "ts_1")
	if !errors.Is(err, cause) || strings.Contains(err.Error(), apiKey) {
		t.Errorf("got %v, want it to match its cause, without the key", err)
	}
}
