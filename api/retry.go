package api

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"
)

// backoff returns how long to wait after a failed attempt, and whether another one is allowed.
func backoff(req *http.Request, failure error, attempt int) (wait time.Duration, allowed bool) {
	if !isRetryable(req.Method, failure) {
		return 0, false
	}
	// Half of the wait is random, so that callers that failed together do not retry together.
	wait = 500 * time.Millisecond << min(attempt-1, 4)
	wait = wait/2 + rand.N(wait/2)
	if e, ok := errors.AsType[*ResponseError](failure); ok && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	deadline, hasDeadline := req.Context().Deadline()
	return wait, wait <= time.Minute && (!hasDeadline || time.Until(deadline) > wait)
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

var errLimiter = errors.New("wait for the limiter")

// wasNotSent reports whether a call failed before a request was sent: in the limiter, in dialing
// the host or the proxy in front of it, or because the proxy refused to connect.
func wasNotSent(failure error) bool {
	e, ok := errors.AsType[*net.OpError](failure)
	isDialing := ok && (e.Op == "dial" || e.Op == "proxyconnect" || e.Op == "socks connect")
	return isDialing || errors.Is(failure, errLimiter)
}

// OutcomeUnknown reports whether a command that failed with err may have been carried out. ngrok
// may have received it, but no response arrived, or the response does not say what happened. Check
// the agent's state before you repeat the command. It is false
//
//   - for nil, [ErrInvalidID], [ErrNotFound], [ErrAuthentication] and [ErrRateLimited];
//   - if [Doer].Limiter failed, if the host or its proxy could not be dialed, or, with a transport
//     of [NewTransport], if the proxy refused to connect;
//   - for a status from 400 to 499, except with the code ERR_NGROK_810: ngrok lost the connection
//     to the agent, which may have received the command.
//
// It is true for any other error, even if nothing was sent because a request editor failed, the
// certificate is not trusted or the context had ended.
//
// err must be the error of one call that sends a POST. The package comment says when net/http
// repeats it. Methods that send PUT or DELETE can be called again in any case.
func OutcomeUnknown(err error) bool {
	if err == nil || wasNotSent(err) {
		return false
	}
	if e, ok := errors.AsType[*ResponseError](err); ok {
		return e.StatusCode < 400 || e.StatusCode >= 500 || e.Code == "ERR_NGROK_810"
	}
	// A mock may return these without a response.
	isRefusal := errors.Is(err, ErrNotFound) || errors.Is(err, ErrAuthentication) || errors.Is(err, ErrRateLimited)
	return !isRefusal && !errors.Is(err, ErrInvalidID)
}
