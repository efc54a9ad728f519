package ngroktest

import (
	"errors"
	"fmt"
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

// Fatalf ends the test by a panic, with the message.
func (tb *recordingTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func TestWhatDoesNotConformFailsTheTest(t *testing.T) {
	// A later document of ngrok's can be stricter.
	for _, test := range []struct {
		name   string
		change func(*openapi3.T)
		want   []string // in the failure
	}{
		{"value of a session", func(doc *openapi3.T) {
			doc.Components.Schemas["TunnelSession"].Value.Properties["region"].Value.Enum = []any{"us", "eu"}
		}, []string{"ts_1", "/region"}},
		{"parameter of a request", func(doc *openapi3.T) {
			doc.Components.Parameters["ngrokVersion"].Value.Schema.Value.Enum = []any{3.0}
		}, []string{"ngrok-version"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := openapi.Load()
			if err != nil {
				t.Fatal(err)
			}
			test.change(doc)
			tb := &recordingTB{TB: t}
			srv := NewServer(tb, api.TunnelSession{ID: "ts_1", Region: "nowhere"})
			handler := srv.handler.(*conforming)
			handler.validate, err = openapi.NewValidator(doc)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				var e *api.ResponseError
				_, err := srv.Client().GetTunnelSession(t.Context(), "ts_1")
				if !errors.As(err, &e) || e.StatusCode != 500 || len(tb.failures) != 1 || string(e.Body) != tb.failures[0]+"\n" {
					t.Fatalf("got %v and failures %q, want a 500 that says the only failure", err, tb.failures)
				}
				handler.report = nil // Without a test, as that of Handler is, the answer alone says it.
			}
			for _, want := range test.want {
				if !strings.Contains(tb.failures[0], want) {
					t.Errorf("got failure %q, want %q in it", tb.failures[0], want)
				}
			}
		})
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
		{"status of success", func(s *Server) { s.Fail(200, "") }, "from 400 to 599"},
		{"status of nothing", func(s *Server) { s.Fail(600, "") }, "from 400 to 599"},
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
