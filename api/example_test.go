package api_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// The examples use a fake of the API. A program passes its own key to New, and no WithBaseURL.
var fake = sync.OnceValue(func() *httptest.Server {
	return httptest.NewServer(ngroktest.Handler(
		api.TunnelSession{ID: "ts_1", AgentVersion: "3.19.1", Region: "eu", StartedAt: "2026-03-04T05:06:07Z"},
		api.TunnelSession{ID: "ts_2", AgentVersion: "3.18.4", Region: "us", StartedAt: "2026-03-05T05:06:07Z"},
		api.TunnelSession{ID: "ts_3", AgentVersion: "3.18.4", Region: "eu", StartedAt: "2026-03-06T05:06:07Z"},
	))
})

// newExample returns a client of a fake, for examples that are not about New.
func newExample(baseURL string) *api.ClientWithResponses {
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(baseURL))
	if err != nil {
		panic(err)
	}
	return client
}

// List the sessions that are online, and look one up.
func Example() {
	ctx := context.Background()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	for session, err := range client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(session.ID, session.AgentVersion, session.Region)
	}
	session, err := client.GetTunnelSession(ctx, "ts_1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("since", session.StartedAt)
	// Output:
	// ts_1 3.19.1 eu
	// ts_2 3.18.4 us
	// ts_3 3.18.4 eu
	// since 2026-03-04T05:06:07Z
}

// Many concurrent lookups, with no more requests than ngrok allows: 120 in 60 seconds, retries
// included. All clients of a program should share the limiter.
func ExampleDoer_pacing() {
	limiter := rate.NewLimiter(rate.Every(time.Minute/120), 1)
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL),
		api.WithHTTPClient(&api.Doer{Limiter: limiter}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()

	ids := []string{"ts_1", "ts_gone", "ts_3"}
	sessions := make([]*api.TunnelSession, len(ids))
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() { sessions[i], errs[i] = client.GetTunnelSession(ctx, id) })
	}
	wg.Wait()
	for i, id := range ids {
		switch {
		case errors.Is(errs[i], api.ErrNotFound):
			fmt.Println(id, "is gone")
		case errs[i] != nil:
			fmt.Println(errs[i])
		default:
			fmt.Println(id, sessions[i].Region)
		}
	}
	// Output:
	// ts_1 eu
	// ts_gone is gone
	// ts_3 eu
}

// Before you repeat a command that failed, check whether it had an effect.
func ExampleOutcomeUnknown() {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway) // ngrok may have received the request
	}))
	defer gateway.Close()
	client := newExample(gateway.URL)

	err := client.RestartTunnelSession(context.Background(), "ts_1")
	switch {
	case err == nil:
		fmt.Println("the agent comes back with another session")
	case api.OutcomeUnknown(err):
		fmt.Println("list the sessions, and check whether the agent has another one")
	default:
		fmt.Println("the agent does not restart:", err)
	}
	// Output: list the sessions, and check whether the agent has another one
}

// tracing is a RoundTripper that prints each attempt. Do not print the Authorization header: it has
// the API key.
type tracing struct{ next http.RoundTripper }

func (t tracing) RoundTrip(req *http.Request) (*http.Response, error) {
	rsp, err := t.next.RoundTrip(req)
	if err == nil {
		fmt.Println(req.Method, req.URL.Path, rsp.StatusCode)
	}
	return rsp, err
}

// The transport can have a proxy, a client certificate, or a RoundTripper around it that traces.
// Retries, limits and errors are the same.
func ExampleNewTransport() {
	transport := api.NewTransport()
	transport.Proxy = http.ProxyFromEnvironment // or http.ProxyURL(…)
	transport.TLSClientConfig = &tls.Config{
		Certificates: []tls.Certificate{}, // those of tls.LoadX509KeyPair
	}
	defer transport.CloseIdleConnections()

	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL),
		api.WithHTTPClient(&http.Client{Transport: tracing{transport}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := client.GetTunnelSession(context.Background(), "ts_1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session.Region)
	// Output:
	// GET /tunnel_sessions/ts_1 200
	// eu
}

// An editor can set a header for one call or, with WithRequestEditorFn, for all calls of a client.
func ExampleRequestEditorFn() {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("Traceparent"))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer echo.Close()
	client := newExample(echo.URL)

	trace := func(_ context.Context, req *http.Request) error {
		req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		return nil
	}
	if err := client.StopTunnelSession(context.Background(), "ts_1", trace); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
}
