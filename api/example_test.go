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

	"golang.org/x/sync/errgroup"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// The examples ask a fake of the API. A program leaves WithBaseURL out and gives New its own key.
var fake = sync.OnceValue(func() *httptest.Server {
	return httptest.NewServer(ngroktest.Handler(
		api.TunnelSession{ID: "ts_1", IP: "203.0.113.7", AgentVersion: "3.19.1", Region: "eu", StartedAt: "2026-03-04T05:06:07Z"},
		api.TunnelSession{ID: "ts_2", Region: "us"},
		api.TunnelSession{ID: "ts_3", Region: "ap"},
	))
})

func Example() {
	ctx := context.Background()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := client.GetTunnelSession(ctx, "ts_1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("host %s, agent %s, region %s, since %s\n",
		session.IP, session.AgentVersion, session.Region, session.StartedAt)
	// Output: host 203.0.113.7, agent 3.19.1, region eu, since 2026-03-04T05:06:07Z
}

func Example_notFound() {
	ctx := context.Background()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.GetTunnelSession(ctx, "ts_gone")
	if errors.Is(err, api.ErrNotFound) {
		fmt.Println("the agent has disconnected")
	}
	// Output: the agent has disconnected
}

// What else ngrok said is in the ResponseError.
func ExampleResponseError() {
	ctx := context.Background()
	client, err := api.New("2NotTheKeyOfAnyAccount0000_1", api.WithBaseURL(fake().URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.GetTunnelSession(ctx, "ts_1")
	err = fmt.Errorf("inventory: %w", err)

	var e *api.ResponseError
	if errors.As(err, &e) {
		fmt.Println(e.StatusCode, e.Code, e.Attempts)
	}
	if errors.Is(err, api.ErrAuthentication) {
		fmt.Println(e.Message)
	}
	// Output:
	// 403 ERR_NGROK_203 1
	// The API authentication you specified does not belong to any known account.
}

// A program that would rather do something else than wait makes one attempt and asks how long to leave ngrok alone.
func Example_rateLimit() {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer busy.Close()

	ctx := context.Background()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(busy.URL),
		api.WithHTTPClient(&api.Doer{MaxAttempts: 1}))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.GetTunnelSession(ctx, "ts_1")
	var e *api.ResponseError
	if errors.Is(err, api.ErrRateLimited) && errors.As(err, &e) {
		fmt.Println("later, after", max(e.RetryAfter, time.Minute/120))
	}
	// Output: later, after 30s
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
func Example_httpClient() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyFromEnvironment // or http.ProxyURL(…)
	transport.TLSClientConfig = &tls.Config{
		Certificates: []tls.Certificate{}, // those of tls.LoadX509KeyPair
	}
	transport.MaxIdleConnsPerHost = 64
	defer transport.CloseIdleConnections()

	ctx := context.Background()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL),
		api.WithHTTPClient(&http.Client{Transport: tracing{transport}, Timeout: 30 * time.Second}))
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := client.GetTunnelSession(ctx, "ts_1")
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
func Example_headers() {
	ctx := context.Background()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("Traceparent"), r.Header.Get("X-Team"))
		w.WriteHeader(http.StatusNotFound)
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
	_, err = client.GetTunnelSession(ctx, "ts_1", func(_ context.Context, req *http.Request) error {
		req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		return nil
	})
	fmt.Println(errors.Is(err, api.ErrNotFound))
	// Output:
	// 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 edge
	// true
}

// Many sessions, eight at a time, and no faster than ngrok allows: 120 requests in 60 seconds.
func Example_manySessions() {
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := []string{"ts_1", "ts_2", "ts_gone", "ts_3"}
	sessions := make([]*api.TunnelSession, len(ids)) // nil where one is gone

	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(8)
	pace := time.NewTicker(time.Minute / 120)
	defer pace.Stop()
	for i, id := range ids {
		<-pace.C
		group.Go(func() error {
			session, err := client.GetTunnelSession(ctx, id)
			if err != nil && !errors.Is(err, api.ErrNotFound) {
				return err
			}
			sessions[i] = session
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		fmt.Println(err)
		return
	}
	for i, session := range sessions {
		if session == nil {
			fmt.Println(ids[i], "is gone")
			continue
		}
		fmt.Println(ids[i], session.Region)
	}
	// Output:
	// ts_1 eu
	// ts_2 us
	// ts_gone is gone
	// ts_3 ap
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
