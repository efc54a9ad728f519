package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

const (
	update1  = "POST /tunnel_sessions/ts_1/update"
	restart1 = "POST /tunnel_sessions/ts_1/restart"
	stop2    = "POST /tunnel_sessions/ts_2/stop"
	ok0      = `"m0": updated to version 3.20.0`
	ok1      = `"m1": updated to version 3.20.0`
	ok2      = `"m2": updated to version 3.20.0`
	left1    = `"m1": not updated yet, at version 3.18.0`
	left2    = `"m2": not updated yet, at version 3.18.0`
	refused1 = `"m1": skipped: if an earlier run …, use -resume: …/update": 400 …(ERR_NGROK_806)…`
)

// newFleet returns a fake API with the agents m0, m1 and m2 of version 3.18.0, of which m2 is a
// Windows service, and m3 of version 3.20.0, which is the latest one.
func newFleet(t *testing.T) *ngroktest.Server {
	srv := ngroktest.NewServer(t,
		api.TunnelSession{ID: "ts_0", Metadata: "m0", AgentVersion: "3.18.0", OS: "linux"},
		api.TunnelSession{ID: "ts_1", Metadata: "m1", AgentVersion: "3.18.0", OS: "linux"},
		api.TunnelSession{ID: "ts_2", Metadata: "m2", AgentVersion: "3.18.0", OS: "windows"},
		api.TunnelSession{ID: "ts_3", Metadata: "m3", AgentVersion: "3.20.0", OS: "windows"},
	)
	srv.LatestVersion = "3.20.0"
	srv.Filter = func(value string, s api.TunnelSession) bool { return value == s.Metadata || value == s.AgentVersion }
	srv.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if session, ok := strings.CutSuffix(r.URL.Path, "/stop"); ok {
				time.AfterFunc(3*time.Second, func() { srv.Reconnect(path.Base(session)) })
			}
		})
	})
	return srv
}

// A fault makes something go wrong. It can interrupt the rollout.
type fault func(srv *ngroktest.Server, interrupt func())

// fail returns a fault: requests fail before they have an effect.
func fail(pattern string, status int, code string, times int) fault {
	return func(srv *ngroktest.Server, _ func()) {
		for range times {
			srv.FailOn(pattern, status, code)
		}
	}
}

// during returns a fault: happen is called when the first request that matches has arrived. The
// request has no effect before happen calls obey or returns.
func during(pattern string, happen func(srv *ngroktest.Server, obey, interrupt func())) fault {
	return func(srv *ngroktest.Server, interrupt func()) {
		srv.Wrap(func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", next)
			happened := false
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				obeyed := false
				obey := func() { next.ServeHTTP(w, r); obeyed = true }
				if !happened {
					happened = true
					happen(srv, obey, interrupt)
				}
				if !obeyed {
					obey()
				}
			})
			return mux
		})
	}
}

// comeBack gives the agent m1 another session, with its old version.
func comeBack(srv *ngroktest.Server) {
	srv.Delete("ts_1")
	srv.Put(api.TunnelSession{ID: "ts_4", Metadata: "m1", AgentVersion: "3.18.0"})
}

func breakConnection() { panic(http.ErrAbortHandler) }

// rollOut runs the command, and returns its output and how it ended.
func rollOut(ctx context.Context, srv *ngroktest.Server, args ...string) string {
	var out bytes.Buffer
	begin, before := time.Now(), len(srv.Requests())
	status := run(ctx, append([]string{"-version", "3.20.0", "-batch", "2"}, args...), srv.HTTPClient(), &out, &out)
	commands := 0
	for _, r := range srv.Requests()[before:] {
		if r.Method == http.MethodPost {
			commands++
		}
	}
	end := fmt.Sprintf("exit %d, %d commands", status, commands)
	if time.Since(begin) >= 2*time.Minute {
		end += ", minutes later"
	}
	return out.String() + end
}

// check compares an output with lines, in which … stands for anything.
func check(t *testing.T, got string, want ...string) {
	t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.Join(want, "\n")), "…", ".*")
	if !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func setKey(t *testing.T) {
	t.Setenv("NGROK_API_KEY", ngroktest.APIKey)
	t.Setenv("NGROK_API_BASE_URL", "")
}

// The first rollout meets a fault. The second one, with -resume, continues where the first one
// stopped.
func TestFaults(t *testing.T) {
	setKey(t)
	type lines []string
	done := lines{all(4), "exit 0, 0 commands"}
	for _, test := range []struct {
		name  string
		fault fault
		first lines
		then  lines
	}{
		{"first list fails", fail("GET /tunnel_sessions", 500, "", 3),
			lines{`rollout: GET …500…`, "exit 1, 0 commands"}, lines{ok0, ok1, ok2, all(4), "exit 0, 6 commands"}},
		{"nothing goes wrong", nil, lines{ok0, ok1, ok2, all(4), "exit 0, 6 commands"}, done},
		{"update keeps failing", fail(update1, 502, "", 13),
			lines{ok0, `"m1": failed: outcome unknown (…): …502…`, left2, behind(2), "exit 1, 15 commands, minutes later"},
			lines{ok1, ok2, all(4), "exit 0, 4 commands"}},
		{"response to the update is lost",
			during(update1, func(_ *ngroktest.Server, obey, _ func()) { obey(); breakConnection() }),
			lines{ok0, ok1, ok2, all(4), "exit 0, 7 commands"}, done},
		{"update is refused by the account's plan", fail(update1, 400, "ERR_NGROK_1702", 1),
			lines{`"m1": failed: …(ERR_NGROK_1702)…`, ok0, left2, behind(2), "exit 1, 3 commands"},
			lines{ok1, ok2, all(4), "exit 0, 4 commands"}},
		{"updates are disabled, and other programs use up the limit",
			func(srv *ngroktest.Server, _ func()) {
				fail(update1, 429, "ERR_NGROK_226", 3)(srv, nil)
				fail(update1, 400, "ERR_NGROK_806", 2)(srv, nil)
			},
			lines{refused1, ok0, ok2, behind(1), "exit 1, 8 commands"},
			lines{`"m1": failed: back with version "3.18.0", update refused: …(ERR_NGROK_806)…`, behind(1),
				"exit 1, 2 commands"}},
		{"restart fails with an unknown outcome", fail(restart1, 400, "ERR_NGROK_810", 1),
			lines{ok0, ok1, ok2, all(4), "exit 0, 7 commands"}, done},
		{"response to the restart is lost",
			during(restart1, func(_ *ngroktest.Server, obey, _ func()) { obey(); breakConnection() }),
			lines{ok0, ok1, ok2, all(4), "exit 0, 6 commands"}, done},
		{"response to the restart is lost, the old session stays for a while, and the update had no effect",
			during(restart1, func(srv *ngroktest.Server, _, _ func()) {
				srv.FailOn(restart1, 404, "")
				time.AfterFunc(15*time.Second, func() { comeBack(srv) })
				breakConnection()
			}),
			lines{ok0, `"m1": failed: back with version "3.18.0"`, left2, behind(2), "exit 1, 5 commands"},
			lines{ok2, ok1, all(4), "exit 0, 4 commands"}},
		{"old session stays for a while, at first alone",
			during(restart1, func(srv *ngroktest.Server, obey, _ func()) {
				obey()
				restarted := srv.Sessions()[1].ID
				srv.Delete(restarted)
				srv.Put(api.TunnelSession{ID: "ts_1", Metadata: "m1", AgentVersion: "3.18.0"})
				time.AfterFunc(15*time.Second, func() { srv.Reconnect(restarted) })
			}),
			lines{ok0, ok1, ok2, all(4), "exit 0, 6 commands"},
			lines{shared("ts_1"), "rollout: 1 of 5 agents are not at version 3.20.0", "exit 1, 0 commands"}},
		{"agent reconnects between the lists of the plan",
			during("GET /tunnel_sessions", func(srv *ngroktest.Server, obey, _ func()) {
				obey()
				srv.Put(api.TunnelSession{ID: "ts_4", Metadata: "m1", AgentVersion: "3.18.0"})
				time.AfterFunc(time.Minute, func() { srv.Delete("ts_1") })
			}),
			lines{shared("ts_4"), ok0, ok1, ok2, "rollout: 1 of 5 agents are not at version 3.20.0", "exit 1, 6 commands"},
			done},
		{"agent reconnects before its restart, and has lost its update",
			during(restart1, func(srv *ngroktest.Server, _, _ func()) { comeBack(srv) }),
			lines{ok0, `"m1": failed: back with version "3.18.0"`, left2, behind(2), "exit 1, 5 commands"},
			lines{ok2, ok1, all(4), "exit 0, 4 commands"}},
		{"stopped agent is no service",
			during(stop2, func(srv *ngroktest.Server, obey, _ func()) {
				obey()
				time.AfterFunc(4*time.Second, func() { srv.Delete(srv.Sessions()[2].ID) })
			}),
			lines{ok0, ok1, `"m2": failed: stopped, not back`, behind(1), "exit 1, 6 commands, minutes later"},
			lines{all(3), "exit 0, 0 commands"}},
		{"program crashed between update and restart",
			func(srv *ngroktest.Server, _ func()) {
				_ = srv.Client().UpdateTunnelSession(context.Background(), "ts_1")
			},
			lines{refused1, ok0, ok2, behind(1), "exit 1, 5 commands"}, lines{ok1, all(4), "exit 0, 2 commands"}},
		{"interrupt between update and restart",
			during("POST /tunnel_sessions/ts_0/update", func(_ *ngroktest.Server, _, interrupt func()) { interrupt() }),
			lines{`"m0": interrupted: updated, not restarted (continue with -resume)`,
				`"m1": interrupted: not updated yet, at version 3.18.0`, left2, behind(3), "exit 1, 1 commands"},
			lines{ok0, ok1, ok2, all(4), "exit 0, 6 commands"}},
		{"interrupt during a restart whose response is lost",
			during(restart1, func(_ *ngroktest.Server, _, interrupt func()) { interrupt(); breakConnection() }),
			lines{`"m0": interrupted: restarted, not back`,
				`"m1": interrupted: outcome unknown (continue with -resume): …/restart…`, left2, behind(3), "exit 1, 4 commands"},
			lines{ok1, ok2, all(4), "exit 0, 4 commands"}},
		{"lists fail for all looks after the restart",
			during(restart1, func(srv *ngroktest.Server, _, _ func()) { // 11 looks of three attempts
				fail("GET /tunnel_sessions", 500, "", 33)(srv, nil)
			}),
			lines{`"m0": failed: cannot look for it: …500…: restarted, not back`,
				`"m1": failed: cannot look for it: …500…: restarted, not back`, left2, behind(3),
				"exit 1, 4 commands, minutes later"},
			lines{ok2, all(4), "exit 0, 2 commands"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newFleet(t)
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				if test.fault != nil {
					test.fault(srv, interrupt)
				}
				check(t, rollOut(ctx, srv, "-windows-service"), test.first...)
				check(t, rollOut(t.Context(), srv, "-windows-service", "-resume"), test.then...)
			})
		})
	}
}

// behind and all are the last lines, if n of the four agents are not at the version, or all n are.
func behind(n int) string { return fmt.Sprintf("rollout: %d of 4 agents are not at version 3.20.0", n) }
func all(n int) string    { return fmt.Sprintf("all %d agents are at version 3.20.0 or a later one", n) }

// shared is the line of the agent m1 with a session that is not the only one with its metadata.
func shared(id string) string {
	return `"m1": skipped: the agent of ` + id + ` may just have reconnected: run rollout again; …give each its own`
}

func TestSelection(t *testing.T) {
	setKey(t)
	skipped2 := `"m2": skipped: …-windows-service`
	for _, test := range []struct {
		name  string
		extra []api.TunnelSession
		args  []string
		want  []string
	}{
		{"Windows without services", nil, nil, []string{skipped2, ok0, ok1, behind(1), "exit 1, 4 commands"}},
		{"plan", nil, []string{"-n"},
			[]string{skipped2, `"m0": not updated yet, at version 3.18.0`, left1, behind(3), "exit 1, 0 commands"}},
		{"filter", nil, []string{"-filter", "m1"},
			[]string{ok1, all(1), "exit 0, 2 commands"}},
		{"filter that agents do not match after the update", nil, []string{"-filter", "3.18.0", "-windows-service"},
			[]string{ok0, ok1, ok2, all(3), "exit 0, 6 commands"}},
		{"filter that matches no agent", nil, []string{"-filter", "typo"},
			[]string{all(0), "exit 0, 0 commands"}},
		{"other versions", []api.TunnelSession{
			{ID: "ts_4", Metadata: "dev", AgentVersion: "dev"},
			{ID: "ts_5", Metadata: "old", AgentVersion: "2.3.41"},
			{ID: "ts_6", Metadata: "new", AgentVersion: "4.0.0"},
			{ID: "ts_7", Metadata: "rc", AgentVersion: "3.20.0-rc.1"},
			{ID: "ts_ssh", Transport: "ssh"},
		}, []string{"-windows-service"}, []string{
			`"dev": skipped: …"dev"…`, `"old": skipped: …"2.3.41"…`, `"ts_ssh": skipped: …`, ok0, ok1, ok2,
			`"rc": updated to version 3.20.0`, "rollout: 3 of 9 agents are not at version 3.20.0", "exit 1, 8 commands",
		}},
		{"agents of the Microsoft Store", []api.TunnelSession{
			{ID: "ts_4", Metadata: "m4", AgentVersion: "3.18.0-Msix-stable", OS: "windows"},
			{ID: "ts_5", Metadata: "m5", AgentVersion: "3.20.0-msix-stable", OS: "windows"},
		}, []string{"-windows-service"}, []string{`"m4": skipped: the Microsoft Store …"3.18.0-Msix-stable"`, ok0, ok1, ok2,
			"rollout: 1 of 6 agents are not at version 3.20.0", "exit 1, 6 commands"}},
		{"old session beside the new one", []api.TunnelSession{{ID: "ts_4", Metadata: "m1", AgentVersion: "3.20.0"}},
			[]string{"-filter", "3.18.0", "-windows-service"},
			[]string{shared("ts_1"), ok0, ok2, "rollout: 1 of 3 agents are not at version 3.20.0", "exit 1, 4 commands"}},
		{"two agents with the same metadata, and one without", []api.TunnelSession{
			{ID: "ts_4", Metadata: "m1", AgentVersion: "3.18.0"},
			{ID: "ts_5", AgentVersion: "3.18.0"},
		}, []string{"-windows-service"}, []string{
			shared("ts_1"), shared("ts_4"), `"ts_5": skipped: it has no metadata…`, ok0, ok2,
			"rollout: 3 of 6 agents are not at version 3.20.0", "exit 1, 4 commands"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newFleet(t)
				for _, session := range test.extra {
					srv.Put(session)
				}
				check(t, rollOut(t.Context(), srv, test.args...), test.want...)
			})
		})
	}
}

func TestEmptyAccount(t *testing.T) {
	setKey(t)
	check(t, rollOut(t.Context(), ngroktest.NewServer(t)), "rollout: no agent is online: …", "exit 1, 0 commands")
}

func TestMisuse(t *testing.T) {
	for _, test := range []struct {
		key    string
		args   []string
		status int
		want   string // in the output
	}{
		{ngroktest.APIKey, nil, 2, "-version such as 3.20.0"},
		{ngroktest.APIKey, []string{"-version", "3"}, 2, "-version such as 3.20.0"},
		{ngroktest.APIKey, []string{"-version", "3.20.0", "-batch", "0"}, 2, "-batch of at least 1"},
		{ngroktest.APIKey, []string{"-version", "3.20.0", "ts_1"}, 2, "no other arguments"},
		{ngroktest.APIKey, []string{"-version", "3.20.0", "-filter", ""}, 2, "a -filter that is not empty"},
		{ngroktest.APIKey, []string{"-unknown"}, 2, "-unknown"},
		{ngroktest.APIKey, []string{"-h"}, 0, "-windows-service"},
		{"", []string{"-version", "3.20.0"}, 2, "set NGROK_API_KEY"},
	} {
		t.Setenv("NGROK_API_KEY", test.key)
		var stderr bytes.Buffer
		status := run(t.Context(), test.args, nil, io.Discard, &stderr)
		if status != test.status || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%q: got exit status %d and %s", test.args, status, &stderr)
		}
	}
}

// No 60 seconds have more than 120 requests.
func TestLimit(t *testing.T) {
	setKey(t)
	synctest.Test(t, func(t *testing.T) {
		srv := ngroktest.NewServer(t)
		srv.LatestVersion = "3.20.0"
		for i := range 200 {
			id := fmt.Sprint("ts_", i)
			srv.Put(api.TunnelSession{ID: id, Metadata: id, AgentVersion: "3.18.0"})
		}
		var times []time.Time
		srv.Wrap(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				times = append(times, time.Now())
				next.ServeHTTP(w, r)
			})
		})
		if out := rollOut(t.Context(), srv, "-batch", "200"); !strings.HasSuffix(out, "exit 0, 400 commands, minutes later") {
			t.Errorf("got %s", out)
		}
		for i, end := range times[120:] {
			if begin := times[i]; end.Sub(begin) < time.Minute {
				t.Fatalf("121 requests from %v to %v", begin, end)
			}
		}
	})
}
