package ngroktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

var session = api.TunnelSession{ID: "ts_1", Region: "eu", Credential: api.Ref{ID: "cr_1"}}

func TestServerServesWhatItHas(t *testing.T) {
	odd := api.TunnelSession{ID: "a/b?c é/", Region: "us"}
	srv := ngroktest.NewServer(t, session, odd)
	client := srv.Client()
	for _, want := range []api.TunnelSession{session, odd} {
		got, err := client.GetTunnelSession(t.Context(), want.ID)
		if err != nil || *got != want {
			t.Errorf("%s: got %+v, %v", want.ID, got, err)
		}
	}
	moved := session
	moved.Region = "ap"
	srv.Put(moved)
	if got, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil || *got != moved {
		t.Errorf("after Put: got %+v, %v", got, err)
	}
	srv.Delete("ts_1")
	srv.Delete("ts_unknown")
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("after Delete: got %v, want ErrNotFound", err)
	}
}

func TestServerFails(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	client := srv.Client()
	srv.Fail(429, "ERR_NGROK_226")
	srv.Fail(503, "")
	for _, want := range []api.ResponseError{{StatusCode: 429, Code: "ERR_NGROK_226"}, {StatusCode: 503}} {
		_, err := client.GetTunnelSession(t.Context(), "ts_1")
		var e *api.ResponseError
		if !errors.As(err, &e) || e.StatusCode != want.StatusCode || e.Code != want.Code || e.Message == "" || e.OperationID == "" {
			t.Errorf("got %v, want status %d and code %q", err, want.StatusCode, want.Code)
		}
	}
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

func TestServerRecordsRequests(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	client := srv.Client(api.WithUserAgent("myapp/1"))
	srv.Fail(500, "")
	for _, id := range []string{"ts_1", "ts_2"} {
		if _, err := client.GetTunnelSession(t.Context(), id); err == nil {
			t.Errorf("%s: got no error", id)
		}
	}
	rsp, err := http.Post(srv.URL+"/x", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	rsp.Body.Close()
	var got []string
	for _, r := range srv.Requests() {
		product, _, _ := strings.Cut(r.Header.Get("User-Agent"), " ")
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %s %s", r.Method, r.URL.Path, product, body))
	}
	want := []string{"GET /tunnel_sessions/ts_1 myapp/1 ", "GET /tunnel_sessions/ts_2 myapp/1 ", "POST /x Go-http-client/1.1 body"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServerList(t *testing.T) {
	srv := ngroktest.NewServer(t)
	for i := range 7 {
		srv.Put(api.TunnelSession{ID: fmt.Sprint("ts_", i)})
	}
	srv.Put(api.TunnelSession{ID: "ts_3", Region: "eu"}) // stays in its place
	srv.PageSize = 3
	list := func() string {
		var ids []string
		for session, err := range srv.Client().ListTunnelSessions(t.Context()) {
			if err != nil {
				t.Error(err)
				break
			}
			ids = append(ids, session.ID)
		}
		return strings.Join(ids, " ")
	}
	if got, want := list(), "ts_0 ts_1 ts_2 ts_3 ts_4 ts_5 ts_6"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if n := len(srv.Requests()); n != 3 {
		t.Errorf("got %d requests, want one of each page", n)
	}
	// Pages go on behind a session that is gone by then, and each session comes once, also if it is another after that.
	var seen []string
	for session, err := range srv.Client().ListTunnelSessions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, session.ID)
		change := srv.Client().StopTunnelSession
		if session.ID > "ts_2" {
			change = srv.Client().RestartTunnelSession
		}
		if err := change(t.Context(), session.ID); err != nil {
			t.Error(err)
		}
	}
	if got, want := strings.Join(seen, " "), "ts_0 ts_1 ts_2 ts_3 ts_4 ts_5 ts_6"; got != want {
		t.Errorf("while it changes: got %s, want %s", got, want)
	}
	if got, want := list(), "ts_restarted1 ts_restarted2 ts_restarted3 ts_restarted4"; got != want {
		t.Errorf("after it: got %s, want %s", got, want)
	}
	srv.PageSize = 0
	for i := range 120 {
		srv.Put(api.TunnelSession{ID: fmt.Sprint("ts_more", i)})
	}
	before := len(srv.Requests())
	if got := len(strings.Fields(list())); got != 124 || len(srv.Requests())-before != 2 {
		t.Errorf("got %d sessions in %d pages, want 124 in 2", got, len(srv.Requests())-before)
	}
}

func TestServerCommands(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	client := srv.Client()
	if err := client.UpdateTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Error(err)
	}
	if got, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil || *got != session {
		t.Errorf("after an update: got %+v, %v", got, err)
	}
	if err := client.RestartTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Error(err)
	}
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("after a restart: got %v, want ErrNotFound", err)
	}
	got, err := client.GetTunnelSession(t.Context(), "ts_restarted1")
	if err != nil || got.Region != session.Region {
		t.Fatalf("the restarted session: got %+v, %v", got, err)
	}
	if err := client.StopTunnelSession(t.Context(), got.ID); err != nil {
		t.Error(err)
	}
	if err := client.StopTunnelSession(t.Context(), got.ID); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("stopped twice: got %v, want ErrNotFound", err)
	}
	var paths []string
	for _, r := range srv.Requests() {
		body, _ := io.ReadAll(r.Body)
		if r.Method == "POST" {
			paths = append(paths, r.URL.Path+" "+string(body))
		}
	}
	want := []string{"/tunnel_sessions/ts_1/update {}", "/tunnel_sessions/ts_1/restart {}",
		"/tunnel_sessions/ts_restarted1/stop {}", "/tunnel_sessions/ts_restarted1/stop {}"}
	if !reflect.DeepEqual(paths, want) {
		t.Errorf("recorded %q, want %q", paths, want)
	}
}

func TestWrap(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	var order []string
	note := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				if strings.HasSuffix(r.URL.Path, name) {
					http.Error(w, "down", http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	srv.Wrap(note("inner"))
	srv.Wrap(note("outer"))
	client := srv.Client()
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Error(err)
	}
	var e *api.ResponseError
	if _, err := client.GetTunnelSession(t.Context(), "outer"); !errors.As(err, &e) || e.StatusCode != 503 {
		t.Errorf("got %v, want what the outer handler answers", err)
	}
	if got, want := strings.Join(order, " "), "outer inner outer"; got != want || len(srv.Requests()) != 2 {
		t.Errorf("got %s and %d requests, want %s and 2", got, len(srv.Requests()), want)
	}
}

// A handler can be called without a server, and then a request may have no body.
func TestHandlerTakesNilBody(t *testing.T) {
	req, err := http.NewRequest("GET", "/tunnel_sessions/ts_1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + ngroktest.APIKey}, "Ngrok-Version": {"2"}}
	rec := httptest.NewRecorder()
	ngroktest.Handler(session).ServeHTTP(rec, req)
	if rec.Code != 200 {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

// Each answer is that of the real API.
func TestAnswers(t *testing.T) {
	handler := ngroktest.Handler(session)
	const path, malformed, unknown = "/tunnel_sessions/ts_1", "nokey", "2NotTheKeyOfTheFakeAPI000_1"
	for _, test := range []struct {
		name                               string
		method, path, authorization, verno string
		status                             int
		code, msg                          string
		operation                          bool // whether the details have the operation ID
	}{
		{"session", "GET", path, "Bearer " + ngroktest.APIKey, "2", 200, "", "", false},
		{"no key", "GET", path, "", "2", 403, "ERR_NGROK_200", "", true},
		{"malformed key", "GET", path, "Bearer " + malformed, "2", 403, "ERR_NGROK_202", malformed, true},
		{"other scheme", "GET", path, "Basic eHg6eXk=", "2", 403, "ERR_NGROK_202", "eHg6eXk=", true},
		{"unknown key", "GET", path, "Bearer " + unknown, "2", 403, "ERR_NGROK_203", "", true},
		{"no version", "GET", path, "Bearer " + ngroktest.APIKey, "", 400, "ERR_NGROK_218", "", true},
		{"unknown version", "GET", path, "Bearer " + ngroktest.APIKey, "3", 400, "ERR_NGROK_217", "", true},
		{"unknown session", "GET", "/tunnel_sessions/ts_2", "Bearer " + ngroktest.APIKey, "2", 404, "", "Resource not found", true},
		{"unknown session to stop", "POST", "/tunnel_sessions/ts_2/stop", "Bearer " + ngroktest.APIKey, "2", 404, "", "Resource not found", true},
		{"unknown command", "POST", path + "/explode", "Bearer " + ngroktest.APIKey, "2", 404, "", "Not Found", false},
		{"list with a wrong method", "DELETE", "/tunnel_sessions", "Bearer " + ngroktest.APIKey, "2", 404, "", "Not Found", false},
		{"slash after the ID", "GET", path + "/", "Bearer " + ngroktest.APIKey, "2", 404, "", "Not Found", false},
		{"unknown path", "GET", "/tunnels", "Bearer " + ngroktest.APIKey, "2", 404, "", "Not Found", false},
		{"path below a session", "GET", path + "/x", "Bearer " + ngroktest.APIKey, "2", 404, "", "Not Found", false},
		{"no ID", "GET", "/tunnel_sessions/", "Bearer " + ngroktest.APIKey, "2", 404, "", "Not Found", false},
		{"wrong method", "DELETE", path, "Bearer " + ngroktest.APIKey, "2", 404, "", "Not Found", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := httptest.NewRequest(test.method, test.path, nil)
			if test.authorization != "" {
				req.Header.Set("Authorization", test.authorization)
			}
			if test.verno != "" {
				req.Header.Set("Ngrok-Version", test.verno)
			}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, req)
			if rec.Code != test.status || rec.Header().Get("Content-Type") != "application/json" {
				t.Errorf("got status %d and content type %q", rec.Code, rec.Header().Get("Content-Type"))
			}
			operation := rec.Header().Get("Ngrok-Operation-Id")
			if !strings.HasPrefix(operation, "op_") {
				t.Errorf("got operation ID %q", operation)
			}
			if test.status == 200 {
				var got api.TunnelSession
				if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got != session {
					t.Errorf("got %s, %v", rec.Body, err)
				}
				return
			}
			var body struct {
				Code    *string `json:"error_code"`
				Status  int     `json:"status_code"`
				Msg     string
				Details map[string]string
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if body.Status != test.status || !strings.Contains(body.Msg, test.msg) || body.Msg == "" {
				t.Errorf("got %s", rec.Body)
			}
			if (body.Code != nil) != (test.code != "") || body.Code != nil && *body.Code != test.code {
				t.Errorf("got error code in %s, want %q", rec.Body, test.code)
			}
			if test.operation && body.Details["operation_id"] != operation {
				t.Errorf("got details %v, want the operation ID %s", body.Details, operation)
			}
			if !test.operation && (body.Details["path"] != test.path || body.Details["operation_id"] != "") {
				t.Errorf("got details %v, want the path alone", body.Details)
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	srv := ngroktest.NewServer(t)
	client := srv.Client()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			id := fmt.Sprint("ts_", i)
			srv.Put(api.TunnelSession{ID: id})
			if got, err := client.GetTunnelSession(t.Context(), id); err != nil || got.ID != id {
				t.Errorf("%s: got %+v, %v", id, got, err)
			}
			srv.Requests()
			srv.Delete(id)
		})
	}
	wg.Wait()
	if got := len(srv.Requests()); got != 16 {
		t.Errorf("got %d requests, want 16", got)
	}
}

func TestHandlerPanicsWithoutID(t *testing.T) {
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "has no ID") {
			t.Errorf("got panic %q", p)
		}
	}()
	ngroktest.Handler(api.TunnelSession{Region: "eu"})
}
