package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	firstWait     = 500 * time.Millisecond
	maxWait       = 8 * time.Second
	maxRetryAfter = 60 * time.Second

	// A wait is between half and one and a half of what it would be without jitter, so that callers who failed
	// together do not come back together.
	jitter          = 0.5
	maxUnjitterWait = maxWait * 2 / 3
)

// retry sends the request again, after a first attempt that failed with err.
func (c *call) retry(err error) (*http.Response, error) {
	ctx := c.req.Context()
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = firstWait
	waits.Multiplier = 2
	waits.RandomizationFactor = jitter
	waits.MaxInterval = maxUnjitterWait
	// An elapsed time of 0 is no limit.
	var left time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}

	waiting := false
	rsp, _ := backoff.Retry(ctx, func() (rsp *http.Response, _ error) {
		if waiting {
			waiting = false
			rsp, err = c.again()
		}
		switch {
		case err == nil:
			return rsp, nil
		case !c.retryable(err):
			return nil, backoff.Permanent(err)
		}
		if e := (*ResponseError)(nil); errors.As(err, &e) && e.RetryAfter > 0 {
			return nil, &backoff.RetryAfterError{Duration: e.RetryAfter}
		}
		return nil, err
	},
		backoff.WithBackOff(waits),
		backoff.WithMaxTries(uint(c.maxAttempts)),
		backoff.WithMaxElapsedTime(left),
		backoff.WithNotify(func(_ error, wait time.Duration) {
			waiting = true
			c.log(ctx, err, wait)
		}),
	)
	if waiting {
		return nil, fmt.Errorf("%w while waiting to try again: %w", ended(ctx), err)
	}
	return rsp, err
}

// ended returns the error of a context that has ended, along with its cause if the caller gave it another one.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// again sends the request once more, with its body from the start.
func (c *call) again() (*http.Response, error) {
	req := c.req
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			c.final = true
			return nil, fmt.Errorf("%s %s: rewind the body of the request: %w", req.Method, req.URL, err)
		}
		req = req.WithContext(req.Context())
		req.Body = body
	}
	return c.attempt(req)
}

// retryable reports whether another attempt is safe and can end better than the one that failed with err.
func (c *call) retryable(err error) bool {
	if c.final || c.req.Context().Err() != nil || !repeatable(c.req) {
		return false
	}
	if e := (*ResponseError)(nil); errors.As(err, &e) {
		return slices.Contains(retryableStatuses, e.StatusCode) && e.RetryAfter <= maxRetryAfter
	}
	certificate := (*tls.CertificateVerificationError)(nil)
	return !errors.As(err, &certificate)
}

var retryableStatuses = []int{
	http.StatusTooManyRequests,
	http.StatusInternalServerError,
	http.StatusBadGateway,
	http.StatusServiceUnavailable,
	http.StatusGatewayTimeout,
}

// repeatable reports whether sending req twice does what sending it once does, and is possible.
func repeatable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	}
	return false
}

// parseRetryAfter returns how long a Retry-After header asks to wait: a number of seconds, or a date. What is
// neither, is past, or is too long for a Duration counts as absent.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		if seconds > math.MaxInt64/uint64(time.Second) {
			return 0
		}
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		if wait := date.Sub(now); wait < math.MaxInt64 {
			return max(0, wait)
		}
	}
	return 0
}

// log records a retry. It has the path alone, and no header, so that there is little to keep secret.
func (c *call) log(ctx context.Context, err error, wait time.Duration) {
	if c.logger == nil || !c.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	r := c.redactor()
	failure := slog.String("error", r.string(err.Error()))
	if e := (*ResponseError)(nil); errors.As(err, &e) {
		failure = slog.Int("status", e.StatusCode)
	}
	c.logger.LogAttrs(ctx, slog.LevelDebug, "retrying request to ngrok",
		slog.String("method", c.req.Method),
		slog.String("path", r.string(c.req.URL.EscapedPath())),
		slog.Int("attempt", c.attempts),
		slog.Duration("wait", wait),
		failure)
}
