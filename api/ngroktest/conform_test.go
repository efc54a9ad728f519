package ngroktest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/openapi"
)

// A recordingTB is a test that records its failures.
type recordingTB struct {
	testing.TB
	failures        []string
	failed, skipped bool   // before
	cleanup         func() // the last one
}

func (tb *recordingTB) Helper()          {}
func (tb *recordingTB) Cleanup(f func()) { tb.cleanup = f }
func (tb *recordingTB) Failed() bool     { return tb.failed }
func (tb *recordingTB) Skipped() bool    { return tb.skipped }

func (tb *recordingTB) Errorf(format string, args ...any) {
	tb.failures = append(tb.failures, fmt.Sprintf(format, args...))
}

// Fatalf ends the test by a panic with the message.
func (tb *recordingTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// strict is a document with the operations of the fake that read sessions.
const strict = `
openapi: 3.0.0
info: {title: strict, version: 1.0.0}
servers: [{url: "https://api.ngrok.com"}]
security: [{authentication: []}]
paths:
  /tunnel_sessions:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: string}}
        - {name: filter, in: query, schema: {type: string}}
        - {name: order, in: query, schema: {type: string, enum: [asc]}}
      responses:
        200: {description: all, content: {application/json: {schema: {type: object}}}}
  /tunnel_sessions/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        200:
          description: one
          content:
            application/json:
              schema: {type: object, required: [x], properties: {region: {type: string, enum: [eu]}}}
        404:
          description: none
          content: {application/json: {schema: {type: object, properties: {msg: {type: integer}}}}}
components:
  securitySchemes:
    authentication: {type: http, scheme: bearer}
`

func TestViolationsFailTheTest(t *testing.T) {
	doc, err := openapi.Parse([]byte(strict))
	if err != nil {
		t.Fatal(err)
	}
	v, err := newValidator(doc)
	if err != nil {
		t.Fatal(err)
	}
	get, header := httptest.NewRequest("GET", "/tunnel_sessions/ts_1", nil), make(http.Header)
	header.Set("Content-Type", "application/json")
	if err := v.Response(get, 200, header, []byte(`{"region":""}`)); err != nil {
		t.Errorf("enum that is not set: %v", err)
	}
	for _, test := range []struct {
		name   string
		target string // of a GET
		status int
		want   []string // in the failure; nil for none
	}{
		{"session that conforms", "/tunnel_sessions/ts_1", 200, nil},
		{"value of a session", "/tunnel_sessions/ts_2", 500, []string{"GET /tunnel_sessions/ts_2", "/region"}},
		{"parameter that the fake does not know", "/tunnel_sessions?order=asc", 200, nil},
		{"value of a parameter", "/tunnel_sessions?order=desc", 500, []string{`"order"`, "asc"}},
		{"filter", "/tunnel_sessions?filter=a", 500, []string{`"a"`, "Server.Filter"}},
		{"unknown parameter", "/tunnel_sessions?region=eu", 500, []string{"GET /tunnel_sessions", `"region"`}},
		{"parameter of another operation", "/tunnel_sessions/ts_1?limit=5", 500, []string{`"limit"`}},
		{"value that is not set", "/tunnel_sessions/ts_3", 200, nil},
		{"error", "/tunnel_sessions/ts_4", 500, []string{"GET /tunnel_sessions/ts_4", "/msg"}},
		{"error that the document does not have", "/tunnel_sessions?limit=x", 400, nil},
		{"unknown path", "/nowhere", 404, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			tb := &recordingTB{TB: t}
			srv := NewServer(tb, api.TunnelSession{ID: "ts_1", Region: "eu"},
				api.TunnelSession{ID: "ts_2", Region: "nowhere"}, api.TunnelSession{ID: "ts_3"})
			srv.handler.(*validating).validator = v
			req, rec := httptest.NewRequest("GET", test.target, nil), httptest.NewRecorder()
			req.Header = http.Header{"Authorization": {"Bearer " + APIKey}, "Ngrok-Version": {"2"}}
			srv.serve(rec, req)
			if rec.Code != test.status || len(tb.failures) != min(len(test.want), 1) {
				t.Fatalf("got status %d and failures %q", rec.Code, tb.failures)
			}
			for _, want := range test.want {
				if !strings.Contains(tb.failures[0], want) || !strings.Contains(rec.Body.String(), "conform") {
					t.Errorf("got failure %q and response %s, want %q", tb.failures[0], rec.Body, want)
				}
			}
		})
	}
}

// A failure that no request takes fails the test at its end, unless it has failed or is skipped.
func TestFailureIsNotTaken(t *testing.T) {
	for _, tb := range []*recordingTB{{}, {failed: true}, {skipped: true}} {
		tb.TB = t
		srv := NewServer(tb)
		srv.FailOn("GET /tunnel_session/{id}", 500, "") // a typo
		srv.Fail(503, "")
		if err := srv.Client().StopTunnelSession(t.Context(), "ts_1"); err == nil {
			t.Error("the request took no failure")
		}
		tb.cleanup()
		got, want := fmt.Sprint(tb.failures), `on "GET /tunnel_session/{id}": check`
		if isOver := tb.failed || tb.skipped; strings.Contains(got, want) == isOver || (got == "[]") != isOver {
			t.Errorf("%+v: got %s", tb, got)
		}
	}
}

func TestMisuseFailsAtOnce(t *testing.T) {
	for _, test := range []struct {
		name string
		use  func(*Server)
		want string
	}{
		{"session without an ID", func(s *Server) { s.Put(api.TunnelSession{}) }, "has no ID"},
		{"handler of a session without an ID", func(*Server) { Handler(api.TunnelSession{}) }, "has no ID"},
		{"agent that never existed", func(s *Server) { s.Reconnect("ts_1") }, `"ts_1"`},
		{"status that is not an error", func(s *Server) { s.Fail(399, "") }, "from 400 to 599"},
		{"status that does not exist", func(s *Server) { s.Fail(600, "") }, "from 400 to 599"},
		{"invalid pattern", func(s *Server) { s.FailOn("GET", 500, "") }, "give a pattern of http.ServeMux"},
		{"panic of a handler, which reaches the test", func(s *Server) {
			s.Wrap(func(http.Handler) http.Handler {
				return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("ngroktest: a bug") })
			})
			_, _ = s.HTTPClient().Get("https://api.ngrok.com/")
		}, "a bug"},
		{"bad option", func(s *Server) { s.Client(api.WithBaseURL("nowhere")) }, "base URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, "ngroktest: ") || !strings.Contains(got, test.want) {
					t.Errorf("got panic %q, want %q in it", got, test.want)
				}
			}()
			test.use(NewServer(&recordingTB{TB: t}))
		})
	}
}
