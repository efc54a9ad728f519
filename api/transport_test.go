package api_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
)

// stallingBody is the body of a response that does not come.
type stallingBody struct{ ctx context.Context }

func (b stallingBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, context.Cause(b.ctx)
}

func (stallingBody) Close() error { return nil }

// An attempt with the default client has 30 seconds, its body included, and the call its attempts and waits.
func TestDefaultClientTimeout(t *testing.T) {
	for name, stall := range map[string]roundTripper{
		"before the header": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		},
		"in the body": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
				Body: stallingBody{r.Context()}, ContentLength: -1, Request: r}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var attempts []time.Duration
				start := time.Now()
				stalling := *api.DefaultClient()
				stalling.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
					attempts = append(attempts, time.Since(start))
					return stall(r)
				})
				req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.test/", nil)
				if err != nil {
					t.Fatal(err)
				}
				_, err = (&api.Doer{HTTPClient: &stalling}).Do(req)
				var timeout net.Error
				if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() || len(attempts) != 3 {
					t.Errorf("got %v after %d attempts, want a timeout after 3", err, len(attempts))
				}
				if took := time.Since(start); took < 90*time.Second || took > 93*time.Second {
					t.Errorf("it took %v, want three times 30 s and the waits", took)
				}
				if first := attempts[1]; first < 30*time.Second || first > 31*time.Second {
					t.Errorf("the second attempt was after %v, want 30 s and the wait", first)
				}
			})
		})
	}
}

// The status of an error counts, also if its body does not come.
func TestTimeoutInTheBodyOfAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalling := *api.DefaultClient()
		stalling.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 403, Header: http.Header{}, Body: stallingBody{r.Context()}, ContentLength: 1000, Request: r}, nil
		})
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&api.Doer{HTTPClient: &stalling}).Do(req)
		if e := (*api.ResponseError)(nil); !errors.As(err, &e) || e.StatusCode != 403 || e.Attempts != 1 {
			t.Errorf("got %v, want a ResponseError with the status 403", err)
		}
	})
}

// A counter counts what is read of a body without an end.
type counter struct {
	read   int64
	closed bool
}

func (c *counter) Read(p []byte) (int, error) {
	c.read += int64(len(p))
	clear(p)
	return len(p), nil
}

func (c *counter) Close() error { c.closed = true; return nil }

func TestNoMoreIsReadThanTheBound(t *testing.T) {
	for _, test := range []struct {
		name  string
		bound int64
		want  int64
	}{
		{"default", 0, 10 << 20},
		{"own", 1000, 1000},
		{"negative", -1, 10 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := new(counter)
			doer := &api.Doer{MaxBodyBytes: test.bound, HTTPClient: doerFunc(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: body, ContentLength: -1}, nil
			})}
			req, err := http.NewRequest("GET", "https://api.test/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := doer.Do(req); !errors.Is(err, api.ErrResponseTooLarge) {
				t.Errorf("got %v, want ErrResponseTooLarge", err)
			}
			// One byte more tells that there is more.
			if body.read != test.want+1 {
				t.Errorf("read %d bytes, want %d and one", body.read, test.want)
			}
			if !body.closed {
				t.Error("the body was not closed")
			}
		})
	}
	// A body of just the bound is no more, and the largest bound is one.
	const whole = `{"id":"ts_1"}`
	for _, bound := range []int64{int64(len(whole)), math.MaxInt64} {
		doer := &api.Doer{MaxBodyBytes: bound, HTTPClient: doerFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(whole)), ContentLength: -1}, nil
		})}
		req, err := http.NewRequest("GET", "https://api.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := doer.Do(req); err != nil {
			t.Errorf("bound of %d: %v", bound, err)
		}
	}
}

// An oversize body costs a few times its bound, not its size.
func TestMemoryForOversizeBody(t *testing.T) {
	const bound = 1 << 20
	for name, header := range map[string]http.Header{"JSON": {"Content-Type": {"application/json"}}, "no content type": {}} {
		doer := &api.Doer{MaxBodyBytes: bound, HTTPClient: doerFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: header, Body: new(counter), ContentLength: -1, Request: r}, nil
		})}
		req, err := http.NewRequest("GET", "https://api.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer key")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := doer.Do(req); !errors.Is(err, api.ErrResponseTooLarge) {
			t.Errorf("%s: got %v, want ErrResponseTooLarge", name, err)
		}
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 6*bound {
			t.Errorf("%s: allocated %d bytes for a bound of %d", name, allocated, bound)
		}
	}
}
