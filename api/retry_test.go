package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
)

// A script is an HTTP client that gives one answer after the other, the last one again and again, and notes when.
type script struct {
	answers []doerFunc
	started time.Time
	at      []time.Duration // of the requests
	bodies  []string
}

func newScript(answers ...doerFunc) *script { return &script{answers: answers, started: time.Now()} }

func (s *script) Do(r *http.Request) (*http.Response, error) {
	answer := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Since(s.started))
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, string(data))
	}
	return answer(r)
}

func failing(status int, retryAfter string) doerFunc {
	return func(r *http.Request) (*http.Response, error) {
		rsp, err := answer(status, "application/json", `{"msg":"try again"}`)(r)
		if retryAfter != "" {
			rsp.Header.Set("Retry-After", retryAfter)
		}
		return rsp, err
	}
}

var errReset = errors.New("connection reset")

func reset(*http.Request) (*http.Response, error) { return nil, errReset }

// do sends a request through a Doer to the script.
func (s *script) do(ctx context.Context, d api.Doer, method string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://api.test/things/t_1", body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	d.HTTPClient = s
	return d.Do(req)
}

// succeed answers as ngrok does when a request with any method succeeds.
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
	failures := map[string]failure{
		"transport error":            {reset, idempotent},
		"neither response nor error": {func(*http.Request) (*http.Response, error) { return nil, nil }, never},
		"429":                        {failing(429, ""), always},
	}
	for _, status := range []int{500, 502, 503, 504} {
		failures[fmt.Sprint(status)] = failure{failing(status, ""), idempotent}
	}
	for _, status := range []int{301, 304, 400, 401, 403, 404, 408, 409, 425, 501, 505, 599} {
		failures[fmt.Sprint(status)] = failure{failing(status, ""), never}
	}
	for method, isIdempotent := range map[string]bool{
		"GET": true, "HEAD": true, "PUT": true, "DELETE": true, "OPTIONS": true,
		"POST": false, "PATCH": false, "TRACE": false, "LOCK": false,
	} {
		for name, failure := range failures {
			t.Run(method+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					requests := 1
					if failure.retried == always || failure.retried == idempotent && isIdempotent {
						requests = 2
					}
					s := newScript(failure.answer, succeed)
					rsp, err := s.do(t.Context(), api.Doer{}, method, nil)
					if succeeded := requests == 2; len(s.at) != requests || (rsp != nil) != succeeded || (err == nil) != succeeded {
						t.Errorf("got %v, %v after %d requests, want %d", rsp, err, len(s.at), requests)
					}
				})
			})
		}
	}
}

func TestAttempts(t *testing.T) {
	for _, test := range []struct{ max, want int }{{0, 3}, {-1, 3}, {1, 1}, {2, 2}} {
		t.Run(fmt.Sprint(test.max), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(reset)
				_, err := s.do(t.Context(), api.Doer{MaxAttempts: test.max}, "GET", nil)
				if !errors.Is(err, errReset) || len(s.at) != test.want || strings.Contains(err.Error(), "attempts)") != (test.want > 1) {
					t.Errorf("got %v after %d requests, want %d", err, len(s.at), test.want)
				}
			})
		})
	}
}

// The waits double, half of each is random, and they end at eight seconds.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := make([][]time.Duration, 6)
		for range 50 {
			s := newScript(reset)
			if _, err := s.do(t.Context(), api.Doer{MaxAttempts: 7}, "GET", nil); len(s.at) != 7 {
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

// A wait of up to a minute is kept to. For a longer one the call ends at once.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // at the start of each bubble
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, test := range []struct {
		name  string
		value string
		asked time.Duration // 0: nothing, so that the wait is the usual one
	}{
		{"absent", "", 0},
		{"zero", "0", 0},
		{"seconds", "7", 7 * time.Second},
		{"a minute", "60", time.Minute},
		{"more than a minute", "61", 61 * time.Second},
		{"date", date(9 * time.Second), 9 * time.Second},
		{"past date", date(-time.Hour), 0},
		{"date that overflows a Duration", "Fri, 31 Dec 9999 23:59:59 GMT", math.MaxInt64},
		{"negative", "-7", 0},
		{"sign", "+7", 0},
		{"hexadecimal", "0x10", 0},
		{"word", "soon", 0},
		{"longest Duration", "9223372036", 9223372036 * time.Second},
		{"overflows a Duration", "9223372037", math.MaxInt64},
		{"overflows it by far", "99999999999", math.MaxInt64},
		{"overflows a number", "18446744073709551616", math.MaxInt64},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := newScript(failing(429, test.value)).do(t.Context(), api.Doer{MaxAttempts: 1}, "GET", nil)
				var e *api.ResponseError
				if !errors.As(err, &e) || e.RetryAfter != test.asked {
					t.Errorf("got %v, want to retry after %v", err, test.asked)
				}
				s := newScript(failing(429, test.value), ok)
				_, err = s.do(t.Context(), api.Doer{}, "GET", nil)
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
				_, err := s.do(ctx, api.Doer{}, "GET", nil)
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

// When its context ends a call, the error matches the context's error, its cause, and the error of the last attempt. A
// context that ends with an attempt that no other could mend has not ended the call: the attempt has.
func TestCancelWithCause(t *testing.T) {
	cause := errors.New("shutting down")
	during := func(answer doerFunc) doerFunc {
		return func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return answer(r)
		}
	}
	for _, test := range []struct {
		name     string
		answer   doerFunc
		after    time.Duration
		requests int
		last     error // nil: none besides the context's
		ended    bool  // by the context
	}{
		{"while sending", sending, time.Second, 1, nil, true},
		{"in the body of an error", func(r *http.Request) (*http.Response, error) {
			rsp, err := failing(404, "")(r)
			rsp.Body = stallingBody{r.Context()}
			return rsp, err
		}, time.Second, 1, api.ErrUnexpectedResponse, true},
		{"while waiting after a transport error", reset, 100 * time.Millisecond, 1, errReset, true},
		{"while waiting after a response", failing(429, "10"), 15 * time.Second, 2, api.ErrRateLimited, true},
		{"with an attempt that another could mend", during(failing(429, "")), time.Second, 1, api.ErrRateLimited, true},
		{"with an attempt that none could mend", during(failing(404, "")), time.Second, 1, api.ErrNotFound, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(test.after, func() { cancel(cause) })
				s := newScript(test.answer)
				_, err := s.do(ctx, api.Doer{}, "GET", nil)
				if errors.Is(err, context.Canceled) != test.ended || errors.Is(err, cause) != test.ended || test.last != nil && !errors.Is(err, test.last) {
					t.Errorf("got %v, want the end of the context: %v, and %v", err, test.ended, test.last)
				}
				if took := time.Since(s.started); took != test.after || len(s.at) != test.requests {
					t.Errorf("got %v after %v and %d requests", err, took, len(s.at))
				}
				if strings.Count(err.Error(), "2 attempts") != test.requests-1 {
					t.Errorf("got %v, want it to tell of 2 attempts once, and of 1 not at all", err)
				}
			})
		})
	}
}

// An errgroup cancels its context with the first error as the cause. It is not the error of the other calls.
func TestErrorOfAnotherCallIsTheCause(t *testing.T) {
	_, gone := once(t, answer(404, "application/json", `{"msg":"Resource not found"}`)).GetTunnelSession(t.Context(), "ts_1")
	_, invalid := once(t, ok).GetTunnelSession(t.Context(), "..")
	_, refused := once(t, doerFunc(reset)).GetTunnelSession(t.Context(), "ts_1")
	for _, cause := range []error{gone, fmt.Errorf("look up ts_1: %w", gone), invalid, refused} {
		for name, answer := range map[string]doerFunc{"while sending": sending, "with the attempt": failing(503, "")} {
			ctx, cancel := context.WithCancelCause(t.Context())
			s := newScript(func(r *http.Request) (*http.Response, error) {
				cancel(cause)
				return answer(r)
			})
			_, err := s.do(ctx, api.Doer{}, "GET", nil)
			if !errors.Is(err, context.Canceled) || errors.Is(err, api.ErrNotFound) || errors.Is(err, api.ErrInvalidID) || errors.Is(err, errReset) || len(s.at) != 1 {
				t.Errorf("%v, %s: got %v after %d requests, want context.Canceled alone", cause, name, err, len(s.at))
			}
		}
	}
}

func TestRequestBody(t *testing.T) {
	gone := errors.New("file is gone")
	for _, test := range []struct {
		name    string
		body    io.Reader
		getBody func() (io.ReadCloser, error)
		sent    []string
		is      error
	}{
		{"none", http.NoBody, nil, []string{"", "", ""}, errReset},
		{"rewound", strings.NewReader("{}"), func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("{}")), nil }, []string{"{}", "{}", "{}"}, errReset},
		{"that cannot be rewound", strings.NewReader("{}"), nil, []string{"{}"}, errReset},
		{"that fails to rewind", strings.NewReader("{}"), func() (io.ReadCloser, error) { return nil, gone }, []string{"{}"}, gone},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(reset)
				req, err := http.NewRequest("PUT", "https://api.test/things/t_1", test.body)
				if err != nil {
					t.Fatal(err)
				}
				req.GetBody = test.getBody
				_, err = (&api.Doer{HTTPClient: s}).Do(req)
				if !errors.Is(err, test.is) || !slices.Equal(s.bodies, test.sent) {
					t.Errorf("got %v after sending %q, want %v after %q", err, s.bodies, test.is, test.sent)
				}
			})
		})
	}
}

func TestRetriesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s := newScript(failing(429, "7"), func(*http.Request) (*http.Response, error) { return nil, errors.New("quotes " + apiKey) }, ok)
		client := newClient(t, api.WithHTTPClient(&api.Doer{HTTPClient: s, Logger: logger}))
		if _, err := client.GetTunnelSession(t.Context(), apiKey); err != nil { // the key for an ID, by mistake
			t.Fatal(err)
		}
		const start = `time=\S+ level=DEBUG msg="retrying request to ngrok" method=GET path=/tunnel_sessions/\[redacted\] `
		want := regexp.MustCompile("^" + start + "attempt=1 wait=7s status=429\n" + start + `attempt=2 wait=\S+ error="quotes \[redacted\]"` + "\n$")
		if !want.MatchString(log.String()) {
			t.Errorf("logged\n%swant %s", log.String(), want)
		}
	})
}

func TestNothingElseIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		for _, test := range []struct {
			name   string
			level  slog.Level
			answer doerFunc
		}{
			{"success", slog.LevelDebug, ok},
			{"error", slog.LevelDebug, failing(404, "")},
			{"retry where debug is off", slog.LevelInfo, failing(503, "")},
			{"end of the context", slog.LevelDebug, func(r *http.Request) (*http.Response, error) {
				cancel()
				return failing(503, "")(r)
			}},
		} {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: test.level}))
			_, _ = newScript(test.answer).do(ctx, api.Doer{Logger: logger}, "GET", nil)
			if log.Len() > 0 {
				t.Errorf("%s: logged %s", test.name, log.String())
			}
		}
	})
}
