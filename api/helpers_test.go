package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/ngrokapi/api"
)

// apiKey is not a real key.
const apiKey = "2NfakeKeyThatMustNeverShow0_1a2b3c4d5e6f7g8h9i0j"

const session = `{"id":"ts_1","region":"eu"}`

// notFound is ngrok's response for an unknown session.
const notFound = `{"status_code":404,"msg":"Resource not found","details":{"operation_id":"op_1"}}`

// doerFunc is an HTTP client in memory.
type doerFunc func(*http.Request) (*http.Response, error)

func (f doerFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// roundTripper is the transport of an http.Client in memory.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// responding returns an HTTP client that returns the same response for every request.
func responding(status int, contentType, body string) doerFunc {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode:    status,
			Header:        http.Header{"Content-Type": {contentType}},
			Body:          io.NopCloser(strings.NewReader(body)),
			ContentLength: -1,
			Request:       new(http.Request), // as a recorder that keeps no headers has it
		}, nil
	}
}

var (
	ok        = responding(200, "application/json", session)
	noContent = responding(204, "", "")
)

// failing returns an HTTP client with an error response that may have a Retry-After header.
func failing(status int, retryAfter string) doerFunc {
	return func(r *http.Request) (*http.Response, error) {
		rsp, err := responding(status, "application/json", `{"msg":"try again"}`)(r)
		if retryAfter != "" {
			rsp.Header.Set("Retry-After", retryAfter)
		}
		return rsp, err
	}
}

// noResponse returns an HTTP client that returns an error as an http.Client does.
func noResponse(err error) doerFunc {
	return func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: err}
	}
}

var errReset = errors.New("connection reset")

// reset returns the error of a layer over an http.Client.
func reset(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%w: %w", errReset, &url.Error{Op: r.Method, URL: r.URL.String(), Err: io.EOF})
}

// A script is an HTTP client with one response after the other. It repeats the last one, and
// records the times and bodies of requests.
type script struct {
	responses []doerFunc
	started   time.Time
	at        []time.Duration // of the requests
	bodies    []string
}

func newScript(responses ...doerFunc) *script {
	return &script{responses: responses, started: time.Now()}
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	respond := s.responses[min(len(s.at), len(s.responses)-1)]
	s.at = append(s.at, time.Since(s.started))
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, string(data))
	}
	return respond(r)
}

// do sends a request through a Doer to the script.
func (s *script) do(ctx context.Context, d api.Doer, method string) (*http.Response, error) {
	d.HTTPClient = s
	return d.Do(newRequest(ctx, method, ""))
}

func newRequest(ctx context.Context, method, body string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, "https://api.test/things/t_1", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	return req
}

// once returns a client that makes one attempt with an HTTP client.
func once(t testing.TB, doer api.HttpRequestDoer, opts ...api.ClientOption) *api.ClientWithResponses {
	t.Helper()
	own := []api.ClientOption{api.WithHTTPClient(&api.Doer{HTTPClient: doer, MaxAttempts: 1, AttemptTimeout: time.Hour})}
	return newClient(t, append(own, opts...)...)
}

func newClient(t testing.TB, opts ...api.ClientOption) *api.ClientWithResponses {
	t.Helper()
	c, err := api.New(apiKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// collect returns the IDs of a list up to its error.
func collect(sessions iter.Seq2[*api.TunnelSession, error]) ([]string, error) {
	var ids []string
	for session, err := range sessions {
		if err != nil {
			if session != nil {
				panic("a session beside an error")
			}
			return ids, err
		}
		ids = append(ids, session.ID)
	}
	return ids, nil
}

// checkSecret fails the test if any way to print v shows the API key.
func checkSecret(t *testing.T, v any) {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v\n%+v\n%#v\n", v, v, v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("text", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("json", "v", v)
	if strings.Contains(b.String(), apiKey) {
		t.Errorf("the API key is in the %T:\n%.2000s", v, b.String())
	}
}
