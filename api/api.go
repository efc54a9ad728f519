// Package api is a client for the tunnel sessions of the ngrok API. A tunnel session is a running
// ngrok agent. Make a client with [New]:
//
//	client, err := api.New(os.Getenv("NGROK_API_KEY"))
//	if err != nil {
//		return err
//	}
//	for session, err := range client.ListTunnelSessions(ctx, nil) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(session.ID, session.IP, session.AgentVersion, session.Region)
//	}
//
// Use
//
//   - [New] with [WithBaseURL], [WithUserAgent], [WithHTTPClient] and [WithRequestEditorFn];
//   - [ClientWithResponses.ListTunnelSessions], [ClientWithResponses.GetTunnelSession],
//     [ClientWithResponses.RestartTunnelSession], [ClientWithResponses.StopTunnelSession] and
//     [ClientWithResponses.UpdateTunnelSession];
//   - [ResponseError], sentinels such as [ErrNotFound], and [OutcomeUnknown];
//   - [Doer] and [NewTransport], to set retries, limits, tracing and certificates;
//   - package [example.com/ngrokapi/api/ngroktest], a fake of the API for tests.
//
// The rest is generated from ngrok's OpenAPI document. Its methods keep the promises below too,
// except on a client made by the generated [NewClient] or [NewClientWithResponses].
//
// # Errors
//
// A nil error means that ngrok responded as its document says. Any other complete response is
// returned as a [*ResponseError], which can match a sentinel of this package:
//
//	if errors.Is(err, api.ErrNotFound) { … }
//
//	var e *api.ResponseError
//	if errors.As(err, &e) {
//		log.Println(e.StatusCode, e.Code, e.OperationID)
//	}
//
// A response with a status of 400 or more is complete even if its body is cut short. Without a
// complete response, the error is a [*net/url.Error]. If an attempt exceeded [Doer].AttemptTimeout,
// the error says so, and matches [context.DeadlineExceeded].
//
// If the caller's context ended an attempt, the error matches the context's Err, whatever the
// response was. If the context or the limiter prevented a retry, the error also matches that of the
// previous attempt. If a request editor failed or an ID is invalid, the error matches that of the
// editor or [ErrInvalidID].
//
// Generated methods promise less. If a JSON object does not fit the types, they return an error of
// [encoding/json]. Missing fields are not an error. For a 204 to a POST that should create
// something, they return neither a result nor an error.
//
// # Retries
//
// A request is sent up to 3 times:
//
//   - with any method, after a 429, which ngrok sends before it acts on a request;
//   - with any method, if nothing was sent: the host or a proxy in front of it could not be dialed,
//     or, with a transport of [NewTransport], the proxy refused to connect to the host;
//   - with GET, PUT and DELETE, also after a 500, 502, 503 or 504, and after any other failure of
//     the connection, such as a timeout, a failed TLS handshake or a truncated body. An untrusted
//     certificate ends the call.
//
// The first wait is random, from 0.25 to 0.5 seconds, the second from 0.5 to 1. With more attempts,
// waits double up to 8 seconds. A Retry-After header of 1 to 60 seconds replaces the wait. If it
// asks for more, or if the context's deadline is before the end of the wait, the error is returned
// at once. Canceling the context ends a call at once.
//
// Within an attempt, net/http itself repeats a request if a kept connection turns out to be closed,
// and up to 15 times if an HTTP/2 server refuses it. It repeats a command only if the server has
// not acted on it. There are two exceptions: Go 1.26 repeats it after a PROTOCOL_ERROR over HTTP/2,
// and any release if it has the header Idempotency-Key or X-Idempotency-Key. Do not set these.
// [OutcomeUnknown] knows only the last response.
//
// Each attempt counts towards ngrok's limit, by default 120 requests in a rolling 60 seconds for
// all programs of an account. Programs that make many calls should set [Doer].Limiter.
//
// # Limits
//
// An attempt takes at most 30 seconds. The body of a success may have 10 MiB, after decompression.
// Of the body of an error, 64 KiB are kept. Redirects are not followed, and the base URL must be
// https unless its host is this machine, so that the API key reaches nobody else. ngrok quotes a
// malformed key in its error message; the client redacts it.
//
// # Stability
//
// The retry policy, the limits and the texts of errors may change in any release. Generation may
// add methods to [ClientInterface] and [ClientWithResponsesInterface], and fields of any type to
// structs: do not implement the interfaces, and do not compare structs with ==.
package api
