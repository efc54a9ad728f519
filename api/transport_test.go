package api_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
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
	"example.com/ngrokapi/api/ngroktest"
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

// writing returns the URL of a server that writes a response as it is and closes the connection. If
// the response is empty, the client gets a reset.
func writing(t *testing.T, respond func(*http.Request) string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if response := respond(r); response != "" {
			_, _ = io.WriteString(c, response)
		} else {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// The policy goes by the types of net/http's errors. TestRetries and TestOutcomeUnknown test it
// with such errors; this one tests that real ones are of the same types.
func TestErrorsOfNetHTTP(t *testing.T) {
	const refusing = "http://127.0.0.1:1" // nobody listens on this port
	proxy := func(*http.Request) (*url.URL, error) { return url.Parse(refusing) }
	breaking := writing(t, func(*http.Request) string { return "" })
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
		{"connection breaks", breaking, nil, 2, 1, true},
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

// The error of a proxy that refuses to connect to ngrok names it, without its user. Nothing was
// sent.
func TestProxyRefuses(t *testing.T) {
	address := strings.TrimPrefix(writing(t, func(r *http.Request) string {
		if r.Host == "accepted.test:443" {
			return "HTTP/1.1 200 OK\r\n\r\n"
		}
		return "HTTP/1.1 407 no \x1b[31m\r\n\r\n"
	}), "http://")
	setDefaultTransport(t, &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", User: url.UserPassword("token", "secret"), Host: address}),
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, r *http.Request, _ *http.Response) error {
			if r.Host == "hook.test:443" {
				return errReset
			}
			return nil
		},
	})
	stop := func(host string) error {
		doer := &api.Doer{HTTPClient: &http.Client{Transport: api.NewTransport()}, MaxAttempts: 2, AttemptTimeout: time.Hour}
		client := newClient(t, api.WithBaseURL("https://"+host), api.WithHTTPClient(doer))
		return client.StopTunnelSession(t.Context(), "ts_1")
	}
	err := stop("refused.test")
	want := `: proxyconnect tcp: the proxy ` + address + ` refuses to connect to refused.test:443: ` +
		`"407 no \x1b[31m" (2 attempts)`
	if err == nil || !strings.HasSuffix(err.Error(), want) || api.OutcomeUnknown(err) {
		t.Errorf("got  %v\nwant … %s", err, want)
	}
	if err := stop("hook.test"); !errors.Is(err, errReset) {
		t.Errorf("got %v, want the error of the program's own hook", err)
	}
	if err := stop("accepted.test"); !api.OutcomeUnknown(err) {
		t.Errorf("got %v, want the error of a connection that breaks later", err)
	}
}

// net/http repeats a request that an HTTP/2 server refuses, 15 times at most. Writes that break off
// count too. Here a layer sends a request first, as for a token. Its repeats do not count.
func TestSendsAreLimited(t *testing.T) {
	for refusals, want := range map[int64]int64{12: 26, 100: 16} {
		var requests atomic.Int64
		srv := httptest.NewUnstartedServer(nil)
		srv.EnableHTTP2 = true
		serve := func(_ *http.Server, c *tls.Conn, _ http.Handler) {
			const headers = 1
			preface, frame := make([]byte, 24), make([]byte, 9)
			_, err := io.ReadFull(c, preface)
			response := []byte{0, 0, 0, 4, 0, 0, 0, 0, 0} // settings
			for err == nil {
				_, _ = c.Write(response)
				if _, err = io.ReadFull(c, frame); err == nil {
					_, err = io.CopyN(io.Discard, c, int64(frame[1])<<8|int64(frame[2]))
				}
				switch {
				case err != nil || frame[3] != headers:
					response = nil
				case requests.Add(1)%(refusals+1) != 0: // GOAWAY: no stream was processed
					response = []byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
				default: // headers that end the stream; 204 has the index 9 in HPACK's static table
					response = []byte{0, 0, 1, headers, 5, 0, 0, 0, frame[8], 0x89}
				}
			}
		}
		srv.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": serve}
		srv.StartTLS()
		next := api.NewTransport()
		next.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig
		client := once(t, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if rsp, err := next.RoundTrip(r.Clone(r.Context())); err != nil {
				return rsp, err
			}
			return next.RoundTrip(r)
		})}, api.WithBaseURL(srv.URL))
		err := client.StopTunnelSession(t.Context(), "ts_1")
		if (err == nil) != (refusals == 12) || err != nil && !strings.HasSuffix(err.Error(), " 16 times") {
			t.Errorf("refused %d times: got %v", refusals, err)
		}
		if got := requests.Load(); got > want || got < want-2 {
			t.Errorf("refused %d times: got %d requests, want %d", refusals, got, want)
		}
		next.CloseIdleConnections()
		srv.Close()
	}
}

// The pool of the default client has a connection for each concurrent call over HTTP/1.1.
// http.DefaultTransport keeps two. If all of them turn out to be closed, a call needs no retry.
func TestConnectionsAreKept(t *testing.T) {
	const callers, rounds = 64, 5
	var arrived sync.WaitGroup
	var known sync.Map // addresses of connections
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, isKnown := known.LoadOrStore(r.RemoteAddr, true); r.Method == "GET" {
			if isKnown {
				panic(http.ErrAbortHandler)
			}
			ngroktest.Error(w, 404, "", "")
			return
		}
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
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("got %v, want the response on a new connection", err)
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
	client := once(t, &http.Client{Transport: transport}, api.WithBaseURL(srv.URL))
	if err := client.StopTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Error(err)
	}
	if h2 := transport.HTTP2; h2.SendPingTimeout != 10*time.Second || h2.PingTimeout != 5*time.Second {
		t.Errorf("pings detect a dead connection with %+v, want within 15 s", h2)
	}
	if transport.MaxIdleConnsPerHost != 128 {
		t.Errorf("%d idle connections are kept", transport.MaxIdleConnsPerHost)
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
	for _, client := range []api.HttpRequestDoer{nil, (*http.Client)(nil), own} {
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
		took := time.Since(start).Truncate(2 * time.Second)
		if err == nil || api.OutcomeUnknown(err) || dials != 3 || took != 30*time.Second {
			t.Errorf("got %v after %d dials and %v, want three of ten seconds", err, dials, took)
		}
	})
}
