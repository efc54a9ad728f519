package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

const (
	defaultMaxAttempts  = 3
	defaultMaxBodyBytes = 10 << 20
)

// Doer sends requests for a client: it retries, bounds what it reads, and turns
// every response that is not what the operation promises into an error.
// The zero value is ready to use. [New] wraps any other [HttpRequestDoer] in one.
//
// A Doer is safe for concurrent use, as long as its fields are not changed. New takes a copy of it.
type Doer struct {
	// HTTPClient sends each attempt. Nil means a client with a connection pool that all such Doers share, which
	// gives an attempt 30 seconds, its body included, and follows no redirects.
	//
	// An [http.Client] is copied and never changed. If it has no redirect policy (CheckRedirect),
	// the copy follows no redirects; if it has one, the copy leaves the API key out of requests to another scheme,
	// host or port than the first one's.
	HTTPClient HttpRequestDoer

	// MaxAttempts is how often a request is sent at the most. Zero or less means 3; 1 means no retries.
	MaxAttempts int

	// MaxBodyBytes bounds the body of a successful response, in bytes after decompression. Zero or less means
	// 10 MiB. A larger one is [ErrResponseTooLarge]. Of the body of an error, 64 KiB are kept.
	MaxBodyBytes int64

	// Logger gets a debug record of each retry, with method, path, attempt, wait, and status or error. Nil means
	// no logging.
	Logger *slog.Logger

	safe HttpRequestDoer // HTTPClient made safe, if New has done that already
}

// Do sends req, and sends it again as the package comment says, until an attempt gets what the operation promises.
// The response it then returns has its whole body in memory. Any other response is a [*ResponseError], and a
// failure to get one is the HTTP client's error, such as a [*url.Error].
//
// The response's Request is a copy of the one that was sent, without the API key.
func (d *Doer) Do(req *http.Request) (*http.Response, error) {
	c := newCall(d, req)
	rsp, err := c.attempt(req)
	if err != nil && c.retryable(err) {
		rsp, err = c.retry(err)
	}
	if err != nil {
		return nil, c.failure(err)
	}
	return rsp, nil
}

// A call is one request on its way through a Doer, over all its attempts.
type call struct {
	req          *http.Request
	client       HttpRequestDoer
	maxAttempts  int
	maxBodyBytes int64
	logger       *slog.Logger
	attempts     int  // so far
	final        bool // the last attempt failed in a way that another one cannot mend
	body         body // of the response that passed the gate; here, it needs no allocation
}

func newCall(d *Doer, req *http.Request) *call {
	c := &call{
		req:          req,
		client:       d.safe,
		maxAttempts:  d.MaxAttempts,
		maxBodyBytes: d.MaxBodyBytes,
		logger:       d.Logger,
	}
	if c.client == nil {
		c.client = safeClient(d.HTTPClient)
	}
	if c.maxAttempts <= 0 {
		c.maxAttempts = defaultMaxAttempts
	}
	if c.maxBodyBytes <= 0 {
		c.maxBodyBytes = defaultMaxBodyBytes
	}
	return c
}

// attempt sends req, which is the call's or a copy with its body rewound, and returns a response that has passed
// the gate, or an error.
func (c *call) attempt(req *http.Request) (*http.Response, error) {
	c.attempts++
	rsp, err := c.client.Do(req)
	switch {
	case err != nil && rsp != nil && rsp.Body != nil:
		rsp.Body.Close() // a redirect policy's refusal comes with the response that it refused
		c.final = true
		return nil, err
	case err != nil:
		return nil, err
	case rsp == nil:
		c.final = true
		return nil, fmt.Errorf("%s %s: the HTTP client returned neither a response nor an error", req.Method, req.URL)
	}
	return c.accept(rsp)
}

// failure returns the error of the call, whose last attempt failed with err.
func (c *call) failure(err error) error {
	if e := (*ResponseError)(nil); errors.As(err, &e) {
		return err // made without the key
	}
	if c.attempts > 1 {
		err = fmt.Errorf("%w (%d attempts)", err, c.attempts)
	}
	// If the context has a cause of its own, net/http returns that alone.
	if ctxErr := c.req.Context().Err(); ctxErr != nil && !errors.Is(err, ctxErr) {
		err = fmt.Errorf("%w: %w", ctxErr, err)
	}
	return c.redactor().error(err)
}
