package ngroktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
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
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err == nil {
		t.Error("got no error")
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
	want := []string{"GET /tunnel_sessions/ts_1 myapp/1 ", "POST /x Go-http-client/1.1 body"}
	if !slices.Equal(got, want) {
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
		for session, err := range srv.Client().ListTunnelSessions(t.Context(), nil) {
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
	for session, err := range srv.Client().ListTunnelSessions(t.Context(), nil) {
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

func TestCommandsLeaveTheRestOfASession(t *testing.T) {
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
	restarted := session
	restarted.ID = "ts_restarted1"
	if got, err := client.GetTunnelSession(t.Context(), restarted.ID); err != nil || *got != restarted {
		t.Errorf("after a restart: got %+v, %v", got, err)
	}
}

func TestWrapAddsTheOutermostHandler(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	var order []string
	for _, name := range []string{"inner", "outer"} {
		srv.Wrap(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		})
	}
	if _, err := srv.Client().GetTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Error(err)
	}
	if got, want := strings.Join(order, " "), "outer inner"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Each answer is that of the real API.
func TestAnswers(t *testing.T) {
	handler := ngroktest.Handler(session)
	const path, good = "/tunnel_sessions/ts_1", "Bearer " + ngroktest.APIKey
	const missing, nowhere = "Resource not found", "Not Found"
	for _, test := range []struct {
		name, method, path, authorization, version string
		status                                     int
		code, msg                                  string
	}{
		{"session", "GET", path, good, "2", 200, "", ""},
		{"no key", "GET", path, "", "2", 403, "ERR_NGROK_200", ""},
		{"malformed key", "GET", path, "Bearer nokey", "2", 403, "ERR_NGROK_202", "nokey"},
		{"other scheme", "GET", path, "Basic a_b", "2", 403, "ERR_NGROK_202", "a_b"},
		{"unknown key", "GET", path, "Bearer 2NotTheKeyOfTheFakeAPI000_1", "2", 403, "ERR_NGROK_203", ""},
		{"no version", "GET", path, good, "", 400, "ERR_NGROK_218", ""},
		{"unknown version", "GET", path, good, "3", 400, "ERR_NGROK_217", ""},
		{"unknown session", "GET", "/tunnel_sessions/ts_2", good, "2", 404, "", missing},
		{"unknown session to stop", "POST", "/tunnel_sessions/ts_2/stop", good, "2", 404, "", missing},
		{"unknown command", "POST", path + "/explode", good, "2", 404, "", nowhere},
		{"list with a wrong method", "DELETE", "/tunnel_sessions", good, "2", 404, "", nowhere},
		{"slash after the ID", "GET", path + "/", good, "2", 404, "", nowhere},
		{"unknown path", "GET", "/tunnels", good, "2", 404, "", nowhere},
		{"wrong method", "DELETE", path, good, "2", 404, "", nowhere},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := httptest.NewRequest(test.method, test.path, nil)
			req.Body = nil // as of a request that no server has read
			req.Header = http.Header{"Authorization": {test.authorization}, "Ngrok-Version": {test.version}}
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
			details := map[string]string{"operation_id": operation}
			if test.msg == nowhere {
				details = map[string]string{"path": test.path}
			}
			if !maps.Equal(body.Details, details) {
				t.Errorf("got details %v, want %v", body.Details, details)
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
