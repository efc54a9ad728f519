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
	synctest.Test(t, func(t *testing.T) {
		stalling := *api.DefaultClient()
		stalling.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			rsp, err := ok(r)
			rsp.Body = stallingBody{r.Context()}
			return rsp, err
		})
		start := time.Now()
		_, err := newClient(t, api.WithHTTPClient(&stalling)).GetTunnelSession(t.Context(), "ts_1")
		var timeout net.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
		if took := time.Since(start); took < 90*time.Second || took > 93*time.Second {
			t.Errorf("it took %v, want three times 30 s and the waits", took)
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
			err := getBounded(t, body, test.bound)
			if !errors.Is(err, api.ErrResponseTooLarge) || !strings.Contains(err.Error(), "raise Doer.MaxBodyBytes") {
				t.Errorf("got %v, want ErrResponseTooLarge and what to do about it", err)
			}
			// One byte more tells that there is more.
			if body.read != test.want+1 || !body.closed {
				t.Errorf("read %d bytes and closed: %v, want %d and one", body.read, body.closed, test.want)
			}
		})
	}
	// A body of just the bound is no more, and the largest bound is one.
	for _, bound := range []int64{int64(len(session)), math.MaxInt64} {
		if err := getBounded(t, io.NopCloser(strings.NewReader(session)), bound); err != nil {
			t.Errorf("bound of %d: %v", bound, err)
		}
	}
}

// getBounded gets a session with a body of unknown length.
func getBounded(t *testing.T, body io.ReadCloser, bound int64) error {
	t.Helper()
	doer := &api.Doer{MaxBodyBytes: bound, HTTPClient: doerFunc(func(r *http.Request) (*http.Response, error) {
		rsp, err := ok(r)
		rsp.Body = body
		return rsp, err
	})}
	_, err := newClient(t, api.WithHTTPClient(doer)).GetTunnelSession(t.Context(), "ts_1")
	return err
}

// An oversize body costs a few times its bound, not its size.
func TestMemoryForOversizeBody(t *testing.T) {
	const bound = 1 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := getBounded(t, new(counter), bound); !errors.Is(err, api.ErrResponseTooLarge) {
		t.Errorf("got %v, want ErrResponseTooLarge", err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 6*bound {
		t.Errorf("allocated %d bytes for a bound of %d", allocated, bound)
	}
}
