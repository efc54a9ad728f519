package api_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/ngrokapi/api"
)

// A fault is something that really happens on a socket, and what a call makes of it.
type fault struct {
	name     string
	start    func(*testing.T) site
	ok       bool             // the call gets the session all the same
	status   int              // of the ResponseError; 0: it is none
	is       error            // that the error matches
	as       func(error) bool // likewise
	text     string           // in the error
	requests int              // that arrive, in at most two attempts
	attempts int              // 0: as many as requests
}

const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

var (
	wholeAnswer = fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", header, len(session), session)

	netError = func(err error) bool { var e net.Error; return errors.As(err, &e) }
)

// faults returns all of them.
func faults() []fault {
	all := []fault{
		{name: "refused", start: func(t *testing.T) site {
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
			// The port of this end is taken, so that no other test gets it, and nobody listens there.
			return site{baseURL: "http://" + c.LocalAddr().String(), client: untimedClient(t), requests: func() int { return 0 }}
		}, as: func(err error) bool { var e *net.OpError; return errors.As(err, &e) && e.Op == "dial" }, attempts: 2},
		{name: "reset before the header", start: raw(func(c conn, _ int) { c.reset() }), as: netError, requests: 2},
		{name: "closed before the header", start: raw(func(conn, int) {}), is: io.EOF, requests: 2},
		{name: "reset within the header", start: raw(func(c conn, _ int) { c.write(header[:20]); c.reset() }), as: netError, requests: 2},
		{name: "closed within the header", start: raw(func(c conn, _ int) { c.write(header) }), is: io.ErrUnexpectedEOF, requests: 2},
		{name: "reset within the body", start: raw(func(c conn, _ int) { c.write(wholeAnswer[:len(wholeAnswer)-9]); c.reset() }),
			text: "read the body of the response", requests: 2},
		{name: "reset within the body, then well", start: raw(func(c conn, n int) {
			if n == 1 {
				c.write(wholeAnswer[:len(wholeAnswer)-9])
				c.reset()
				return
			}
			c.write(wholeAnswer)
		}), ok: true, requests: 2},
		{name: "reset within the body of an error", start: raw(func(c conn, _ int) {
			c.write("HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n{")
			c.reset()
		}), status: 404, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "header without an end", start: raw(func(c conn, _ int) { c.write(header); c.endless("X-A: b\r\n") }), text: "header", requests: 2},
		{name: "header line without an end", start: raw(func(c conn, _ int) { c.write(header); c.endless("a") }), text: "header", requests: 2},
		{name: "header of 10 MB", start: raw(func(c conn, _ int) {
			c.write(header + "X-A: " + strings.Repeat("a", 10<<20) + "\r\n\r\n" + session)
		}), text: "exceeded 1048576 bytes", requests: 2},
		{name: "Content-Length too long", start: raw(func(c conn, _ int) { c.write(header + "Content-Length: 1000\r\n\r\n" + session) }),
			is: io.ErrUnexpectedEOF, requests: 2},
		{name: "Content-Length too short", start: raw(func(c conn, _ int) { c.write(header + "Content-Length: 9\r\n\r\n" + session) }),
			status: 200, is: api.ErrUnexpectedResponse, text: "does not end as a JSON object", requests: 1},
		{name: "Content-Length that is none", start: raw(func(c conn, _ int) { c.write(header + "Content-Length: -1\r\n\r\n" + session) }),
			text: "Content-Length", requests: 2},
		{name: "Content-Length over the bound", start: raw(func(c conn, _ int) {
			c.write(header + "Content-Length: 1000000000000\r\n\r\n{")
			c.stall()
		}), status: 200, is: api.ErrResponseTooLarge, requests: 1},
		{name: "truncated chunked body", start: raw(func(c conn, _ int) {
			c.write(header + "Transfer-Encoding: chunked\r\n\r\n9\r\n" + session[:9] + "\r\n")
		}),
			is: io.ErrUnexpectedEOF, requests: 2},
		{name: "malformed chunked body", start: raw(func(c conn, _ int) { c.write(header + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + session) }),
			text: "chunk", requests: 2},
		{name: "body without an end", start: raw(func(c conn, _ int) { c.write(header + "\r\n"); c.endless(session) }),
			status: 200, is: api.ErrResponseTooLarge, requests: 1},
		{name: "body of an error without an end", start: raw(func(c conn, _ int) { c.write("HTTP/1.1 404 Not Found\r\n\r\n"); c.endless("x") }),
			status: 404, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "garbage", start: raw(func(c conn, _ int) { c.write("\x00\xffSSH-2.0-OpenSSH\r\n\r\n") }), text: "malformed HTTP", requests: 2},
		{name: "garbage that quotes the key", start: raw(func(c conn, _ int) { c.write(apiKey + " " + apiKey + " " + apiKey + "\r\n\r\n") }),
			text: "malformed HTTP", requests: 2},
		{name: "informational responses first", start: raw(func(c conn, _ int) {
			c.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + wholeAnswer)
		}), ok: true, requests: 1},
		{name: "informational responses without an end", start: raw(func(c conn, _ int) { c.endless("HTTP/1.1 103 Early Hints\r\n\r\n") }),
			text: "header", requests: 2},

		{name: "certificate that is not trusted", start: through(served(serveSession, withTLS), untrusting), as: certificateError[x509.UnknownAuthorityError]()},
		{name: "certificate for another host", start: through(served(serveSession, withTLS), func(_ *testing.T, s *site) {
			s.baseURL = strings.Replace(s.baseURL, "127.0.0.1", "localhost", 1)
		}), as: certificateError[x509.HostnameError]()},
		{name: "certificate that has expired", start: through(served(serveSession, withTLS), transport(func(_ *http.Client, tr *http.Transport) {
			tr.TLSClientConfig.Time = func() time.Time { return time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC) }
		})), as: certificateError[x509.CertificateInvalidError]()},
		{name: "plain HTTP where TLS should be", start: through(served(serveSession, nil), func(t *testing.T, s *site) {
			s.client, s.baseURL = untimedClient(t), strings.Replace(s.baseURL, "http:", "https:", 1)
		}), text: "HTTP response to HTTPS client", attempts: 2},
		{name: "TLS where plain HTTP should be", start: through(served(serveSession, withTLS), func(t *testing.T, s *site) {
			s.client, s.baseURL = untimedClient(t), strings.Replace(s.baseURL, "https:", "http:", 1)
		}), status: 400},

		{name: "gzip", start: served(encoded(gzipped(session)), nil), ok: true, requests: 1},
		{name: "gzip header over a plain body", start: served(encoded(session), nil), is: gzip.ErrHeader, requests: 2},
		{name: "truncated gzip", start: served(encoded(gzipped(session)[:30]), nil), is: io.ErrUnexpectedEOF, requests: 2},
		{name: "gzip bomb", start: served(encoded(gzipped(strings.Repeat(" ", 64<<20))), nil), status: 200, is: api.ErrResponseTooLarge, requests: 1},

		{name: "switching protocols", start: through(raw(switching), byDefault), status: 101, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "switching protocols, with a client of the caller's", start: through(raw(switching), transport(nil)),
			status: 101, is: api.ErrUnexpectedResponse, requests: 1},

		{name: "redirect loop", start: through(served(redirect(302, itself), nil), byDefault), status: 302, is: api.ErrUnexpectedResponse, requests: 1},
		{name: "redirect that a layer around the HTTP client follows", start: through(toSession, wrapped),
			status: 200, is: api.ErrUnexpectedResponse, text: "followed a redirect", requests: 2, attempts: 1},
		{name: "redirect to a 404 that a layer around the HTTP client follows", start: through(toNotFound, wrapped),
			status: 404, is: api.ErrUnexpectedResponse, text: "followed a redirect", requests: 2, attempts: 1},
		{name: "redirect to a 429 that a layer around the HTTP client follows", start: through(toRateLimited, wrapped),
			status: 429, is: api.ErrUnexpectedResponse, text: "followed a redirect", requests: 2, attempts: 1},
		{name: "redirect that a RoundTripper follows by itself", start: through(toSession, followingTransport), ok: true, requests: 2},
	}
	for name, policy := range policies {
		all = append(all, fault{name: "redirect under a policy that " + name, status: 302, is: api.ErrUnexpectedResponse, requests: 1,
			start: through(toElsewhere(302, served(serveSession, nil), nil), transport(func(c *http.Client, _ *http.Transport) { c.CheckRedirect = policy }))})
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, elsewhere := range map[string]func(*testing.T) site{
			"another port": served(serveSession, nil),
			"another host": through(served(serveSession, nil), func(_ *testing.T, s *site) { s.baseURL = strings.Replace(s.baseURL, "127.0.0.1", "localhost", 1) }),
		} {
			all = append(all, fault{name: fmt.Sprintf("redirect %d to %s", status, name),
				start: toElsewhere(status, elsewhere, nil), status: status, is: api.ErrUnexpectedResponse, requests: 1})
		}
		all = append(all, fault{name: fmt.Sprintf("redirect %d from https to http", status),
			start: toElsewhere(status, served(serveSession, nil), withTLS), status: status, is: api.ErrUnexpectedResponse, requests: 1})
	}
	for name, change := range map[string]changeServer{"HTTP/1.1": nil, "HTTP/2": http2} {
		over := func(answer answerer) func(*testing.T) site { return served(answer, change) }
		all = append(all,
			fault{name: "no fault over " + name, start: over(serveSession), ok: true, requests: 1},
			fault{name: "handler dies before the header over " + name, requests: 2,
				start: over(func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) })},
			fault{name: "handler dies within the body over " + name, requests: 2, text: "read the body of the response",
				start: over(func(w http.ResponseWriter, _ *http.Request, _ int) {
					sendJSON(w, 200, session[:9])
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				})},
			fault{name: "handler dies within the body, then well, over " + name, requests: 2, ok: true,
				start: over(func(w http.ResponseWriter, r *http.Request, n int) {
					if n > 1 {
						serveSession(w, r, n)
						return
					}
					sendJSON(w, 200, session[:9])
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				})},
			fault{name: "body without an end over " + name, requests: 1, status: 200, is: api.ErrResponseTooLarge,
				start: over(func(w http.ResponseWriter, _ *http.Request, _ int) { endless(w, 200) })},
			fault{name: "body of an error without an end over " + name, requests: 1, status: 404, is: api.ErrUnexpectedResponse,
				start: over(func(w http.ResponseWriter, _ *http.Request, _ int) { endless(w, 404) })},
		)
		for _, status := range []int{429, 500, 502, 503, 504} {
			failing := func(w http.ResponseWriter) { sendJSON(w, status, `{"msg":"try again"}`) }
			all = append(all,
				fault{name: fmt.Sprintf("%d, then well, over %s", status, name), ok: true, requests: 2,
					start: over(func(w http.ResponseWriter, r *http.Request, n int) {
						if n > 1 {
							serveSession(w, r, n)
							return
						}
						failing(w)
					})},
				fault{name: fmt.Sprintf("%d again and again over %s", status, name), status: status, requests: 2,
					start: over(func(w http.ResponseWriter, _ *http.Request, _ int) { failing(w) })},
			)
		}
	}
	return all
}

type (
	answerer     = func(w http.ResponseWriter, r *http.Request, n int)
	changeServer = func(*httptest.Server)
)

func serveSession(w http.ResponseWriter, _ *http.Request, _ int) { sendJSON(w, 200, session) }

func certificateError[E error]() func(error) bool {
	return func(err error) bool {
		var e E
		var verification *tls.CertificateVerificationError
		return errors.As(err, &e) && errors.As(err, &verification)
	}
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

func endless(w http.ResponseWriter, status int) {
	sendJSON(w, status, "{")
	for {
		if _, err := io.WriteString(w, strings.Repeat(" ", 4096)); err != nil {
			return
		}
	}
}

func redirect(status int, to func(*http.Request) string) answerer {
	return func(w http.ResponseWriter, r *http.Request, _ int) { http.Redirect(w, r, to(r), status) }
}

func itself(r *http.Request) string { return r.URL.Path }

// switching changes the protocol and then says nothing. The end of the test waits until the client hangs up.
func switching(c conn, _ int) {
	c.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	c.stall()
}

// These redirect the first request to what answers the second.
var (
	toSession  = served(redirectOnce(serveSession), nil)
	toNotFound = served(redirectOnce(func(w http.ResponseWriter, _ *http.Request, _ int) {
		sendJSON(w, 404, `{"msg":"Resource not found"}`)
	}), nil)
	toRateLimited = served(redirectOnce(func(w http.ResponseWriter, _ *http.Request, _ int) {
		sendJSON(w, 429, `{"msg":"slow down"}`)
	}), nil)
)

func redirectOnce(then answerer) answerer {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if n > 1 {
			then(w, r, n)
			return
		}
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	}
}

// wrapped hides that a client is an http.Client.
func wrapped(_ *testing.T, s *site) {
	client := s.client
	s.client = doerFunc(func(r *http.Request) (*http.Response, error) { return client.Do(r) })
}

func followingTransport(_ *testing.T, s *site) {
	client := s.client
	s.client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		rsp, err := client.Do(r)
		if err == nil {
			rsp.Request = r
		}
		return rsp, err
	})}
}

// policies are redirect policies of a caller's.
var policies = map[string]func(*http.Request, []*http.Request) error{
	"follows": func(*http.Request, []*http.Request) error { return nil },
	"copies the headers": func(r *http.Request, via []*http.Request) error {
		r.Header = via[0].Header.Clone()
		return nil
	},
	"refuses":            func(*http.Request, []*http.Request) error { return errors.New("no redirects") },
	"takes the redirect": func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// toElsewhere starts a server that redirects to another one, which no request may reach.
func toElsewhere(status int, elsewhere func(*testing.T) site, change changeServer) func(*testing.T) site {
	return func(t *testing.T) site {
		other := elsewhere(t)
		t.Cleanup(func() {
			if n := other.requests(); n > 0 {
				t.Errorf("the redirect was followed by %d requests", n)
			}
		})
		return served(redirect(status, func(r *http.Request) string { return other.baseURL + r.URL.Path }), change)(t)
	}
}

func TestFaults(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			at := f.start(t)
			client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(&api.Doer{HTTPClient: at.client, MaxAttempts: 2}))
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
			checkSecret(t, "the error", printed(err), apiKey)
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

// A client that the caller gives is copied, never changed.
func TestCallersHTTPClientIsNotChanged(t *testing.T) {
	at := served(redirect(302, func(*http.Request) string { return "/elsewhere" }), nil)(t)
	own := at.client.(*http.Client)
	tr := own.Transport
	client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(own))
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); !errors.Is(err, api.ErrUnexpectedResponse) {
		t.Errorf("got %v, want ErrUnexpectedResponse", err)
	}
	if own.CheckRedirect != nil || own.Transport != tr || own.Jar != nil || own.Timeout != 0 {
		t.Errorf("changed to %+v", own)
	}
}

// endedContext is a context that the test ends, with an error of its choice.
type endedContext struct {
	context.Context
	done chan struct{}
	err  error
}

func (c endedContext) Done() <-chan struct{} { return c.done }

func (c endedContext) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// A call ends with its context, wherever it is, and says so.
func TestEndOfContext(t *testing.T) {
	for stage := range stages(nil) {
		for _, reason := range []error{context.Canceled, context.DeadlineExceeded} {
			t.Run(fmt.Sprint(stage, ", ", reason), func(t *testing.T) {
				t.Parallel()
				ctx := endedContext{t.Context(), make(chan struct{}), reason}
				at := stages(sync.OnceFunc(func() { close(ctx.done) }))[stage](t)
				client := newClient(t, api.WithBaseURL(at.baseURL), api.WithHTTPClient(&api.Doer{HTTPClient: at.client}))
				got, err := client.GetTunnelSession(ctx, "ts_1")
				if got != nil || !errors.Is(err, reason) {
					t.Errorf("got %v, %v, want %v", got, err, reason)
				}
				checkSecret(t, "the error", printed(err), apiKey)
				if n := at.requests(); n > 1 {
					t.Errorf("the server saw %d requests", n)
				}
			})
		}
	}
}

// stages returns for each stage of a call a site where it stays there, which calls reach when it is there.
func stages(reach func()) map[string]func(*testing.T) site {
	return map[string]func(*testing.T) site{
		"before": func(t *testing.T) site {
			reach()
			return served(serveSession, nil)(t)
		},
		"dialling": through(served(serveSession, nil), transport(func(_ *http.Client, tr *http.Transport) {
			tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				reach()
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})),
		"in the TLS handshake": through(raw(func(conn, int) {}), func(t *testing.T, s *site) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				if c, err := l.Accept(); err == nil {
					reach()
					conn{c.(*net.TCPConn)}.stall()
					c.Close()
				}
			}()
			t.Cleanup(func() {
				l.Close()
				// net/http goes on dialling for a while, as the next call may want the connection.
				s.client.(*http.Client).CloseIdleConnections()
				<-done
			})
			s.baseURL = "https://" + l.Addr().String()
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
