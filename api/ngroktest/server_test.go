package ngroktest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

var session = api.TunnelSession{ID: "ts_1", Region: "eu", Credential: api.Ref{ID: "cr_1"}}

// Each error is that of the real API.
func TestErrors(t *testing.T) {
	handler := ngroktest.Handler(session)
	const path, key = "/tunnel_sessions/ts_1", "Bearer " + ngroktest.APIKey
	const unknown = `404 application/json {"status_code":404,"msg":"Resource not found","details":{"operation_id":"op_0`
	const nowhere = `404 application/json {"status_code":404,"msg":"Not Found","details":{"path":"/`
	const malformed = "The API authentication you specified does not look like an ngrok API key."
	withCode := func(status int, code, msg string) string {
		return fmt.Sprintf(`%d application/json {"error_code":%q,"status_code":%[1]d,"msg":"%[3]s`, status, code, msg)
	}
	for _, test := range []struct {
		name, method, target, authorization, version string
		want                                         string // the response begins with it
	}{
		{"no key", "GET", path, "", "2", withCode(403, "ERR_NGROK_200", "")},
		{"malformed key", "GET", path, "Bearer nokey", "2",
			withCode(403, "ERR_NGROK_202", malformed+`\nYour authentication: \"nokey\"`)},
		{"key without Bearer", "GET", path, "Basic " + ngroktest.APIKey, "2", withCode(403, "ERR_NGROK_202", "")},
		{"filter", "GET", "/tunnel_sessions?filter=a", key, "2", `500 application/json {"status_code":500,"msg":"ngrok`},
		{"unknown key", "GET", path, "Bearer 2NotTheKeyOfTheFakeAPI000_1", "2", withCode(403, "ERR_NGROK_203", "")},
		{"no version", "GET", path, key, "", withCode(400, "ERR_NGROK_218", "")},
		{"unknown version", "GET", path, key, "3", withCode(400, "ERR_NGROK_217", "")},
		{"unknown session", "GET", "/tunnel_sessions/ts_2", key, "2", unknown},
		{"session with a wrong method", "DELETE", path, key, "2", nowhere},
		{"slash after the ID", "GET", path + "/", key, "2", nowhere},
		{"two slashes", "GET", "/" + path, key, "2", nowhere},
		{"empty ID", "POST", "/tunnel_sessions//stop", key, "2", nowhere},
		{"unknown path", "GET", "/tunnels", key, "2", nowhere},
		{"limit that is not a number", "GET", "/tunnel_sessions?limit=ten", key, "2", withCode(400, "ERR_NGROK_244", "")},
		{"limit too small", "GET", "/tunnel_sessions?limit=0", key, "2", withCode(400, "ERR_NGROK_233", "")},
		{"limit too large", "GET", "/tunnel_sessions?limit=101", key, "2", withCode(400, "ERR_NGROK_233", "")},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := httptest.NewRequest(test.method, "https://api.ngrok.com"+test.target, nil)
			req.Header = http.Header{"Authorization": {test.authorization}, "Ngrok-Version": {test.version}}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, req)
			got := fmt.Sprintf("%d %s %s", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s…", got, test.want)
			}
		})
	}
}

func TestSessions(t *testing.T) {
	moved, odd := session, api.TunnelSession{ID: "a/b?c é/", Region: "us"}
	moved.Region = "ap"
	srv := ngroktest.NewServer(t, session, odd, api.TunnelSession{ID: "ts_gone"})
	srv.Put(moved)
	srv.Delete("ts_gone")
	srv.Sessions()[0].Region = "changed in a copy"
	want := []api.TunnelSession{moved, odd}
	if got := srv.Sessions(); !reflect.DeepEqual(got, want) {
		t.Errorf("Sessions returns %+v, want %+v", got, want)
	}
	for _, want := range want {
		if got, err := srv.Client().GetTunnelSession(t.Context(), want.ID); err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: got %+v, %v", want.ID, got, err)
		}
	}
}

// A client gets the same error for a failure as from ngrok.
func TestFail(t *testing.T) {
	for _, test := range []struct {
		status  int
		code    string
		is      error // a sentinel that the error matches; nil: none
		unknown bool  // the outcome
	}{
		{400, "ERR_NGROK_810", nil, true},
		{401, "", api.ErrAuthentication, false},
		{403, "", nil, false},
		{403, "ERR_NGROK_203", api.ErrAuthentication, false},
		{404, "", api.ErrNotFound, false},
		{404, "ERR_NGROK_222", api.ErrNotFound, false},
		{429, "", api.ErrRateLimited, false},
		{500, "", nil, true},
		{599, "", nil, true},
	} {
		srv := ngroktest.NewServer(t, session)
		srv.Fail(test.status, test.code)
		err := srv.Client().StopTunnelSession(t.Context(), "ts_1")
		e, ok := errors.AsType[*api.ResponseError](err)
		if !ok || e.StatusCode != test.status || e.Code != test.code || e.OperationID == "" || e.RetryAfter != 0 {
			t.Errorf("got %+v, want status %d, code %q", err, test.status, test.code)
		}
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%v is not %q", err, test.is)
		}
		if got := api.OutcomeUnknown(err); got != test.unknown {
			t.Errorf("%v: OutcomeUnknown is %t", err, got)
		}
	}
}

func TestOrderOfFailures(t *testing.T) {
	srv := ngroktest.NewServer(t, session, api.TunnelSession{ID: "ts_2"})
	srv.FailOn("POST /tunnel_sessions/{id}/update", 503, "")
	srv.FailOn("/tunnel_sessions/ts_1/", 502, "")
	srv.Fail(500, "")
	srv.FailOn("GET /tunnel_sessions/ts_1", 501, "")
	get := func(id string) int {
		_, err := srv.Client().GetTunnelSession(t.Context(), id)
		return status(err)
	}
	update := func() int { return status(srv.Client().UpdateTunnelSession(t.Context(), "ts_1")) }
	got := []int{get("ts_2"), get("ts_2"), get("ts_1"), update(), update(), update()}
	if want := []int{500, 0, 501, 503, 502, 0}; !slices.Equal(got, want) {
		t.Errorf("got statuses %d, want %d", got, want)
	}
}

// status returns the status of an error, or 0 for nil.
func status(err error) int {
	if e, ok := errors.AsType[*api.ResponseError](err); ok {
		return e.StatusCode
	}
	return 0
}

// The handler that was added last gets requests first, and patterns match the path that it leaves.
func TestWrap(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	for _, prefix := range []string{"/inner", "/outer"} {
		srv.Wrap(func(next http.Handler) http.Handler { return http.StripPrefix(prefix, next) })
	}
	srv.FailOn("GET /tunnel_sessions/ts_1", 503, "")
	client := srv.Client(api.WithBaseURL("https://proxy.example/outer/inner"))
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); status(err) != 503 {
		t.Errorf("got %v, want the failure", err)
	}
}

// list returns the IDs of a list, and the number of pages.
func list(t *testing.T, srv *ngroktest.Server, params *api.TunnelSessionsListParams, each func(id string)) string {
	t.Helper()
	pages := 0
	countPage := func(context.Context, *http.Request) error { pages++; return nil }
	var ids []string
	for session, err := range srv.Client().ListTunnelSessions(t.Context(), params, countPage) {
		if err != nil {
			t.Error(err)
			break
		}
		ids = append(ids, session.ID)
		if each != nil {
			each(session.ID)
		}
	}
	return fmt.Sprintf("%s in %d", strings.Join(ids, " "), pages)
}

func TestServerLists(t *testing.T) {
	srv := ngroktest.NewServer(t)
	srv.PageSize = 3
	srv.Filter = func(expression string, session api.TunnelSession) bool { return session.Region == expression }
	for i := range 6 {
		srv.Put(api.TunnelSession{ID: fmt.Sprint("ts_", i), Region: []string{"eu", "us"}[i%2]})
	}
	srv.Put(api.TunnelSession{ID: "ts_3", Region: "us"})          // stays in its place
	srv.Put(api.TunnelSession{ID: "ts_restarted2", Region: "eu"}) // no other session gets the ID
	client := srv.Client()
	// Pages continue after a session that has ended, and each agent is listed once, even if it
	// restarts meanwhile.
	change := func(id string) {
		command := client.StopTunnelSession
		if id > "ts_2" {
			command = client.RestartTunnelSession
		}
		if err := command(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct{ name, got, want string }{
		{"all", list(t, srv, nil, nil), "ts_0 ts_1 ts_2 ts_3 ts_4 ts_5 ts_restarted2 in 3"},
		{"limited", list(t, srv, &api.TunnelSessionsListParams{Limit: new("2")}, nil),
			"ts_0 ts_1 ts_2 ts_3 ts_4 ts_5 ts_restarted2 in 4"},
		{"filter", list(t, srv, &api.TunnelSessionsListParams{Filter: new("eu")}, nil), "ts_0 ts_2 ts_4 ts_restarted2 in 2"},
		{"while it changes", list(t, srv, nil, change), "ts_0 ts_1 ts_2 ts_3 ts_4 ts_5 ts_restarted2 in 3"},
		{"changed", list(t, srv, nil, nil), "ts_restarted1 ts_restarted3 ts_restarted4 ts_restarted5 in 2"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, test.got, test.want)
		}
	}
	srv.PageSize = 1000
	for i := range 120 {
		srv.Put(api.TunnelSession{ID: fmt.Sprint("ts_more", i)})
	}
	if got := list(t, srv, nil, nil); strings.Count(got, "ts_") != 124 || !strings.HasSuffix(got, " in 2") {
		t.Errorf("with pages of 100: got %s, want 124 in 2", got)
	}
}

// A restart or reconnection gives a session another ID and URI, and the current time.
func TestCommands(t *testing.T) {
	const uri, before = "https://api.ngrok.com/tunnel_sessions/", "2000-01-01T00:00:00Z"
	for _, test := range []struct {
		latest, version, os, commands string
		code                          string // of the last error
		id, wantVersion               string // at the end
		startedAt                     int    // seconds after before
	}{
		{"", "3.1.0", "linux", "update update wait restart", "", "ts_restarted1", "3.1.0", 10},
		{"", "3.1.0", "windows", "restart", "ERR_NGROK_804", "ts_1", "3.1.0", 0},
		{"3.10.0", "3.9.0", "windows", "update wait stop reconnect", "", "ts_restarted1", "3.10.0", 10},
		{"3.10.0", "3.9.0", "linux", "update wait restart", "", "ts_restarted1", "3.10.0", 10},
		{"3.10.0", "3.9.0", "linux", "reconnect reconnect", "", "ts_restarted2", "3.9.0", 0},
		{"3.10.0", "3.9.0", "linux", "update wait update", "ERR_NGROK_806", "ts_1", "3.9.0", 0},
		{"3.10.0", "3.9.0", "linux", "update nap restart", "", "ts_restarted1", "3.9.0", 9},
		{"3.10.0", "3.9.0", "linux", "update restart wait restart", "", "ts_restarted2", "3.9.0", 10},
		{"3.10.0", "3.10.0", "linux", "update", "ERR_NGROK_806", "ts_1", "3.10.0", 0},
		{"3.10.0", "3.11.0", "linux", "update", "ERR_NGROK_806", "ts_1", "3.11.0", 0},
		{"3.10.0", "3.9.0-msix-stable", "windows", "update", "ERR_NGROK_806", "ts_1", "3.9.0-msix-stable", 0},
		{"3.10.0", "2.3.41", "linux", "update", "ERR_NGROK_806", "ts_1", "2.3.41", 0},
	} {
		t.Run(fmt.Sprintf("%s on %s from %s to %s", test.commands, test.os, test.version, test.latest), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				agent := api.TunnelSession{ID: "ts_1", AgentVersion: test.version, OS: test.os, StartedAt: before}
				agent.URI = uri + agent.ID
				srv := ngroktest.NewServer(t, agent)
				srv.LatestVersion = test.latest
				start, client, id := time.Now(), srv.Client(), "ts_1"
				var last error
				for _, command := range strings.Fields(test.commands) {
					var err error
					switch command {
					case "nap":
						time.Sleep(9 * time.Second)
					case "wait":
						time.Sleep(10 * time.Second)
					case "reconnect":
						id = srv.Reconnect("ts_1") // its first session
					case "update":
						err = client.UpdateTunnelSession(t.Context(), id)
					case "stop":
						err = client.StopTunnelSession(t.Context(), id)
					case "restart":
						if err = client.RestartTunnelSession(t.Context(), id); err == nil {
							id = srv.Sessions()[0].ID
						}
					}
					if err != nil {
						last = err
					}
				}
				if (last != nil) != (test.code != "") || !strings.Contains(fmt.Sprint(last), test.code) {
					t.Errorf("got %v, want code %q", last, test.code)
				}
				agent.ID, agent.URI, agent.AgentVersion = test.id, uri+test.id, test.wantVersion
				agent.StartedAt = start.Add(time.Duration(test.startedAt) * time.Second).UTC().Format(time.RFC3339)
				want := []api.TunnelSession{agent}
				if got := srv.Sessions(); !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		})
	}
}

// In memory and through a socket, the server gets the same requests. A handler can read the body.
func TestRequestsArriveAlike(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	var read []byte
	srv.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			read, _ = io.ReadAll(r.Body)
			next.ServeHTTP(w, r)
		})
	})
	post := func(client *http.Client, baseURL string) string {
		body := io.MultiReader(strings.NewReader("body")) // of unknown length
		rsp, err := client.Post(baseURL+"/a%2Fb?c=d#e", "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		rsp.Body.Close()
		requests := srv.Requests()
		r := requests[len(requests)-1]
		recorded, _ := io.ReadAll(r.Body)
		return fmt.Sprintln(rsp.StatusCode, r.Method, r.Proto, r.RequestURI, r.URL, r.URL.RawPath, r.Header["Content-Type"],
			r.ContentLength, r.TransferEncoding, r.RemoteAddr != "", string(recorded), string(read))
	}
	socket, memory := post(new(http.Client), srv.URL()), post(srv.HTTPClient(), "https://nowhere.example")
	if socket != memory || !strings.HasSuffix(memory, " body body\n") {
		t.Errorf("got\n%swith a socket\n%sin memory", socket, memory)
	}
}

func TestInMemory(t *testing.T) {
	stall := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name     string
		fault    http.HandlerFunc // for the first request
		doer     api.Doer
		canceled bool // before the call
		want     error
		took     time.Duration
		requests int
	}{
		{"Retry-After", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "50")
			ngroktest.Error(w, 429, "ERR_NGROK_226", "")
		}, api.Doer{}, false, nil, 50 * time.Second, 2},
		{"stalled", stall, api.Doer{MaxAttempts: 1}, false, context.DeadlineExceeded, 30 * time.Second, 1},
		{"broken connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			api.Doer{MaxAttempts: 1}, false, io.ErrUnexpectedEOF, 0, 1},
		{"body shorter than its Content-Length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "{}")
		}, api.Doer{MaxAttempts: 1}, false, io.ErrUnexpectedEOF, 0, 1},
		{"body as long as its Content-Length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "13")
			_, _ = io.WriteString(w, `{"id":"ts_1"}`)
		}, api.Doer{}, false, nil, 0, 1},
		{"ended context", stall, api.Doer{}, true, context.Canceled, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.canceled {
					cancel()
				}
				srv := ngroktest.NewServer(t, session)
				srv.Wrap(func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if len(srv.Requests()) > 1 {
							next.ServeHTTP(w, r)
						} else {
							test.fault(w, r)
						}
					})
				})
				_, err := srv.Client(api.WithHTTPClient(&test.doer)).GetTunnelSession(ctx, "ts_1")
				if !errors.Is(err, test.want) || time.Since(begin) != test.took || len(srv.Requests()) != test.requests {
					t.Errorf("got %v after %v and %d requests", err, time.Since(begin), len(srv.Requests()))
				}
			})
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	srv := ngroktest.NewServer(t)
	srv.LatestVersion = "3.20.0"
	srv.Filter = func(id string, session api.TunnelSession) bool { return session.ID == id && len(srv.Sessions()) > 0 }
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			client := srv.Client()
			id := fmt.Sprint("ts_", i)
			srv.Put(api.TunnelSession{ID: id, AgentVersion: "3.19.0"})
			got := list(t, srv, &api.TunnelSessionsListParams{Filter: &id}, nil)
			err := client.UpdateTunnelSession(t.Context(), id)
			if err != nil || got != id+" in 1" {
				t.Errorf("%s: got %s, %v", id, got, err)
			}
			srv.Delete(id)
		})
	}
	wg.Wait()
	if got, left := len(srv.Requests()), srv.Sessions(); got != 128 || len(left) != 0 {
		t.Errorf("got %d requests, want 128, and left are %v", got, left)
	}
}
