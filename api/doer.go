package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	defaultMaxAttempts  = 3
	defaultMaxBodyBytes = 10 << 20

	firstWait     = 500 * time.Millisecond
	maxWait       = 8 * time.Second
	maxRetryAfter = 60 * time.Second
)

// Doer sends requests for a client: it retries, bounds what it reads, and turns every response that is not what
// ngrok's document has for the method into an error. The package comment has the policy. The zero value is ready to
// use, and [New] puts any other [HttpRequestDoer] into one.
//
// A Doer is safe for concurrent use. Its fields must not be changed after its first use.
type Doer struct {
	// HTTPClient sends each attempt. Nil means a client with a connection pool that all such Doers share, which
	// gives an attempt 30 seconds, its body included.
	//
	// An [http.Client] is copied, and the copy follows no redirect, whatever CheckRedirect says. Without a Timeout it
	// does not bound an attempt. Put layers of your own, such as tracing, into its Transport. Do not wrap the client:
	// another HttpRequestDoer cannot be told to follow no redirect. If it follows one, the key can go along, and the
	// response is [ErrUnexpectedResponse].
	HTTPClient HttpRequestDoer

	// Limiter is waited for before each attempt, retries included. Its error ends the call, and that attempt is not
	// sent. A *rate.Limiter of golang.org/x/time fits. Nil means no limit.
	Limiter interface{ Wait(context.Context) error }

	// MaxAttempts is how often a request is sent at the most. Zero or less means 3; 1 means no retries.
	MaxAttempts int

	// MaxBodyBytes bounds the body of a successful response, in bytes after decompression. Zero or less means
	// 10 MiB. A larger one is [ErrResponseTooLarge]. Of the body of an error, 64 KiB are kept.
	MaxBodyBytes int64

	// Logger gets a record of level debug of each retry, with method, path, attempt, wait, and status or error. Nil
	// means no logging.
	Logger *slog.Logger
}

// Do sends req, and sends it again as the package comment says, until an attempt succeeds. The response that it
// returns has its whole body in memory, and its Request is a copy without the API key. Any other response is a
// [*ResponseError]. If there was no response, the error wraps that of the HTTP client, such as a [*net/url.Error].
func (d *Doer) Do(req *http.Request) (*http.Response, error) {
	var wait time.Duration
	var failure error
	for attempt := 1; ; attempt++ {
		if err := d.pause(req, wait); err != nil {
			if failure != nil {
				err = fmt.Errorf("%w before another attempt: %w", err, failure)
			} else if req.Body != nil {
				req.Body.Close() // as an http.Client does, which has not had it
			}
			return nil, newCallError(req, err, attempt-1)
		}
		rsp, err := d.attempt(req, attempt)
		if err == nil {
			return rsp, nil
		}
		err = withoutOthersError(req.Context(), err)
		next, retry := d.retryWait(req, err, attempt)
		if !retry {
			return nil, newCallError(req, err, attempt)
		}
		d.logRetry(req, err, attempt, next)
		wait, failure = next, err
	}
}

// pause waits before an attempt.
func (d *Doer) pause(req *http.Request, wait time.Duration) error {
	ctx := req.Context()
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if d.Limiter == nil {
		return nil
	}
	if err := d.Limiter.Wait(ctx); err != nil {
		return fmt.Errorf("%s %s: wait for the limiter: %w", req.Method, req.URL.Redacted(), err)
	}
	return nil
}

// permanentError is the error of an attempt after which no other can succeed.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// attempt sends a clone of req, so that attempts share nothing, and returns a response that has passed the gate.
func (d *Doer) attempt(req *http.Request, attempt int) (*http.Response, error) {
	sent := req.Clone(req.Context())
	if attempt > 1 && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, permanentError{fmt.Errorf("%s %s: rewind the body of the request: %w", req.Method, req.URL.Redacted(), err)}
		}
		sent.Body = body
	}
	rsp, err := withoutRedirects(d.HTTPClient).Do(sent)
	switch {
	case err != nil:
		if rsp != nil && rsp.Body != nil {
			rsp.Body.Close()
		}
		if isFromDoer(err) || !isSendable(sent) {
			return nil, permanentError{err}
		}
		return nil, err
	case rsp == nil:
		return nil, permanentError{fmt.Errorf("%s %s: the HTTP client returned neither a response nor an error", req.Method, req.URL.Redacted())}
	}
	return gate(exchange{req, rsp, attempt}, d.MaxBodyBytes)
}

// isFromDoer reports whether err comes from another Doer, further in, which has made its attempts already.
func isFromDoer(err error) bool {
	var response *ResponseError
	var failure *redactedError
	return errors.As(err, &response) || errors.As(err, &failure)
}

// withoutOthersError returns err, or the end of ctx where err is its cause and that is another call's error: with an
// errgroup, the 404 of one call ends the others, and must not be taken for theirs.
func withoutOthersError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); ctx.Err() != nil && isOwn(cause) && errors.Is(err, cause) {
		return fmt.Errorf("%w: %s", ctx.Err(), err.Error())
	}
	return err
}

// isOwn reports whether err is from this package.
func isOwn(err error) bool { return isFromDoer(err) || errors.Is(err, ErrInvalidID) }

// isSendable reports whether net/http sends such a request at all. Its errors for those that it does not send have no
// type of their own.
func isSendable(req *http.Request) bool {
	if req.URL == nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return false
	}
	isControl := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	for _, values := range req.Header {
		if strings.ContainsFunc(strings.Join(values, ""), isControl) {
			return false
		}
	}
	return true
}

// retryWait returns how long to wait before another attempt, and whether to make one: if it is safe, can succeed, and
// the context lasts until then.
func (d *Doer) retryWait(req *http.Request, failure error, attempt int) (time.Duration, bool) {
	maxAttempts := d.MaxAttempts
	if maxAttempts <= 0 {
		maxAttempts = defaultMaxAttempts
	}
	ctx := req.Context()
	canRewind := req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	ended := ctx.Err() != nil && (errors.Is(failure, ctx.Err()) || errors.Is(failure, context.Cause(ctx)))
	if attempt >= maxAttempts || !canRewind || ended || !isRetryable(req.Method, failure) {
		return 0, false
	}
	// Half of the wait is random, so that callers who failed together do not come back together.
	wait := min(firstWait<<min(attempt-1, 10), maxWait)
	wait = wait/2 + rand.N(wait/2)
	var e *ResponseError
	if errors.As(failure, &e) && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	if wait > maxRetryAfter {
		return 0, false
	}
	deadline, ok := ctx.Deadline()
	return wait, !ok || time.Until(deadline) > wait
}

// isRetryable reports whether a request that failed is to be sent again: if that does no more than sending it once,
// and if it can succeed.
func isRetryable(method string, failure error) bool {
	var permanent permanentError
	var certificate *tls.CertificateVerificationError
	if errors.As(failure, &permanent) || errors.As(failure, &certificate) {
		return false
	}
	isIdempotent := slices.Contains(idempotentMethods, method)
	var e *ResponseError
	if !errors.As(failure, &e) {
		return isIdempotent
	}
	if e.cause != nil {
		return false
	}
	// A request that was refused with a 429 has done nothing.
	return e.StatusCode == http.StatusTooManyRequests || isIdempotent && slices.Contains(transientStatuses, e.StatusCode)
}

var (
	idempotentMethods = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions}
	transientStatuses = []int{
		http.StatusInternalServerError,
		http.StatusBadGateway,
		http.StatusServiceUnavailable,
		http.StatusGatewayTimeout,
	}
)

// logRetry has the path alone of the request, and no header, so that there is little to keep secret.
func (d *Doer) logRetry(req *http.Request, failure error, attempt int, wait time.Duration) {
	ctx := req.Context()
	if d.Logger == nil || ctx.Err() != nil || !d.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	r := newRedactor(tokens(req))
	reason := slog.String("error", r.line(failure.Error()))
	if e := (*ResponseError)(nil); errors.As(failure, &e) {
		reason = slog.Int("status", e.StatusCode)
	}
	d.Logger.LogAttrs(ctx, slog.LevelDebug, "retrying request to ngrok",
		slog.String("method", req.Method),
		slog.String("path", r.line(req.URL.EscapedPath())),
		slog.Int("attempt", attempt),
		slog.Duration("wait", wait),
		reason)
}

// withoutRedirects returns what attempts are sent with: a copy of an http.Client that follows no redirects, or any
// other client as it is.
func withoutRedirects(client HttpRequestDoer) HttpRequestDoer {
	hc, ok := client.(*http.Client)
	switch {
	case client == nil || ok && hc == nil:
		return defaultClient()
	case !ok:
		return client
	}
	c := *hc
	c.CheckRedirect = refuseRedirect
	return &c
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// defaultClient is what a Doer sends with that has no HTTP client. There is one, so that a program that makes a
// client for each of many keys, or for each call, has one pool of connections.
var defaultClient = sync.OnceValue(func() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: refuseRedirect,
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			DialContext:       dialer.DialContext,
			ForceAttemptHTTP2: true,
			// Over HTTP/1.1, each concurrent caller needs a connection. Those that the pool has no room for are closed
			// after each call.
			MaxIdleConns:           256,
			MaxIdleConnsPerHost:    128,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: 1 << 20,
			// Over HTTP/2, all calls share a connection. Pings detect a dead one before the calls on it time out.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		},
	}
})
