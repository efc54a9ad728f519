package api_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
)

// connections counts those that a server accepts.
type connections struct{ all atomic.Int64 }

func (c *connections) of(change changeServer) changeServer {
	return func(srv *httptest.Server) {
		srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				c.all.Add(1)
			}
		}
		if change != nil {
			change(srv)
		}
	}
}

const callers = 64

// A call gets its own session or its own error, whatever happens to the others.
func TestConcurrentCallsWithFaults(t *testing.T) {
	calls := 30
	if testing.Short() {
		calls = 5
	}
	at := served(func(w http.ResponseWriter, r *http.Request, n int) {
		_, id, _ := strings.Cut(r.URL.Path, "/tunnel_sessions/")
		// Requests arrive in any order, so a call fails at random, but as many calls fail each time.
		switch n % 11 {
		case 0:
			sendJSON(w, 404, fmt.Sprintf(`{"msg":%q}`, id))
		case 1:
			sendJSON(w, 503, fmt.Sprintf(`{"msg":%q}`, id))
		case 2:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, id)
		case 3:
			diesInBody(w, r, n)
		default:
			sendJSON(w, 200, fmt.Sprintf(`{"id":%q}`, id))
		}
	}, nil)(t)
	client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(&api.Doer{HTTPClient: untimedClient(t), MaxAttempts: 2}))
	var wg sync.WaitGroup
	var well, failed atomic.Int64
	for caller := range callers {
		wg.Go(func() {
			for call := range calls {
				id := fmt.Sprintf("ts_%d_%d", caller, call)
				got, err := client.GetTunnelSession(t.Context(), id)
				var e *api.ResponseError
				switch {
				case err == nil && got.ID == id:
					well.Add(1)
				case err == nil || got != nil:
					t.Errorf("%s: got %+v, %v", id, got, err)
				case !strings.Contains(err.Error(), "/tunnel_sessions/"+id):
					t.Errorf("%s: got the error %v", id, err)
				case errors.As(err, &e) && !strings.Contains(string(e.Body), id):
					t.Errorf("%s: got the body %s", id, e.Body)
				default:
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if well.Load() == 0 || failed.Load() == 0 {
		t.Errorf("%d calls went well and %d failed: there should be both", well.Load(), failed.Load())
	}
}

// Callers over HTTP/1.1 keep their connections. http.DefaultTransport keeps two.
func TestConnectionsAreKept(t *testing.T) {
	const rounds = 5
	var conns connections
	arrived := make(chan struct{})
	at := served(func(w http.ResponseWriter, r *http.Request, n int) {
		// No response is sent before all requests are there, so each needs a connection of its own.
		if n%callers == 0 {
			for range callers - 1 {
				<-arrived
			}
		} else {
			arrived <- struct{}{}
		}
		serveSession(w, r, n)
	}, conns.of(nil))(t)
	client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(untimedClient(t)))
	for range rounds {
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if all := conns.all.Load(); all > 2*callers {
		t.Errorf("%d calls opened %d connections, want about %d", rounds*callers, all, callers)
	}
}

// A connection is used again after a success and after an error.
func TestConnectionIsUsedAgain(t *testing.T) {
	for name, answer := range map[string]answerer{
		"session": serveSession,
		"HTML":    func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, "<html>") },
		"error":   sends(404, notFound),
	} {
		t.Run(name, func(t *testing.T) {
			var conns connections
			at := served(answer, conns.of(nil))(t)
			client := once(t, untimedClient(t), api.WithBaseURL(at.baseURL))
			for range 5 {
				_, _ = client.GetTunnelSession(t.Context(), "ts_1")
			}
			// One is the rule, but on a busy machine net/http can give a connection up.
			if all := conns.all.Load(); all >= 5 || at.requests() != 5 {
				t.Errorf("%d requests over %d connections, want 5 over fewer", at.requests(), all)
			}
		})
	}
}

// Canceling a call does not disturb other calls on the same HTTP/2 connection.
func TestCancelDoesNotDisturbOthers(t *testing.T) {
	var conns connections
	arrived, finish := make(chan struct{}), make(chan struct{})
	at := served(func(w http.ResponseWriter, r *http.Request, n int) {
		switch {
		case strings.HasSuffix(r.URL.Path, "canceled"):
			arrived <- struct{}{}
			<-r.Context().Done()
			return
		case strings.HasSuffix(r.URL.Path, "finished"):
			arrived <- struct{}{}
			<-finish
		}
		serveSession(w, r, n)
	}, conns.of(http2))(t)
	client := once(t, at.client, api.WithBaseURL(at.baseURL))
	// The other calls then share this one's connection.
	if _, err := client.GetTunnelSession(t.Context(), "ts_first"); err != nil {
		t.Fatal(err)
	}

	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		if _, err := client.GetTunnelSession(ctx, "ts_canceled"); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled call: got %v", err)
		}
	})
	wg.Go(func() {
		if _, err := client.GetTunnelSession(t.Context(), "ts_finished"); err != nil {
			t.Errorf("other call: got %v", err)
		}
	})
	<-arrived
	<-arrived
	cancel()
	close(finish)
	wg.Wait()
	if _, err := client.GetTunnelSession(t.Context(), "ts_last"); err != nil {
		t.Errorf("after it: got %v", err)
	}
	if all := conns.all.Load(); all != 1 || at.requests() != 4 {
		t.Errorf("%d requests over %d connections, want 4 over 1", at.requests(), all)
	}
}

// A deadHost is a listener in memory. The connections that it has given out can die: what is written to them is lost.
type deadHost struct {
	accepted chan net.Conn
	closed   sync.Once
	dead     atomic.Bool // whether the first connection is dead
	dials    atomic.Int64
}

func (h *deadHost) Accept() (net.Conn, error) {
	if c, ok := <-h.accepted; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (h *deadHost) Close() error   { h.closed.Do(func() { close(h.accepted) }); return nil }
func (h *deadHost) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

func (h *deadHost) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	h.accepted <- server
	if h.dials.Add(1) == 1 {
		return &mortalConn{client, &h.dead}, nil
	}
	return client, nil
}

type mortalConn struct {
	net.Conn
	dead *atomic.Bool
}

func (c *mortalConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// An HTTP/2 connection whose other end is gone, such as after a NAT entry has expired, costs one attempt.
func TestDeadConnectionCostsOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &deadHost{accepted: make(chan net.Conn, 3)}
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, 200, session) }))
		srv.Listener = host
		http2(srv)
		srv.StartTLS()
		defer srv.Close()
		transport := api.SharedClient().Transport.(*http.Transport).Clone()
		transport.DialContext = host.dial
		transport.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		transport.Proxy = nil
		defer transport.CloseIdleConnections()
		client := newClient(t, api.WithBaseURL(srv.URL), api.WithHTTPClient(&http.Client{Transport: transport}))
		for i := range 2 {
			start := time.Now()
			if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 20*time.Second || host.dials.Load() != int64(i+1) {
				t.Errorf("call %d took %v and %d connections", i+1, took, host.dials.Load())
			}
			host.dead.Store(true)
		}
	})
}
