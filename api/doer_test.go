package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
)

// Attempts share nothing: if a layer below the Doer changes a request, the next attempt does not
// see it.
func TestAttemptsShareNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/things/t_1" || r.Header.Get("Authorization") != "" {
				t.Errorf("got %s %v", r.URL, r.Header)
			}
			r.URL.Path += "/x"
			r.Header.Set("Authorization", "Bearer token")
			return failing(503, "")(r)
		})
		if _, err := s.do(t.Context(), api.Doer{}, "GET"); err == nil || len(s.at) != 3 {
			t.Errorf("got %v after %d requests", err, len(s.at))
		}
	})
}

// limiterFunc is a function as a limiter.
type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func TestLimiterDelaysEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(failing(503, ""))
		_, err := s.do(t.Context(), api.Doer{Limiter: limiterFunc(func(context.Context) error {
			time.Sleep(time.Minute)
			return nil
		})}, "GET")
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

// An error of the limiter ends the call, and wraps the failure of the previous attempt.
func TestErrorOfLimiter(t *testing.T) {
	wouldExceed := errors.New("would exceed the deadline")
	refuse := limiterFunc(func(context.Context) error { return wouldExceed })
	synctest.Test(t, func(t *testing.T) {
		s := newScript(failing(429, ""))
		_, err := s.do(t.Context(), api.Doer{Limiter: refuse}, "GET")
		want := `GET "https://api.test/things/t_1": wait for the limiter: would exceed the deadline`
		if !errors.Is(err, wouldExceed) || err.Error() != want || len(s.at) != 0 {
			t.Errorf("before the first attempt: got %v after %d requests, want %s", err, len(s.at), want)
		}
		_, err = s.do(t.Context(), api.Doer{Limiter: afterFirst(refuse)}, "GET")
		if !errors.Is(err, wouldExceed) || !errors.Is(err, api.ErrRateLimited) || len(s.at) != 1 {
			t.Errorf("before the second attempt: got %v after %d requests", err, len(s.at))
		}
	})
}

// stallingBody is a body that does not arrive before the context ends.
type stallingBody struct {
	ctx context.Context
	err error
}

func (b stallingBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.err
}

func (stallingBody) Close() error { return nil }

// stalling returns an HTTP client whose response has a body that stalls until an error.
func stalling(bodyError error) doerFunc {
	return func(r *http.Request) (*http.Response, error) {
		rsp, err := ok(r)
		rsp.Body = stallingBody{r.Context(), bodyError}
		return rsp, err
	}
}

// Each attempt has its timeout, whatever the HTTP client. The caller's context has none.
func TestAttemptTimeout(t *testing.T) {
	const default30 = "no complete response within 30s (3 attempts)"
	traced := roundTripper(sending)
	for _, test := range []struct {
		name   string
		client api.HttpRequestDoer
		set    time.Duration
		want   time.Duration // of an attempt
		text   string        // in the error, after the URL
	}{
		{"default", doerFunc(sending), 0, 30 * time.Second, default30},
		{"own", doerFunc(sending), 5 * time.Second, 5 * time.Second, "no complete response within 5s (3 attempts)"},
		{"over HTTP/2", doerFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err() // not its cause
		}), 0, 30 * time.Second, default30},
		{"in the body", stalling(context.DeadlineExceeded), 0, 30 * time.Second, default30},
		{"in the body, which the server ends then", stalling(io.EOF), 0, 30 * time.Second, default30},
		{"http.Client with a transport that traces", &http.Client{Transport: traced}, 0, 30 * time.Second, default30},
		{"http.Client with a sooner timeout", &http.Client{Transport: traced, Timeout: time.Second},
			0, time.Second, "context deadline exceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				doer := &api.Doer{HTTPClient: test.client, AttemptTimeout: test.set}
				_, err := doer.Do(newRequest(t.Context(), "GET", ""))
				if !errors.Is(err, context.DeadlineExceeded) || t.Context().Err() != nil {
					t.Errorf("got %v, want DeadlineExceeded", err)
				}
				e, isNet := errors.AsType[net.Error](err)
				if !isNet || !e.Timeout() || !strings.Contains(err.Error(), `t_1": `+test.text) {
					t.Errorf("got %v, want a timeout: %s", err, test.text)
				}
				if took := time.Since(start).Truncate(test.want / 4); took < 3*test.want || took > 3*test.want+3*time.Second {
					t.Errorf("it took %v, want three times %v and the waits", took, test.want)
				}
			})
		})
	}
}

func TestSuccesses(t *testing.T) {
	const jsonType = "application/json"
	for _, test := range []struct {
		name        string
		method      string
		status      int
		contentType string
		body        string
		want        string // in the error; empty for none
	}{
		{"got", "GET", 200, jsonType, session, ""},
		{"parameter and white space", "GET", 200, "application/json; charset=utf-8", "\r\n " + session + "\n", ""},
		{"created", "POST", 201, jsonType, session, ""},
		{"commanded", "POST", 204, "", "", ""},
		{"changed", "PATCH", 200, jsonType, session, ""},
		{"replaced", "PUT", 200, jsonType, session, ""},
		{"deleted", "DELETE", 204, "", "", ""},

		{"HTML as JSON", "GET", 200, jsonType, "<html>log in</html>", "not ngrok's JSON"},
		{"JSON as HTML", "GET", 200, "text/html", session, `not ngrok's JSON: its content type is "text/html"`},
		{"no content type", "GET", 200, "", session, "not ngrok's JSON"},
		{"null", "GET", 200, jsonType, "null", "not ngrok's JSON"},
		{"empty", "GET", 200, jsonType, "", "not ngrok's JSON"},
		{"created, but empty", "POST", 201, jsonType, "", "not ngrok's JSON"},
		{"created, but with another status", "POST", 200, jsonType, session, "200 OK"},
		{"changed, but without content", "PATCH", 204, "", "", "204 No Content"},
		{"replaced, but created", "PUT", 201, jsonType, session, "201 Created"},
		{"deleted, but with another status", "DELETE", 200, jsonType, "{}", "200 OK"},
		{"switching protocols", "GET", 101, "", "", "101 Switching Protocols"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScript(responding(test.status, test.contentType, test.body))
			rsp, err := s.do(t.Context(), api.Doer{}, test.method)
			if test.want == "" {
				if err != nil || rsp.StatusCode != test.status || rsp.ContentLength != int64(len(test.body)) {
					t.Errorf("got %+v, %v, want the response", rsp, err)
				}
				return
			}
			var e *api.ResponseError
			if rsp != nil || !errors.Is(err, api.ErrUnexpectedResponse) || !errors.As(err, &e) || e.StatusCode != test.status {
				t.Fatalf("got %v, %v, want a ResponseError that is ErrUnexpectedResponse", rsp, err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
		})
	}
}

// A counter is an endless body, perhaps with an error, that counts the bytes read.
type counter struct {
	read   int64
	err    error
	closed bool
}

func (c *counter) Read(p []byte) (int, error) {
	c.read += int64(len(p))
	clear(p)
	return len(p), c.err
}

func (c *counter) Close() error { c.closed = true; return nil }

func TestBodyLimits(t *testing.T) {
	get := func(status int, body io.ReadCloser, limit int64) error {
		s := newScript(func(r *http.Request) (*http.Response, error) {
			rsp, err := responding(status, "application/json", "")(r)
			rsp.Body = body
			return rsp, err
		})
		_, err := s.do(t.Context(), api.Doer{MaxBodyBytes: limit}, "GET")
		return err
	}
	for _, test := range []struct {
		status    int
		set, read int64
		is        error
	}{
		{200, 0, 10<<20 + 1, api.ErrResponseTooLarge}, // one byte more shows that the body is too large
		{200, 1000, 1001, api.ErrResponseTooLarge},
		{403, 1000, 64 << 10, nil},
		{302, 0, 0, api.ErrUnexpectedResponse},
		{101, 0, 0, api.ErrUnexpectedResponse}, // its body has no end
	} {
		body := new(counter)
		err := get(test.status, body, test.set)
		if _, ok := errors.AsType[*api.ResponseError](err); !ok || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("status %d, limit %d: got %v", test.status, test.set, err)
		}
		if body.read != test.read || !body.closed {
			t.Errorf("status %d, limit %d: read %d, and closed: %v", test.status, test.set, body.read, body.closed)
		}
	}
	if err := get(200, io.NopCloser(strings.NewReader(session)), int64(len(session))); err != nil {
		t.Errorf("body as large as the limit: %v", err)
	}
	// Of a success that turns out to be an error, 64 KiB are kept.
	err := get(200, io.NopCloser(strings.NewReader("<"+strings.Repeat("x", 1<<20))), 0)
	if e, ok := errors.AsType[*api.ResponseError](err); !ok || len(e.Body) != 64<<10 {
		t.Errorf("HTML: got %.100v", err)
	}
}

// A success whose body breaks off is a failure of the connection. For an error, the status counts.
func TestBodyBreaksOff(t *testing.T) {
	for status, attempts := range map[int]int{200: 3, 404: 1} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(func(r *http.Request) (*http.Response, error) {
				rsp, err := responding(status, "application/json", "")(r)
				rsp.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), iotest.ErrReader(errReset)))
				return rsp, err
			})
			_, err := s.do(t.Context(), api.Doer{}, "GET")
			_, isResponse := errors.AsType[*api.ResponseError](err)
			if isResponse != (status == 404) || errors.Is(err, errReset) == isResponse || len(s.at) != attempts {
				t.Errorf("status %d: got %v after %d requests", status, err, len(s.at))
			}
		})
	}
}

// A body of a request that cannot be read is not sent in part. It is closed.
func TestUnreadableRequest(t *testing.T) {
	s := newScript(ok)
	req := newRequest(t.Context(), "POST", "")
	body := &counter{err: errReset}
	req.Body = body
	_, err := (&api.Doer{HTTPClient: s}).Do(req)
	if !errors.Is(err, errReset) || !strings.Contains(err.Error(), "read the body of the request") || len(s.at) > 0 {
		t.Errorf("got %v after %d requests", err, len(s.at))
	}
	if !body.closed {
		t.Error("the body is open")
	}
}

// A mock's response may have no body, or be missing.
func TestMocks(t *testing.T) {
	noBody := func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 204}, nil }
	if err := once(t, doerFunc(noBody)).StopTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Error(err)
	}
	nothing := func(*http.Request) (*http.Response, error) { return nil, nil }
	err := once(t, doerFunc(nothing)).StopTunnelSession(t.Context(), "ts_1")
	if err == nil || !strings.Contains(err.Error(), "neither a response nor an error") {
		t.Errorf("got %v", err)
	}
}
