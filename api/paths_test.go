package api

import (
	"strings"
	"testing"
)

func TestShortenedPaths(t *testing.T) {
	short := shortenedPaths([]string{
		"GET /sessions",
		"GET /sessions/{id}",
		"POST /sessions/{id}/stop",
		"GET /sessions/{id}/logs",
		"DELETE /edges/{edge_id}/routes/{id}/backend",
		"DELETE /edges/{edge_id}/routes/{id}",
		// The next one is what is left of the one after it, and must go on working.
		"GET /keys/rotate",
		"GET /keys/{id}/rotate",
	})
	for _, test := range []struct {
		method, path string
		shortened    bool
	}{
		{"GET", "sessions", false},
		{"GET", "sessions/ts_1", false},
		{"POST", "sessions/ts_1/stop", false},
		{"POST", "sessions/stop", true},               // from sessions/./stop
		{"POST", "stop", true},                        // from sessions/../stop
		{"GET", "sessions/stop", false},               // GET has no stop
		{"GET", "sessions/logs", true},                // from sessions/./logs
		{"DELETE", "edges/e/routes/r", false},         //
		{"DELETE", "edges/e/routes/r/backend", false}, //
		{"DELETE", "edges/e/routes/backend", true},    // from edges/e/routes/./backend
		{"DELETE", "edges/e/backend", true},           // from edges/e/routes/../backend
		{"DELETE", "edges/routes/r/backend", true},    // from edges/./routes/r/backend
		{"DELETE", "routes/r/backend", true},          // from edges/../routes/r/backend
		{"DELETE", "routes/backend", true},            // from edges/../routes/./backend
		{"DELETE", "edges/routes/r", true},            // from edges/./routes/r
		{"GET", "keys/rotate", false},                 //
		{"GET", "keys/k_1/rotate", false},             //
		{"GET", "rotate", true},                       // from keys/../rotate
		{"GET", "something/that/no/one/knows", false}, // not the guard's business
	} {
		got := false
		for _, pattern := range short[test.method] {
			got = got || pattern.matches(strings.Split(test.path, "/"))
		}
		if got != test.shortened {
			t.Errorf("%s %s: got %v, want %v", test.method, test.path, got, test.shortened)
		}
	}
}
