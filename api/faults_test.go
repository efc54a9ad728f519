package api_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/ngrokapi/api"
)

// A fault is something that happens on a socket, and how a call with at most two attempts ends.
type fault struct {
	name     string
	start    func(*testing.T) site
	ok       bool             // the call gets the session all the same
	status   int              // of the ResponseError; 0: the error is another one
	is       error            // what the error matches; may be nil
	as       func(error) bool // reports whether the error is of the right kind; may be nil
	text     string           // in the error
	requests int              // that arrive
	attempts int              // 0: as many as requests
}

const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

var wholeAnswer = fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", header, len(session), session)

// faults returns all of them.
func faults() []fault {
	all := []fault{
		{name: "refused", start: refused,
			as: func(err error) bool { var e *net.OpError; return errors.As(err, &e) && e.Op == "dial" }, attempts: 2},
		{name: "reset before the header", start: raw(func(c conn, _ int) { c.reset() }),
			as: func(err error) bool { var e net.Error; return errors.As(err, &e) }, requests: 2},
		{name: "reset within the body", start: raw(func(c conn, _ int) { c.write(wholeAnswer[:len(wholeAnswer)-9]); c.reset() }),
			text: "read the body of the response", requests: 2},
		{name: "reset within the body of an error", start: raw(func(c conn, _ int) {
			c.write("HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n{")
			c.reset()
		}), status: 404, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "Content-Length too short", start: raw(func(c conn, _ int) { c.write(header + "Content-Length: 9\r\n\r\n" + session) }),
			status: 200, is: api.ErrUnexpectedResponse, text: "unexpected end of JSON input", requests: 1},

		{name: "certificate that is not trusted", start: through(served(serveSession, withTLS), func(t *testing.T, s *site) {
			s.client = untimedClient(t)
		}), as: func(err error) bool { var e *tls.CertificateVerificationError; return errors.As(err, &e) }},
		{name: "plain HTTP where TLS should be", start: through(served(serveSession, nil), func(t *testing.T, s *site) {
			s.client, s.baseURL = untimedClient(t), strings.Replace(s.baseURL, "http:", "https:", 1)
		}), text: "HTTP response to HTTPS client", attempts: 2},

		{name: "gzip", start: served(encoded(gzipped(session)), nil), ok: true, requests: 1},
		{name: "gzip bomb", start: served(encoded(gzipped(strings.Repeat(" ", 64<<20))), nil), status: 200, is: api.ErrResponseTooLarge, requests: 1},

		{name: "switching protocols", start: through(raw(switching), byDefault), status: 101, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "switching protocols, with a client of the caller's", start: raw(switching), status: 101, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "redirect with the default client", start: through(served(redirect(302, sessionPath), nil), byDefault),
			status: 302, is: api.ErrUnexpectedResponse, requests: 1},
	}
	for _, status := range []int{302, 307} {
		all = append(all, fault{name: fmt.Sprintf("redirect %d to another host", status),
			start: toElsewhere(status, nil), status: status, is: api.ErrUnexpectedResponse, requests: 1})
	}
	for name, policy := range map[string]func(*http.Request, []*http.Request) error{
		"copies the headers": func(r *http.Request, via []*http.Request) error {
			r.Header = via[0].Header.Clone()
			return nil
		},
		"refuses": func(*http.Request, []*http.Request) error { return errors.New("no redirects") },
	} {
		all = append(all, fault{name: "redirect under a policy that " + name, status: 302, is: api.ErrUnexpectedResponse, requests: 1,
			start: through(toElsewhere(302, nil), func(_ *testing.T, s *site) { s.client.(*http.Client).CheckRedirect = policy })})
	}
	all = append(all,
		fault{name: "handler dies within the body, then well, over HTTP/2", start: served(first(diesInBody, serveSession), http2), ok: true, requests: 2},
		fault{name: "503, then well", start: served(first(sends(503, "{}"), serveSession), nil), ok: true, requests: 2})
	return all
}

// refused returns a site where nobody listens.
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

type (
	answerer     = func(w http.ResponseWriter, r *http.Request, n int)
	changeServer = func(*httptest.Server)
)

func sends(status int, body string) answerer {
	return func(w http.ResponseWriter, _ *http.Request, _ int) { sendJSON(w, status, body) }
}

var serveSession = sends(200, session)

// first answers the first request with one answer, and all others with another.
func first(one, then answerer) answerer {
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

// encoded answers with a body that is said to be compressed.
func encoded(body string) answerer {
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

const sessionPath = "/tunnel_sessions/ts_1"

func redirect(status int, location string) answerer {
	return func(w http.ResponseWriter, r *http.Request, _ int) { http.Redirect(w, r, location, status) }
}

// switching changes the protocol and then says nothing. The end of the test waits until the client hangs up.
func switching(c conn, _ int) {
	c.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	c.stall()
}

// toElsewhere starts a server that redirects to another host, which no request may reach.
func toElsewhere(status int, change changeServer) func(*testing.T) site {
	return func(t *testing.T) site {
		other := served(serveSession, nil)(t)
		t.Cleanup(func() {
			if n := other.requests(); n > 0 {
				t.Errorf("the redirect was followed by %d requests", n)
			}
		})
		return served(redirect(status, strings.Replace(other.baseURL, "127.0.0.1", "localhost", 1)+sessionPath), change)(t)
	}
}

func TestFaults(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			at := f.start(t)
			client := newClient(t, api.WithBaseURL(at.baseURL),
				api.WithHTTPClient(&api.Doer{HTTPClient: at.client, MaxAttempts: 2, AttemptTimeout: time.Hour}))
			got, err := client.GetTunnelSession(t.Context(), "ts_1")
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
				t.Fatalf("got %+v, %v, want an error alone", got, err)
			}
			checkSecret(t, err)
			var e *api.ResponseError
			switch isResponse := errors.As(err, &e); {
			case isResponse != (f.status != 0):
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
			if errors.Is(f.is, api.ErrUnexpectedResponse) && (errors.Is(err, api.ErrNotFound) || errors.Is(err, api.ErrRateLimited)) {
				t.Errorf("got %v, which matches another sentinel too", err)
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

// A command is sent again if it could not be sent, and not if the agent may have got it.
func TestCommandOverSockets(t *testing.T) {
	for _, test := range []struct {
		name     string
		start    func(*testing.T) site
		attempts int
	}{
		{"host refuses the connection", refused, 2},
		{"proxy refuses the connection", through(served(serveSession, withTLS), func(t *testing.T, s *site) {
			proxy, err := url.Parse(refused(t).baseURL)
			if err != nil {
				t.Fatal(err)
			}
			s.client.(*http.Client).Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
		}), 2},
		{"connection breaks", raw(func(c conn, _ int) { c.reset() }), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at := test.start(t)
			client := newClient(t, api.WithBaseURL(at.baseURL),
				api.WithHTTPClient(&api.Doer{HTTPClient: at.client, MaxAttempts: 2, AttemptTimeout: time.Hour}))
			err := client.StopTunnelSession(t.Context(), "ts_1")
			if err == nil || strings.Contains(err.Error(), "(2 attempts)") != (test.attempts == 2) {
				t.Errorf("got %v, want %d attempts", err, test.attempts)
			}
		})
	}
}
