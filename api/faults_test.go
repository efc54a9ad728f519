package api_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
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
	"testing/synctest"
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
		{name: "closed before the header", start: raw(func(conn, int) {}), is: io.EOF, requests: 2},
		{name: "closed within the header", start: raw(func(c conn, _ int) { c.write(header) }), is: io.ErrUnexpectedEOF, requests: 2},
		{name: "reset within the body", start: raw(func(c conn, _ int) { c.write(wholeAnswer[:len(wholeAnswer)-9]); c.reset() }),
			text: "read the body of the response", requests: 2},
		{name: "reset within the body of an error", start: raw(func(c conn, _ int) {
			c.write("HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n{")
			c.reset()
		}), status: 404, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "Content-Length too long", start: raw(func(c conn, _ int) { c.write(header + "Content-Length: 1000\r\n\r\n" + session) }),
			is: io.ErrUnexpectedEOF, requests: 2},
		{name: "Content-Length too short", start: raw(func(c conn, _ int) { c.write(header + "Content-Length: 9\r\n\r\n" + session) }),
			status: 200, is: api.ErrUnexpectedResponse, text: "unexpected end of JSON input", requests: 1},
		{name: "truncated chunked body", start: raw(func(c conn, _ int) {
			c.write(header + "Transfer-Encoding: chunked\r\n\r\n9\r\n" + session[:9] + "\r\n")
		}), is: io.ErrUnexpectedEOF, requests: 2},
		{name: "informational responses first", start: raw(func(c conn, _ int) {
			c.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + wholeAnswer)
		}), ok: true, requests: 1},

		{name: "certificate that is not trusted", start: through(served(serveSession, withTLS), func(t *testing.T, s *site) {
			s.client = untimedClient(t)
		}), as: func(err error) bool { var e *tls.CertificateVerificationError; return errors.As(err, &e) }},
		{name: "plain HTTP where TLS should be", start: through(served(serveSession, nil), func(t *testing.T, s *site) {
			s.client, s.baseURL = untimedClient(t), strings.Replace(s.baseURL, "http:", "https:", 1)
		}), text: "HTTP response to HTTPS client", attempts: 2},

		{name: "gzip", start: served(encoded(gzipped(session)), nil), ok: true, requests: 1},
		{name: "gzip header over a plain body", start: served(encoded(session), nil), is: gzip.ErrHeader, requests: 2},
		{name: "truncated gzip", start: served(encoded(gzipped(session)[:30]), nil), is: io.ErrUnexpectedEOF, requests: 2},
		{name: "gzip bomb", start: served(encoded(gzipped(strings.Repeat(" ", 64<<20))), nil), status: 200, is: api.ErrResponseTooLarge, requests: 1},

		{name: "switching protocols", start: through(raw(switching), byDefault), status: 101, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "switching protocols, with a client of the caller's", start: raw(switching), status: 101, is: api.ErrUnexpectedResponse, requests: 1},

		{name: "redirect with the default client", start: through(served(redirect(302, sessionPath), nil), byDefault),
			status: 302, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "redirect from https to http", start: toElsewhere(302, withTLS), status: 302, is: api.ErrUnexpectedResponse, requests: 1},
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
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
	for name, change := range map[string]changeServer{"HTTP/1.1": nil, "HTTP/2": http2} {
		over := func(answer answerer) func(*testing.T) site { return served(answer, change) }
		all = append(all,
			fault{name: "no fault over " + name, start: over(serveSession), ok: true, requests: 1},
			fault{name: "handler dies before the header over " + name, requests: 2,
				start: over(func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) })},
			fault{name: "handler dies within the body, then well, over " + name, start: over(first(diesInBody, serveSession)), ok: true, requests: 2},
			fault{name: "body without an end over " + name, start: over(endless(200)), status: 200, is: api.ErrResponseTooLarge, requests: 1},
			fault{name: "body of an error without an end over " + name, start: over(endless(404)), status: 404, is: api.ErrUnexpectedResponse, requests: 1},
			fault{name: "503, then well, over " + name, start: over(first(sends(503, "{}"), serveSession)), ok: true, requests: 2},
			fault{name: "429 again and again over " + name, start: over(sends(429, "{}")), status: 429, is: api.ErrRateLimited, requests: 2},
		)
	}
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

func endless(status int) answerer {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		sendJSON(w, status, "{")
		for {
			if _, err := io.WriteString(w, strings.Repeat(" ", 4096)); err != nil {
				return
			}
		}
	}
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
			if twice := cmp.Or(f.attempts, f.requests) == 2; strings.Contains(err.Error(), "2 attempts)") != twice {
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

// A host that does not respond to dialing, such as behind a firewall, costs less than an attempt, so a command is sent again.
func TestDialTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, dials := time.Now(), 0
		transport := &http.Transport{DialContext: api.LimitDial(func(ctx context.Context, _, _ string) (net.Conn, error) {
			dials++
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
		})}
		err := newClient(t, api.WithHTTPClient(&http.Client{Transport: transport})).StopTunnelSession(t.Context(), "ts_1")
		if took := time.Since(start); err == nil || dials != 3 || took < 30*time.Second || took > 33*time.Second {
			t.Errorf("got %v after %d dials and %v, want three of ten seconds", err, dials, took)
		}
	})
}

// A call ends with its context, wherever it is, and says so.
func TestEndOfContext(t *testing.T) {
	for stage := range stages(nil) {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			at := stages(cancel)[stage](t)
			client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(&api.Doer{HTTPClient: at.client, AttemptTimeout: time.Hour}))
			got, err := client.GetTunnelSession(ctx, "ts_1")
			if got != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, %v, want context.Canceled", got, err)
			}
			checkSecret(t, err)
			if n := at.requests(); n > 1 {
				t.Errorf("the server saw %d requests", n)
			}
		})
	}
}

// stages returns for each stage of a call a site where it stays there, which calls reach when it is there.
func stages(reach func()) map[string]func(*testing.T) site {
	return map[string]func(*testing.T) site{
		"before": func(t *testing.T) site {
			reach()
			return served(serveSession, nil)(t)
		},
		"dialling": through(served(serveSession, nil), func(_ *testing.T, s *site) {
			s.client.(*http.Client).Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				reach()
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}),
		"waiting for the header": raw(func(c conn, _ int) { reach(); c.stall() }),
		"in the header":          raw(func(c conn, _ int) { c.write(header); reach(); c.stall() }),
		"in the body":            raw(func(c conn, _ int) { c.write(wholeAnswer[:len(wholeAnswer)-9]); reach(); c.stall() }),
		"in the body of an error": raw(func(c conn, _ int) {
			c.write("HTTP/1.1 503 Unavailable\r\nContent-Length: 1000\r\n\r\n{")
			reach()
			c.stall()
		}),
		"waiting for the header over HTTP/2": served(func(_ http.ResponseWriter, r *http.Request, _ int) { reach(); <-r.Context().Done() }, http2),
		"in the body over HTTP/2": served(func(w http.ResponseWriter, r *http.Request, _ int) {
			sendJSON(w, 200, session[:9])
			_ = http.NewResponseController(w).Flush()
			reach()
			<-r.Context().Done()
		}, http2),
		"between attempts": raw(func(c conn, _ int) {
			c.write("HTTP/1.1 503 Unavailable\r\nRetry-After: 50\r\nContent-Length: 0\r\n\r\n")
			reach()
		}),
	}
}
