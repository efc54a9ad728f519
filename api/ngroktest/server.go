// Package ngroktest is a fake ngrok API, for tests of programs that use the client.
//
//	func TestRegion(t *testing.T) {
//		srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1", Region: "eu"})
//		session, err := srv.Client().GetTunnelSession(t.Context(), "ts_1")
//		…
//	}
//
// A [Server] has the test's sessions, and an agent behind each of them, which obeys ngrok's
// commands. A stop ends the session. A restart gives the agent a new session, with another ID and
// URI and the current time in StartedAt. It fails with ERR_NGROK_804 if OS is "windows". An update
// installs [Server.LatestVersion].
//
// The server responds as the real API does to a missing or wrong key or version, an unknown
// session, an unknown path and an invalid limit. The status of a command that fails, and of an
// invalid limit, is 400. That is a guess: ngrok documents only the codes. [Server.Fail],
// [Server.FailOn] and [Server.Wrap] make requests fail.
//
// # What fails the test
//
// The server checks requests and responses against ngrok's OpenAPI document. It fails the test, and
// responds with the status 500 and the reason, if
//
//   - a request that does not conform would otherwise succeed, or has a query parameter that the
//     document does not have;
//   - a request has a filter, and [Server.Filter] is nil;
//   - a response does not conform, because of a value in a session.
//
// Responses that a handler of [Server.Wrap] writes itself are not checked. At its end, a test fails
// if no request took a failure of [Server.Fail] or [Server.FailOn].
//
// # Time
//
// [Server.Client] and [Server.HTTPClient] reach the server in memory, without a socket or another
// goroutine. In a bubble of [testing/synctest], waits, outages and a Retry-After of 50 seconds
// therefore take no time. Call [NewServer] in the bubble, and use the Context of its t: a call that
// waits for a context from outside makes the bubble hang. [Server.URL], for programs that need an
// address, does not work in a bubble.
package ngroktest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"example.com/ngrokapi/api"
)

// APIKey is the key that the fake accepts. It has the shape of a real one, and opens nothing.
const APIKey = "2NgrokTestKeyNotARealSecret_5uFakeFakeFakeFakeFake"

// Server is a fake ngrok API. Make one with [NewServer]. Set its fields before the first request.
// Its methods are safe for concurrent use.
type Server struct {
	// PageSize is the maximum number of sessions in a page of the list. If it is not between 1 and
	// 100, which is ngrok's maximum, it means 100.
	PageSize int

	// LatestVersion is the version that agents update to, such as "3.20.0". If it is empty, updates
	// always succeed and change nothing.
	//
	// An update fails with ERR_NGROK_806 if the agent has the latest version or a later one, another
	// major version or one of the Microsoft Store, or if it has updated and not restarted since. In
	// the fake, it also fails for a version that is not semantic. It takes effect at a restart at
	// least ten seconds later. ngrok's document says to wait that long, but not what a restart
	// before that does: in the fake, the update is lost. For an agent whose updates are disabled,
	// use [Server.FailOn].
	LatestVersion string

	// Filter reports whether a session matches a filter of the list. The server cannot evaluate
	// CEL, so the test must. If Filter is nil, a request with a filter fails the test. For an
	// invalid expression, ngrok responds with the status 400 and the code "invalid_cel_expression":
	// use [Server.FailOn].
	Filter func(expression string, session api.TunnelSession) bool

	tb  testing.TB
	api *fake
	url func() string

	mu       sync.Mutex
	handler  http.Handler
	requests []*http.Request
}

// NewServer returns a server that has the given sessions. The test fails at once if one of them has
// no ID. The package comment says what else fails it.
func NewServer(tb testing.TB, sessions ...api.TunnelSession) *Server {
	tb.Helper()
	s := &Server{tb: tb}
	s.api = newFake(s)
	s.handler = &validating{api: s.api, validator: validator()}
	s.url = sync.OnceValue(func() string {
		srv := httptest.NewServer(http.HandlerFunc(s.serve))
		tb.Cleanup(srv.Close)
		return srv.URL
	})
	tb.Cleanup(s.api.checkTaken)
	for _, session := range sessions {
		s.Put(session)
	}
	return s
}

// Client returns a client with [APIKey] that reaches the server in memory, whatever the host in its
// base URL. It does not retry, so that each failure of the server fails one call. The test fails at
// once if an option is invalid.
//
// An [api.Doer] without an HTTPClient sends its requests to the server too. To test with retries:
//
//	client := srv.Client(api.WithHTTPClient(new(api.Doer)))
//
// Any other [api.WithHTTPClient] decides where requests go. Your own [http.Client] reaches the
// server with the Transport of [Server.HTTPClient].
func (s *Server) Client(opts ...api.ClientOption) *api.ClientWithResponses {
	s.tb.Helper()
	once := api.WithHTTPClient(&api.Doer{MaxAttempts: 1})
	inMemory := func(c *api.Client) error {
		if doer, ok := c.Client.(*api.Doer); ok && doer.HTTPClient == nil {
			own := *doer
			own.HTTPClient = s.HTTPClient()
			c.Client = &own
		}
		return nil
	}
	client, err := api.New(APIKey, slices.Concat([]api.ClientOption{once}, opts, []api.ClientOption{inMemory})...)
	if err != nil {
		s.tb.Fatalf("ngroktest: %v", err)
	}
	return client
}

// HTTPClient returns an HTTP client that reaches the server in memory, whatever the host of a
// request. Use it for programs that make their own client, as in
//
//	api.New(key, api.WithHTTPClient(&api.Doer{HTTPClient: srv.HTTPClient(), Limiter: limiter}))
//
// Handlers run in the goroutine of the call. One that stalls must wait for the end of the request's
// context; the call then fails with the context's cause, as with net/http. One that panics with
// [http.ErrAbortHandler] breaks the connection. Responses are not decompressed.
func (s *Server) HTTPClient() *http.Client {
	return &http.Client{Transport: transport{http.HandlerFunc(s.serve)}}
}

// URL returns the base URL of the server, for [api.WithBaseURL]. The first call makes the server
// listen on loopback, until the test and its subtests are complete. Do not call it in a bubble of
// [testing/synctest], which cannot wait for a socket.
func (s *Server) URL() string { return s.url() }

// Put adds a session with an agent of its own, or replaces the one with its ID. The list has
// sessions in the order in which they were first added; ngrok's is sorted by ID. The test fails at
// once if the session has no ID.
func (s *Server) Put(session api.TunnelSession) {
	s.tb.Helper()
	s.api.put(session)
}

// Delete removes the session with the given ID, if there is one, as when its agent disconnects.
func (s *Server) Delete(id string) { s.api.stop(id) }

// Reconnect gives an agent a new session, and returns its ID. An update takes effect as at a
// restart. Reconnect is for an agent whose connection broke, and for a stopped one that a service
// manager starts again. The given ID is that of the agent's session, or of an earlier one. The test
// fails at once if there never was such a session.
func (s *Server) Reconnect(id string) string {
	s.tb.Helper()
	return s.api.reconnect(id)
}

// Sessions returns the sessions that the server has now, in list order. An agent's new session is
// in the place of its old one.
func (s *Server) Sessions() []api.TunnelSession { return s.api.sessions("") }

// Fail makes the next request fail with a status from 400 to 599 and an error code of ngrok, which
// may be empty. Each call is for one request, so a second call is for the request after the next
// one. Each attempt of a client that retries is a request.
//
// A command that fails has no effect. A client cannot know that after Fail(500, "") or Fail(400,
// "ERR_NGROK_810"), so [api.OutcomeUnknown] is true. Fail(404, "") is ngrok's response about an
// unknown session, and Fail(404, "ERR_NGROK_222") about an invalid ID: the errors match
// [api.ErrNotFound]. Fail(403, "ERR_NGROK_203") is ngrok's response to an unknown key: it matches
// [api.ErrAuthentication].
// Fail(403, "") matches no sentinel: the key lacks a permission. Fail(429, "") matches
// [api.ErrRateLimited], and has no Retry-After header.
func (s *Server) Fail(status int, code string) {
	s.tb.Helper()
	s.FailOn("/", status, code)
}

// FailOn is like [Server.Fail], for the next request that matches a pattern of [http.ServeMux]:
//
//	srv.FailOn("POST /tunnel_sessions/ts_1/update", 400, "ERR_NGROK_1702")
//
// A request takes the first failure of Fail and FailOn that matches it, and leaves the others for
// later requests. The test fails at once if the pattern is invalid, and at its end if no request
// took the failure. For other headers, a message, or a failure after the command had its effect,
// use [Server.Wrap] and [Error]. A request that a handler of Wrap responds to takes no failure.
func (s *Server) FailOn(pattern string, status int, code string) {
	s.tb.Helper()
	if status < 400 || status > 599 {
		s.tb.Fatalf("ngroktest: fail with the status %d: it must be from 400 to 599", status)
	}
	s.api.failOn(pattern, status, code)
}

// Wrap puts a handler in front of the server, which is next. To make something go wrong, such as an
// outage, the handler responds itself, with [Error], [http.Error] or malformed content. It leaves
// other requests to next. It sets the headers of its own responses, including Content-Type. The
// handler that was added last gets requests first. For clients whose base URL has a path, wrap the
// server with [http.StripPrefix].
func (s *Server) Wrap(handler func(next http.Handler) http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler(s.handler)
}

// Requests returns the requests that have arrived so far, oldest first, including those that failed
// or that a handler of [Server.Wrap] responded to. Their bodies can be read once.
func (s *Server) Requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// serve records a request and passes it to the handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a client may give up before its end
	r.Body = io.NopCloser(bytes.NewReader(body))
	record := r.Clone(r.Context())
	record.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.requests = append(s.requests, record)
	handler := s.handler
	s.mu.Unlock()
	handler.ServeHTTP(w, r)
}
