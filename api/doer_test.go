package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
)

// Attempts share nothing: what something between the Doer and the network does to one is not seen by the next.
func TestAttemptsShareNothing(t *testing.T) {
	for name, test := range map[string]struct {
		layer  func(*http.Request) // around the transport of a client with a cookie jar
		header string
		want   []string // of the three attempts
	}{
		"cookie jar":               {unchanged, "Cookie", []string{"", "lb=1", "lb=2"}},
		"layer that adds a header": {func(r *http.Request) { r.Header.Add("X-Trace", "a") }, "X-Trace", []string{"a", "a", "a"}},
		"layer that rewrites the URL": {func(r *http.Request) {
			r.URL.Path += "/x"
			r.Header.Set("X-Path", r.URL.Path)
		}, "X-Path", []string{"/things/x", "/things/x", "/things/x"}},
		"layer that writes into a header's value": {func(r *http.Request) { r.Header["X-Caller"][0] += "b" }, "X-Caller", []string{"ab", "ab", "ab"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				jar, _ := cookiejar.New(nil)
				client := &http.Client{Jar: jar, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					test.layer(r)
					got = append(got, strings.Join(r.Header.Values(test.header), "; "))
					rsp, err := failing(503, "")(r)
					rsp.Header.Set("Set-Cookie", fmt.Sprintf("lb=%d", len(got)))
					return rsp, err
				})}
				req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.test/things", nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("X-Caller", "a")
				if _, err := (&api.Doer{HTTPClient: client}).Do(req); err == nil || !slices.Equal(got, test.want) {
					t.Errorf("got %v after sending %q, want %q", err, got, test.want)
				}
				if req.Header.Get("X-Caller") != "a" || len(req.Header) != 1 || req.URL.Path != "/things" {
					t.Errorf("the caller's request is %v %v now", req.URL, req.Header)
				}
			})
		})
	}
}

// A RoundTripper may go on reading a request after it has returned. The race detector looks on.
func TestRoundTripperMayReadLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var readers sync.WaitGroup
		client := newClient(t, api.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			readers.Go(func() {
				for range 100 {
					_ = r.Header.Get("Authorization") + r.URL.String()
				}
			})
			return failing(503, "")(r)
		})}))
		if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err == nil {
			t.Error("got no error")
		}
		readers.Wait()
	})
}

// With a Doer inside a layer inside a Doer, the inner one makes the attempts.
func TestDoerWithinDoer(t *testing.T) {
	for name, failure := range map[string]doerFunc{"response": failing(503, ""), "transport error": reset} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(failure)
				layer := roundTripper((&api.Doer{HTTPClient: s}).Do)
				client := newClient(t, api.WithHTTPClient(&http.Client{Transport: layer}))
				_, err := client.GetTunnelSession(t.Context(), apiKey) // the key for an ID, by mistake
				var e *api.ResponseError
				if err == nil || len(s.at) != 3 || strings.Count(err.Error(), "3 attempts") != 1 || errors.As(err, &e) != (name == "response") {
					t.Errorf("got %v after %d requests, want 3", err, len(s.at))
				}
			})
		})
	}
}

// limiterFunc is a limiter.
type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func TestLimiterIsWaitedForBeforeEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(failing(503, ""))
		_, err := s.do(t.Context(), api.Doer{Limiter: limiterFunc(func(context.Context) error {
			time.Sleep(time.Minute)
			return nil
		})}, "GET", nil)
		if err == nil || len(s.at) != 3 {
			t.Errorf("got %v after %d requests, want an error after 3", err, len(s.at))
		}
		for i, at := range s.at {
			if at < time.Duration(i+1)*time.Minute {
				t.Errorf("attempt %d was after %v", i+1, at)
			}
		}
	})
}

func TestErrorOfLimiterEndsCall(t *testing.T) {
	refused := errors.New("the limiter is closed")
	after := func(attempts int) limiterFunc {
		return func(context.Context) error {
			if attempts--; attempts < 0 {
				return refused
			}
			return nil
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := newScript(ok)
		body := new(counter)
		if _, err := s.do(t.Context(), api.Doer{Limiter: after(0)}, "PUT", body); !errors.Is(err, refused) || len(s.at) != 0 {
			t.Errorf("before the first attempt: got %v after %d requests", err, len(s.at))
		}
		if !body.closed {
			t.Error("the body of a request that was not sent is open")
		}
		s = newScript(failing(429, ""))
		_, err := s.do(t.Context(), api.Doer{Limiter: after(1)}, "GET", nil)
		if !errors.Is(err, refused) || !errors.Is(err, api.ErrRateLimited) || len(s.at) != 1 {
			t.Errorf("before the second attempt: got %v after %d requests", err, len(s.at))
		}
	})
}

// An HTTP client can return a response with an error, and leaves its body to be closed.
func TestBodyBesideAnErrorIsClosed(t *testing.T) {
	body := new(counter)
	client := once(t, doerFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 302, Body: body}, errReset
	}))
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); !errors.Is(err, errReset) || !body.closed {
		t.Errorf("got %v, and the body is closed: %v", err, body.closed)
	}
}
