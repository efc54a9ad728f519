// Rollout updates those agents of an ngrok account that are older than a version, some at a time.
// ngrok updates an agent only to the latest version within its major version: -version says which
// agents are behind, not what they get.
//
//	rollout -version 3.20.0 [-filter expression] [-batch 20] [-windows-service] [-resume] [-n]
//
// It reads the API key from NGROK_API_KEY, and the base URL of the API from NGROK_API_BASE_URL if
// that is set. The filter is a CEL expression. With -n, rollout only prints the agents that it
// would update.
//
// Those are the agents that are online, match the filter, and have an older version. Rollout tells
// a batch of them to update, waits ten seconds, and tells them to restart. For about two minutes,
// it checks whether they come back with the version or a later one. It prints a line for each
// agent, and last, how many of the agents that match the filter have the version. If an agent
// fails, rollout completes the batch, prints the agents that are left, and stops. Run it again to
// continue with the agents that are behind. Try one agent first, with -batch 1 or a filter.
//
// An interrupt or SIGTERM stops it after the current command. It then prints how far each agent has
// come, or that the outcome is unknown. A second one ends it at once. Continue with -resume.
//
// The exit status is 0 if all agents that match the filter have the version or a later one. It is 2
// if the command is misused, and 1 otherwise. Use the filter to exclude agents that are always
// skipped or always fail. Agents that are offline do not count, and one that reconnects during a
// list can be missing from it.
//
// Rollout skips these agents, prints the reason, and updates the others:
//
//   - Agents without metadata in their configuration. A restart gives an agent another session ID,
//     and rollout finds it by its metadata.
//   - Agents that share their metadata: give each its own. An agent that has just reconnected looks
//     the same while its old session is still listed: run rollout again.
//   - Agents on Windows, which ngrok cannot restart. With -windows-service, rollout stops them, and
//     Windows starts those again that run as services; any other stays offline.
//   - Agents of the Microsoft Store, which updates them. Of their versions, such as
//     3.20.0-msix-stable, only the numbers count.
//   - Agents of an older major version, which ngrok does not update, and those whose version is not
//     semantic.
//   - Agents that refuse to update, with the code ERR_NGROK_806: their configuration disables it,
//     they are part of a program that does not support it, or they have the latest version.
//
// An agent also refuses if it has updated and not restarted, because a run was interrupted or
// crashed in between. With -resume, rollout restarts agents that refuse: use it only for the run
// after such a one. Without -resume, it restarts one only if an update in the same run had an
// unknown outcome.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/semver"
	"golang.org/x/time/rate"

	"example.com/ngrokapi/api"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program
	os.Exit(run(ctx, os.Args[1:], nil, os.Stdout, os.Stderr))
}

// run returns the exit status of the command. Tests pass an HTTP client that reaches a fake API.
func run(ctx context.Context, args []string, httpClient api.HttpRequestDoer, stdout, stderr io.Writer) int {
	r := &rollout{out: stdout}
	flags := flag.NewFlagSet("rollout", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&r.version, "version", "", "update agents older than this `version`, such as 3.20.0")
	flags.Func("filter", "select agents by a CEL `expression`", func(s string) error { r.params.Filter = &s; return nil })
	flags.IntVar(&r.batchSize, "batch", 20, "update `n` agents at a time")
	flags.BoolVar(&r.windowsService, "windows-service", false, "stop agents on Windows, which starts them again")
	flags.BoolVar(&r.resume, "resume", false, "after an interrupted run: also restart agents that refuse to update")
	flags.BoolVar(&r.planOnly, "n", false, "only print the plan")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case semver.Canonical("v"+r.version) != "v"+r.version, r.batchSize < 1, flags.NArg() > 0,
		r.params.Filter != nil && *r.params.Filter == "": // such as that of a variable that is not set
		fmt.Fprintln(stderr, "rollout: give a -version such as 3.20.0, a -batch of at least 1, a -filter that is not empty, "+
			"and no other arguments")
		return 2
	}
	// ngrok allows an account 120 requests in 60 seconds: a burst of 20, and 100 more. All attempts
	// of all calls share the limiter.
	doer := &api.Doer{HTTPClient: httpClient, Limiter: rate.NewLimiter(rate.Every(time.Minute/100), 20)}
	baseURL := cmp.Or(os.Getenv("NGROK_API_BASE_URL"), "https://api.ngrok.com")
	var err error
	r.client, err = api.New(os.Getenv("NGROK_API_KEY"), api.WithBaseURL(baseURL), api.WithHTTPClient(doer))
	if err != nil {
		fmt.Fprintln(stderr, "rollout: set NGROK_API_KEY, and perhaps NGROK_API_BASE_URL:", err)
		return 2
	}
	if err := r.run(ctx); err != nil {
		fmt.Fprintln(stderr, "rollout:", err)
		return 1
	}
	return 0
}

type rollout struct {
	client    *api.ClientWithResponses
	out       io.Writer
	version   string
	params    api.TunnelSessionsListParams // with the filter
	batchSize int

	windowsService, resume, planOnly bool

	selected, current int  // numbers of agents: the current ones are at the version or a later one
	failed            bool // whether an agent failed
}

// An agent is to be updated. When it restarts, it keeps its metadata and gets another session.
type agent struct {
	metadata     string
	mayBeUpdated bool   // an earlier run, or an update of unknown outcome, may have updated it
	updated      bool   // it accepted an update, or refused one although it may be updated
	session      string // the ID of the session that was told to restart or stop, or may have been
	restarted    bool   // it accepted a restart or a stop
	ended        bool   // it is at the version, was skipped, or has failed

	progress, refusal string // for people: how far it has come, and why it refused to update
}

// run updates the agents of the plan, batch by batch.
func (r *rollout) run(ctx context.Context) error {
	agents, err := r.plan(ctx)
	if err != nil {
		return err
	}
	for len(agents) > 0 && !r.planOnly && !r.failed {
		n := min(r.batchSize, len(agents))
		r.updateBatch(ctx, agents[:n])
		agents = agents[n:]
	}
	for _, a := range agents {
		r.print(a, a.progress)
	}
	if r.current < r.selected {
		return fmt.Errorf("%d of %d agents are not at version %s", r.selected-r.current, r.selected, r.version)
	}
	fmt.Fprintf(r.out, "all %d agents are at version %s or a later one\n", r.selected, r.version)
	return nil
}

// plan returns the selected agents to update, and prints those that cannot be updated.
func (r *rollout) plan(ctx context.Context) ([]*agent, error) {
	all, err := r.look(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, errors.New("no agent is online: check that NGROK_API_KEY is a key of their account")
	}
	var agents []*agent
	for s, err := range r.client.ListTunnelSessions(ctx, &r.params) {
		if err != nil {
			return nil, err
		}
		r.selected++
		// An agent without metadata can only be skipped. Its ID says which one it is.
		a := &agent{metadata: cmp.Or(s.Metadata, s.ID), mayBeUpdated: r.resume}
		a.progress = "not updated yet, at version " + s.AgentVersion
		switch {
		case !r.isOld(s):
			r.current++
		case strings.Contains(strings.ToLower(s.AgentVersion), storeMark):
			r.print(a, fmt.Sprintf("skipped: the Microsoft Store updates it: it has version %q", s.AgentVersion))
		case semver.Major("v"+s.AgentVersion) != semver.Major("v"+r.version):
			r.print(a, fmt.Sprintf("skipped: ngrok does not update version %q to %s", s.AgentVersion, r.version))
		case s.OS == "windows" && !r.windowsService:
			r.print(a, "skipped: ngrok cannot restart it on Windows: if it is a service, use -windows-service")
		case s.Metadata == "":
			r.print(a, "skipped: it has no metadata, by which rollout finds an agent again: give it its own")
		case len(all[s.Metadata]) != 1 || all[s.Metadata][0].ID != s.ID:
			r.print(a, fmt.Sprintf("skipped: the agent of %s may just have reconnected: run rollout again; "+
				"or two agents share this metadata: give each its own", s.ID))
		default:
			agents = append(agents, a)
		}
	}
	return agents, nil
}

// storeMark is in the version of each agent of the Microsoft Store, as in 3.20.0-msix-stable.
const storeMark = "-msix"

// isOld reports whether a session has an older version. One that is not semantic counts as old. The
// Store's 3.20.0-msix-stable is no pre-release of 3.20.0: only its numbers count.
func (r *rollout) isOld(s *api.TunnelSession) bool {
	version, _, _ := strings.Cut(s.AgentVersion, storeMark)
	return semver.Compare("v"+version, "v"+r.version) < 0
}

// updateBatch looks at the agents of a batch every ten seconds, for two minutes, and tells them
// what to do next. ngrok's document says to wait ten seconds between an update and a restart.
func (r *rollout) updateBatch(ctx context.Context, batch []*agent) {
	var result string
	for look := 0; look <= 12 && len(batch) > 0 && ctx.Err() == nil; look++ {
		if look > 0 {
			select {
			case <-time.After(10 * time.Second):
			case <-ctx.Done():
			}
		}
		sessions, err := r.look(ctx)
		result = "failed"
		if err != nil {
			result = fmt.Sprintf("failed: cannot look for it: %v", err)
		}
		for _, a := range batch {
			s := sessions[a.metadata]
			if len(s) > 1 { // a restarted agent can have its old session for a while beside the new one
				s = slices.DeleteFunc(s, func(s *api.TunnelSession) bool { return s.ID == a.session })
			}
			if len(s) == 1 && ctx.Err() == nil {
				r.advance(ctx, a, s[0])
			}
		}
		batch = slices.DeleteFunc(batch, func(a *agent) bool { return a.ended })
	}
	if ctx.Err() != nil {
		result = "interrupted"
	}
	for _, a := range batch {
		r.fail(a, result+": "+a.progress+a.refusal)
	}
}

// look returns all sessions by metadata. The filter, which may be about the version, does not
// apply.
func (r *rollout) look(ctx context.Context) (map[string][]*api.TunnelSession, error) {
	sessions := make(map[string][]*api.TunnelSession)
	for s, err := range r.client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			return nil, err
		}
		sessions[s.Metadata] = append(sessions[s.Metadata], s)
	}
	return sessions, nil
}

// advance tells an agent what to do next, or ends its update. Its session s is a new one if it has
// restarted, and can be a new one if its connection broke.
func (r *rollout) advance(ctx context.Context, a *agent, s *api.TunnelSession) {
	ctx = context.WithoutCancel(ctx) // the outcome of a canceled command would be unknown
	switch {
	case !r.isOld(s):
		a.ended = true
		r.current++
		r.print(a, "updated to version "+s.AgentVersion)
	case a.session != "" && s.ID != a.session:
		r.fail(a, fmt.Sprintf("failed: back with version %q%s", s.AgentVersion, a.refusal))
	case !a.updated:
		err := r.client.UpdateTunnelSession(ctx, s.ID)
		a.updated = r.command(a, "updated, not restarted (continue with -resume)", err)
		a.mayBeUpdated = a.mayBeUpdated || api.OutcomeUnknown(err)
	case !a.restarted:
		// After an unknown outcome, the command is repeated for the same session. An agent that has
		// restarted has another one, so it does not restart twice.
		command, progress := r.client.RestartTunnelSession, "restarted, not back"
		if s.OS == "windows" {
			command, progress = r.client.StopTunnelSession, "stopped, not back"
		}
		err := command(ctx, s.ID)
		a.restarted = r.command(a, progress, err)
		if a.restarted || api.OutcomeUnknown(err) {
			a.session = s.ID
		}
	}
}

// command reports whether a command was accepted. If not, the agent gets it again after the next
// look, unless it cannot obey.
func (r *rollout) command(a *agent, progress string, err error) (accepted bool) {
	e, isResponse := errors.AsType[*api.ResponseError](err)
	switch {
	case err == nil:
		a.progress = progress
		return true
	case isResponse && e.Code == "ERR_NGROK_806" && a.mayBeUpdated:
		// An agent that has updated and not restarted refuses another update. If this is not the
		// reason, it comes back with its old version.
		a.progress, a.refusal = progress, fmt.Sprintf(", update refused: %v", err)
		return true
	case isResponse && e.Code == "ERR_NGROK_806":
		a.ended = true
		r.print(a, fmt.Sprintf("skipped: if an earlier run updated it and did not restart it, use -resume: %v", err))
	case api.OutcomeUnknown(err):
		a.progress = fmt.Sprintf("outcome unknown (continue with -resume): %v", err)
	case isResponse && !errors.Is(err, api.ErrNotFound) && !errors.Is(err, api.ErrRateLimited):
		r.fail(a, fmt.Sprintf("failed: %s: %v", a.progress, err))
	}
	return false
}

// fail ends the update of an agent that failed, or was interrupted. No other batch follows.
func (r *rollout) fail(a *agent, result string) {
	a.ended, r.failed = true, true
	r.print(a, result)
}

// print prints the result for an agent. Metadata can have any characters, so it is quoted.
func (r *rollout) print(a *agent, result string) { fmt.Fprintf(r.out, "%q: %s\n", a.metadata, result) }
