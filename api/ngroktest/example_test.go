package ngroktest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// exampleTB stands in for the *testing.T that an example does not have. It embeds nil, so it panics
// where a test would fail.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()        {}
func (exampleTB) Cleanup(func()) {}

func ExampleNewServer() {
	t := exampleTB{}            // in a test, its *testing.T
	ctx := context.Background() // in a test, t.Context()

	srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1", Region: "eu"})
	session, err := srv.Client().GetTunnelSession(ctx, "ts_1")
	fmt.Println(session.Region, err)

	srv.FailOn("GET /tunnel_sessions/{id}", 429, "ERR_NGROK_226") // the next lookup
	_, err = srv.Client().GetTunnelSession(ctx, "ts_1")
	fmt.Println(errors.Is(err, api.ErrRateLimited))

	srv.Delete("ts_1")
	_, err = srv.Client().GetTunnelSession(ctx, "ts_1")
	fmt.Println(errors.Is(err, api.ErrNotFound))
	// Output:
	// eu <nil>
	// true
	// true
}

// The agent obeys a command, and the response is lost. With FailOn, the agent would not obey.
func ExampleServer_Wrap() {
	t := exampleTB{}            // in a test, its *testing.T
	ctx := context.Background() // in a test, t.Context()

	srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1"})
	srv.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler) // breaks the connection
		})
	})
	err := srv.Client().StopTunnelSession(ctx, "ts_1")
	fmt.Println(api.OutcomeUnknown(err), len(srv.Sessions()), "sessions")
	// Output: true 0 sessions
}
