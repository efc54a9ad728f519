package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
)

var defaultDials atomic.Int64 // by http.DefaultTransport and its copies

// The default client must copy http.DefaultTransport at its first use, not when package api is
// initialized.
func TestMain(m *testing.M) {
	transport := http.DefaultTransport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		defaultDials.Add(1)
		return dial(ctx, network, address)
	}
	m.Run()
}

// The policy goes by the types of net/http's errors. TestRetries and TestOutcomeUnknown test it with
// such errors; this one tests that real ones are of the same types.
func TestErrorsOfNetHTTP(t *testing.T) {
	breaking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = c.(*net.TCPConn).SetLinger(0) // the client gets a reset instead of EOF
		c.Close()
	}))
	t.Cleanup(breaking.Close)
	refusing := refusing(t)
	proxy := func(*http.Request) (*url.URL, error) { return url.Parse(refusing) }
	untrusted := httptest.NewTLSServer(nil)
	t.Cleanup(untrusted.Close)
	for _, test := range []struct {
		name      string
		baseURL   string
		proxy     func(*http.Request) (*url.URL, error)
		get, stop int // attempts, of two
		unknown   bool
	}{
		{"host refuses the connection", refusing, nil, 2, 2, false},
		{"proxy refuses the connection", "https://api.test", proxy, 2, 2, false},
		{"connection breaks", breaking.URL, nil, 2, 1, true},
		{"certificate is not trusted", untrusted.URL, nil, 1, 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			transport := api.NewTransport()
			transport.Proxy = test.proxy
			transport.DialContext, transport.TLSHandshakeTimeout = nil, 0 // a slow machine could hit the timeouts
			defer transport.CloseIdleConnections()
			doer := &api.Doer{HTTPClient: &http.Client{Transport: transport}, MaxAttempts: 2, AttemptTimeout: time.Hour}
			client := newClient(t, api.WithBaseURL(test.baseURL), api.WithHTTPClient(doer))
			_, err := client.GetTunnelSession(t.Context(), "ts_1")
			if err == nil || strings.Contains(err.Error(), " attempts)") != (test.get == 2) {
				t.Errorf("get: got %v, want %d attempts", err, test.get)
			}
			err = client.StopTunnelSession(t.Context(), "ts_1")
			if err == nil || strings.Contains(err.Error(), " attempts)") != (test.stop == 2) {
				t.Errorf("stop: got %v, want %d attempts", err, test.stop)
			}
			if api.OutcomeUnknown(err) != test.unknown {
				t.Errorf("stop: got %v, want the outcome unknown: %v", err, test.unknown)
			}
		})
	}
}

// refusing returns a URL that refuses connections. Its port is taken by the other end of a
// connection, so no other test gets it.
func refusing(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		l.Close()
	})
	return "http://" + c.LocalAddr().String()
}

// The pool of the default client has a connection for each concurrent call over HTTP/1.1.
// http.DefaultTransport keeps two.
func TestConnectionsAreKept(t *testing.T) {
	const callers, rounds = 64, 5
	var arrived sync.WaitGroup
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// No response is sent before all requests have arrived, so each needs its own connection.
		arrived.Done()
		arrived.Wait()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	client := newClient(t, api.WithBaseURL(srv.URL), api.WithHTTPClient(&api.Doer{AttemptTimeout: time.Hour}))
	before := defaultDials.Load()
	for range rounds {
		var wg sync.WaitGroup
		arrived.Add(callers)
		for range callers {
			wg.Go(func() {
				if err := client.StopTunnelSession(t.Context(), "ts_1"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if opened := defaultDials.Load() - before; opened < callers || opened > 2*callers {
		t.Errorf("%d calls opened %d connections, want about %d", rounds*callers, opened, callers)
	}
}

// NewTransport speaks HTTP/2 and keeps what the program has set in http.DefaultTransport, which may
// have no dial function.
func TestNewTransport(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("got a request over %s", r.Proto)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	trusting := srv.Client().Transport.(*http.Transport).TLSClientConfig
	setDefaultTransport(t, &http.Transport{TLSClientConfig: trusting.Clone()})
	transport := api.NewTransport()
	defer transport.CloseIdleConnections()
	client := newClient(t, api.WithBaseURL(srv.URL), api.WithHTTPClient(&http.Client{Transport: transport}))
	if err := client.StopTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Error(err)
	}
	if h2 := transport.HTTP2; h2.SendPingTimeout != 10*time.Second || h2.PingTimeout != 5*time.Second {
		t.Errorf("pings detect a dead connection with %+v, want within 15 s", h2)
	}
}

// setDefaultTransport replaces http.DefaultTransport until the end of the test.
func setDefaultTransport(t *testing.T, transport http.RoundTripper) {
	original := http.DefaultTransport
	http.DefaultTransport = transport
	t.Cleanup(func() { http.DefaultTransport = original })
}

// No redirect is followed: not from a mock in place of http.DefaultTransport, which is used, nor
// under the policy of a caller's client, which is copied and never changed.
func TestRedirectsAreNotFollowed(t *testing.T) {
	requests := 0
	redirect := roundTripper(func(r *http.Request) (*http.Response, error) {
		requests++
		rsp, err := failing(302, "")(r)
		rsp.Header.Set("Location", "https://elsewhere.test/")
		return rsp, err
	})
	setDefaultTransport(t, redirect)
	follow := func(*http.Request, []*http.Request) error { return nil }
	own := &http.Client{Transport: redirect, CheckRedirect: follow}
	for _, client := range []api.HttpRequestDoer{nil, own} {
		requests = 0
		_, err := once(t, client).GetTunnelSession(t.Context(), "ts_1")
		if !errors.Is(err, api.ErrUnexpectedResponse) || requests != 1 {
			t.Errorf("got %v after %d requests, want ErrUnexpectedResponse after 1", err, requests)
		}
	}
	if own.CheckRedirect(nil, nil) != nil {
		t.Error("the caller's client was changed")
	}
	// NewTransport cannot copy a mock, so it makes its own transport.
	if transport := api.NewTransport(); transport.Proxy == nil || transport.DialContext == nil {
		t.Errorf("NewTransport returns %+v", transport)
	}
}

// Dialing a host that does not respond, such as one behind a firewall, takes less than an attempt.
// The error then says that a command was not sent.
func TestDialTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		setDefaultTransport(t, &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			dials++
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
		}})
		start := time.Now()
		client := newClient(t, api.WithHTTPClient(&http.Client{Transport: api.NewTransport()}))
		err := client.StopTunnelSession(t.Context(), "ts_1")
		took := time.Since(start).Truncate(10 * time.Second)
		if err == nil || api.OutcomeUnknown(err) || dials != 3 || took != 30*time.Second {
			t.Errorf("got %v after %d dials and %v, want three of ten seconds", err, dials, took)
		}
	})
}
