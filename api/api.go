// Package api is a client for the tunnel sessions of the ngrok API. Make one with [New]:
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
// [ClientWithResponses.ListTunnelSessions], [ClientWithResponses.GetTunnelSession],
// [ClientWithResponses.RestartTunnelSession], [ClientWithResponses.StopTunnelSession] and
// [ClientWithResponses.UpdateTunnelSession] are written by hand. The other methods, and the types, are generated from
// ngrok's OpenAPI document. What follows holds for both, but not for a client made with the generated [NewClient] or
// [NewClientWithResponses].
//
// # Errors
//
// A nil error means that ngrok responded as its document says, and that the result is complete. Any other response is a
// [*ResponseError], which matches the sentinels of this package.
//
//	if errors.Is(err, api.ErrNotFound) { … }
//
//	var e *api.ResponseError
//	if errors.As(err, &e) {
//		log.Println(e.StatusCode, e.Code, e.OperationID)
//	}
//
// If the caller's context has ended when an attempt fails, the error matches the context's Err, whatever the response was;
// [context.Cause] tells why it ended. The error of an attempt that exceeded [Doer].AttemptTimeout matches
// [context.DeadlineExceeded] while the context's Err is nil. Otherwise, without a
// complete response, the error wraps that of the HTTP client, usually a [*net/url.Error].
//
// Generated methods promise less about a JSON object: if it does not fit the types, the error is one of [encoding/json]; if
// it lacks fields, so does the result. A 204 to a POST that should create something is neither a result nor an error.
//
// # Retries
//
// A request is sent up to 3 times:
//
//   - with any method after a 429, with which ngrok refuses a request before doing anything, and if the
//     host, or the proxy in front of it, could not be dialed; a proxy that refuses to connect, or a TLS handshake that
//     fails, does not count;
//   - with GET, PUT and DELETE also after a 500, 502, 503 or 504, and after any other failure of the connection, such as
//     a timeout or the body of a success that is cut short, but not if the certificate is not trusted.
//
// The first wait is a random 0.25 to 0.5 seconds. Later ones are up to twice as long each time, at most 8 seconds. If the
// response has a Retry-After header, that is the wait. If it asks for more than a minute, or the context's deadline is
// sooner, the error is returned at once. Canceling the context ends a call at once.
//
// Each attempt counts towards ngrok's limit, by default 120 requests in a rolling 60 seconds. Retries alone do not keep
// to it: programs that make many calls set [Doer].Limiter.
//
// # Limits
//
// An attempt takes at most 30 seconds. The body of a success has at most 10 MiB, after decompression; decoding it can take
// far more memory. Of the body of a response with a status of 400 or more, up to 64 KiB are kept. Redirects are not followed, and the base URL must be https unless its host is this machine, so
// that the API key reaches nobody else. ngrok quotes a malformed key in its error message: there it is redacted.
//
// # Testing
//
// Package [example.com/ngrokapi/api/ngroktest] has a fake of the API.
//
// # Stability
//
// The retry policy, the limits and the texts of errors may change in any release; that is not considered breaking.
// Generation may add methods to [ClientInterface] and [ClientWithResponsesInterface], and fields of any type to structs: do
// not implement the interfaces, and do not compare structs with ==.
package api
