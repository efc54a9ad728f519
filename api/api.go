// Package api is a client for the tunnel sessions of the ngrok API. Make one with [New]: the generated [NewClient] and
// [NewClientWithResponses] neither authenticate nor make calls safe.
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
// The methods for people are [ClientWithResponses.ListTunnelSessions], [ClientWithResponses.GetTunnelSession],
// [ClientWithResponses.RestartTunnelSession], [ClientWithResponses.StopTunnelSession] and
// [ClientWithResponses.UpdateTunnelSession]. Types and all other methods are generated from ngrok's OpenAPI document.
// What is written by hand works for every operation alike, so that generated methods, such as
// TunnelSessionsGetWithResponse, have the guarantees below too.
//
// # Errors
//
// Without an error there is data. ngrok's own errors, and any response that is not what ngrok's document has for the
// method, are a [*ResponseError], which has the status, ngrok's code and message, and the body. It matches the
// sentinels of this package with [errors.Is], also when it is wrapped:
//
//	if errors.Is(err, api.ErrNotFound) { … }
//
//	var e *api.ResponseError
//	if errors.As(err, &e) {
//		log.Print(e.StatusCode, e.Code, e.OperationID)
//	}
//
// If there was no response, the error wraps that of the HTTP client, usually a [*net/url.Error]. If the caller's
// context ended, it matches [context.Canceled] or [context.DeadlineExceeded]; so does an attempt that timed out by
// itself, but then the context's Err is nil. The text of an error is one printable line.
//
// Success is 200 with a JSON object for GET, PUT and PATCH, 204 for DELETE, and 201 with a JSON object or 204 for POST.
// Two things are left to callers of generated methods. A body that begins and ends as an object and is none, or has a
// field of another type, is an error of [encoding/json]. And a 204 to a POST that should have created something has a
// nil result without an error, as the document's operations are not known here.
//
// # Retries
//
// A request is sent again if it can succeed then, and if that does no more than sending it once:
//
//	any method           after a 429, with which ngrok refuses a request before it does anything
//	GET, HEAD, OPTIONS,  also after a 500, 502, 503 or 504, and after a failure of the connection: refused, reset, timed
//	PUT, DELETE          out, a body cut short
//	never                a body that cannot be rewound; a certificate that is not trusted; what net/http does not send
//	attempts             3 in all
//	waits                0.5 s, then twice as long each time, up to 8 s, half of it at random; or what Retry-After asks
//	                     for, up to 60 s
//	at once              the error, if Retry-After asks for more, or the wait would outlast the context's deadline
//
// Cancelling the context ends a call at once, also while it waits. Each attempt counts for ngrok's limit of 120
// requests in 60 seconds: [Doer].Limiter keeps to it.
//
// # Limits
//
// An attempt takes at most 30 seconds with the default HTTP client, its body included; give the context a deadline
// to bound the whole call. A successful body has at most 10 MiB, counted after decompression, and a larger one is
// [ErrResponseTooLarge]. Of an error's body, at most 64 KiB are kept.
//
// # Redirects
//
// They are not followed, as ngrok sends none: one is [ErrUnexpectedResponse].
//
// # The API key
//
// It goes into the Authorization header of requests to the base URL, and not over plain HTTP except to this machine. It
// is redacted in errors and logs, although ngrok quotes it in some of its messages. The Request of a response is a copy
// without it. RoundTrippers and HTTP clients of the caller's see it.
//
// # Logging
//
// There is none, unless [Doer].Logger is set: then each retry is a debug record.
//
// # Testing
//
// Package [example.com/ngrokapi/api/ngroktest] has a fake of the API for tests. A program that uses one method can
// also declare an interface with that method.
//
// # Concurrency
//
// Clients and Doers are safe for concurrent use. Make one client and share it. All Doers without an HTTP client of
// their own share one pool of connections.
//
// # Stability
//
// Names, fields and the errors that calls match are kept within a major version. The retry policy, the defaults of
// the limits, the texts of errors and what is in a log record can change in any release. Generation follows ngrok's
// document: it may add operations, fields and types at any time, and with them methods of [ClientInterface] and
// [ClientWithResponsesInterface], which are therefore not for others to implement; what it takes away makes a new
// major version.
package api
