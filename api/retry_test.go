package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
)

// succeed responds as ngrok does when a request with any method succeeds.
func succeed(r *http.Request) (*http.Response, error) {
	if r.Method == "DELETE" || r.Method == "POST" {
		return noContent(r)
	}
	return ok(r)
}

func TestWhatIsRetried(t *testing.T) {
	const never, idempotent, always = 0, 1, 2
	type failure struct {
		answer  doerFunc
		retried int
	}
	// As an http.Client returns it.
	network := func(err error) doerFunc {
		return func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: err}
		}
	}
	failures := map[string]failure{
		"host refuses the connection":  {network(&net.OpError{Op: "dial", Err: errReset}), always},
		"proxy refuses the connection": {network(&net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: errReset}}), always},
		"connection breaks":            {network(&net.OpError{Op: "read", Err: errReset}), idempotent},
		"connection ends":              {network(io.EOF), idempotent},
		"certificate is not trusted":   {network(&tls.CertificateVerificationError{Err: errReset}), never},
		"429":                          {failing(429, ""), always},
	}
	for _, status := range []int{500, 502, 503, 504} {
		failures[fmt.Sprint(status)] = failure{failing(status, ""), idempotent}
	}
	for _, status := range []int{301, 304, 400, 401, 403, 404, 408, 409, 425, 501, 505, 599} {
		failures[fmt.Sprint(status)] = failure{failing(status, ""), never}
	}
	for method, isIdempotent := range map[string]bool{"GET": true, "PUT": true, "DELETE": true, "POST": false, "PATCH": false} {
		for name, failure := range failures {
			t.Run(method+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					requests := 1
					if failure.retried == always || failure.retried == idempotent && isIdempotent {
						requests = 2
					}
					s := newScript(failure.answer, succeed)
					rsp, err := s.do(t.Context(), api.Doer{}, method)
					if succeeded := requests == 2; len(s.at) != requests || (rsp != nil) != succeeded || (err == nil) != succeeded {
						t.Errorf("got %v, %v after %d requests, want %d", rsp, err, len(s.at), requests)
					}
				})
			})
		}
	}
}

// The waits double, half of each is random, and none is longer than eight seconds.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := make([][]time.Duration, 6)
		for range 50 {
			s := newScript(reset)
			if _, err := s.do(t.Context(), api.Doer{MaxAttempts: 7}, "GET"); len(s.at) != 7 {
				t.Fatalf("got %v after %d requests", err, len(s.at))
			}
			for i := range waits {
				waits[i] = append(waits[i], s.at[i+1]-s.at[i])
			}
		}
		longest := 500 * time.Millisecond
		for i := range waits {
			low, high := slices.Min(waits[i]), slices.Max(waits[i])
			if low < longest/2 || high > longest || high-low < longest/10 {
				t.Errorf("wait %d: from %v to %v, want anything from half of %v to all of it", i+1, low, high, longest)
			}
			longest = min(2*longest, 8*time.Second)
		}
	})
}

// A Retry-After of up to a minute is the wait. With a longer one, the call ends at once.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // at the start of each bubble
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, test := range []struct {
		name  string
		value string
		date  string        // the header Date
		asked time.Duration // 0: nothing, so the wait is the usual one
	}{
		{"absent", "", "", 0},
		{"zero", "0", "", 0},
		{"seconds", "7", "", 7 * time.Second},
		{"a minute", "60", "", time.Minute},
		{"more than a minute", "61", "", 61 * time.Second},
		{"date", date(9 * time.Second), "", 9 * time.Second},
		{"date of a server that is ahead", date(95 * time.Second), date(90 * time.Second), 5 * time.Second},
		{"date of a server that is behind", date(-85 * time.Second), date(-90 * time.Second), 5 * time.Second},
		{"date beside one that is none", date(9 * time.Second), "today", 9 * time.Second},
		{"past date", date(-time.Hour), "", 0},
		{"date that overflows a Duration", "Fri, 31 Dec 9999 23:59:59 GMT", "", math.MaxInt64},
		{"negative", "-7", "", 0},
		{"word", "soon", "", 0},
		{"longest Duration", "9223372036", "", 9223372036 * time.Second},
		{"overflows a Duration", "9223372037", "", 9223372036 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				busy := func(r *http.Request) (*http.Response, error) {
					rsp, err := failing(429, test.value)(r)
					rsp.Header.Set("Date", test.date)
					return rsp, err
				}
				_, err := newScript(busy).do(t.Context(), api.Doer{MaxAttempts: 1}, "GET")
				var e *api.ResponseError
				if !errors.As(err, &e) || e.RetryAfter != test.asked {
					t.Errorf("got %v, %+v, want to retry after %v", err, e, test.asked)
				}
				s := newScript(busy, ok)
				_, err = s.do(t.Context(), api.Doer{}, "GET")
				took := time.Since(s.started)
				switch {
				case test.asked > time.Minute:
					if !errors.Is(err, api.ErrRateLimited) || len(s.at) != 1 || took != 0 {
						t.Errorf("got %v after %d requests and %v, want ErrRateLimited at once", err, len(s.at), took)
					}
				case err != nil || len(s.at) != 2:
					t.Errorf("got %v after %d requests, want success after 2", err, len(s.at))
				case test.asked == 0 && (took < 250*time.Millisecond || took > 500*time.Millisecond), test.asked > 0 && took != test.asked:
					t.Errorf("waited %v, want %v", took, test.asked)
				}
			})
		})
	}
}

// sending is an attempt that its context ends. As net/http does, it returns the context's cause alone.
func sending(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// A deadline ends the call. If the wait for the next attempt would outlast it, the call ends at once.
func TestDeadline(t *testing.T) {
	for _, test := range []struct {
		name     string
		answer   doerFunc
		deadline time.Duration
		requests int
		is       error
	}{
		{"while sending", sending, time.Second, 1, context.DeadlineExceeded},
		{"within the usual wait", failing(429, ""), 100 * time.Millisecond, 1, api.ErrRateLimited},
		{"within the wait that is asked for", failing(429, "30"), 29 * time.Second, 1, api.ErrRateLimited},
		{"after the wait", failing(429, "30"), 31 * time.Second, 2, api.ErrRateLimited},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				s := newScript(test.answer)
				_, err := s.do(ctx, api.Doer{}, "GET")
				if !errors.Is(err, test.is) || len(s.at) != test.requests {
					t.Errorf("got %v after %d requests, want %v after %d", err, len(s.at), test.is, test.requests)
				}
				if errors.Is(err, api.ErrRateLimited) && errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want the attempt's own error", err)
				}
			})
		})
	}
}

// When the context ends a call, the error matches the context's error, and that of the last attempt if it ended while
// waiting. It never matches the context's cause, which with an errgroup is the error of another call.
func TestCancel(t *testing.T) {
	_, gone := once(t, answer(404, "application/json", notFound)).GetTunnelSession(t.Context(), "ts_1")
	for _, test := range []struct {
		name     string
		answer   doerFunc
		limiter  limiterFunc
		after    time.Duration
		requests int
		last     error // nil: none besides the context's
	}{
		{"while sending", sending, nil, time.Second, 1, nil},
		{"in the body", func(r *http.Request) (*http.Response, error) {
			rsp, err := ok(r)
			rsp.Body = stallingBody{r.Context()}
			return rsp, err
		}, nil, time.Second, 1, nil},
		{"while waiting after a transport error", reset, nil, 100 * time.Millisecond, 1, errReset},
		{"while waiting after a response", failing(429, "10"), nil, 15 * time.Second, 2, api.ErrRateLimited},
		{"while waiting for the limiter", ok, waitForCause, time.Second, 0, nil},
		{"while waiting for the limiter after a response", failing(429, "10"), afterFirst(waitForCause), 15 * time.Second, 1, api.ErrRateLimited},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(test.after, func() { cancel(gone) })
				var d api.Doer
				if test.limiter != nil {
					d.Limiter = test.limiter
				}
				s := newScript(test.answer)
				_, err := s.do(ctx, d, "GET")
				if !errors.Is(err, context.Canceled) || errors.Is(err, api.ErrNotFound) || test.last != nil && !errors.Is(err, test.last) {
					t.Errorf("got %v, want context.Canceled, %v, and not the cause", err, test.last)
				}
				if took := time.Since(s.started); took != test.after || len(s.at) != test.requests {
					t.Errorf("got %v after %v and %d requests", err, took, len(s.at))
				}
			})
		})
	}
}

// waitForCause is a limiter that returns the cause of its context.
func waitForCause(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// afterFirst returns a limiter that lets the first attempt pass.
func afterFirst(then limiterFunc) limiterFunc {
	first := true
	return func(ctx context.Context) error {
		if first {
			first = false
			return nil
		}
		return then(ctx)
	}
}

// Each attempt has the whole body, also if an editor has replaced it, as its GetBody tells.
func TestRequestBody(t *testing.T) {
	for _, body := range []string{"", "{}"} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(reset)
			req, err := http.NewRequest("PUT", "https://api.test/things/t_1", strings.NewReader("replaced"))
			if err != nil {
				t.Fatal(err)
			}
			req.Body = io.NopCloser(strings.NewReader(body))
			_, err = (&api.Doer{HTTPClient: s}).Do(req)
			want := slices.Repeat([]string{body}, 3)
			if body == "" {
				want = nil
			}
			if !errors.Is(err, errReset) || !slices.Equal(s.bodies, want) {
				t.Errorf("got %v after sending %q, want %v after %q", err, s.bodies, errReset, want)
			}
		})
	}
}

// Each retry has one record of level debug, without the API key. Nothing else is logged.
func TestRetriesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		quoting := answer(429, "application/json", `{"msg":"bad: `+apiKey+`"}`)
		client := newClient(t, api.WithHTTPClient(&api.Doer{HTTPClient: newScript(quoting, reset, failing(404, "")), Logger: logger}))
		if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err == nil {
			t.Error("got no error")
		}
		const start = `time=\S+ level=DEBUG msg="retrying request to ngrok" `
		want := regexp.MustCompile("^" + start + `attempt=1 wait=\S+ error="GET https://api.ngrok.com/tunnel_sessions/ts_1: 429 Too Many Requests: bad: \[redacted\]"` + "\n" +
			start + `attempt=2 wait=\S+ error="connection reset"` + "\n$")
		if !want.MatchString(log.String()) {
			t.Errorf("logged\n%swant %s", log.String(), want)
		}
	})
}
