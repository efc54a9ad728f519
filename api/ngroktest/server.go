package ngroktest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"example.com/ngrokapi/api"
)

// A Server is a fake ngrok API that listens on loopback. It is safe for concurrent use.
type Server struct {
	// URL is the base URL of the server, for [api.WithBaseURL].
	URL string

	tb   testing.TB
	fake *fake
	http *httptest.Server
}

// NewServer starts a server that serves the given sessions by their IDs. It is closed when the test and its
// subtests are complete.
//
// The test fails, with a message that names the field, if a request that the server accepts or a session that it
// answers does not conform to ngrok's OpenAPI document.
func NewServer(tb testing.TB, sessions ...api.TunnelSession) *Server {
	tb.Helper()
	return newServer(tb, newFake(), sessions...)
}

func newServer(tb testing.TB, f *fake, sessions ...api.TunnelSession) *Server {
	tb.Helper()
	f.report = func(err error) { tb.Errorf("ngroktest: %v", err) }
	s := &Server{tb: tb, fake: f, http: httptest.NewServer(f)}
	s.URL = s.http.URL
	tb.Cleanup(s.http.Close)
	for _, session := range sessions {
		s.Put(session)
	}
	return s
}

// Client returns a client of the server that has its API key. Each of its calls is one attempt, so that each
// failure of the server is one of a call and no test waits; to test with retries too, give it the option
// api.WithHTTPClient(new(api.Doer)).
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

// Put adds a session to those that the server serves, or replaces the one with its ID. The test fails at once if
// the session has no ID.
func (s *Server) Put(session api.TunnelSession) {
	s.tb.Helper()
	if err := s.fake.put(session); err != nil {
		s.tb.Fatalf("ngroktest: %v", err)
	}
}

// Delete removes the session with the given ID, if there is one. ngrok then answers that it does not know it.
func (s *Server) Delete(id string) {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	delete(s.fake.sessions, id)
}

// Fail makes the next request fail with a status, from 400 to 599, and an error code of ngrok's, which may be
// empty: Fail(429, "ERR_NGROK_226"). Calls queue up: the second is for the request after the next.
func (s *Server) Fail(status int, code string) {
	s.tb.Helper()
	if status < 400 || status > 599 {
		s.tb.Fatalf("ngroktest: fail with the status %d: it must be from 400 to 599", status)
	}
	message := http.StatusText(status)
	if message == "" {
		message = "Error"
	}
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	s.fake.failures = append(s.fake.failures, failure{status: status, code: code, message: message})
}

// Requests returns the requests that have arrived so far, oldest first, also those that failed. Their bodies can
// be read, once.
func (s *Server) Requests() []*http.Request {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	return slices.Clone(s.fake.requests)
}

// record returns a copy of a request that outlives its handler, with its body in memory.
func record(r *http.Request) *http.Request {
	body, _ := io.ReadAll(r.Body) // of a client that gives up, what there is
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}
