// Package api is a client for the tunnel sessions of the ngrok API. Make one with [New]. The generated [NewClient] and
// [NewClientWithResponses] neither authenticate nor have the guarantees below.
//
//	client, err := api.New(os.Getenv("NGROK_API_KEY"))
//	if err != nil {
//		return err
//	}
//	for session, err := range client.ListTunnelSessions(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(session.ID, session.IP, session.AgentVersion, session.Region)
//	}
//
// New returns a [*ClientWithResponses]. Its hand-written methods are [ClientWithResponses.ListTunnelSessions],
// [ClientWithResponses.GetTunnelSession], [ClientWithResponses.RestartTunnelSession],
// [ClientWithResponses.StopTunnelSession] and [ClientWithResponses.UpdateTunnelSession]. Its other methods, and the types
// of what is sent and received, are generated from ngrok's OpenAPI document. The guarantees hold for every operation, so
// that generated methods, such as TunnelSessionsGetWithResponse, have them too.
//
// # Errors
//
// If the error is nil, the result is there. An error response of ngrok's, and any response that is not what ngrok's
// document has for the method, is a [*ResponseError], which has the status, ngrok's code and message, and the body. It
// matches the sentinels of this package with [errors.Is], also when it is wrapped:
//
//	if errors.Is(err, api.ErrNotFound) { … }
//
//	var e *api.ResponseError
//	if errors.As(err, &e) {
//		log.Println(e.StatusCode, e.Code, e.OperationID)
//	}
//
// If there was no whole response, the error wraps that of the HTTP client, usually a [*net/url.Error], or of reading the
// body. If the caller's context ended, it matches [context.Canceled] or [context.DeadlineExceeded]. An attempt that timed
// out by itself matches DeadlineExceeded too, but then the context's Err is nil. The text of these errors is one
// printable line. An error of the caller's own request editor is returned as it is.
//
// Success is 200 with a JSON object for GET, PUT and PATCH, 204 for DELETE, and 201 with a JSON object or 204 for POST.
// Three things are left to callers of generated methods. A body that begins and ends like a JSON object, but is not valid
// or has a field of another type, is an error of [encoding/json]. An object without the expected fields is a result with
// empty ones. And a 204 to a POST that should have created something has a nil result without an error, as the Doer knows
// methods and not operations.
//
// # Retries
//
// A request is sent again if that can succeed, and if sending it twice has the same effect as sending it once:
//
//	any method           after a 429, with which ngrok refuses a request before doing anything
//	GET, HEAD, OPTIONS,  also after a 500, 502, 503 or 504, and after a failure of the connection: refused, reset, timed
//	PUT, DELETE          out, a body cut short
//	not retried          a body that cannot be rewound; a certificate that crypto/x509 does not trust; a scheme or a
//	                     header value that net/http rejects
//	attempts             3 in all; net/http by itself sends an idempotent request again if a kept connection turns out
//	                     to be closed
//	waits                at random from 0.25 s to 0.5 s, then up to twice as long each time, at most 8 s; or what
//	                     Retry-After asks for, if that is more than 0 and at most 60 s
//	no wait              if Retry-After asks for more than 60 s, or the context's deadline is sooner: the error is returned
//	                     at once
//
// Canceling the context ends a call at once, also while it waits. Each attempt counts for ngrok's limit of 120
// requests in 60 seconds; [Doer].Limiter is for keeping to it.
//
// # Limits
//
// An attempt takes at most 30 seconds with the default HTTP client, its body included. An [http.Client] of the caller's
// has the Timeout that the caller gives it. The context's deadline bounds the whole call. A successful body has at most
// 10 MiB, counted after decompression, and a larger one is [ErrResponseTooLarge]. Decoding it does not end with the
// context, and can take many times its size in memory. Of an error's body, at most 64 KiB are kept.
//
// # Redirects
//
// They are not followed, as ngrok sends none: one is [ErrUnexpectedResponse]. An [HttpRequestDoer] of the caller's that
// is not an http.Client can follow one by itself, and can send the API key along, before the call fails.
//
// # The API key
//
// It is sent in the Authorization header, to the base URL, which must be https unless its host is localhost, in
// 127.0.0.0/8, or ::1. The caller's request editors, RoundTrippers and HTTP clients see it. It is redacted in errors and
// logs, although ngrok quotes it in some of its messages. The Request of a response is a copy without that header.
//
// # Logging
//
// The package logs nothing unless [Doer].Logger is set. Then each retry is a record of level debug.
//
// # Testing
//
// Package [example.com/ngrokapi/api/ngroktest] has a fake of the API for tests. A program that uses one method can
// also declare an interface with that method.
//
// # Concurrency
//
// Clients and Doers are safe for concurrent use, and so are the sequences that ListTunnelSessions returns. Make one
// client and share it. All Doers without an HTTP client of their own share one pool of connections.
//
// # Stability
//
// Names, fields and the errors that calls match are kept within a major version. The retry policy, the defaults of
// the limits, the texts of errors and what is in a log record can change in any release. Generation follows ngrok's
// document: it may add operations, fields and types at any time, and with them methods of [ClientInterface] and
// [ClientWithResponsesInterface], which are therefore not for others to implement; what it takes away makes a new
// major version.
package api
