package api_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/ngrokapi/api"
)

// connections counts those of a server: all, those that are open, and the most that were open at once.
type connections struct{ all, open, most atomic.Int64 }

func (c *connections) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.all.Add(1)
		for open, most := c.open.Add(1), c.most.Load(); open > most; most = c.most.Load() {
			if c.most.CompareAndSwap(most, open) {
				return
			}
		}
	case http.StateClosed, http.StateHijacked:
		c.open.Add(-1)
	}
}

func (c *connections) of(change changeServer) changeServer {
	return func(srv *httptest.Server) {
		srv.Config.ConnState = c.count
		if change != nil {
			change(srv)
		}
	}
}

const callers = 64

// Whatever happens to the others, a call gets its own session or its own error.
func TestConcurrentCallsWithFaults(t *testing.T) {
	calls := 30
	if testing.Short() {
		calls = 5
	}
	var conns connections
	at := served(func(w http.ResponseWriter, r *http.Request, n int) {
		_, id, _ := strings.Cut(r.URL.Path, "/tunnel_sessions/")
		own := fmt.Sprintf(`{"id":%q}`, id)
		// What happens is at random as to the order in which requests arrive, and in the same mixture each time.
		h := fnv.New32a()
		fmt.Fprint(h, n)
		switch h.Sum32() % 20 {
		case 0:
			sendJSON(w, 404, fmt.Sprintf(`{"msg":%q}`, id))
		case 1:
			sendJSON(w, 503, fmt.Sprintf(`{"msg":%q}`, id))
		case 2:
			sendJSON(w, 429, fmt.Sprintf(`{"msg":%q}`, id))
		case 3:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, id)
		case 4:
			panic(http.ErrAbortHandler)
		case 5:
			sendJSON(w, 200, own[:len(own)-1])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case 6:
			sendJSON(w, 404, fmt.Sprintf(`{"msg":%q,"details":%q}`, id, strings.Repeat("x", 100<<10)))
		default:
			sendJSON(w, 200, own)
		}
	}, conns.of(nil))(t)
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
				case err == nil:
					t.Errorf("%s: got the session %s", id, got.ID)
				case got != nil:
					t.Errorf("%s: got %+v with the error %v", id, got, err)
				case !strings.Contains(err.Error(), "/tunnel_sessions/"+id):
					t.Errorf("%s: got the error %v", id, err)
				case errors.As(err, &e) && len(e.Body) < 1<<10 && !strings.Contains(string(e.Body), id):
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
	if most := conns.most.Load(); most > 2*callers {
		t.Errorf("%d connections were open at once for %d callers", most, callers)
	}
}

// Callers over HTTP/1.1 keep their connections. The default transport of net/http keeps two.
func TestConnectionsAreKept(t *testing.T) {
	const rounds = 20
	var conns connections
	arrived := make(chan struct{})
	at := served(func(w http.ResponseWriter, r *http.Request, n int) {
		// Nobody is answered before all are there, so that each needs a connection of its own.
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

// A connection is used again after any answer that has an end.
func TestConnectionIsUsedAgain(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"session":         func(w http.ResponseWriter) { sendJSON(w, 200, session) },
		"HTML":            func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") },
		"error":           func(w http.ResponseWriter) { sendJSON(w, 404, `{"msg":"x"}`) },
		"long error":      func(w http.ResponseWriter) { sendJSON(w, 404, strings.Repeat("x", 200<<10)) },
		"error, no body":  func(w http.ResponseWriter) { w.WriteHeader(403) },
		"redirect":        func(w http.ResponseWriter) { w.Header().Set("Location", "/x"); sendJSON(w, 302, "{}") },
		"no content":      func(w http.ResponseWriter) { w.WriteHeader(204) },
		"in many a chunk": func(w http.ResponseWriter) { w.WriteHeader(404); chunks(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var conns connections
			at := served(func(w http.ResponseWriter, _ *http.Request, _ int) { answer(w) }, conns.of(nil))(t)
			client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(&api.Doer{HTTPClient: untimedClient(t), MaxAttempts: 1}))
			for range 5 {
				_, _ = client.GetTunnelSession(t.Context(), "ts_1")
			}
			if all := conns.all.Load(); all != 1 || at.requests() != 5 {
				t.Errorf("%d requests over %d connections, want 5 over 1", at.requests(), all)
			}
		})
	}
}

func chunks(w http.ResponseWriter) {
	for range 10 {
		_, _ = io.WriteString(w, "chunk")
		_ = http.NewResponseController(w).Flush()
	}
}

// A server may close a connection that nobody uses. The next call does not fail for it.
func TestServerClosesIdleConnections(t *testing.T) {
	var srv *httptest.Server
	at := served(serveSession, func(s *httptest.Server) { srv = s })(t)
	client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(untimedClient(t)))
	for range 10 {
		if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
			t.Error(err)
		}
		srv.CloseClientConnections()
	}
}

// Cancelling a call leaves the connection that it shares with others, and theirs, as they are.
func TestCancelDoesNotDisturbOthers(t *testing.T) {
	for name, change := range map[string]changeServer{"HTTP/1.1": nil, "HTTP/2": http2} {
		t.Run(name, func(t *testing.T) {
			const pairs = 8
			var conns connections
			arrived, finish := make(chan struct{}, 2*pairs), make(chan struct{})
			at := served(func(w http.ResponseWriter, r *http.Request, _ int) {
				switch {
				case strings.HasSuffix(r.URL.Path, "cancelled"):
					arrived <- struct{}{}
					<-r.Context().Done()
					return
				case strings.HasSuffix(r.URL.Path, "finished"):
					arrived <- struct{}{}
					<-finish
				}
				serveSession(w, r, 0)
			}, conns.of(change))(t)
			client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(at.client))
			// Over HTTP/2, all the others then share this one's connection.
			if _, err := client.GetTunnelSession(t.Context(), "ts_first"); err != nil {
				t.Fatal(err)
			}

			var wg sync.WaitGroup
			ctx, cancel := context.WithCancel(t.Context())
			for range pairs {
				wg.Go(func() {
					if _, err := client.GetTunnelSession(ctx, "ts_cancelled"); !errors.Is(err, context.Canceled) {
						t.Errorf("cancelled call: got %v", err)
					}
				})
				wg.Go(func() {
					if _, err := client.GetTunnelSession(t.Context(), "ts_finished"); err != nil {
						t.Errorf("other call: got %v", err)
					}
				})
			}
			for range 2 * pairs {
				<-arrived
			}
			cancel()
			close(finish)
			wg.Wait()
			if _, err := client.GetTunnelSession(t.Context(), "ts_last"); err != nil {
				t.Errorf("after it: got %v", err)
			}
			if n := at.requests(); n != 2*pairs+2 {
				t.Errorf("got %d requests, want one of each call", n)
			}
			if n := conns.all.Load(); name == "HTTP/2" && n != 1 {
				t.Errorf("got %d connections, want one that all share and that stays", n)
			}
		})
	}
}
