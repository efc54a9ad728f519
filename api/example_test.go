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

// The examples ask a fake of the API. A program leaves WithBaseURL out and gives New its own key.
var fake = sync.OnceValue(func() *httptest.Server {
	return httptest.NewServer(ngroktest.Handler(
		api.TunnelSession{ID: "ts_1", IP: "203.0.113.7", AgentVersion: "3.19.1", Region: "eu", StartedAt: "2026-03-04T05:06:07Z"},
		api.TunnelSession{ID: "ts_2", IP: "203.0.113.8", AgentVersion: "3.18.4", Region: "us", StartedAt: "2026-03-05T05:06:07Z"},
		api.TunnelSession{ID: "ts_3", IP: "203.0.113.9", AgentVersion: "3.18.4", Region: "eu", StartedAt: "2026-03-06T05:06:07Z"},
	))
})

// newExample returns a client of the fake, for examples of something else than New.
func newExample() *api.ClientWithResponses {
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL))
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
		fmt.Println(session.ID, session.IP, session.AgentVersion, session.Region)
	}
	session, err := client.GetTunnelSession(ctx, "ts_1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("since", session.StartedAt)
	// Output:
	// ts_1 203.0.113.7 3.19.1 eu
	// ts_2 203.0.113.8 3.18.4 us
	// ts_3 203.0.113.9 3.18.4 eu
	// since 2026-03-04T05:06:07Z
}

// Update the agents of an old version, and restart them when they have had time for it.
func ExampleClientWithResponses_UpdateTunnelSession() {
	const pause = 0 // at least 10 * time.Second, with real agents
	srv := httptest.NewServer(ngroktest.Handler(
		api.TunnelSession{ID: "ts_1", AgentVersion: "3.19.1"},
		api.TunnelSession{ID: "ts_2", AgentVersion: "3.18.4"},
		api.TunnelSession{ID: "ts_3", AgentVersion: "3.18.4"},
	))
	defer srv.Close()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(srv.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()

	var updated []string
	for session, err := range client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if session.AgentVersion != "3.18.4" {
			continue
		}
		if err := client.UpdateTunnelSession(ctx, session.ID); err != nil {
			fmt.Println("update:", err) // as when there is no update
			continue
		}
		updated = append(updated, session.ID)
	}
	time.Sleep(pause)
	for _, id := range updated {
		if err := client.RestartTunnelSession(ctx, id); err != nil && !errors.Is(err, api.ErrNotFound) {
			fmt.Println("restart:", err)
			continue
		}
		fmt.Println(id, "restarts, and gets a new ID")
	}
	// Output:
	// ts_2 restarts, and gets a new ID
	// ts_3 restarts, and gets a new ID
}

func ExampleClientWithResponses_GetTunnelSession_notFound() {
	client := newExample()
	_, err := client.GetTunnelSession(context.Background(), "ts_gone")
	if errors.Is(err, api.ErrNotFound) {
		fmt.Println("the agent has disconnected")
	}
	// Output: the agent has disconnected
}

// What else ngrok said is in the ResponseError.
func ExampleResponseError() {
	client, err := api.New("2NotTheKeyOfAnyAccount0000_1", api.WithBaseURL(fake().URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.GetTunnelSession(context.Background(), "ts_1")
	err = fmt.Errorf("inventory: %w", err)

	var e *api.ResponseError
	if errors.As(err, &e) {
		fmt.Println(e.StatusCode, e.Code)
	}
	if errors.Is(err, api.ErrAuthentication) {
		fmt.Println(e.Message)
	}
	// Output:
	// 403 ERR_NGROK_203
	// The API authentication you specified does not belong to any known account.
}

// A program that would rather do something else than wait makes one attempt and asks how long to leave ngrok alone.
func ExampleDoer_rateLimited() {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer busy.Close()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(busy.URL),
		api.WithHTTPClient(&api.Doer{MaxAttempts: 1}))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.GetTunnelSession(context.Background(), "ts_1")
	var e *api.ResponseError
	if errors.Is(err, api.ErrRateLimited) && errors.As(err, &e) {
		fmt.Println("later, after", max(e.RetryAfter, time.Minute/120))
	}
	// Output: later, after 30s
}

// Many lookups at once, and no more requests than ngrok allows: 120 in 60 seconds, retries included. All clients of an
// account share the limiter.
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

// tracing is a RoundTripper that sees each attempt. A request has the API key in its Authorization header.
type tracing struct{ next http.RoundTripper }

func (t tracing) RoundTrip(req *http.Request) (*http.Response, error) {
	rsp, err := t.next.RoundTrip(req)
	if err == nil {
		fmt.Println(req.Method, req.URL.Path, rsp.StatusCode)
	}
	return rsp, err
}

// An http.Client of one's own can have a proxy, a client certificate, or a RoundTripper that traces. It gets the same
// retries, bounds and errors.
func ExampleWithHTTPClient() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyFromEnvironment // or http.ProxyURL(…)
	transport.TLSClientConfig = &tls.Config{
		Certificates: []tls.Certificate{}, // those of tls.LoadX509KeyPair
	}
	transport.MaxIdleConnsPerHost = 64
	defer transport.CloseIdleConnections()

	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL),
		api.WithHTTPClient(&http.Client{Transport: tracing{transport}, Timeout: 30 * time.Second}))
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

// A header for one call, here of a trace, and one for all calls of a client.
func ExampleWithRequestEditorFn() {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("Traceparent"), r.Header.Get("X-Team"))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer echo.Close()
	team := func(_ context.Context, req *http.Request) error {
		req.Header.Set("X-Team", "edge")
		return nil
	}
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(echo.URL), api.WithRequestEditorFn(team))
	if err != nil {
		fmt.Println(err)
		return
	}
	trace := func(_ context.Context, req *http.Request) error {
		req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		return nil
	}
	if err := client.StopTunnelSession(context.Background(), "ts_1", trace); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 edge
}

// sessionGetter is all that region needs of a client, so that its tests can do without one.
type sessionGetter interface {
	GetTunnelSession(ctx context.Context, id string, editors ...api.RequestEditorFn) (*api.TunnelSession, error)
}

var _ sessionGetter = (*api.ClientWithResponses)(nil)

func region(ctx context.Context, sessions sessionGetter, id string) string {
	session, err := sessions.GetTunnelSession(ctx, id)
	if err != nil {
		return "unknown"
	}
	return session.Region
}

type fixedSession api.TunnelSession

func (s fixedSession) GetTunnelSession(context.Context, string, ...api.RequestEditorFn) (*api.TunnelSession, error) {
	return (*api.TunnelSession)(&s), nil
}

// An interface of the caller's own, with the one method that it uses, is enough for a fake of its own.
func Example_interface() {
	fmt.Println(region(context.Background(), fixedSession{Region: "eu"}, "ts_1"))
	// Output: eu
}
