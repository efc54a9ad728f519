package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	defaultAttemptTimeout = 30 * time.Second
	defaultMaxAttempts    = 3
	defaultMaxBodyBytes   = 10 << 20
)

// Doer sends requests for a client. It retries them, limits how much it reads, and returns an error
// for any response that is not a success. The package comment states the policy. The zero value is
// ready to use.
//
// A Doer is safe for concurrent use. Do not change its fields after the first use, and do not put a
// Doer into another one: their attempts multiply.
type Doer struct {
	// HTTPClient sends each attempt. Nil means a client with a transport that all Doers share, made
	// by [NewTransport] at the first use. If [http.DefaultTransport] is not an [http.Transport]
	// but, for example, a mock, the client has that transport instead.
	//
	// An [http.Client] is copied, and the copy follows no redirects. Any other client must not
	// follow them either: it could send the API key along. It must not retry: a command could be
	// sent twice, and [OutcomeUnknown] be wrong.
	HTTPClient HttpRequestDoer

	// AttemptTimeout limits each attempt, including the time to read the body. HTTPClient must heed
	// the request's context. Zero means 30 seconds.
	AttemptTimeout time.Duration

	// Limiter, if not nil, delays each attempt until Wait returns. A *rate.Limiter of
	// golang.org/x/time fits. If Wait returns an error, the call returns it without making the
	// attempt.
	Limiter interface{ Wait(context.Context) error }

	// MaxAttempts is the maximum number of times a request is sent. Zero means 3; 1 means no
	// retries.
	MaxAttempts int

	// MaxBodyBytes limits the body of a success, after decompression. Zero means 10 MiB.
	MaxBodyBytes int64

	// Logger, if not nil, gets a record of level debug for each retry.
	Logger *slog.Logger
}

// Do sends req until an attempt succeeds or the policy allows no retry. The bodies of the request
// and of the response are held in memory. A response that is not a success is returned as a
// [*ResponseError]. Without a complete response, the error is a [*url.Error].
func (d *Doer) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	body, err := readBody(req)
	if err != nil {
		return nil, callError(req, err, nil)
	}
	var failure error // of the previous attempt
	for attempt := 1; ; attempt++ {
		if d.Limiter != nil {
			if err := d.Limiter.Wait(ctx); err != nil {
				// If the context has ended, the limiter may have returned its cause. With an
				// errgroup, that is the error of another call.
				return nil, callError(req, fmt.Errorf("%w: %w", errLimiter, cmp.Or(ctx.Err(), err)), failure)
			}
		}
		rsp, err := d.send(req, body)
		if err == nil {
			return rsp, nil
		}
		if ctx.Err() != nil {
			return nil, callError(req, ctx.Err(), nil) // not the cause either
		}
		wait, allowed := backoff(req, err, attempt)
		if !allowed || attempt >= cmp.Or(d.MaxAttempts, defaultMaxAttempts) {
			if attempt > 1 {
				err = fmt.Errorf("%w (%d attempts)", err, attempt)
			}
			return nil, err
		}
		if d.Logger != nil {
			d.Logger.DebugContext(ctx, "retrying request to ngrok", "attempt", attempt, "wait", wait, "error", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, callError(req, fmt.Errorf("wait to retry: %w", ctx.Err()), err)
		}
		failure = err
	}
}

// callError returns the error of a call without a complete response, in the form of net/http. If
// err prevented a retry, failure is the error of the previous attempt.
func callError(req *http.Request, err, failure error) error {
	if failure != nil {
		err = fmt.Errorf("%w, after: %w", err, failure)
	}
	path, _, _ := strings.Cut(req.URL.Redacted(), "?") // a filter can be long
	return &url.Error{Op: req.Method, URL: path, Err: err}
}

// readBody returns the body of a request, so that each attempt can send it. If a request editor has
// replaced the body, GetBody may still return the old one.
func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("read the body of the request: %w", err)
	}
	return body, nil
}

// send makes one attempt, with a clone of req, so that attempts share nothing.
func (d *Doer) send(req *http.Request, body []byte) (*http.Response, error) {
	timeout := cmp.Or(d.AttemptTimeout, defaultAttemptTimeout)
	ctx, cancel := context.WithTimeoutCause(req.Context(), timeout, timeoutError(timeout))
	defer cancel()
	ctx, sends := countSends(ctx, cancel)
	clone := req.Clone(ctx)
	clone.Body, clone.GetBody, clone.ContentLength = nil, nil, int64(len(body))
	if len(body) > 0 {
		// net/http asks for the body again if a kept connection turns out to be closed.
		clone.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		clone.Body, _ = clone.GetBody()
	}
	rsp, err := noRedirects(d.HTTPClient).Do(clone)
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // the error of a layer over the client stays whole
		err = e.Err // without the whole URL, in which a filter can be long
	}
	if err == nil {
		rsp, err = d.check(ctx, req, rsp)
	}
	if _, ok := errors.AsType[*ResponseError](err); ok || err == nil {
		return rsp, err
	}
	switch {
	case sends.Load() >= maxSends:
		err = errSends
	case err == ctx.Err(): //nolint:errorlint // the error of a dial function, for example, says more
		err = context.Cause(ctx)
	}
	return nil, callError(req, err, nil)
}

// timeoutError is the error of an attempt that exceeded its timeout.
type timeoutError time.Duration

func (e timeoutError) Error() string {
	return fmt.Sprintf("no complete response within %v", time.Duration(e))
}

func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
func (timeoutError) Timeout() bool        { return true }

// check returns a success with its body in memory, and any other response as an error.
func (d *Doer) check(ctx context.Context, req *http.Request, rsp *http.Response) (*http.Response, error) {
	if rsp == nil { // of a mock
		return nil, errors.New("the HTTP client returned neither a response nor an error")
	}
	// A recorder can return another request, without the key, which would then not be redacted.
	rsp.Request = req
	rsp.Body = cmp.Or[io.ReadCloser](rsp.Body, http.NoBody) // that of a mock can be nil
	defer rsp.Body.Close()
	if rsp.StatusCode >= http.StatusBadRequest {
		// The status counts, whatever happens to the body.
		body, _ := io.ReadAll(io.LimitReader(rsp.Body, maxErrorBodyBytes))
		return nil, newResponseError(rsp, body, nil)
	}
	if !slices.Contains(successes[req.Method], rsp.StatusCode) {
		return nil, newResponseError(rsp, nil, nil) // unread: after a 101, the body has no end
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, rsp.Body, cmp.Or(d.MaxBodyBytes, defaultMaxBodyBytes)))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, newResponseError(rsp, nil, ErrResponseTooLarge)
	}
	if ctx.Err() != nil { // a server that sees the connection close may have ended the body
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read the body of the response: %w", err)
	}
	if rsp.StatusCode != http.StatusNoContent && !isObject(rsp.Header, body) {
		return nil, newResponseError(rsp, body, foreignBody(rsp.Header))
	}
	rsp.Body, rsp.ContentLength = bufferedBody{bytes.NewBuffer(body)}, int64(len(body))
	return rsp, nil
}

// bufferedBody is a body in memory. Its bytes can be decoded without a copy.
type bufferedBody struct{ *bytes.Buffer }

func (bufferedBody) Close() error { return nil }

// successes are the success statuses that ngrok's document has for each method. A 204 has no body,
// the others have a JSON object.
var successes = map[string][]int{
	http.MethodGet:    {http.StatusOK},
	http.MethodPut:    {http.StatusOK},
	http.MethodPatch:  {http.StatusOK},
	http.MethodPost:   {http.StatusCreated, http.StatusNoContent},
	http.MethodDelete: {http.StatusNoContent},
}

// isObject reports whether a body is a JSON object. For another content type and for null, the
// generated parsers return neither a result nor an error.
func isObject(header http.Header, body []byte) bool {
	return strings.Contains(header.Get("Content-Type"), "json") && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
}
