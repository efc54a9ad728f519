// Package api is a client for the ngrok API.
//
// This program prints where an agent runs, and since when:
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//		"os"
//
//		"example.com/ngrokapi/api"
//	)
//
//	func main() {
//		client, err := api.New(os.Getenv("NGROK_API_KEY"))
//		if err != nil {
//			log.Fatal(err)
//		}
//		session, err := client.GetTunnelSession(context.Background(), os.Args[1])
//		if err != nil {
//			log.Fatal(err)
//		}
//		fmt.Println(session.IP, session.AgentVersion, session.Region, session.StartedAt)
//	}
//
// Types and methods are generated from ngrok's OpenAPI document. What is written by hand authenticates requests and
// makes calls safe. It works for every operation alike, so the generated methods, such as
// TunnelSessionsGetWithResponse, have the same guarantees as [ClientWithResponses.GetTunnelSession].
//
// # Errors
//
// Without an error there is data. ngrok's own errors, and any other response that is not what the operation
// promises, are a [*ResponseError], which has the status, ngrok's code and message, and the body. It matches the
// sentinels of this package with [errors.Is], also when it is wrapped:
//
//	if errors.Is(err, api.ErrNotFound) { … }
//
//	var e *api.ResponseError
//	if errors.As(err, &e) {
//		log.Print(e.StatusCode, e.Code, e.OperationID)
//	}
//
// If there was no response, the error is that of the HTTP client, usually a [*net/url.Error]. If the caller's
// context ended, it matches [context.Canceled] or [context.DeadlineExceeded]. A generated method returns what
// [encoding/json] says where a field has another type than the document gives it.
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
// Cancelling the context ends a call at once, also while it waits. Another attempt is another request for ngrok's
// limit of 120 in 60 seconds.
//
// # Limits
//
// An attempt takes at most 30 seconds with the default HTTP client, its body included; give the context a deadline
// to bound the whole call. A successful body has at most 10 MiB, counted after decompression, and a larger one is
// [ErrResponseTooLarge]. Of an error's body, 64 KiB are kept.
//
// # Redirects
//
// They are not followed, as ngrok sends none: one is [ErrUnexpectedResponse]. An [http.Client] of the caller's with a
// redirect policy follows what that allows, without the API key where the scheme, the host or the port is another.
//
// # The API key
//
// It goes into the Authorization header and nowhere else: not to another host, not over plain HTTP except to this
// machine, and not into errors or logs, although ngrok quotes it in some of its messages. The Request of a response
// is a copy without it.
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
