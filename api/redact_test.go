package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

// oddKey has all that a bearer token may have, and so looks different in a URL.
const oddKey = `2N~fake/Key.that-must+never_Show0/1a2b==`

// printed returns all that the ways to print v make of it.
func printed(v any) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v\n%+v\n%#v\n%s\n%q\n", v, v, v, v, v)
	if data, err := json.Marshal(v); err == nil {
		b.Write(data)
	} else {
		fmt.Fprintln(&b, err)
	}
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	slog.New(slog.NewTextHandler(&b, debug)).Debug("text", "v", v)
	slog.New(slog.NewJSONHandler(&b, debug)).Debug("json", "v", v)
	return b.String()
}

// checkSecret fails the test if text has the key in it, in any of its forms.
func checkSecret(t *testing.T, what, text, key string) {
	t.Helper()
	inJSON, _ := json.Marshal(key)
	for _, form := range []string{
		key,
		strings.Trim(string(inJSON), `"`),
		strings.Trim(strconv.Quote(key), `"`),
		url.QueryEscape(key),
		url.PathEscape(key),
		fmt.Sprintf("%x", key),
		strings.Trim(fmt.Sprintf("%#v", []byte(key)), "[]byte{}"),
	} {
		if strings.Contains(text, form) {
			t.Errorf("%s has the key in it, as %s:\n%.2000s", what, form, text)
		}
	}
}

func TestKeyIsNeverPrinted(t *testing.T) {
	for _, key := range []string{apiKey, oddKey} {
		quoted, _ := json.Marshal("Your authentication: " + key)
		// As encoders do that are careful with HTML.
		escaped := `{"msg":"bad: ` + strings.NewReplacer("/", `\/`, "+", `\u002b`, "=", `\u003D`, "_", `\u005f`).Replace(key) + `"}`
		everywhere := func(*http.Request) (*http.Response, error) {
			rsp := response(403, fmt.Sprintf(`{"error_code":%[1]s,"msg":%[1]s,"details":{%[1]s:[{"a":%[1]s}],"operation_id":%[1]s}}`, quoted))
			rsp.Header = http.Header{"Content-Type": {"application/json"}, "X-Echo": {key, url.QueryEscape(key)}, key: {"x"}}
			return rsp, nil
		}
		with := func(status int, contentType, body string) doerFunc {
			return func(r *http.Request) (*http.Response, error) {
				rsp, err := answer(status, contentType, body)(r)
				rsp.Header.Set("Location", "https://elsewhere.test/?key="+url.QueryEscape(key))
				return rsp, err
			}
		}
		for name, doer := range map[string]doerFunc{
			"quoted by ngrok":      everywhere,
			"HTML":                 with(502, "text/html", "<p>"+key+"</p>"),
			"plain":                with(500, "text/plain", "Bearer "+key),
			"escaped by JSON":      with(500, "application/json", escaped),
			"escaped, and cut":     with(500, "application/json", escaped[:len(escaped)-1]),
			"cut by the server":    with(500, "text/plain", "Your authentication: "+key[:len(key)-1]),
			"too large":            with(200, "text/plain", key+strings.Repeat("x", 11<<20)),
			"redirect":             with(302, "text/html", key),
			"content type":         with(200, key, "{}"),
			"not JSON":             with(200, "application/json", key),
			"wrong type":           with(200, "application/json", fmt.Sprintf(`{"id":7,"region":%s}`, quoted)),
			"cut by the bound":     with(404, "text/plain", strings.Repeat("x", 64<<10-len(key)/2)+key+key),
			"cut after many":       with(404, "text/plain", strings.Repeat(key+" ", 64<<10/len(key)+2)),
			"transport error":      func(*http.Request) (*http.Response, error) { return nil, errors.New("malformed response " + key) },
			"error and response":   func(*http.Request) (*http.Response, error) { return response(302, key), errors.New(key) },
			"no response":          func(*http.Request) (*http.Response, error) { return nil, nil },
			"body that fails":      with(200, "application/json", key+"\x00fail"),
			"context with a cause": func(*http.Request) (*http.Response, error) { return nil, context.Canceled },
		} {
			t.Run(name, func(t *testing.T) {
				client, err := api.New(key, api.WithHTTPClient(&api.Doer{HTTPClient: doer, MaxAttempts: 1}))
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.GetTunnelSession(t.Context(), key) // the key for an ID, by mistake
				if err == nil {
					t.Fatal("got no error")
				}
				_, rspErr := client.TunnelSessionsGetWithResponse(t.Context(), api.PathParam(key))
				for _, err := range []error{err, rspErr, fmt.Errorf("wrapped: %w", err), errors.Unwrap(err)} {
					checkSecret(t, "the error", printed(err), key)
				}
				if e := (*api.ResponseError)(nil); errors.As(err, &e) {
					checkSecret(t, "the ResponseError", printed(e)+printed(*e), key)
					checkSecret(t, "its body", string(e.Body), key)
					checkSecret(t, "its details", fmt.Sprint(e.Details), key)
					for n := len(key) - 1; n >= 8; n-- {
						if bytes.HasSuffix(e.Body, []byte(key[:n])) {
							t.Errorf("the body ends in %d bytes of the key", n)
						}
					}
				} else if name != "transport error" && name != "error and response" && name != "no response" && name != "context with a cause" {
					t.Errorf("got %v, want a ResponseError", err)
				}
			})
		}
	}
}

// The client and what it returns can end up in a log too.
func TestClientAndResultsDoNotPrintKey(t *testing.T) {
	doer := &api.Doer{HTTPClient: ok}
	client := newClient(t, api.WithHTTPClient(doer))
	rsp, err := client.TunnelSessionsGetWithResponse(t.Context(), "ts_1")
	if err != nil {
		t.Fatal(err)
	}
	inner := client.ClientInterface.(*api.Client)
	for _, v := range []any{
		client, *client, inner, *inner, inner.RequestEditors, doer,
		rsp, *rsp, rsp.HTTPResponse, *rsp.HTTPResponse, rsp.HTTPResponse.Request, rsp.HTTPResponse.Request.Header,
		rsp.HTTPResponse.Body,
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
	check := func(t *testing.T, rsp *http.Response) {
		t.Helper()
		if got := sent.Header.Get("Authorization"); got != "Bearer "+apiKey {
			t.Errorf("sent request: Authorization is %q", got)
		}
		if h := rsp.Request.Header; h.Get("Authorization") != "" || h.Get("Ngrok-Version") == "" {
			t.Errorf("got the headers %v", h)
		}
		if rsp.Request.URL.Path != "/tunnel_sessions/ts_1" || rsp.Request.Method != "GET" {
			t.Errorf("got %s %s", rsp.Request.Method, rsp.Request.URL)
		}
	}
	for name, call := range map[string]func(t *testing.T) error{
		"generated method": func(t *testing.T) error {
			rsp, err := newClient(t, api.WithHTTPClient(transport)).TunnelSessionsGetWithResponse(t.Context(), "ts_1")
			if err == nil {
				check(t, rsp.HTTPResponse)
			}
			return err
		},
		"layer around the Doer": func(t *testing.T) error {
			client := newClient(t, api.WithHTTPClient(doerFunc(func(r *http.Request) (*http.Response, error) {
				rsp, err := (&api.Doer{HTTPClient: transport}).Do(r)
				if err == nil {
					check(t, rsp)
				}
				return rsp, err
			})))
			_, err := client.GetTunnelSession(t.Context(), "ts_1")
			return err
		},
		"layer around the client": func(t *testing.T) error {
			client := newClient(t, api.WithHTTPClient(transport))
			client.ClientInterface = interceptor{client.ClientInterface, func(rsp *http.Response) { check(t, rsp) }}
			_, err := client.GetTunnelSession(t.Context(), "ts_1")
			return err
		},
		"response that names no request": func(t *testing.T) error {
			rsp, err := newClient(t, api.WithHTTPClient(doerFunc(func(r *http.Request) (*http.Response, error) {
				sent = r
				rsp, err := ok(r)
				rsp.Request = nil
				return rsp, err
			}))).TunnelSessionsGet(t.Context(), "ts_1")
			if err == nil {
				check(t, rsp)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := call(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// An editor of the caller's can authenticate in other spellings, which net/http sends too.
func TestTokenInOtherSpellings(t *testing.T) {
	const token = "2NtokenOfTheEditor00000_5a6b7c8d"
	for name, values := range map[string][]string{
		"authorization": {"Bearer " + token},
		"Authorization": {"Bearer other", "Bearer " + token},
		"AUTHORIZATION": {token},
		"AuthorizatioN": {"Bearer " + token[:9], "  Bearer\t" + token},
	} {
		client := once(t, answer(403, "application/json", `{"msg":"not a key: `+token+`"}`), api.WithRequestEditorFn(
			func(_ context.Context, r *http.Request) error {
				r.Header[name] = values
				return nil
			}))
		_, err := client.GetTunnelSession(t.Context(), "ts_1")
		var e *api.ResponseError
		if !errors.As(err, &e) || e.Message != "not a key: [redacted]" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A transport can authenticate by itself. The response's Request then shows the token.
func TestTokenOfTransportIsRedacted(t *testing.T) {
	const token = "2NtokenOfTheTransport0_5a6b7c8d"
	client := once(t, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+token)
		return answer(403, "application/json", `{"msg":"not a key: `+token+`"}`)(r)
	})})
	_, err := client.GetTunnelSession(t.Context(), "ts_1")
	var e *api.ResponseError
	if !errors.As(err, &e) || e.Message != "not a key: [redacted]" {
		t.Fatalf("got %v", err)
	}
	checkSecret(t, "the error", printed(err)+string(e.Body), token)
}

// A layer can move the key elsewhere in the request that it was given. What was sent is still known.
func TestLayerMovesKey(t *testing.T) {
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		key := r.Header.Get("Authorization")
		r.Header.Set("X-Forwarded-Authorization", key)
		r.Header.Set("Authorization", "Basic eHg6eXk=")
		return answer(403, "application/json", `{"msg":"Your authentication: `+key+`"}`)(r)
	}))
	_, err := client.GetTunnelSession(t.Context(), "ts_1")
	checkSecret(t, "the error", printed(err), apiKey)
}

// Redaction takes the key out of a body and leaves the rest of it as it was.
func TestRedactedBodyIsOtherwiseTheSame(t *testing.T) {
	const rest = `{"b":"<&>","a":1e3,"a":9007199254740993, "key":"`
	client := once(t, answer(403, "application/json", rest+apiKey+`"}`))
	_, err := client.GetTunnelSession(t.Context(), "ts_1")
	var e *api.ResponseError
	if want := rest + `[redacted]"}`; !errors.As(err, &e) || string(e.Body) != want {
		t.Errorf("got %v, want the body %s", err, want)
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
