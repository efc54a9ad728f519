// Package api is a client for the ngrok API.
//
//	client, err := api.New(os.Getenv("NGROK_API_KEY"))
//	if err != nil {
//		return err
//	}
//	session, err := client.GetTunnelSession(ctx, "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR")
//	if err != nil {
//		return err
//	}
//	fmt.Println(session.IP, session.AgentVersion, session.Region, session.StartedAt)
//
// Types and methods are generated from ngrok's OpenAPI document. What is written by hand authenticates requests and
// makes calls safe; it works for every operation alike, so the generated methods, such as
// TunnelSessionsGetWithResponse, have the same guarantees as [ClientWithResponses.GetTunnelSession].
//
// # Errors
//
// Without an error there is data. ngrok's own errors, and any other response that is not what the operation
// promises, are a [*ResponseError], which has the status, ngrok's code and message, and the body. It matches the
// sentinels of this package:
//
//	if errors.Is(err, api.ErrNotFound) { … }
//
//	var e *api.ResponseError
//	if errors.As(err, &e) {
//		log.Print(e.StatusCode, e.Code, e.OperationID)
//	}
//
// If there was no response, the error is that of the HTTP client, usually a [*net/url.Error]. If the caller's
// context ended, it matches [context.Canceled] or [context.DeadlineExceeded].
//
// # Retries
//
// A call that fails in a way that can pass is repeated by the [Doer]:
//
//	methods      GET, HEAD, PUT, DELETE and OPTIONS; never POST and PATCH, nor a body that cannot be rewound
//	statuses     429, 500, 502, 503 and 504
//	failures     a connection that is refused or reset, an attempt that times out, a body cut short; not a TLS
//	             certificate that is not trusted, nor the end of the caller's context
//	attempts     3 in all
//	waits        0.5 s, then twice as long each time, half more or less at random, at most 8 s; or what
//	             Retry-After asks for, up to 60 s
//	never        a wait that Retry-After wants longer than 60 s, or that the context's deadline would cut off: the
//	             error is returned at once
//
// Cancelling the context ends a call at once, also while it waits. The policy can change in any release; only the
// fields of the Doer are a promise.
//
// # Limits
//
// An attempt takes at most 30 seconds with the default HTTP client, its body included; give the context a deadline
// to bound the whole call. A successful body has at most 10 MiB, counted after decompression, and a larger one is
// [ErrResponseTooLarge]. Of an error's body, 64 KiB are read. Redirects are not followed, as ngrok sends none: one
// is [ErrUnexpectedResponse].
//
// # The API key
//
// It goes into the Authorization header and nowhere else: not to another host, not over plain HTTP except to this
// machine, and not into errors or logs, although ngrok quotes it in some of its messages. The Request of a response
// is a copy without it.
//
// # Concurrency
//
// Clients and Doers are safe for concurrent use. Make one client and share it.
package api
