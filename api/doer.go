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
	// sent twice, and [OutcomeUnknown] be wrong. For tracing, a proxy or a client certificate, use
	// an http.Client whose Transport changes or wraps that of NewTransport.
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
	ctx, cancel := context.WithTimeout(req.Context(), cmp.Or(d.AttemptTimeout, defaultAttemptTimeout))
	defer cancel()
	clone := req.Clone(ctx)
	clone.Body, clone.GetBody, clone.ContentLength = nil, nil, int64(len(body))
	if len(body) > 0 {
		// net/http asks for the body again if a kept connection turns out to be closed.
		clone.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		clone.Body, _ = clone.GetBody()
	}
	rsp, err := d.client().Do(clone)
	if err != nil {
		// The error of an http.Client has the whole URL, and a filter in it can be long.
		if e, ok := err.(*url.Error); ok { //nolint:errorlint // a layer over the client adds facts
			err = e.Err
		}
		return nil, callError(req, err, nil)
	}
	// A recorder can return a request without the key, which would then not be redacted. The body
	// of a mock can be nil.
	rsp.Request = req
	rsp.Body = cmp.Or[io.ReadCloser](rsp.Body, http.NoBody)
	defer rsp.Body.Close()
	return d.check(rsp)
}

// check returns a success with its body in memory, and any other response as an error.
func (d *Doer) check(rsp *http.Response) (*http.Response, error) {
	if rsp.StatusCode >= http.StatusBadRequest {
		// The status counts, whatever happens to the body.
		body, _ := io.ReadAll(io.LimitReader(rsp.Body, maxErrorBodyBytes))
		return nil, newResponseError(rsp, body, nil)
	}
	if !slices.Contains(successes[rsp.Request.Method], rsp.StatusCode) {
		return nil, newResponseError(rsp, nil, errStatus) // unread: after a 101, the body has no end
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, rsp.Body, cmp.Or(d.MaxBodyBytes, defaultMaxBodyBytes)))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, newResponseError(rsp, nil, ErrResponseTooLarge)
	}
	if err != nil {
		return nil, callError(rsp.Request, fmt.Errorf("read the body of the response: %w", err), nil)
	}
	if rsp.StatusCode != http.StatusNoContent && !isObject(rsp.Header, body) {
		err := fmt.Errorf("the body is not a JSON object: its content type is %q, its encoding %q",
			rsp.Header.Get("Content-Type"), rsp.Header.Get("Content-Encoding"))
		return nil, newResponseError(rsp, body, err)
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

// backoff returns how long to wait after a failed attempt, and whether to make another one.
func (d *Doer) backoff(req *http.Request, failure error, attempt int) (wait time.Duration, retry bool) {
	if attempt >= cmp.Or(d.MaxAttempts, defaultMaxAttempts) || !isRetryable(req.Method, failure) {
		return 0, false
	}
	// Half of the wait is random, so that callers that failed together do not retry together.
	wait = firstWait << min(attempt-1, 4)
	wait = wait/2 + rand.N(wait/2)
	if e, ok := errors.AsType[*ResponseError](failure); ok && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	deadline, hasDeadline := req.Context().Deadline()
	return wait, wait <= maxRetryAfter && (!hasDeadline || time.Until(deadline) > wait)
}

// isRetryable reports whether sending a request again is safe and can help.
func isRetryable(method string, failure error) bool {
	isIdempotent := method == http.MethodGet || method == http.MethodPut || method == http.MethodDelete
	if e, ok := errors.AsType[*ResponseError](failure); ok {
		// ngrok sends a 429 before it acts on a request.
		isTransient := slices.Contains([]int{500, 502, 503, 504}, e.StatusCode)
		return e.StatusCode == http.StatusTooManyRequests || isIdempotent && isTransient
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](failure); ok {
		return false
	}
	return isIdempotent || wasNotSent(failure)
}

// wasNotSent reports whether a call failed before a request was sent: in the limiter, or in dialing
// the host or the proxy in front of it.
func wasNotSent(failure error) bool {
	e, ok := errors.AsType[*net.OpError](failure)
	return errors.Is(failure, errLimiter) || ok && (e.Op == "dial" || e.Op == "proxyconnect")
}

// OutcomeUnknown reports whether a command that failed with err may have been carried out. ngrok
// may have received it, and the response did not arrive, or does not say. Check the agent's state
// before you repeat the command.
//
// It is false for nil, for [ErrInvalidID], if the host or its proxy could not be dialed, if
// [Doer].Limiter failed, and for a status from 400 to 499 except with the code ERR_NGROK_810: ngrok
// lost the connection to the agent, which may have received the command. It is true for any other
// error, even if nothing was sent because a request editor failed, the certificate is not trusted
// or the context had ended.
//
// err must be the error of one call that sends a POST. Methods that send PUT or DELETE can be
// called again in any case.
func OutcomeUnknown(err error) bool {
	if err == nil || errors.Is(err, ErrInvalidID) || wasNotSent(err) {
		return false
	}
	e, ok := errors.AsType[*ResponseError](err)
	return !ok || e.StatusCode < 400 || e.StatusCode >= 500 || e.Code == "ERR_NGROK_810"
}

// client returns the HTTP client for an attempt. It follows no redirects, which could send the API
// key elsewhere.
func (d *Doer) client() HttpRequestDoer {
	var client http.Client
	switch c := d.HTTPClient.(type) {
	case nil:
		if _, ok := http.DefaultTransport.(*http.Transport); ok {
			client.Transport = sharedTransport()
		}
	case *http.Client:
		client = *c
	default:
		return c
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

var sharedTransport = sync.OnceValue(NewTransport)

// NewTransport returns a transport like that of a [Doer] without an HTTPClient, for programs that
// change or wrap it:
//
//	transport := api.NewTransport()
//	transport.TLSClientConfig = &tls.Config{Certificates: certificates}
//	doer := &api.Doer{HTTPClient: &http.Client{Transport: otelhttp.NewTransport(transport)}}
//
// It is a copy of the current [http.DefaultTransport], if that is an [http.Transport], with three
// changes:
//
//   - Dialing takes at most 10 seconds, less than an attempt. The error then says that nothing was
//     sent, so even a command is retried. With a transport that dials for longer, the attempt times
//     out first, and the outcome is unknown. It is also unknown if a dial function of your own
//     fails with another error than a [*net.OpError] whose Op is "dial". DialTLSContext is not
//     limited, and the deprecated Dial is not used.
//   - Up to 128 idle connections per host are kept: over HTTP/1.1, each concurrent call needs one.
//   - HTTP/2 is used if the server speaks it, unless the program has turned it off. All calls share
//     its connection, so pings detect within 15 seconds that it is dead. Other settings in the
//     HTTP2 field are not copied.
func NewTransport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 90 * time.Second}
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
	t.ForceAttemptHTTP2 = true // net/http does not attempt it with a custom dial function
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
	return t
}
