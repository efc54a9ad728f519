package api_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/ngrokapi/api"
)

// A fault is an event on a socket, and the outcome of a call with at most two attempts.
type fault struct {
	name     string
	start    func(*testing.T) site
	ok       bool             // the call gets the session nevertheless
	status   int              // of the ResponseError; 0: the error is another one
	is       error            // what the error matches; may be nil
	as       func(error) bool // reports whether the error is of the right kind; may be nil
	text     string           // in the error
	requests int              // that arrive
	attempts int              // 0: as many as requests
}

const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

var wholeResponse = fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", header, len(session), session)

var faults = []fault{
	{name: "refused", start: refused, as: isA[*net.OpError], attempts: 2},
	{name: "reset before the header", start: raw(func(c conn) { c.reset() }), as: isA[net.Error], requests: 2},
	{name: "reset within the body", start: raw(func(c conn) {
		c.write(wholeResponse[:len(wholeResponse)-9])
		c.reset()
	}), text: "read the body of the response", requests: 2},
	{name: "reset within the body of an error", start: raw(func(c conn) {
		c.write("HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n{")
		c.reset()
	}), status: 404, is: api.ErrUnexpectedResponse, requests: 1},
	{name: "Content-Length too short", start: raw(func(c conn) {
		c.write(header + "Content-Length: 9\r\n\r\n" + session)
	}), status: 200, is: api.ErrUnexpectedResponse, text: "unexpected end of JSON input", requests: 1},

	{name: "certificate that is not trusted", start: through(served(serveSession, withTLS), func(t *testing.T, s *site) {
		s.client = untimedClient(t)
	}), as: isA[*tls.CertificateVerificationError]},

	{name: "gzip", start: served(encoded(gzipped(session)), nil), ok: true, requests: 1},
	{name: "gzip bomb", start: served(encoded(gzipped(strings.Repeat(" ", 64<<20))), nil),
		status: 200, is: api.ErrResponseTooLarge, requests: 1},

	{name: "switching protocols", start: raw(switching), status: 101, is: api.ErrUnexpectedResponse, requests: 1},
	{name: "redirect under a policy that copies the headers", start: through(toElsewhere, func(_ *testing.T, s *site) {
		s.client.(*http.Client).CheckRedirect = func(r *http.Request, via []*http.Request) error {
			r.Header = via[0].Header.Clone()
			return nil
		}
	}), status: 302, is: api.ErrUnexpectedResponse, requests: 1},

	{name: "handler dies within the body, then succeeds, over HTTP/2",
		start: served(first(diesInBody, serveSession), http2), ok: true, requests: 2},
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			at := f.start(t)
			got, err := at.newClient(t).GetTunnelSession(t.Context(), "ts_1")
			if n := at.requests(); n != f.requests {
				t.Errorf("the server saw %d requests, want %d", n, f.requests)
			}
			if f.ok {
				if err != nil || got == nil || got.ID != "ts_1" {
					t.Errorf("got %+v, %v, want the session", got, err)
				}
				return
			}
			if err == nil || got != nil {
				t.Fatalf("got %+v, %v, want an error and no session", got, err)
			}
			checkSecret(t, err)
			var e *api.ResponseError
			switch isResponse := errors.As(err, &e); {
			case isResponse != (f.status != 0), !isResponse && !isA[*url.Error](err):
				t.Errorf("got %v (%T), want a ResponseError: %v", err, err, f.status != 0)
			case isResponse && e.StatusCode != f.status:
				t.Errorf("got status %d, want %d", e.StatusCode, f.status)
			}
			if twice := cmp.Or(f.attempts, f.requests) == 2; strings.Contains(err.Error(), " attempts)") != twice {
				t.Errorf("got %v, want two attempts: %v", err, twice)
			}
			if f.is != nil && !errors.Is(err, f.is) {
				t.Errorf("got %v, want it to match %v", err, f.is)
			}
			if f.as != nil && !f.as(err) {
				t.Errorf("got %v (%T), which is of another kind", err, err)
			}
			if !strings.Contains(err.Error(), f.text) {
				t.Errorf("got %v, want %q in it", err, f.text)
			}
		})
	}
}

// A command is retried if it could not be sent, but not if the agent may have received it.
func TestCommandOverSockets(t *testing.T) {
	for _, test := range []struct {
		name    string
		start   func(*testing.T) site
		unknown bool
	}{
		{"host refuses the connection", refused, false},
		{"proxy refuses the connection", through(served(serveSession, withTLS), func(t *testing.T, s *site) {
			proxy, err := url.Parse(refused(t).baseURL)
			if err != nil {
				t.Fatal(err)
			}
			s.client.(*http.Client).Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
		}), false},
		{"connection breaks", raw(func(c conn) { c.reset() }), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at := test.start(t)
			err := at.newClient(t).StopTunnelSession(t.Context(), "ts_1")
			isRepeated := err != nil && strings.Contains(err.Error(), "(2 attempts)")
			if err == nil || isRepeated == test.unknown || api.OutcomeUnknown(err) != test.unknown {
				t.Errorf("got %v, repeated: %v, unknown: %v", err, isRepeated, api.OutcomeUnknown(err))
			}
		})
	}
}

// The pool of the default client has a connection for each concurrent call over HTTP/1.1.
// http.DefaultTransport keeps two.
func TestConnectionsAreKept(t *testing.T) {
	const callers, rounds = 64, 5
	var arrived sync.WaitGroup
	at := served(func(w http.ResponseWriter, r *http.Request, n int) {
		// No response is sent before all requests have arrived, so each needs its own connection.
		arrived.Done()
		arrived.Wait()
		serveSession(w, r, n)
	}, nil)(t)
	byDefault(t, &at)
	client, before := at.newClient(t), defaultDials.Load()
	for range rounds {
		var wg sync.WaitGroup
		arrived.Add(callers)
		for range callers {
			wg.Go(func() {
				if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if opened := at.connections(); opened > 2*callers || int(defaultDials.Load()-before) < callers {
		t.Errorf("%d calls opened %d connections, want about %d", rounds*callers, opened, callers)
	}
}

// A site is a server that a client calls.
type site struct {
	baseURL     string
	client      api.HttpRequestDoer // without timeouts, which a slow machine could hit
	requests    func() int          // that have arrived
	connections func() int          // that were accepted; nil for a raw server
}

// newClient returns a client of the site that makes at most two attempts.
func (s site) newClient(t *testing.T) *api.ClientWithResponses {
	doer := &api.Doer{HTTPClient: s.client, MaxAttempts: 2, AttemptTimeout: time.Hour}
	return newClient(t, api.WithBaseURL(s.baseURL), api.WithHTTPClient(doer))
}

// through changes the site that start returns.
func through(start func(*testing.T) site, change func(*testing.T, *site)) func(*testing.T) site {
	return func(t *testing.T) site {
		s := start(t)
		change(t, &s)
		return s
	}
}

// byDefault gives a site the default client, for calls that do not depend on its timeouts.
func byDefault(_ *testing.T, s *site) { s.client = nil }

// untimedClient returns a client that has the default transport without its timeouts.
func untimedClient(t *testing.T) *http.Client {
	transport := api.NewTransport()
	transport.DialContext, transport.TLSHandshakeTimeout, transport.HTTP2 = nil, 0, nil
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// refused returns a site that refuses connections.
func refused(t *testing.T) site {
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
	// The port of this end is taken, so no other test gets it.
	return site{baseURL: "http://" + c.LocalAddr().String(), client: untimedClient(t), requests: func() int { return 0 }}
}

// A conn is a connection of a raw server, after a request has arrived on it.
type conn struct{ *net.TCPConn }

func (c conn) write(s string) { _, _ = c.Write([]byte(s)) }

// reset closes the connection so that the client gets a reset instead of EOF.
func (c conn) reset() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// switching switches protocols and then sends nothing. The test hangs if the client does not close
// the connection.
func switching(c conn) {
	c.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	_, _ = io.Copy(io.Discard, c)
}

// raw starts a server on loopback that reads a request, calls respond, and closes the connection.
func raw(respond func(conn)) func(*testing.T) site {
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
						requests.Add(1)
						respond(conn{c.(*net.TCPConn)})
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

// A responder responds to request n, beginning with 1.
type responder = func(w http.ResponseWriter, r *http.Request, n int)

// served starts a server of net/http. If change is not nil, it is called first.
func served(respond responder, change func(*httptest.Server)) func(*testing.T) site {
	return func(t *testing.T) site {
		var requests, connections atomic.Int64
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, int(requests.Add(1)))
		}))
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		if change != nil {
			change(srv)
		}
		if srv.TLS == nil {
			srv.Start()
		} else {
			srv.StartTLS()
		}
		t.Cleanup(srv.Close)
		return site{
			baseURL:     srv.URL,
			client:      srv.Client(),
			requests:    func() int { return int(requests.Load()) },
			connections: func() int { return int(connections.Load()) },
		}
	}
}

// withTLS makes a server use TLS, and http2 makes it use HTTP/2 over TLS.
func withTLS(srv *httptest.Server) { srv.TLS = new(tls.Config) }

func http2(srv *httptest.Server) {
	withTLS(srv)
	srv.EnableHTTP2 = true
}

func sendJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func serveSession(w http.ResponseWriter, _ *http.Request, _ int) { sendJSON(w, 200, session) }

// first responds to the first request with one, and to all others with then.
func first(one, then responder) responder {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			one(w, r, n)
			return
		}
		then(w, r, n)
	}
}

func diesInBody(w http.ResponseWriter, _ *http.Request, _ int) {
	sendJSON(w, 200, session[:9])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// encoded responds with a body whose header says that it is compressed.
func encoded(body string) responder {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Encoding", "gzip")
		sendJSON(w, 200, body)
	}
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	w.Close()
	return b.String()
}

// toElsewhere starts a server that redirects to another host, which no request may reach.
func toElsewhere(t *testing.T) site {
	other := served(serveSession, nil)(t)
	t.Cleanup(func() {
		if n := other.requests(); n > 0 {
			t.Errorf("the redirect was followed by %d requests", n)
		}
	})
	location := strings.Replace(other.baseURL, "127.0.0.1", "localhost", 1) + "/tunnel_sessions/ts_1"
	return served(func(w http.ResponseWriter, r *http.Request, _ int) {
		http.Redirect(w, r, location, http.StatusFound)
	}, nil)(t)
}
