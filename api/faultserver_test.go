package api_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/ngrokapi/api"
)

// A site is where a call of a fault's test goes.
type site struct {
	baseURL  string
	client   api.HttpRequestDoer // without timeouts, so that a slow machine does not decide anything
	requests func() int          // that have arrived
}

// A conn is a connection of a raw server, after a request has arrived on it.
type conn struct{ *net.TCPConn }

func (c conn) write(s string) { _, _ = c.Write([]byte(s)) }

// reset closes the connection so that the client gets a reset and not an end.
func (c conn) reset() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// stall waits until the client closes the connection. A test does not end before, so a client that does not is
// found out.
func (c conn) stall() { _, _ = io.Copy(io.Discard, c) }

// raw starts a server on loopback that reads a request and leaves the rest to answer, which gets the number of the
// request. After the answer it closes the connection.
func raw(answer func(c conn, n int)) func(*testing.T) site {
	return func(t *testing.T) site {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var requests atomic.Int64
		var conns sync.WaitGroup
		conns.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				conns.Go(func() {
					defer c.Close()
					if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
						answer(conn{c.(*net.TCPConn)}, int(requests.Add(1)))
					}
				})
			}
		})
		t.Cleanup(func() {
			l.Close()
			conns.Wait()
		})
		return site{
			baseURL:  "http://" + l.Addr().String(),
			client:   untimedClient(t),
			requests: func() int { return int(requests.Load()) },
		}
	}
}

// served starts a server of net/http, with change to alter it before.
func served(answer answerer, change changeServer) func(*testing.T) site {
	return func(t *testing.T) site {
		var requests atomic.Int64
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer(w, r, int(requests.Add(1)))
		}))
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		if change != nil {
			change(srv)
		}
		if srv.TLS == nil {
			srv.Start()
		} else {
			srv.StartTLS()
		}
		t.Cleanup(srv.Close)
		return site{baseURL: srv.URL, client: srv.Client(), requests: func() int { return int(requests.Load()) }}
	}
}

// withTLS makes a server one with TLS, http2 one that speaks HTTP/2 over it.
func withTLS(srv *httptest.Server) { srv.TLS = new(tls.Config) }

func http2(srv *httptest.Server) {
	withTLS(srv)
	srv.EnableHTTP2 = true
}

// through changes the site that start returns.
func through(start func(*testing.T) site, change func(*testing.T, *site)) func(*testing.T) site {
	return func(t *testing.T) site {
		s := start(t)
		change(t, &s)
		return s
	}
}

// byDefault gives a site the default client, for calls that its timeouts cannot end.
func byDefault(_ *testing.T, s *site) { s.client = nil }

// untimedClient returns the default HTTP client without its timeouts.
func untimedClient(t *testing.T) *http.Client {
	c := api.UntimedClient()
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func sendJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
