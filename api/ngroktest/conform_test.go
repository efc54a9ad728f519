package ngroktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/openapi"
)

// A recordingTB is a test that notes how it fails.
type recordingTB struct {
	testing.TB
	failures []string
}

func (tb *recordingTB) Helper() {}

func (tb *recordingTB) Errorf(format string, args ...any) {
	tb.failures = append(tb.failures, fmt.Sprintf(format, args...))
}

// Fatalf ends the test by a panic with the message.
func (tb *recordingTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func TestWhatDoesNotConformFailsTheTest(t *testing.T) {
	schema := func(doc *openapi3.T, name string) *openapi3.Schema { return doc.Components.Schemas[name].Value }
	responses := func(doc *openapi3.T) *openapi3.Responses {
		return doc.Paths.Value("/tunnel_sessions/{id}").Get.Responses
	}
	parameters := func(doc *openapi3.T) *openapi3.Parameters { return &doc.Paths.Value("/tunnel_sessions").Get.Parameters }
	for _, test := range []struct {
		name   string
		change func(*openapi3.T) // of ngrok's document
		target string            // of a GET
		status int
		want   []string // in the failure; nil for none
	}{
		{"what conforms", nil, "/tunnel_sessions/ts_1", 200, nil},
		{"value of a session", func(doc *openapi3.T) {
			schema(doc, "TunnelSession").Properties["region"].Value.Enum = []any{"us", "eu"}
		},
			"/tunnel_sessions/ts_1", 500, []string{"GET /tunnel_sessions/ts_1", "/region"}},
		{"parameter of a request", func(doc *openapi3.T) { doc.Components.Parameters["ngrokVersion"].Value.Schema.Value.Enum = []any{3.0} },
			"/tunnel_sessions/ts_1", 500, []string{"ngrok-version"}},
		{"filter", nil, "/tunnel_sessions?filter=a", 500, []string{`"a"`, "Server.Filter"}},
		{"unknown parameter", nil, "/tunnel_sessions?region=eu", 500, []string{"GET /tunnel_sessions", `"region"`}},
		{"parameter of the list alone", nil, "/tunnel_sessions/ts_1?limit=5", 500, []string{`"limit"`}},
		{"parameter that ngrok adds", func(doc *openapi3.T) {
			*parameters(doc) = append(*parameters(doc), &openapi3.ParameterRef{Value: openapi3.NewQueryParameter("order").WithSchema(openapi3.NewStringSchema())})
		}, "/tunnel_sessions?order=a", 200, nil},
		{"error", func(doc *openapi3.T) {
			strict := openapi3.NewObjectSchema()
			strict.Required = []string{"error_code"}
			responses(doc).Set("404", &openapi3.ResponseRef{Value: openapi3.NewResponse().WithDescription("").WithJSONSchema(strict)})
		},
			"/tunnel_sessions/ts_2", 500, []string{"GET /tunnel_sessions/ts_2", "error_code"}},
		{"error that ngrok does not document", func(doc *openapi3.T) {
			for _, status := range []string{"404", "4XX", "default"} {
				responses(doc).Delete(status)
			}
		},
			"/tunnel_sessions/ts_2", 404, nil},
		{"unknown path", nil, "/nowhere", 404, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := openapi.Load()
			if err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				test.change(doc)
			}
			tb := &recordingTB{TB: t}
			srv := NewServer(tb, api.TunnelSession{ID: "ts_1", Region: "nowhere"})
			srv.handler.(*validating).validator, err = openapi.NewValidator(doc)
			if err != nil {
				t.Fatal(err)
			}
			req := httptest.NewRequest("GET", test.target, nil)
			req.Header = http.Header{"Authorization": {"Bearer " + APIKey}, "Ngrok-Version": {"2"}}
			rec := httptest.NewRecorder()
			srv.serve(rec, req)
			if rec.Code != test.status || len(tb.failures) != min(len(test.want), 1) {
				t.Fatalf("got status %d and failures %q", rec.Code, tb.failures)
			}
			var body struct{ Msg string }
			if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(tb.failures[0], want) || body.Msg != tb.failures[0] {
					t.Errorf("got failure %q and message %q, want %q in both", tb.failures[0], body.Msg, want)
				}
			}
		})
	}
}

func TestErrorConforms(t *testing.T) {
	for _, code := range []string{"", "ERR_NGROK_810"} {
		req, rec := httptest.NewRequest("GET", "/tunnel_sessions/ts_1", nil), httptest.NewRecorder()
		Error(rec, 404, code, "")
		if err := validator().Response(req, rec.Code, rec.Header(), rec.Body.Bytes()); err != nil {
			t.Error(err)
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
		{"agent that never was", func(s *Server) { s.Reconnect("ts_1") }, `"ts_1"`},
		{"status of success", func(s *Server) { s.Fail(200, "") }, "from 400 to 599"},
		{"status of nothing", func(s *Server) { s.Fail(600, "") }, "from 400 to 599"},
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
