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
	// HTTPClient sends each attempt. Nil means a client that all Doers share, with a transport that
	// [NewTransport] returns at its first use. If the program has put something else than an
	// [http.Transport] in place of [http.DefaultTransport], such as a mock, nil means that.
	//
	// An [http.Client] is copied, and the copy follows no redirects. Any other client must not follow them either: the API
	// key could go along. Put tracing, a proxy or a client certificate into the Transport of an http.Client.
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

// Do sends req until an attempt succeeds or no other attempt is allowed. The bodies of the request and of the response are
// held in memory. A response that is not a success is returned as a [*ResponseError].
func (d *Doer) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	body, err := readBody(req)
	if err != nil {
		return nil, callError(req, err, nil)
	}
	var failure error // of the attempt before
	for attempt := 1; ; attempt++ {
		if d.Limiter != nil {
			if err := d.Limiter.Wait(ctx); err != nil {
				// In place of the context's cause: with an errgroup, that is the error of another call.
				return nil, callError(req, fmt.Errorf("%w: %w", errLimiter, cmp.Or(ctx.Err(), err)), failure)
			}
		}
		rsp, err := d.send(req, body)
		switch {
		case err == nil:
			return rsp, nil
		case ctx.Err() != nil:
			return nil, callError(req, ctx.Err(), nil) // as above, in place of net/http's error
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
			return nil, callError(req, fmt.Errorf("wait to retry: %w", ctx.Err()), err)
		}
		failure = err
	}
}

var errLimiter = errors.New("wait for the limiter")

// callError returns an error that is not about a response. If it prevented a retry, failure is the error of the attempt
// before.
func callError(req *http.Request, err, failure error) error {
	if failure != nil {
		return fmt.Errorf("%w, after: %w", err, failure)
	}
	return fmt.Errorf("%s %s: %w", req.Method, req.URL.Redacted(), err)
}

// readBody returns the body of a request, which each attempt sends anew. The request's GetBody may be out of date, because
// editors can replace the body.
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
	ctx, cancel := context.WithTimeout(req.Context(), cmp.Or(d.AttemptTimeout, defaultAttemptTimeout))
	defer cancel()
	clone := req.Clone(ctx)
	clone.Body, clone.GetBody, clone.ContentLength = nil, nil, int64(len(body)) // the original body is closed
	if len(body) > 0 {
		clone.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		clone.Body, _ = clone.GetBody()
	}
	rsp, err := d.client().Do(clone)
	if err != nil {
		return nil, err
	}
	if rsp.Request == nil {
		rsp.Request = req // the response of a fake
	}
	if rsp.Body == nil {
		rsp.Body = http.NoBody // likewise
	}
	defer rsp.Body.Close()
	return d.check(rsp)
}

// check returns a success with its body in memory, and any other response as an error.
func (d *Doer) check(rsp *http.Response) (*http.Response, error) {
	req := rsp.Request
	if rsp.StatusCode >= http.StatusBadRequest {
		body, _ := io.ReadAll(io.LimitReader(rsp.Body, maxErrorBodyBytes)) // the status counts, whatever happens to the body
		return nil, newResponseError(rsp, body, nil)
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
		return nil, callError(req, fmt.Errorf("read the body of the response: %w", err), nil)
	}
	if rsp.StatusCode != http.StatusNoContent && !isObject(rsp.Header, body) {
		return nil, newResponseError(rsp, body, fmt.Errorf("the body is not a JSON object: its content type is %q, its encoding %q",
			rsp.Header.Get("Content-Type"), rsp.Header.Get("Content-Encoding")))
	}
	rsp.Body, rsp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return rsp, nil
}

// successes are the statuses of success that ngrok's document has for each method. A 204 has no body, the others have a
// JSON object.
var successes = map[string][]int{
	http.MethodGet:    {http.StatusOK},
	http.MethodPut:    {http.StatusOK},
	http.MethodPatch:  {http.StatusOK},
	http.MethodPost:   {http.StatusCreated, http.StatusNoContent},
	http.MethodDelete: {http.StatusNoContent},
}

// isObject reports whether a body is a JSON object. For another content type and for null, the generated parsers return
// neither a result nor an error.
func isObject(header http.Header, body []byte) bool {
	return strings.Contains(header.Get("Content-Type"), "json") && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
}

// backoff returns how long to wait after a failed attempt, and whether to make another one.
func (d *Doer) backoff(req *http.Request, failure error, attempt int) (wait time.Duration, retry bool) {
	if attempt >= cmp.Or(d.MaxAttempts, defaultMaxAttempts) || !isRetryable(req.Method, failure) {
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

// wasNotSent reports whether a call failed before it sent a request: at the limiter, or because the host, or the proxy in
// front of it, could not be dialed.
func wasNotSent(failure error) bool {
	var e *net.OpError
	return errors.Is(failure, errLimiter) || errors.As(failure, &e) && (e.Op == "dial" || e.Op == "proxyconnect")
}

// OutcomeUnknown reports whether a command that failed with err may have been carried out
// nevertheless: ngrok may have received it, and its response does not say, or did not arrive. Look at
// the state before you repeat the command. It is for the error of one call with the method POST; PUT
// and DELETE can be repeated in any case.
func OutcomeUnknown(err error) bool {
	var response *ResponseError
	switch {
	case err == nil, errors.Is(err, ErrInvalidID), wasNotSent(err):
		return false
	case errors.As(err, &response):
		// ERR_NGROK_810 says that ngrok lost the connection to the agent, which may have got the command.
		return response.StatusCode < 400 || response.StatusCode >= 500 || response.Code == "ERR_NGROK_810"
	}
	return true
}

// client returns the HTTP client for an attempt. It follows no redirects, which could lead the API key elsewhere.
func (d *Doer) client() HttpRequestDoer {
	switch c := d.HTTPClient.(type) {
	case nil:
		if _, ok := http.DefaultTransport.(*http.Transport); !ok {
			return &http.Client{CheckRedirect: noRedirects}
		}
		return sharedClient()
	case *http.Client:
		clone := *c
		clone.CheckRedirect = noRedirects
		return &clone
	default:
		return c
	}
}

var sharedClient = sync.OnceValue(func() *http.Client {
	return &http.Client{CheckRedirect: noRedirects, Transport: NewTransport()}
})

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// NewTransport returns the transport of Doers that have no HTTPClient, for programs that change or
// wrap it:
//
//	transport := api.NewTransport()
//	transport.TLSClientConfig = …
//	doer := &api.Doer{HTTPClient: &http.Client{Transport: otelhttp.NewTransport(transport)}}
//
// It is a copy of [http.DefaultTransport], if that is an [http.Transport], with changes for a client
// of one host. Dialing fails sooner than an attempt does, so that it is known that nothing was sent.
// Over HTTP/1.1, where each concurrent call needs a connection, 128 are kept. Over HTTP/2, where
// calls share one, pings detect within half of an attempt that it is dead.
func NewTransport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if program, ok := http.DefaultTransport.(*http.Transport); ok {
		t = program.Clone()
	}
	dial := t.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return dial(ctx, network, address)
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 128
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
	return t
}
