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

var (
	errDial  = &net.OpError{Op: "dial", Err: errReset}
	errProxy = &net.OpError{Op: "proxyconnect", Err: errDial}
	errSOCKS = &net.OpError{Op: "socks connect", Err: errReset}
)

func TestRetries(t *testing.T) {
	const never, idempotent, always = 0, 1, 2
	type failure struct {
		respond doerFunc
		retried int
	}
	failures := map[string]failure{
		"host refuses the connection":  {noResponse(errDial), always},
		"proxy refuses the connection": {noResponse(errProxy), always},
		"SOCKS proxy refuses":          {noResponse(errSOCKS), always},
		"connection breaks":            {noResponse(&net.OpError{Op: "read", Err: errReset}), idempotent},
		"connection ends":              {noResponse(io.EOF), idempotent},
		"certificate is not trusted":   {noResponse(&tls.CertificateVerificationError{Err: errReset}), never},
		"429":                          {failing(429, ""), always},
	}
	for _, status := range []int{500, 502, 503, 504} {
		failures[fmt.Sprint(status)] = failure{failing(status, ""), idempotent}
	}
	for _, status := range []int{301, 304, 400, 401, 403, 404, 408, 409, 425, 501, 505, 599} {
		failures[fmt.Sprint(status)] = failure{failing(status, ""), never}
	}
	methods := map[string]bool{"GET": true, "PUT": true, "DELETE": true, "POST": false, "PATCH": false}
	for method, isIdempotent := range methods {
		for name, failure := range failures {
			t.Run(method+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					want := 1
					if failure.retried == always || failure.retried == idempotent && isIdempotent {
						want = 2
					}
					s := newScript(failure.respond, succeed)
					rsp, err := s.do(t.Context(), api.Doer{}, method)
					if len(s.at) != want || (rsp != nil) != (want == 2) || (err == nil) != (want == 2) {
						t.Errorf("got %v, %v after %d requests, want %d", rsp, err, len(s.at), want)
					}
				})
			})
		}
	}
}

func TestOutcomeUnknown(t *testing.T) {
	refuse := limiterFunc(func(context.Context) error { return errReset })
	for _, test := range []struct {
		name    string
		respond doerFunc
		id      string
		limiter interface{ Wait(context.Context) error } // may be nil
		unknown bool
	}{
		{"success", noContent, "ts_1", nil, false},
		{"invalid ID", noContent, "..", nil, false},
		{"limiter", noContent, "ts_1", refuse, false},
		{"limiter before another attempt", failing(429, ""), "ts_1", afterFirst(refuse), false},
		{"dialing the host", noResponse(errDial), "ts_1", nil, false},
		{"dialing the proxy", noResponse(errProxy), "ts_1", nil, false},
		{"dialing until the attempt ends", dialing, "ts_1", nil, false},
		{"429", failing(429, ""), "ts_1", nil, false},
		{"mock of an unknown session", noResponse(api.ErrNotFound), "ts_1", nil, false},
		{"mock of an invalid key", noResponse(api.ErrAuthentication), "ts_1", nil, false},
		{"mock of the limit", noResponse(api.ErrRateLimited), "ts_1", nil, false},
		{"499", failing(499, ""), "ts_1", nil, false},
		{"unknown session", responding(404, "application/json", notFound), "ts_1", nil, false},
		{"agent that cannot", responding(400, "application/json", `{"error_code":"ERR_NGROK_804"}`), "ts_1", nil, false},

		{"agent out of reach", responding(400, "application/json", `{"error_code":"ERR_NGROK_810"}`), "ts_1", nil, true},
		{"500", failing(500, ""), "ts_1", nil, true},
		{"redirect", failing(302, ""), "ts_1", nil, true},
		{"399", failing(399, ""), "ts_1", nil, true},
		{"unexpected success", ok, "ts_1", nil, true},
		{"connection breaks", noResponse(io.EOF), "ts_1", nil, true},
		{"timeout", sending, "ts_1", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				doer := &api.Doer{HTTPClient: test.respond, Limiter: test.limiter}
				err := newClient(t, api.WithHTTPClient(doer)).StopTunnelSession(t.Context(), test.id)
				if (err == nil) != (test.name == "success") {
					t.Errorf("got %v", err)
				}
				if err != nil {
					err = fmt.Errorf("wrapped: %w", err)
				}
				if got := api.OutcomeUnknown(err); got != test.unknown {
					t.Errorf("%v: got %v, want %v", err, got, test.unknown)
				}
			})
		})
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
		{"date beside an invalid one", date(9 * time.Second), "today", 9 * time.Second},
		{"past date", date(-time.Hour), "", 0},
		{"date that overflows a Duration", "Fri, 31 Dec 9999 23:59:59 GMT", "", math.MaxInt64},
		{"word", "soon", "", 0},
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
				case test.asked > 0 && took != test.asked,
					test.asked == 0 && (took < 250*time.Millisecond || took > 500*time.Millisecond):
					t.Errorf("waited %v, want %v", took, test.asked)
				}
			})
		})
	}
}

// dialing is a dial function that its context ends.
func dialing(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, &net.OpError{Op: "dial", Err: r.Context().Err()}
}

// sending is an attempt that its context ends. Like net/http, it returns only the context's cause.
func sending(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// If the wait for the next attempt would outlast the deadline, the call ends at once.
func TestDeadline(t *testing.T) {
	for _, test := range []struct {
		name, retryAfter string
		deadline         time.Duration
		requests         int
	}{
		{"within the usual wait", "", 100 * time.Millisecond, 1},
		{"within the wait that is asked for", "30", 29 * time.Second, 1},
		{"at the end of the wait", "30", 30 * time.Second, 1},
		{"after the wait", "30", 31 * time.Second, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				s := newScript(failing(429, test.retryAfter))
				_, err := s.do(ctx, api.Doer{}, "GET")
				isOfAttempt := errors.Is(err, api.ErrRateLimited) && !errors.Is(err, context.DeadlineExceeded)
				if !isOfAttempt || len(s.at) != test.requests {
					t.Errorf("got %v after %d requests, want ErrRateLimited after %d", err, len(s.at), test.requests)
				}
			})
		})
	}
}

// When the context ends a call, the error matches the context's error, and that of the last attempt
// if it ended while waiting. It never matches the context's cause, which with an errgroup is the
// error of another call.
func TestCancel(t *testing.T) {
	gone := errors.New("another call failed")
	for _, test := range []struct {
		name     string
		respond  doerFunc
		limiter  interface{ Wait(context.Context) error } // may be nil
		after    time.Duration
		requests int
		last     error // nil: none besides the context's
	}{
		{"while sending", sending, nil, time.Second, 1, nil},
		{"in the body", stalling(context.Canceled), nil, time.Second, 1, nil},
		{"while waiting after a transport error", reset, nil, 100 * time.Millisecond, 1, errReset},
		{"while waiting after a response", failing(429, "10"), nil, 15 * time.Second, 2, api.ErrRateLimited},
		{"while waiting for the limiter", ok, limiterFunc(waitForCause), time.Second, 0, nil},
		{"while waiting for the limiter after a response", failing(429, "10"), afterFirst(waitForCause),
			15 * time.Second, 1, api.ErrRateLimited},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(test.after, func() { cancel(gone) })
				s := newScript(test.respond)
				_, err := s.do(ctx, api.Doer{Limiter: test.limiter}, "GET")
				if !errors.Is(err, context.Canceled) || errors.Is(err, gone) {
					t.Errorf("got %v, want context.Canceled, and not the cause", err)
				}
				if test.last != nil && !errors.Is(err, test.last) {
					t.Errorf("got %v, want %v in it", err, test.last)
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

// Each attempt has the whole body, even if an editor has replaced it and GetBody returns the old
// one.
func TestRequestBody(t *testing.T) {
	for body, want := range map[string][]string{"{}": {"{}", "{}", "{}"}, "": nil} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(reset)
			req := newRequest(t.Context(), "PUT", "replaced")
			req.Body = io.NopCloser(strings.NewReader(body))
			_, err := (&api.Doer{HTTPClient: s}).Do(req)
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
		logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		quoting := responding(429, "application/json", `{"msg":"bad: `+apiKey+`"}`)
		s := newScript(quoting, noResponse(errReset), failing(404, ""))
		client := newClient(t, api.WithHTTPClient(&api.Doer{HTTPClient: s, Logger: logger}))
		if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err == nil {
			t.Error("got no error")
		}
		const start = `{"time":".*","level":"DEBUG","msg":"retrying request to ngrok",`
		const url = `GET \\"https://api.ngrok.com/tunnel_sessions/ts_1\\": `
		want := "^" + start + `"attempt":1,"wait":\d+,"error":"` + url + `429 Too Many Requests: bad: \[redacted\]"}` + "\n" +
			start + `"attempt":2,"wait":\d+,"error":"` + url + `connection reset"}` + "\n$"
		if !regexp.MustCompile(want).MatchString(log.String()) {
			t.Errorf("logged\n%swant %s", log.String(), want)
		}
	})
}
