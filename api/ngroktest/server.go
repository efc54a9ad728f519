// Package ngroktest is a fake ngrok API, for tests of programs that use the client.
//
// A [Server] listens on loopback and has the tunnel sessions that the test gives it. It lists them and looks them up. Stop
// removes a session, restart gives it a new ID in its old place, and update changes nothing and never fails. It answers
// as the real API does to a missing or wrong key, a missing or wrong version, an unknown session and an unknown path, and
// it can be told to fail. It validates requests and responses against ngrok's OpenAPI document.
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

// APIKey is the key that the fake accepts. It has the shape of a real one.
const APIKey = fake.APIKey

// Server is a fake ngrok API that listens on loopback. Its methods are safe for concurrent use.
type Server struct {
	// URL is the base URL of the server, for [api.WithBaseURL].
	URL string

	// PageSize is the maximum number of sessions in a page of the list. Zero, or more than 100, means 100, which is
	// ngrok's own maximum. Set it before the first request.
	PageSize int

	tb   testing.TB
	api  fake.API
	http *httptest.Server

	mu       sync.Mutex
	handler  http.Handler
	requests []*http.Request
}

// NewServer starts a server that has the given sessions. It is closed when the test and its subtests are complete.
//
// The test fails, with a message that names the field, if a request that succeeds, or the response to it, does not
// conform to ngrok's OpenAPI document.
func NewServer(tb testing.TB, sessions ...api.TunnelSession) *Server {
	tb.Helper()
	s := &Server{tb: tb}
	s.handler = &conforming{
		serve:    func(w http.ResponseWriter, r *http.Request) { s.api.Serve(w, r, s.PageSize) },
		validate: validator(),
		report:   func(err error) { tb.Errorf("ngroktest: %v", err) },
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	tb.Cleanup(s.http.Close)
	for _, session := range sessions {
		s.Put(session)
	}
	return s
}

// Client returns a client of the server that has its API key. It does not retry, so that each failure of the server
// fails one call, and tests do not wait. To test with retries, give it the option api.WithHTTPClient(new(api.Doer)); two
// retries then take from 0.75 to 1.5 seconds.
func (s *Server) Client(opts ...api.ClientOption) *api.ClientWithResponses {
	s.tb.Helper()
	own := []api.ClientOption{
		api.WithBaseURL(s.URL),
		api.WithHTTPClient(&api.Doer{HTTPClient: s.http.Client(), MaxAttempts: 1}),
	}
	client, err := api.New(APIKey, append(own, opts...)...)
	if err != nil {
		s.tb.Fatalf("ngroktest: %v", err)
	}
	return client
}

// Put adds a session to those that the server has, or replaces the one with its ID. The test fails at once if the
// session has no ID. The list has the sessions in the order in which they were first added.
func (s *Server) Put(session api.TunnelSession) {
	s.tb.Helper()
	if err := s.api.Put(session); err != nil {
		s.tb.Fatalf("ngroktest: %v", err)
	}
}

// Delete removes the session with the given ID, if there is one, as when its agent disconnects.
func (s *Server) Delete(id string) { s.api.Delete(id) }

// Fail makes the next request fail with a status, from 400 to 599, and an error code of ngrok's, which may be
// empty: Fail(429, "ERR_NGROK_226"). Calls queue up: the second is for the request after the next. Each attempt of a
// client that retries is a request. What a handler of [Server.Wrap] answers by itself does not count. For other headers,
// such as Retry-After, use Wrap.
func (s *Server) Fail(status int, code string) {
	s.tb.Helper()
	if status < 400 || status > 599 {
		s.tb.Fatalf("ngroktest: fail with the status %d: it must be from 400 to 599", status)
	}
	s.api.Fail(status, code)
}

// Wrap puts a handler around the server's, which is next. The handler answers by itself what should go wrong, such as an
// outage, a slow or a malformed answer, or the failure of one ID, and leaves the rest to next. It sets all headers of its
// answer, Content-Type included. The handler that was added last sees requests first. What a handler answers by itself
// is recorded, but not validated.
func (s *Server) Wrap(handler func(next http.Handler) http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler(s.handler)
}

// Requests returns the requests that have arrived so far, oldest first, also those that failed. Their bodies can
// be read, once.
func (s *Server) Requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// serve records a request and answers it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // keep what arrived before the client gave up
	r.Body = io.NopCloser(bytes.NewReader(body))
	record := r.Clone(r.Context())
	record.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.requests = append(s.requests, record)
	handler := s.handler
	s.mu.Unlock()
	handler.ServeHTTP(w, r)
}
