package api_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
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

// Callers over HTTP/1.1 keep their connections. http.DefaultTransport keeps two.
func TestDeadConnectionIsDetectedWithinAnAttempt(t *testing.T) {
	ping := api.SharedClient().Transport.(*http.Transport).HTTP2
	if ping.SendPingTimeout <= 0 || ping.PingTimeout <= 0 || ping.SendPingTimeout+ping.PingTimeout > 20*time.Second {
		t.Errorf("pings are %+v", ping)
	}
}

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
