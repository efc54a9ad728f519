package ngroktest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
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

func (tb *recordingTB) Fatalf(format string, args ...any) {
	tb.Errorf(format, args...)
	runtime.Goexit()
}

// fatal returns how tb fails when f is run.
func (tb *recordingTB) fatal(f func()) []string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
	return tb.failures
}

// stricter returns a validator for a document which change has made stricter than ngrok's, as a later one can be.
func stricter(t *testing.T, change func(*openapi3.T)) *openapi.Validator {
	t.Helper()
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	change(doc)
	v, err := openapi.NewValidator(doc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatDoesNotConformFailsTheTest(t *testing.T) {
	session := api.TunnelSession{ID: "ts_1", Region: "nowhere"}
	for _, test := range []struct {
		name   string
		change func(*openapi3.T)
		want   []string // in the failure; nil for none
	}{
		{"conforms", func(*openapi3.T) {}, nil},
		{"value of a session", func(doc *openapi3.T) {
			doc.Components.Schemas["TunnelSession"].Value.Properties["region"].Value.Enum = []any{"us", "eu"}
		}, []string{"ts_1", "/region"}},
		{"missing field of a session", func(doc *openapi3.T) {
			doc.Components.Schemas["TunnelSession"].Value.Required = []string{"ip"}
		}, []string{"ts_1", "ip"}},
		{"parameter of a request", func(doc *openapi3.T) {
			doc.Components.Parameters["ngrokVersion"].Value.Schema.Value.Enum = []any{3.0}
		}, []string{"ngrok-version"}},
		{"status that is not defined", func(doc *openapi3.T) {
			responses := doc.Paths.Value("/tunnel_sessions/{id}").Get.Responses
			responses.Set("203", responses.Value("200"))
			responses.Delete("200")
		}, []string{"ts_1", "status 200"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tb := &recordingTB{TB: t}
			srv := NewServer(tb, session)
			srv.handler.(*conforming).validate = stricter(t, test.change)
			_, err := srv.Client().GetTunnelSession(t.Context(), "ts_1")
			if test.want == nil {
				if err != nil || len(tb.failures) > 0 {
					t.Errorf("got %v and failures %q", err, tb.failures)
				}
				return
			}
			if err == nil || len(tb.failures) != 1 {
				t.Fatalf("got %v and failures %q, want an error and one failure", err, tb.failures)
			}
			for _, want := range test.want {
				if !strings.Contains(tb.failures[0], want) {
					t.Errorf("got failure %q, want %q in it", tb.failures[0], want)
				}
			}
		})
	}
}

func TestHandlerAnswersWhatDoesNotConform(t *testing.T) {
	handler := Handler(api.TunnelSession{ID: "ts_1", Region: "nowhere"}).(*conforming)
	handler.validate = stricter(t, func(doc *openapi3.T) {
		doc.Components.Schemas["TunnelSession"].Value.Properties["region"].Value.Enum = []any{"us"}
	})
	req := httptest.NewRequest("GET", "/tunnel_sessions/ts_1", nil)
	req.Header = http.Header{"Authorization": {"Bearer " + APIKey}, "Ngrok-Version": {"2"}}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	if rec.Code != 500 || !strings.Contains(rec.Body.String(), "/region") {
		t.Errorf("got %d %s, want 500 and the field", rec.Code, rec.Body)
	}
}

func TestMisuseFailsTheTest(t *testing.T) {
	for _, test := range []struct {
		name string
		use  func(*Server)
		want string
	}{
		{"session without an ID", func(s *Server) { s.Put(api.TunnelSession{}) }, "has no ID"},
		{"status of success", func(s *Server) { s.Fail(200, "") }, "from 400 to 599"},
		{"status of nothing", func(s *Server) { s.Fail(600, "") }, "from 400 to 599"},
		{"bad option", func(s *Server) { s.Client(nil) }, "nil"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tb := &recordingTB{TB: t}
			srv := NewServer(tb)
			failures := tb.fatal(func() { test.use(srv) })
			if len(failures) != 1 || !strings.Contains(failures[0], test.want) {
				t.Errorf("got failures %q, want one with %q", failures, test.want)
			}
		})
	}
}
