package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// A fleet has agents m0, m1 and m2 of version 3.18.0, of which m2 is a Windows service, and m3 of
// version 3.20.0. They update to 3.20.0.
type fleet struct {
	*ngroktest.Server
	next   http.Handler
	cancel context.CancelFunc // of the first roll-out
}

type fault func(*fleet, http.ResponseWriter, *http.Request)

// lost is a fault after a request has had its effect, and refused one before.
func lost(status int, code string) fault {
	return func(f *fleet, w http.ResponseWriter, r *http.Request) {
		f.next.ServeHTTP(httptest.NewRecorder(), r)
		ngroktest.Error(w, status, code, "")
	}
}

func refused(code string) fault {
	return func(_ *fleet, w http.ResponseWriter, _ *http.Request) { ngroktest.Error(w, 400, code, "") }
}

func broken(*fleet, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestRollout(t *testing.T) {
	const (
		update, restart, stop = "/tunnel_sessions/ts_1/update", "/tunnel_sessions/ts_1/restart", "/tunnel_sessions/ts_2/stop"
		ok0, ok1, ok2         = `"m0": updated to version 3.20.0\n`, `"m1": updated to version 3.20.0\n`, `"m2": updated to version 3.20.0\n`
		behind, left2         = `error: \d agents are not at version 3.20.0\n`, `"m2": left at version 3.18.0\nerror: .*\n`
	)
	for _, test := range []struct {
		name     string
		path     string // a pattern: in the first roll-out, the first request of each path meets the fault
		fault    fault
		prepare  func(*testing.T, *fleet)
		commands int    // of the first roll-out
		out      string // of the first roll-out: a regular expression
		then     string // of the second one
	}{
		{"all well", "", nil, nil, 6, ok0 + ok1 + ok2, ``},
		{"update lost", update, lost(502, ""), nil, 6, ok0 + ok1 + ok2, ``},
		{"update broken", update, broken, nil, 4, ok0 + `"m1": failed: outcome unknown: not seen.*\n` + left2, ok1 + ok2},
		{"update ERR_NGROK_810 with effect", update, lost(400, "ERR_NGROK_810"), nil, 6, ok0 + ok1 + ok2, ``},
		{"update ERR_NGROK_810 without effect", update, refused("ERR_NGROK_810"), nil, 4, ok0 + `"m1": failed: .*\n` + left2, ok1 + ok2},
		{"restart lost", restart, lost(502, ""), nil, 6, ok0 + ok1 + ok2, ``},
		{"restart broken", restart, broken, nil, 7, ok0 + ok1 + ok2, ``},
		{"restart ERR_NGROK_810 with effect", restart, lost(400, "ERR_NGROK_810"), nil, 6, ok0 + ok1 + ok2, ``},
		{"restart ERR_NGROK_810 without effect", restart, refused("ERR_NGROK_810"), nil, 7, ok0 + ok1 + ok2, ``},
		{"restart impossible", restart, refused("ERR_NGROK_804"), nil, 6, `"m1": failed: .*804.*\n` + ok0 + ok2 + behind, ok1},
		{"restart failed", restart, refused("ERR_NGROK_808"), nil, 4, `"m1": failed: .*808.*\n` + ok0 + left2, ok1 + ok2},
		{"updates disabled", update, refused("ERR_NGROK_806"), nil, 6, ok0 + `"m1": failed: .*806.*\n` + ok2 + behind, ok1},
		{"refused by plan", "/tunnel_sessions/*/update", refused("ERR_NGROK_1702"), nil, 2, `"m0": failed: .*1702.*\n"m1": failed: .*1702.*\n` + left2, ok0 + ok1 + ok2},
		{"not a service", stop, func(f *fleet, w http.ResponseWriter, _ *http.Request) { f.Delete("ts_2"); w.WriteHeader(204) }, nil,
			6, ok0 + ok1 + `"m2": failed: outcome unknown: not seen.*\n` + behind, ``},
		{"reconnects before its restart", restart, func(f *fleet, w http.ResponseWriter, r *http.Request) {
			f.Reconnect("ts_1")
			f.next.ServeHTTP(w, r)
		}, nil, 6, ok0 + ok1 + ok2, ``},
		{"restart takes long", restart, func(f *fleet, w http.ResponseWriter, _ *http.Request) {
			time.AfterFunc(30*time.Second, func() { f.Reconnect("ts_1") })
			w.WriteHeader(204)
		}, nil, 6, ok0 + ok1 + ok2, ``},
		{"old session stays", restart, func(f *fleet, w http.ResponseWriter, _ *http.Request) {
			f.Put(api.TunnelSession{ID: "ts_4", Metadata: "m1", AgentVersion: "3.20.0"})
			ngroktest.Error(w, 400, "ERR_NGROK_810", "")
		}, nil, 6, ok0 + ok1 + ok2, `error: session ts_1.*\n`},
		{"crash between update and restart", "", nil, func(t *testing.T, f *fleet) {
			if err := f.Client().UpdateTunnelSession(t.Context(), "ts_1"); err != nil {
				t.Error(err)
			}
		}, 6, ok0 + ok1 + ok2, ``},
		{"interrupt", update, func(f *fleet, w http.ResponseWriter, r *http.Request) { f.cancel(); f.next.ServeHTTP(w, r) }, nil,
			2, `"m0": failed: outcome unknown: context canceled\n"m1": failed: outcome unknown: context canceled\n` + left2, ok0 + ok1 + ok2},
		{"shared metadata", "", nil, func(_ *testing.T, f *fleet) {
			f.Put(api.TunnelSession{ID: "ts_4", Metadata: "m1", AgentVersion: "3.20.0"})
		},
			0, `error: session ts_1: .*"m1"\n`, `error: session ts_1.*\n`},
		{"odd versions", "", nil, func(_ *testing.T, f *fleet) { f.Put(api.TunnelSession{ID: "ts_4", AgentVersion: "dev"}) },
			6, `"": skipped: session ts_4 has the version "dev"\n` + ok0 + ok1 + ok2 + behind, `"": skipped.*\n` + behind},
		{"other account", "", nil, func(_ *testing.T, f *fleet) {
			for _, s := range f.Sessions() {
				f.Delete(s.ID)
			}
		}, 0, `error: no agent is online.*\n`, `error: no agent.*\n`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				f := &fleet{Server: ngroktest.NewServer(t), cancel: cancel}
				f.LatestVersion = "3.20.0"
				for i, version := range []string{"3.18.0", "3.18.0", "3.18.0", "3.20.0"} {
					f.Put(api.TunnelSession{ID: fmt.Sprint("ts_", i), Metadata: fmt.Sprint("m", i), AgentVersion: version, OS: []string{"linux", "windows"}[i/2]})
				}
				if test.prepare != nil {
					test.prepare(t, f)
					time.Sleep(10 * time.Second)
				}
				before := len(f.Requests())
				f.Wrap(func(next http.Handler) http.Handler {
					f.next = next
					var met sync.Map // by path
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						matches, _ := path.Match(test.path, r.URL.Path)
						_, again := met.LoadOrStore(r.URL.Path, true)
						switch {
						case matches && !again && ctx.Err() == nil:
							test.fault(f, w, r)
						case path.Base(r.URL.Path) == "stop":
							next.ServeHTTP(w, r)
							time.AfterFunc(3*time.Second, func() { f.Reconnect(path.Base(path.Dir(r.URL.Path))) })
						default:
							next.ServeHTTP(w, r)
						}
					})
				})
				out := rollOut(ctx, f)
				cancel()
				commands := 0
				for _, r := range f.Requests()[before:] {
					commands += strings.Count(r.Method, "POST")
				}
				if !regexp.MustCompile("^"+test.out+"$").MatchString(out) || commands != test.commands {
					t.Errorf("after %d commands, got\n%s", commands, out)
				}
				if then := rollOut(t.Context(), f); !regexp.MustCompile("^" + test.then + "$").MatchString(then) {
					t.Errorf("the second time, got\n%s", then)
				}
			})
		})
	}
}

// rollOut returns the output of a roll-out, and its error.
func rollOut(ctx context.Context, f *fleet) string {
	var out bytes.Buffer
	doer := &api.Doer{Limiter: rate.NewLimiter(rate.Every(time.Minute/120), 1)}
	r := &rollout{client: f.Client(api.WithHTTPClient(doer)), out: &out, version: "3.20.0", batch: 2}
	if err := r.run(ctx); err != nil {
		fmt.Fprintln(&out, "error:", err)
	}
	return out.String()
}
