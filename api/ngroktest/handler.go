// Package ngroktest is a fake ngrok API, for tests of programs that use the client.
//
// A [Server] listens on loopback and serves the tunnel sessions that the test gives it. It answers as the real API
// does, also what it refuses: a missing or wrong key, a missing or wrong version, an unknown session, an unknown
// path. It can be told to fail. And it checks that requests and sessions conform to ngrok's OpenAPI document.
package ngroktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/openapi"
)

// APIKey is the key that the fake accepts. It has the shape of a real one.
const APIKey = "2NgrokTestKeyNotARealSecret_5uFakeFakeFakeFakeFake"

const (
	sessionsPath = "/tunnel_sessions/"
	mediaType    = "application/json"
)

// Handler returns a fake ngrok API that serves the given sessions, for where there is no [testing.TB]; tests have
// [NewServer]. What does not conform to ngrok's OpenAPI document is answered with the status 500 and a message that
// names the field. Handler panics if a session has no ID.
func Handler(sessions ...api.TunnelSession) http.Handler {
	f := newFake()
	for _, s := range sessions {
		if err := f.put(s); err != nil {
			panic("ngroktest: " + err.Error())
		}
	}
	return f
}

// A fake is the API.
type fake struct {
	validator  *openapi.Validator
	report     func(err error) // gets what does not conform; nil: it is answered with the status 500
	operations atomic.Int64    // so far, to number them

	mu       sync.Mutex
	sessions map[string]api.TunnelSession
	failures []failure // of the next requests
	requests []*http.Request
}

func newFake() *fake {
	return &fake{validator: validator(), sessions: make(map[string]api.TunnelSession)}
}

// validator is of ngrok's document. All fakes share one, as a test can have many and the document can be large.
var validator = sync.OnceValue(func() *openapi.Validator {
	doc, err := openapi.Load()
	if err != nil {
		panic(err) // it is embedded
	}
	v, err := openapi.NewValidator(doc)
	if err != nil {
		panic(err)
	}
	return v
})

func (f *fake) put(s api.TunnelSession) error {
	if s.ID == "" {
		return fmt.Errorf("the session %+v has no ID: set the field ID, by which it is looked up", s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions[s.ID] = s
	return nil
}

// arrived records a request and returns the failure that is queued for it.
func (f *fake) arrived(r *http.Request) (failure, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	if len(f.failures) == 0 {
		return failure{}, false
	}
	next := f.failures[0]
	f.failures = f.failures[1:]
	return next, true
}

func (f *fake) session(id string) (api.TunnelSession, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.sessions[id]
	return s, ok
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = record(r)
	operation := fmt.Sprintf("op_%027d", f.operations.Add(1))
	w.Header().Set("Ngrok-Operation-Id", operation)
	if next, ok := f.arrived(r); ok {
		next.write(w, operation)
		return
	}
	if refused, ok := refuse(r); ok {
		refused.write(w, operation)
		return
	}
	id, ok := sessionID(r)
	if !ok {
		pathNotFound(r.URL.Path).write(w, operation)
		return
	}
	if err := f.validator.Request(r); err != nil {
		f.departed(w, operation, fmt.Errorf("the request departs from ngrok's document: %w", err))
		return
	}
	session, ok := f.session(id)
	if !ok {
		resourceNotFound.write(w, operation)
		return
	}
	data := marshal(session)
	if err := f.validator.Response(r, http.StatusOK, http.Header{"Content-Type": {mediaType}}, data); err != nil {
		f.departed(w, operation, fmt.Errorf("the session %s departs from ngrok's document: %w", id, err))
		return
	}
	write(w, http.StatusOK, data)
}

// departed reports what does not conform, and answers the request all the same so that its client ends.
func (f *fake) departed(w http.ResponseWriter, operation string, err error) {
	if f.report != nil {
		f.report(err)
	}
	failure{status: http.StatusInternalServerError, message: "ngroktest: " + err.Error()}.write(w, operation)
}

// sessionID returns the ID of the session that a request asks for.
func sessionID(r *http.Request) (string, bool) {
	escaped, ok := strings.CutPrefix(r.URL.EscapedPath(), sessionsPath)
	if !ok || r.Method != http.MethodGet || escaped == "" || strings.Contains(escaped, "/") {
		return "", false
	}
	id, err := url.PathUnescape(escaped)
	return id, err == nil
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // the values are sessions, and this package's own
	}
	return data
}

func write(w http.ResponseWriter, status int, data []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	w.Write(data) // a client that is gone has an error of its own
}
