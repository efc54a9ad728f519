package fleet_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// An agent is found again by its metadata, since a restart changes its session ID.
type agent struct {
	metadata        string
	id, version     string // before the roll-out
	update, restart error  // of the last command
	err             error  // why the agent is not updated
}

// rollOut updates and restarts all agents, batchSize of them at a time. It reports agents that cannot be updated or
// restarted, and goes on. After a batch in which another agent failed, it stops.
func rollOut(ctx context.Context, client *api.ClientWithResponses, batchSize int) error {
	agents, err := listAgents(ctx, client)
	if err != nil {
		return fmt.Errorf("roll out: %w", err)
	}
	var problems []error
	for batch := range slices.Chunk(agents, batchSize) {
		rollOutBatch(ctx, client, batch)
		stop := false
		for _, a := range batch {
			if a.err != nil {
				problems = append(problems, fmt.Errorf("agent %s: %w", a.metadata, a.err))
				stop = stop || !isUnable(a.err)
			}
		}
		if stop {
			problems = append(problems, errors.New("roll out: stopped after this batch: repair its agents and start again"))
			break
		}
	}
	return errors.Join(problems...)
}

func listAgents(ctx context.Context, client *api.ClientWithResponses) ([]*agent, error) {
	var agents []*agent
	known := map[string]bool{"": true}
	for session, err := range client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if known[session.Metadata] {
			return nil, fmt.Errorf("session %s: set metadata in the agent's configuration that no other agent has: it is %q", session.ID, session.Metadata)
		}
		known[session.Metadata] = true
		agents = append(agents, &agent{metadata: session.Metadata, id: session.ID, version: session.AgentVersion})
	}
	return agents, nil
}

// rollOutBatch updates and restarts the agents of a batch, all at the same time.
func rollOutBatch(ctx context.Context, client *api.ClientWithResponses, batch []*agent) {
	forEach(batch, func(a *agent) { a.update = client.UpdateTunnelSession(ctx, a.id) })
	pending := make(map[string]*agent) // by metadata
	for _, a := range batch {
		if a.update == nil || isUnknown(a.update) { // the version after the restart shows which
			pending[a.metadata] = a
		} else {
			a.err = fmt.Errorf("update: %w", a.update)
		}
	}
	sleep(ctx, 10*time.Second) // which ngrok asks for between an update and a restart
	restart := slices.Collect(maps.Values(pending))
	for end := time.Now().Add(2 * time.Minute); len(pending) > 0 && ctx.Err() == nil && time.Now().Before(end); {
		forEach(restart, func(a *agent) { a.restart = client.RestartTunnelSession(ctx, a.id) })
		for _, a := range restart {
			if a.restart != nil && !isUnknown(a.restart) {
				a.err = fmt.Errorf("restart: %w", a.restart)
				delete(pending, a.metadata)
			}
		}
		sleep(ctx, 10*time.Second)
		restart = findRestarted(ctx, client, pending)
	}
	for _, a := range pending {
		a.err = fmt.Errorf("restart not seen: %w", cmp.Or(ctx.Err(), a.restart, errors.New("see whether it is running")))
	}
}

// findRestarted removes the agents from pending that are back. It returns those to restart again: they have their old
// session, and the outcome of their restart is unknown.
func findRestarted(ctx context.Context, client *api.ClientWithResponses, pending map[string]*agent) []*agent {
	var again []*agent
	for session, err := range client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			return nil // nothing is known: look again
		}
		a := pending[session.Metadata]
		switch {
		case a == nil:
		case session.ID == a.id && a.restart != nil:
			again = append(again, a)
		case session.ID != a.id:
			delete(pending, a.metadata)
			if session.AgentVersion == a.version {
				a.err = fmt.Errorf("is back with version %s: %w", a.version, cmp.Or(a.update, errors.New("the update was accepted")))
			}
		}
	}
	return slices.DeleteFunc(again, func(a *agent) bool { return pending[a.metadata] == nil })
}

// isUnknown reports whether a command may have succeeded. If the session is gone, its agent may have another one.
func isUnknown(err error) bool {
	var e *api.ResponseError
	if !errors.As(err, &e) {
		return err != nil
	}
	return e.StatusCode >= 500 || e.Code == "ERR_NGROK_810" || errors.Is(err, api.ErrNotFound)
}

// isUnable reports whether an agent does not support a restart or an update.
func isUnable(err error) bool {
	var e *api.ResponseError
	return errors.As(err, &e) && (e.Code == "ERR_NGROK_804" || e.Code == "ERR_NGROK_806")
}

func forEach(agents []*agent, command func(*agent)) {
	var wg sync.WaitGroup
	for _, a := range agents {
		wg.Go(func() { command(a) })
	}
	wg.Wait()
}

// sleep returns early if ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// A simulation is a fleet of ngroktest with one fault.
type simulation struct {
	*ngroktest.Server
	next   http.Handler
	cancel context.CancelFunc // of the roll-out
}

func TestRollOut(t *testing.T) {
	type fault = func(*simulation, http.ResponseWriter, *http.Request)
	lost := func(status int, code string) fault { // the response to a command that is executed
		return func(s *simulation, w http.ResponseWriter, r *http.Request) {
			s.next.ServeHTTP(httptest.NewRecorder(), r)
			ngroktest.Error(w, status, code, "")
		}
	}
	unreachable := func(_ *simulation, w http.ResponseWriter, _ *http.Request) {
		ngroktest.Error(w, 400, "ERR_NGROK_810", "")
	}
	const (
		restart  = "/tunnel_sessions/ts_1/restart"
		update   = "/tunnel_sessions/ts_1/update"
		unable   = `^agent m3: restart: .*804\)[^\n]*\nagent m4: update: .*806\)[^\n]*$` // in every fleet
		versions = "22212"
	)
	for _, test := range []struct {
		name     string
		path     string // of the first request that meets the fault
		fault    fault
		commands int    // that arrive
		versions string // at the end
		err      string // a regular expression
	}{
		{"all", "", nil, 9, versions, unable},
		{"response to a restart lost", restart, lost(502, ""), 9, versions, unable},
		{"restart succeeds with ERR_NGROK_810", restart, lost(400, "ERR_NGROK_810"), 9, versions, unable},
		{"restart fails with ERR_NGROK_810", restart, unreachable, 10, versions, unable},
		{"connection broken", restart, func(*simulation, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 10, versions, unable},
		{"response to an update lost", update, lost(502, ""), 9, versions, unable},
		{"update fails with ERR_NGROK_810", update, unreachable, 4, "21112", `agent m1: is back with version 1: .*810.*\n.*stopped`},
		{"restart takes a while", restart, func(s *simulation, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(204)
			time.AfterFunc(15*time.Second, func() { s.next.ServeHTTP(httptest.NewRecorder(), r) })
		}, 9, versions, unable},
		{"agent reconnects before its update", update, func(s *simulation, w http.ResponseWriter, r *http.Request) {
			s.Delete("ts_1")
			s.Put(api.TunnelSession{ID: "ts_5", Metadata: "m1", AgentVersion: "1"})
			s.next.ServeHTTP(w, r)
		}, 4, "21121", `agent m1: is back with version 1: .*404.*\n.*stopped`},
		{"agent is gone", restart, func(s *simulation, w http.ResponseWriter, _ *http.Request) {
			s.Delete("ts_1")
			w.WriteHeader(204)
		}, 4, "2112", `agent m1: restart not seen.*\n.*stopped`},
		{"lists fail", "/tunnel_sessions/ts_2/restart", func(s *simulation, w http.ResponseWriter, r *http.Request) {
			s.next.ServeHTTP(w, r)
			time.Sleep(time.Second) // after the other restart
			for range 9 {           // three lists, with retries
				s.Fail(503, "")
			}
		}, 9, versions, unable},
		{"metadata is shared", "/tunnel_sessions", func(s *simulation, w http.ResponseWriter, r *http.Request) {
			s.Put(api.TunnelSession{ID: "ts_1", Metadata: "m0", AgentVersion: "1"})
			s.next.ServeHTTP(w, r)
		}, 0, "11112", "ts_1: set metadata"},
		{"context ends", update, func(s *simulation, _ http.ResponseWriter, _ *http.Request) { s.cancel() }, 2, "11112",
			`agent m0: .*canceled.*\nagent m1: .*canceled.*\n.*stopped`},
	} {
		t.Run(test.name, func(t *testing.T) {
			versions, commands, err := simulate(t, 5, 2, test.path, test.fault)
			if versions != test.versions || commands != test.commands || !regexp.MustCompile(test.err).MatchString(fmt.Sprint(err)) {
				t.Errorf("got versions %s after %d commands, and error %v", versions, commands, err)
			}
		})
	}
	t.Run("many", func(t *testing.T) {
		versions, commands, _ := simulate(t, 200, 100, "", nil)
		if strings.Count(versions, "2") != 199 || commands != 399 {
			t.Errorf("got versions %s after %d commands", versions, commands)
		}
	})
}

// simulate rolls out version 2 to agents of version 1. Agent 3 is on Windows, and agent 4 has version 2. Each command takes
// a second. The test fails if there are too many at the same time, a restart is too soon, or there are too many requests.
func simulate(t *testing.T, agents, batchSize int, faultPath string, fault func(*simulation, http.ResponseWriter, *http.Request)) (versions string, commands int, err error) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := &simulation{Server: ngroktest.NewServer(t), cancel: cancel}
		s.LatestVersion = "2"
		for i := range agents {
			s.Put(api.TunnelSession{ID: fmt.Sprint("ts_", i), Metadata: fmt.Sprint("m", i), AgentVersion: "1"})
		}
		s.Put(api.TunnelSession{ID: "ts_3", Metadata: "m3", AgentVersion: "1", OS: "windows"})
		s.Put(api.TunnelSession{ID: "ts_4", Metadata: "m4", AgentVersion: "2"})

		var mu sync.Mutex
		var arrived []time.Time
		running := 0
		updated := make(map[string]time.Time)
		s.Wrap(func(next http.Handler) http.Handler {
			s.next = next
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				arrived = append(arrived, time.Now())
				if n := len(arrived); n > 120 && arrived[n-1].Sub(arrived[n-121]) < time.Minute {
					t.Error("got more than 120 requests in 60 seconds")
				}
				handle := fault
				if r.URL.Path == faultPath {
					faultPath = ""
				} else {
					handle = func(_ *simulation, w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) }
				}
				agent, command := path.Split(r.URL.Path)
				if command == "restart" && time.Since(updated[agent]) < 10*time.Second {
					t.Errorf("%s is restarted %v after its update", agent, time.Since(updated[agent]))
				}
				if r.Method == http.MethodPost {
					commands++
					running++
					if running > batchSize {
						t.Errorf("%d commands run at once, want at most %d", running, batchSize)
					}
					mu.Unlock()
					time.Sleep(time.Second)
					mu.Lock()
					running--
					updated[agent] = time.Now()
				}
				mu.Unlock()
				handle(s, w, r)
			})
		})
		// The limiter counts attempts, as ngrok does.
		limiter := rate.NewLimiter(rate.Every(time.Minute/120), 1)
		err = rollOut(ctx, s.Client(api.WithHTTPClient(&api.Doer{Limiter: limiter})), batchSize)
		for _, session := range s.Sessions() {
			versions += session.AgentVersion
		}
	})
	return versions, commands, err
}
