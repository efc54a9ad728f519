package api_test

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

// apiKey is not a real key.
const apiKey = "2NfakeKeyThatMustNeverShow0_1a2b3c4d5e6f7g8h9i0j"

const session = `{"id":"ts_1","region":"eu"}`

// doerFunc is an HTTP client in a test's own memory.
type doerFunc func(*http.Request) (*http.Response, error)

func (f doerFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// roundTripper is the transport of an http.Client in a test's own memory.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer returns an HTTP client that gives every request the same response.
func answer(status int, contentType, body string) doerFunc {
	return func(r *http.Request) (*http.Response, error) {
		rsp := response(status, body)
		rsp.Request = r
		if contentType != "" {
			rsp.Header.Set("Content-Type", contentType)
		}
		return rsp, nil
	}
}

var (
	ok        = answer(200, "application/json", session)
	noContent = answer(204, "", "")
)

// respond returns an HTTP client that has an answer for each method and path.
func respond(answers map[string]doerFunc) doerFunc {
	return func(r *http.Request) (*http.Response, error) {
		if answer, ok := answers[r.Method+" "+r.URL.Path]; ok {
			return answer(r)
		}
		return nil, fmt.Errorf("unexpected request %s %s", r.Method, r.URL)
	}
}

// collect returns the IDs of a list up to its error.
func collect(sessions iter.Seq2[*api.TunnelSession, error]) ([]string, error) {
	var ids []string
	for session, err := range sessions {
		if err != nil {
			return ids, err
		}
		ids = append(ids, session.ID)
	}
	return ids, nil
}

func response(status int, body string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: -1,
	}
}

// once returns a client that makes one attempt, through doer.
func once(t testing.TB, doer api.HttpRequestDoer, opts ...api.ClientOption) *api.ClientWithResponses {
	t.Helper()
	return newClient(t, append([]api.ClientOption{api.WithHTTPClient(&api.Doer{HTTPClient: doer, MaxAttempts: 1})}, opts...)...)
}

func newClient(t testing.TB, opts ...api.ClientOption) *api.ClientWithResponses {
	t.Helper()
	c, err := api.New(apiKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
