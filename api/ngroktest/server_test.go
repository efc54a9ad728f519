package ngroktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

var session = api.TunnelSession{ID: "ts_1", Region: "eu", Credential: api.Ref{ID: "cr_1"}}

// Each response is that of the real API.
func TestResponses(t *testing.T) {
	handler := ngroktest.Handler(session)
	const path, good = "/tunnel_sessions/ts_1", "Bearer " + ngroktest.APIKey
	const missing, nowhere = "Resource not found", "Not Found"
	for _, test := range []struct {
		name, method, target, authorization, version string
		status                                       int
		code, msg                                    string
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
		{"limit that is no number", "GET", "/tunnel_sessions?limit=ten", good, "2", 400, "ERR_NGROK_244", ""},
		{"limit too small", "GET", "/tunnel_sessions?limit=0", good, "2", 400, "ERR_NGROK_233", ""},
		{"limit too large", "GET", "/tunnel_sessions?limit=101", good, "2", 400, "ERR_NGROK_233", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := httptest.NewRequest(test.method, test.target, nil)
			req.Header = http.Header{"Authorization": {test.authorization}, "Ngrok-Version": {test.version}}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, req)
			var got struct {
				Code    string `json:"error_code"`
				Status  int    `json:"status_code"`
				Msg, ID string
				Details map[string]string
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != test.status || rec.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("got status %d, header %v, %v", rec.Code, rec.Header(), err)
			}
			details := map[string]string{"operation_id": rec.Header().Get("Ngrok-Operation-Id")}
			switch {
			case test.status == 200:
				if got.ID != session.ID {
					t.Errorf("got %s", rec.Body)
				}
				return
			case test.msg == nowhere:
				details = map[string]string{"path": test.target}
			}
			if got.Status != test.status || got.Code != test.code || got.Msg == "" || !strings.Contains(got.Msg, test.msg) || !maps.Equal(got.Details, details) {
				t.Errorf("got %s, want code %q and details %v", rec.Body, test.code, details)
			}
			if strings.Contains(rec.Body.String(), "error_code") != (test.code != "") {
				t.Errorf("got %s", rec.Body)
			}
		})
	}
}

func TestServerHasWhatItIsGiven(t *testing.T) {
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

func TestServerFails(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	var order string // of handlers
	for _, name := range []string{"inner ", "outer "} {
		srv.Wrap(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order += name
				next.ServeHTTP(w, r)
			})
		})
	}
	failures := []struct {
		status int
		code   string
		is     error // may be nil
	}{
		{429, "ERR_NGROK_226", api.ErrRateLimited},
		{401, "", api.ErrAuthentication},
		{404, "", api.ErrNotFound},
		{404, "ERR_NGROK_222", api.ErrNotFound},
		{599, "", nil},
	}
	for _, f := range failures {
		srv.Fail(f.status, f.code)
	}
	for _, want := range failures {
		_, err := srv.Client().GetTunnelSession(t.Context(), "ts_1")
		var e *api.ResponseError
		if !errors.As(err, &e) || e.StatusCode != want.status || e.Code != want.code || e.Message == "" || e.OperationID == "" ||
			want.is != nil && !errors.Is(err, want.is) {
			t.Errorf("got %v, want status %d, code %q and %v", err, want.status, want.code, want.is)
		}
	}
	if _, err := srv.Client().GetTunnelSession(t.Context(), "ts_1"); err != nil || order != strings.Repeat("outer inner ", len(failures)+1) {
		t.Errorf("after the failures: %v, by way of %s", err, order)
	}
}

// list returns the IDs of a list, and the number of pages.
func list(t *testing.T, srv *ngroktest.Server, filter *string, each func(id string)) string {
	t.Helper()
	pages := 0
	countPage := func(context.Context, *http.Request) error { pages++; return nil }
	var ids []string
	for session, err := range srv.Client().ListTunnelSessions(t.Context(), &api.TunnelSessionsListParams{Filter: filter}, countPage) {
		if err != nil {
			t.Fatal(err)
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
	for i := range 7 {
		srv.Put(api.TunnelSession{ID: fmt.Sprint("ts_", i), Region: []string{"eu", "us"}[i%2]})
	}
	srv.Put(api.TunnelSession{ID: "ts_3", Region: "us"}) // stays in its place
	client := srv.Client()
	// Pages go on after a session that has gone by then, and each agent comes once, also if it restarts meanwhile.
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
		{"all", list(t, srv, nil, nil), "ts_0 ts_1 ts_2 ts_3 ts_4 ts_5 ts_6 in 3"},
		{"filtered", list(t, srv, new("eu"), nil), "ts_0 ts_2 ts_4 ts_6 in 2"},
		{"while it changes", list(t, srv, nil, change), "ts_0 ts_1 ts_2 ts_3 ts_4 ts_5 ts_6 in 3"},
		{"changed", list(t, srv, nil, nil), "ts_restarted1 ts_restarted2 ts_restarted3 ts_restarted4 in 2"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, test.got, test.want)
		}
	}
	srv.PageSize = 0
	for i := range 120 {
		srv.Put(api.TunnelSession{ID: fmt.Sprint("ts_more", i)})
	}
	if got := list(t, srv, nil, nil); strings.Count(got, "ts_") != 124 || !strings.HasSuffix(got, " in 2") {
		t.Errorf("with pages of 100: got %s, want 124 in 2", got)
	}
}

// A restart or reconnection gives a session another ID and URI, and the current time.
func TestCommands(t *testing.T) {
	const uri, before, refused, unable = "https://api.ngrok.com/tunnel_sessions/", "2000-01-01T00:00:00Z", "ERR_NGROK_806", "ERR_NGROK_804"
	for _, test := range []struct {
		latest, version, os, commands string
		code                          string // of the last error
		id, wantVersion               string // at the end
		startedAt                     int    // seconds after before
	}{
		{"", "3.1.0", "linux", "update update", "", "ts_1", "3.1.0", 0},
		{"", "3.1.0", "linux", "update wait restart", "", "ts_restarted1", "3.1.0", 10},
		{"", "3.1.0", "windows", "restart", unable, "ts_1", "3.1.0", 0},
		{"3.10.0", "3.9.0", "windows", "update wait restart", unable, "ts_1", "3.9.0", 0},
		{"3.10.0", "3.9.0", "windows", "update wait stop reconnect", "", "ts_restarted1", "3.10.0", 10},
		{"3.10.0", "3.9.0", "linux", "update wait reconnect", "", "ts_restarted1", "3.10.0", 10},
		{"3.10.0", "3.9.0", "linux", "update wait delete reconnect", "", "ts_restarted1", "3.10.0", 10},
		{"3.10.0", "3.9.0", "linux", "reconnect reconnect", "", "ts_restarted2", "3.9.0", 0},
		{"3.10.0", "3.9.0", "linux", "update wait update", refused, "ts_1", "3.9.0", 0},
		{"3.10.0", "3.9.0", "linux", "update restart", "", "ts_restarted1", "3.9.0", 0},
		{"3.10.0", "3.9.0", "linux", "update restart wait restart", "", "ts_restarted2", "3.9.0", 10},
		{"3.10.0", "3.9.0", "linux", "update restart update wait restart", "", "ts_restarted2", "3.10.0", 10},
		{"3.10.0", "3.9.0", "linux", "update wait restart update", refused, "ts_restarted1", "3.10.0", 10},
		{"3.10.0", "3.10.0", "linux", "update", refused, "ts_1", "3.10.0", 0},
		{"3.10.0", "3.11.0", "linux", "update", refused, "ts_1", "3.11.0", 0},
		{"3.10.0", "2.3.41", "linux", "update", refused, "ts_1", "2.3.41", 0},
		{"3.10.0", "", "linux", "update", refused, "ts_1", "", 0},
		{"3.10.0", "dev", "linux", "update", refused, "ts_1", "dev", 0},
	} {
		t.Run(fmt.Sprintf("%s on %s from %s to %s", test.commands, test.os, test.version, test.latest), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1", AgentVersion: test.version, OS: test.os, StartedAt: before, URI: uri + "ts_1"})
				srv.LatestVersion = test.latest
				start, client, id := time.Now(), srv.Client(), "ts_1"
				var last error
				for _, command := range strings.Fields(test.commands) {
					var err error
					switch command {
					case "wait":
						time.Sleep(10 * time.Second)
					case "delete":
						srv.Delete(id)
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
				var e *api.ResponseError
				if (last != nil) != (test.code != "") || last != nil && (!errors.As(last, &e) || e.Code != test.code) {
					t.Errorf("got %v, want code %q", last, test.code)
				}
				want := []api.TunnelSession{{ID: test.id, AgentVersion: test.wantVersion, OS: test.os, URI: uri + test.id,
					StartedAt: start.Add(time.Duration(test.startedAt) * time.Second).UTC().Format(time.RFC3339)}}
				if got := srv.Sessions(); !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		})
	}
}

// In memory and through a socket, the server gets the same requests.
func TestRequestsArriveAlike(t *testing.T) {
	srv := ngroktest.NewServer(t, session)
	get := func(client *http.Client, baseURL string) string {
		before := len(srv.Requests())
		req, err := http.NewRequestWithContext(t.Context(), "POST", baseURL+"/a%2Fb?c=d#e", io.MultiReader(strings.NewReader("body")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("accept-encoding", "identity")
		req.Host = "api.example.com"
		rsp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		rsp.Body.Close()
		r := srv.Requests()[before]
		body, _ := io.ReadAll(r.Body)
		return fmt.Sprintln(rsp.StatusCode, r.Method, r.Proto, r.Host, r.RequestURI, r.URL, r.URL.RawPath, r.Header, r.ContentLength, r.TransferEncoding, r.RemoteAddr != "", string(body))
	}
	socket, memory := get(new(http.Client), srv.URL()), get(srv.HTTPClient(), "https://nowhere.example")
	if socket != memory {
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
		{"slow", func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(29 * time.Second)
			ngroktest.Error(w, 404, "", "Resource not found")
		}, api.Doer{}, false, api.ErrNotFound, 29 * time.Second, 1},
		{"stalled", stall, api.Doer{MaxAttempts: 1}, false, context.DeadlineExceeded, 30 * time.Second, 1},
		{"broken connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			api.Doer{MaxAttempts: 1}, false, io.ErrUnexpectedEOF, 0, 1},
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

func TestServerIsClosedAfterTheTest(t *testing.T) {
	var url string
	t.Run("", func(t *testing.T) { url = ngroktest.NewServer(t).URL() })
	if rsp, err := http.Get(url); err == nil {
		rsp.Body.Close()
		t.Error("it still listens")
	}
}

func TestConcurrentUse(t *testing.T) {
	srv := ngroktest.NewServer(t)
	srv.LatestVersion = "3.20.0"
	srv.Filter = func(id string, session api.TunnelSession) bool { return session.ID == id && len(srv.Sessions()) > 0 }
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			var opts []api.ClientOption
			if i%8 == 0 {
				opts = []api.ClientOption{api.WithBaseURL(srv.URL()), api.WithHTTPClient(new(http.Client))}
			}
			client := srv.Client(opts...)
			id := fmt.Sprint("ts_", i)
			srv.Put(api.TunnelSession{ID: id, AgentVersion: "3.19.0"})
			for got, err := range client.ListTunnelSessions(t.Context(), &api.TunnelSessionsListParams{Filter: &id}) {
				if err != nil || got.ID != id {
					t.Errorf("%s: got %+v, %v", id, got, err)
				}
			}
			if err := client.UpdateTunnelSession(t.Context(), id); err != nil {
				t.Error(err)
			}
			srv.Delete(id)
		})
	}
	wg.Wait()
	if got, left := len(srv.Requests()), srv.Sessions(); got != 128 || len(left) != 0 {
		t.Errorf("got %d requests, want 128, and left are %v", got, left)
	}
}
