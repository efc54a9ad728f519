package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	defaultAttemptTimeout = 30 * time.Second
	defaultMaxAttempts    = 3
	defaultMaxBodyBytes   = 10 << 20

	firstWait     = 500 * time.Millisecond
	maxRetryAfter = time.Minute
)

// Doer sends requests for a client. It retries them, limits how much it reads, and returns an error for any response that
// is not a success. The package comment states the policy. The zero value is ready to use.
//
// A Doer is safe for concurrent use. Do not change its fields after the first use, and do not put a Doer into another
// one: their attempts multiply.
type Doer struct {
	// HTTPClient sends each attempt. Nil means a client that all Doers share. It pings idle HTTP/2 connections, so that a
	// dead one costs one attempt; if the program has replaced [http.DefaultTransport], it uses that as it is.
	//
	// An [http.Client] is copied, and the copy follows no redirects. Any other client must not follow them either: the API
	// key could go along. Put tracing, a proxy or a client certificate into the Transport of an http.Client. A transport
	// of your own should set [http.HTTP2Config].SendPingTimeout too.
	HTTPClient HttpRequestDoer

	// AttemptTimeout limits each attempt, including its body, with any HTTP client that heeds the request's context. Zero
	// means 30 seconds.
	AttemptTimeout time.Duration

	// Limiter, if not nil, is waited for before each attempt. A *rate.Limiter of golang.org/x/time fits.
	Limiter interface{ Wait(context.Context) error }

	// MaxAttempts is the maximum number of times a request is sent. Zero means 3; 1 means no retries.
	MaxAttempts int

	// MaxBodyBytes limits the body of a successful response, after decompression. Zero means 10 MiB.
	MaxBodyBytes int64

	// Logger, if not nil, gets a record of level debug for each retry.
	Logger *slog.Logger
}

// Do sends req until an attempt succeeds or no other attempt is allowed. The body of the response is in memory and need
// not be closed. A response that is not a success is returned as a [*ResponseError].
func (d *Doer) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	var failure error // of the attempt before
	for attempt := 1; ; attempt++ {
		if err := d.waitForLimiter(req, failure); err != nil {
			return nil, err
		}
		rsp, err := d.attempt(req, attempt)
		if err == nil {
			return rsp, nil
		}
		if ctx.Err() != nil {
			// In place of net/http's error, which is the context's cause: with an errgroup, the error of another call.
			return nil, &url.Error{Op: req.Method, URL: req.URL.Redacted(), Err: ctx.Err()}
		}
		wait, retry := d.backoff(req, err, attempt)
		if !retry {
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
			return nil, fmt.Errorf("wait to retry: %w, after: %w", ctx.Err(), err)
		}
		failure = err
	}
}

// waitForLimiter waits until the limiter allows an attempt. If the attempt is a retry, failure is the error before it.
func (d *Doer) waitForLimiter(req *http.Request, failure error) error {
	if d.Limiter == nil {
		return nil
	}
	err := d.Limiter.Wait(req.Context())
	switch {
	case err == nil:
		return nil
	case req.Context().Err() != nil:
		err = req.Context().Err() // the limiter may have returned the context's cause
	}
	if failure != nil {
		return fmt.Errorf("wait for the limiter: %w, after: %w", err, failure)
	}
	return fmt.Errorf("%s %s: wait for the limiter: %w", req.Method, req.URL.Redacted(), err)
}

// attempt sends a clone of req, so that attempts share nothing, and reads the response.
func (d *Doer) attempt(req *http.Request, attempt int) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), cmp.Or(d.AttemptTimeout, defaultAttemptTimeout))
	defer cancel()
	clone := req.Clone(ctx)
	if attempt > 1 && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		clone.Body = body
	}
	rsp, err := d.client().Do(clone)
	if err != nil {
		return nil, err
	}
	defer rsp.Body.Close()
	if rsp.Request == nil {
		rsp.Request = req // the response of a fake
	}
	return d.check(rsp)
}

// check returns a success with its body in memory, and any other response as an error.
func (d *Doer) check(rsp *http.Response) (*http.Response, error) {
	req := rsp.Request
	if rsp.StatusCode >= http.StatusBadRequest {
		body, _ := io.ReadAll(io.LimitReader(rsp.Body, maxErrorBodyBytes)) // the status counts, whatever happens to the body
		return nil, newResponseError(rsp, body, checkEncoding(rsp.Header))
	}
	if !slices.Contains(successes[req.Method], rsp.StatusCode) {
		return nil, newResponseError(rsp, nil, errStatus) // unread: after a 101, the body has no end
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, rsp.Body, cmp.Or(d.MaxBodyBytes, defaultMaxBodyBytes)))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, newResponseError(rsp, nil, ErrResponseTooLarge)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: read the body of the response: %w", req.Method, req.URL.Redacted(), err)
	}
	if rsp.StatusCode != http.StatusNoContent {
		if err := checkObject(rsp.Header, body); err != nil {
			return nil, newResponseError(rsp, body, err)
		}
	}
	rsp.Body, rsp.ContentLength = bufferedBody{bytes.NewBuffer(body)}, int64(len(body))
	return rsp, nil
}

// bufferedBody is a body in memory. Its bytes can be decoded without a copy.
type bufferedBody struct{ *bytes.Buffer }

func (bufferedBody) Close() error { return nil }

// successes are the statuses of success that ngrok's document has for each method. A 204 has no body, the others have a
// JSON object.
var successes = map[string][]int{
	http.MethodGet:    {http.StatusOK},
	http.MethodPut:    {http.StatusOK},
	http.MethodPatch:  {http.StatusOK},
	http.MethodPost:   {http.StatusCreated, http.StatusNoContent},
	http.MethodDelete: {http.StatusNoContent},
}

// checkObject returns an error if a body is not a JSON object. For another content type and for null, the generated
// parsers return neither a result nor an error.
func checkObject(header http.Header, body []byte) error {
	if err := checkEncoding(header); err != nil {
		return err
	}
	contentType := header.Get("Content-Type")
	if !strings.Contains(contentType, "json") || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return fmt.Errorf("the body is not a JSON object: its content type is %q", contentType)
	}
	return nil
}

// checkEncoding returns an error if net/http has not decompressed a body. It does so only for the encoding that it asked
// for by itself.
func checkEncoding(header http.Header) error {
	if encoding := header.Get("Content-Encoding"); encoding != "" {
		return fmt.Errorf("the body is still encoded as %q: leave the header Accept-Encoding to net/http", encoding)
	}
	return nil
}

// backoff returns how long to wait after a failed attempt, and whether to make another one.
func (d *Doer) backoff(req *http.Request, failure error, attempt int) (wait time.Duration, retry bool) {
	canRewind := req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	if attempt >= cmp.Or(d.MaxAttempts, defaultMaxAttempts) || !canRewind || !isRetryable(req.Method, failure) {
		return 0, false
	}
	// Half of the wait is random, so that callers that failed together do not come back together.
	wait = firstWait << min(attempt-1, 4)
	wait = wait/2 + rand.N(wait/2)
	var response *ResponseError
	if errors.As(failure, &response) && response.RetryAfter > 0 {
		wait = response.RetryAfter
	}
	deadline, hasDeadline := req.Context().Deadline()
	return wait, wait <= maxRetryAfter && (!hasDeadline || time.Until(deadline) > wait)
}

// isRetryable reports whether sending a request again is safe and can help.
func isRetryable(method string, failure error) bool {
	isIdempotent := method == http.MethodGet || method == http.MethodPut || method == http.MethodDelete
	var response *ResponseError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(failure, &response):
		// A request that was refused with a 429 has done nothing.
		return response.StatusCode == http.StatusTooManyRequests || isIdempotent && slices.Contains(transient, response.StatusCode)
	case errors.As(failure, &certificate):
		return false
	}
	return isIdempotent || wasNotSent(failure)
}

var transient = []int{500, 502, 503, 504}

// wasNotSent reports whether an attempt failed because the host, or the proxy in front of it, could not be reached.
func wasNotSent(failure error) bool {
	var e *net.OpError
	return errors.As(failure, &e) && (e.Op == "dial" || e.Op == "proxyconnect")
}

// client returns the HTTP client for an attempt. It follows no redirects, which could lead the API key elsewhere.
func (d *Doer) client() HttpRequestDoer {
	switch c := d.HTTPClient.(type) {
	case nil:
		if t, ok := http.DefaultTransport.(*http.Transport); ok && t == initialTransport {
			return sharedClient()
		}
		return &http.Client{CheckRedirect: noRedirects} // with the program's own default transport
	case *http.Client:
		clone := *c
		clone.CheckRedirect = noRedirects
		return &clone
	default:
		return c
	}
}

// initialTransport is http.DefaultTransport before the program replaces it.
var initialTransport, _ = http.DefaultTransport.(*http.Transport)

// sharedClient returns the client of Doers whose HTTPClient is nil. Over HTTP/1.1, each concurrent call needs a
// connection, and http.DefaultTransport keeps only two. Over HTTP/2, calls share one, and pings detect within half of an
// attempt that it is dead, so that the next attempt gets another one.
var sharedClient = sync.OnceValue(func() *http.Client {
	t := initialTransport.Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 128
	t.DialContext = limitDial(t.DialContext)
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
	return &http.Client{CheckRedirect: noRedirects, Transport: t}
})

// limitDial makes dialing fail sooner than an attempt does: the timeout of an attempt hides that nothing was sent.
func limitDial(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return dial(ctx, network, address)
	}
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
