// The command rollout updates the agents of an ngrok account to a version, some at a time.
//
//	rollout -version 3.20.0 [-filter expression] [-batch 20] [-n]
//
// It reads the API key from NGROK_API_KEY, and the base URL of the API from NGROK_API_BASE_URL if
// that is set. With -n it prints which agents it would update, and does nothing.
//
// Each agent needs metadata of its own in its configuration: a restart changes everything else that
// could identify it. On Windows, where ngrok cannot restart agents, rollout stops them: they have
// to run as a service, which Windows starts again.
//
// It prints a line for each agent, and stops after a batch in which one failed. Repair that agent
// and run the command again: it goes on with the agents that are older than the version. An
// interrupt stops it after the current commands; a second one, at once.
//
// The exit status is 1 if an agent is not at the version, also with -n, and 2 if the command is
// misused.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/semver"
	"golang.org/x/time/rate"

	"example.com/ngrokapi/api"
)

func main() {
	log.SetFlags(0)
	r := &rollout{out: os.Stdout}
	flag.StringVar(&r.version, "version", "", "`version` to update to, such as 3.20.0")
	flag.Func("filter", "CEL `expression` that selects agents", func(s string) error { r.params.Filter = &s; return nil })
	flag.IntVar(&r.batch, "batch", 20, "how many agents to update at a time")
	flag.BoolVar(&r.stop, "n", false, "print the plan only")
	flag.Parse()
	if !semver.IsValid("v"+r.version) || r.batch < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	// All attempts of all calls share the 120 requests a minute that an account has.
	doer := &api.Doer{Limiter: rate.NewLimiter(rate.Every(time.Minute/120), 1)}
	baseURL := cmp.Or(os.Getenv("NGROK_API_BASE_URL"), "https://api.ngrok.com")
	client, err := api.New(os.Getenv("NGROK_API_KEY"), api.WithBaseURL(baseURL), api.WithHTTPClient(doer))
	if err != nil {
		log.Fatalf("set NGROK_API_KEY to an API key of the account: %v", err)
	}
	r.client = client
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program
	if err := r.run(ctx); err != nil {
		log.Fatal(err)
	}
}

type rollout struct {
	client  *api.ClientWithResponses
	out     io.Writer
	version string
	params  api.TunnelSessionsListParams // of the agents to update
	batch   int

	pending map[string]*agent // by metadata: those of the batch whose outcome is not known yet
	behind  int               // agents that are not at the version
	stop    bool              // no batch should follow: an agent failed, or only the plan is wanted
}

// An agent has the same metadata after a restart, and another session ID.
type agent struct {
	api.TunnelSession       // before the restart
	update, restart   error // of the last command
}

func (r *rollout) run(ctx context.Context) error {
	agents, err := r.plan(ctx)
	if err != nil {
		return err
	}
	for len(agents) > 0 && !r.stop && ctx.Err() == nil {
		n := min(r.batch, len(agents))
		r.updateBatch(ctx, agents[:n])
		agents = agents[n:]
	}
	for _, a := range agents {
		r.print(a.Metadata, "left at version "+a.AgentVersion)
	}
	if r.behind > 0 {
		return fmt.Errorf("%d agents are not at version %s", r.behind, r.version)
	}
	return nil
}

// plan returns the agents that are older than the version. It skips those whose version says
// nothing.
func (r *rollout) plan(ctx context.Context) ([]*agent, error) {
	count := make(map[string]int) // of sessions with the same metadata, whatever the filter says
	for s, err := range r.client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			return nil, err
		}
		count[s.Metadata]++
	}
	if len(count) == 0 {
		return nil, errors.New("no agent is online: check that the API key is of their account")
	}
	var agents []*agent
	for s, err := range r.client.ListTunnelSessions(ctx, &r.params) {
		switch {
		case err != nil:
			return nil, err
		case !semver.IsValid("v" + s.AgentVersion):
			r.print(s.Metadata, fmt.Sprintf("skipped: session %s has the version %q", s.ID, s.AgentVersion))
		case !r.isOld(s):
		case s.Metadata == "" || count[s.Metadata] > 1:
			return nil, fmt.Errorf("session %s: give its agent metadata that no other has: it is %q", s.ID, s.Metadata)
		default:
			agents = append(agents, &agent{TunnelSession: *s, restart: errors.New("not restarted")})
		}
	}
	return agents, nil
}

func (r *rollout) isOld(s *api.TunnelSession) bool {
	return semver.Compare("v"+s.AgentVersion, "v"+r.version) < 0
}

// updateBatch updates agents and restarts them, all at the same time.
func (r *rollout) updateBatch(ctx context.Context, batch []*agent) {
	commands := context.WithoutCancel(ctx) // the outcome of a canceled command would be unknown
	each(batch, func(a *agent) { a.update = r.client.UpdateTunnelSession(commands, a.ID) })
	r.pending = make(map[string]*agent)
	for _, a := range batch {
		r.pending[a.Metadata] = a
		// ERR_NGROK_806 can mean that the agent has updated, and only has to restart.
		if a.update != nil && !api.OutcomeUnknown(a.update) && code(a.update) != "ERR_NGROK_806" {
			r.fail(a, a.update)
		}
	}
	// ngrok asks for ten seconds before the restart. From then on, look for two minutes.
	for round := 0; round <= 12 && len(r.pending) > 0 && ctx.Err() == nil; round++ {
		wait, cancel := context.WithTimeout(ctx, 10*time.Second)
		<-wait.Done()
		cancel()
		old := r.look(ctx)
		each(old, func(a *agent) { a.restart = r.restart(commands, a) })
		for _, a := range old {
			if a.restart != nil && !api.OutcomeUnknown(a.restart) && !errors.Is(a.restart, api.ErrNotFound) {
				r.fail(a, a.restart)
			}
		}
	}
	for _, a := range batch {
		if r.pending[a.Metadata] != nil {
			err := cmp.Or(context.Cause(ctx), a.restart, errors.New("not seen with the new version"))
			r.fail(a, fmt.Errorf("outcome unknown: %w", err))
		}
	}
}

// look finds the agents that are back. It returns those to restart: they have their old session,
// and no restart was accepted.
func (r *rollout) look(ctx context.Context) (old []*agent) {
	for s, err := range r.client.ListTunnelSessions(ctx, nil) { // a filter may be about the version
		if err != nil {
			return nil // look again later
		}
		switch a := r.pending[s.Metadata]; {
		case a == nil || s.ID == a.ID && a.restart == nil:
		case s.ID == a.ID:
			old = append(old, a)
		case !r.isOld(s):
			r.print(a.Metadata, "updated to version "+s.AgentVersion)
			r.behind--
		case code(a.update) == "ERR_NGROK_806":
			r.fail(a, a.update)
		}
	}
	return slices.DeleteFunc(old, func(a *agent) bool { return r.pending[a.Metadata] == nil })
}

func (r *rollout) restart(ctx context.Context, a *agent) error {
	if a.OS == "windows" {
		return r.client.StopTunnelSession(ctx, a.ID) // the service manager starts it again
	}
	return r.client.RestartTunnelSession(ctx, a.ID)
}

// fail reports an agent that is not at the version. Unless it is unable to update, restart or stop,
// no other batch follows.
func (r *rollout) fail(a *agent, err error) {
	r.print(a.Metadata, "failed: "+err.Error())
	r.stop = r.stop || !slices.Contains([]string{"ERR_NGROK_804", "ERR_NGROK_805", "ERR_NGROK_806"}, code(err))
}

// print prints what becomes of an agent.
func (r *rollout) print(metadata, text string) {
	delete(r.pending, metadata)
	r.behind++
	fmt.Fprintf(r.out, "%q: %s\n", metadata, text)
}

// code returns ngrok's code of an error, or "".
func code(err error) string {
	if e, ok := errors.AsType[*api.ResponseError](err); ok {
		return e.Code
	}
	return ""
}

// each calls f for all agents at the same time.
func each(agents []*agent, f func(*agent)) {
	var wg sync.WaitGroup
	for _, a := range agents {
		wg.Go(func() { f(a) })
	}
	wg.Wait()
}
