// Package ngroktest is a fake ngrok API, for tests of programs that use the client.
//
//	func TestRegion(t *testing.T) {
//		srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1", Region: "eu"})
//		session, err := srv.Client().GetTunnelSession(t.Context(), "ts_1")
//		…
//	}
//
// A [Server] has the tunnel sessions that the test gives it. It lists them and looks them up, and
// obeys stop, restart and update. A restart gives the session a new ID and URI, and the current
// time in StartedAt. It fails with ERR_NGROK_804 if OS is "windows". [Server.LatestVersion] says
// what an update does. The status of a command that fails is 400, which is a guess: ngrok documents
// the codes alone.
//
// The server responds as the real API does to a missing or wrong key or version, an unknown
// session, an unknown path and an invalid limit, and it can be told to fail.
//
// # Time
//
// [Server.Client] and [Server.HTTPClient] reach the server in memory: without a socket, and without a goroutine. In a
// bubble of [testing/synctest], waits, outages and a Retry-After of 50 seconds then take no time. Call [NewServer] in the
// bubble, and use the Context of its t: a call that waits for a context from outside makes the bubble hang. [Server.URL]
// is for programs that need an address. It does not work in a bubble.
//
// # What fails the test
//
// The server validates requests and responses against ngrok's OpenAPI document. It fails the test, with a message that
// names the field, and responds with the status 500 and that message, if
//
//   - a request that would succeed does not conform, or has a query parameter that the document does not have;
//   - a request has a filter, and [Server.Filter] is nil;
//   - a response does not conform, because of a value in a session.
//
// Responses that a handler of [Server.Wrap] writes itself are not validated.
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
	"example.com/ngrokapi/api/internal/fake"
)

// APIKey is the key that the fake accepts. It has the shape of a real one, and opens nothing.
const APIKey = fake.APIKey

// Server is a fake ngrok API. Make one with [NewServer]. Set its fields before the first request. Its methods are safe for
// concurrent use.
type Server struct {
	// PageSize is the maximum number of sessions in a page of the list. Zero, or more than 100, means 100, which is
	// ngrok's own maximum.
	PageSize int

	// LatestVersion is the version to which agents update, such as "3.20.0". If it is empty,
	// updates always succeed and change nothing.
	//
	// An update takes effect at a restart that comes ten seconds later or more. An earlier restart
	// starts the old version, and the update is lost. An update fails with ERR_NGROK_806 if the
	// agent has the latest version or a later one, or another major version, such as none, or if it
	// has updated and not restarted since.
	LatestVersion string

	// Filter reports whether a session matches a filter of the list. The server does not know CEL: the test says what its
	// expressions mean. If Filter is nil, a request with a filter fails the test. For an invalid expression, ngrok responds
	// with the status 400 and the code "invalid_cel_expression": see [Error].
	//
	// Filter is called in the goroutine of the request.
	Filter func(expression string, session api.TunnelSession) bool

	tb  testing.TB
	api *fake.API
	url func() string

	mu       sync.Mutex
	handler  http.Handler
	requests []*http.Request
}

// NewServer returns a server that has the given sessions. The test fails at once if one of them has no ID. The package
// comment says what else fails it.
func NewServer(tb testing.TB, sessions ...api.TunnelSession) *Server {
	tb.Helper()
	s := &Server{tb: tb}
	s.api = fake.New(func() fake.Options {
		return fake.Options{PageSize: s.PageSize, LatestVersion: s.LatestVersion, Filter: s.Filter}
	})
	s.handler = &validating{
		api:       s.api,
		filters:   func() bool { return s.Filter != nil },
		validator: validator(),
		report:    func(err error) { tb.Errorf("ngroktest: %v", err) },
	}
	s.url = sync.OnceValue(func() string {
		listening := httptest.NewServer(http.HandlerFunc(s.serve))
		tb.Cleanup(listening.Close)
		return listening.URL
	})
	for _, session := range sessions {
		s.Put(session)
	}
	return s
}

// Client returns a client that reaches the server in memory, whatever its base URL, with [APIKey]. It does not retry, so
// that each failure of the server fails one call. The test fails at once if an option is invalid.
//
// An [api.Doer] without an HTTPClient sends its requests to the server too. To test with retries:
//
//	client := srv.Client(api.WithHTTPClient(new(api.Doer)))
//
// Any other option [api.WithHTTPClient] decides where requests go. An [http.Client] of your own reaches the server with
// the Transport of [Server.HTTPClient].
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

// HTTPClient returns an HTTP client that reaches the server in memory, whatever the host of a request. Use it for programs
// that make their own [api.Client], as in
//
//	api.New(ngroktest.APIKey, api.WithHTTPClient(&api.Doer{HTTPClient: srv.HTTPClient(), Limiter: limiter}))
//
// Handlers run in the goroutine of the call. One that stalls must wait for the end of the request's context, and the call
// then fails with its cause, as with net/http. One that panics with [http.ErrAbortHandler] breaks the connection.
// Responses are not decompressed.
func (s *Server) HTTPClient() *http.Client {
	return &http.Client{Transport: transport{http.HandlerFunc(s.serve)}}
}

// URL returns the base URL of the server, for [api.WithBaseURL]. The first call makes the server listen on loopback, until
// the test and its subtests are complete. Do not call it in a bubble of [testing/synctest], which cannot wait for a
// socket.
func (s *Server) URL() string { return s.url() }

// Put adds a session, or replaces the one with its ID. The list has sessions in the order in which they were first added.
// The test fails at once if the session has no ID.
func (s *Server) Put(session api.TunnelSession) {
	s.tb.Helper()
	if err := s.api.Put(session); err != nil {
		s.tb.Fatalf("ngroktest: %v", err)
	}
}

// Delete removes the session with the given ID, if there is one, as when its agent disconnects.
func (s *Server) Delete(id string) { s.api.Delete(id) }

// Reconnect gives an agent a new session, as a restart does, and returns its ID. The agent is the
// one that has or had the session with the given ID: its connection broke, or it was stopped and
// the service manager of its machine starts it again. The test fails at once if there never was
// such a session.
func (s *Server) Reconnect(id string) string {
	s.tb.Helper()
	id, err := s.api.Reconnect(id)
	if err != nil {
		s.tb.Fatalf("ngroktest: %v", err)
	}
	return id
}

// Sessions returns the sessions that the server has now, in list order. A restarted agent is in its old place.
func (s *Server) Sessions() []api.TunnelSession { return s.api.Sessions("") }

// Fail makes the next request fail with a status, from 400 to 599, and an ngrok error code, which
// may be empty: Fail(429, "ERR_NGROK_226"). Fail(404, "") is what ngrok says of an unknown session.
// With another status the test fails at once. Calls queue up: the second one is for the request
// after the next. Each attempt of a client that retries is a request. Responses that a handler of
// [Server.Wrap] writes itself do not count. For the failure of one ID, or other headers, use Wrap
// and [Error].
func (s *Server) Fail(status int, code string) {
	s.tb.Helper()
	if status < 400 || status > 599 {
		s.tb.Fatalf("ngroktest: fail with the status %d: it must be from 400 to 599", status)
	}
	s.api.Fail(status, code)
}

// Wrap puts a handler in front of the server, which is next. The handler responds itself where something should go wrong,
// such as in an outage, with [Error], [http.Error] or malformed content, and leaves the rest to next. It sets the headers
// of its response, Content-Type included. The handler that was added last gets requests first. Responses that a handler
// writes itself are not validated, but their requests are in [Server.Requests].
func (s *Server) Wrap(handler func(next http.Handler) http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler(s.handler)
}

// Requests returns the requests that have arrived so far, oldest first, including those that failed. Their bodies can be
// read once.
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
