// Package fake is the fake ngrok API of package ngroktest, without the validator, which takes long
// to compile: the example program can do without it.
package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/semver"

	"example.com/ngrokapi/api"
)

// APIKey is the key that the API accepts. It has the shape of a real one.
const APIKey = "2NgrokTestKeyNotARealSecret_5uFakeFakeFakeFakeFake"

const (
	listURI     = "https://api.ngrok.com/tunnel_sessions"
	maxPageSize = 100
	updateTime  = 10 * time.Second // that an agent takes to update
)

// API is the fake, a handler that responds as ngrok does. Its methods are safe for concurrent use.
type API struct {
	options func() Options
	mux     http.ServeMux

	mu         sync.Mutex
	agents     map[string]*agent // by session ID, including those that they had before
	order      []string          // these IDs in list order: before_id may name one that is gone
	failures   []http.HandlerFunc
	operations int // so far
	restarts   int // so far
}

// Options are the fields of ngroktest.Server.
type Options struct {
	PageSize      int
	LatestVersion string
	Filter        func(expression string, session api.TunnelSession) bool // nil: no filtering
}

type agent struct {
	session   api.TunnelSession // the last one
	online    bool
	updatedTo string // if not empty, the agent has not restarted since updatedAt
	updatedAt time.Time
}

// New returns a fake without sessions. It asks for the options in each request.
func New(options func() Options) *API {
	a := &API{options: options, agents: make(map[string]*agent)}
	a.mux.HandleFunc("GET /tunnel_sessions", a.list)
	a.mux.HandleFunc("GET /tunnel_sessions/{id}", a.with(func(w http.ResponseWriter, agent *agent) {
		write(w, http.StatusOK, agent.session)
	}))
	a.mux.HandleFunc("POST /tunnel_sessions/{id}/stop", a.with(func(w http.ResponseWriter, agent *agent) {
		agent.online = false
		w.WriteHeader(http.StatusNoContent)
	}))
	a.mux.HandleFunc("POST /tunnel_sessions/{id}/restart", a.with(a.restart))
	a.mux.HandleFunc("POST /tunnel_sessions/{id}/update", a.with(a.update))
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusNotFound, map[string]any{
			"status_code": http.StatusNotFound,
			"msg":         "Not Found",
			"details":     map[string]string{"path": r.URL.Path},
		})
	})
	return a
}

// Put adds a session, or replaces the one with its ID.
func (a *API) Put(session api.TunnelSession) error {
	if session.ID == "" {
		return fmt.Errorf("the session %+v has no ID: set the field ID, by which it is looked up", session)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.agents[session.ID] == nil {
		a.order = append(a.order, session.ID)
	}
	if a.online(session.ID) == nil {
		a.agents[session.ID] = &agent{online: true}
	}
	a.agents[session.ID].session = session
	return nil
}

// Delete removes the session with the given ID, if there is one.
func (a *API) Delete(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if agent := a.online(id); agent != nil {
		agent.online = false
	}
}

// Reconnect gives the agent that has or had the session with the given ID a new one, and returns
// its ID.
func (a *API) Reconnect(id string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	agent := a.agents[id]
	if agent == nil {
		return "", fmt.Errorf("no agent had a session with the ID %q", id)
	}
	return a.start(agent), nil
}

// Sessions returns the sessions in list order: those after the session with the given ID, or all if
// there never was one.
func (a *API) Sessions(after string) []api.TunnelSession {
	a.mu.Lock()
	defer a.mu.Unlock()
	sessions := []api.TunnelSession{}
	for _, id := range a.order[slices.Index(a.order, after)+1:] {
		if agent := a.online(id); agent != nil {
			sessions = append(sessions, agent.session)
		}
	}
	return sessions
}

// Fail adds a failure to the queue. Each request takes one from it.
func (a *API) Fail(status int, code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, func(w http.ResponseWriter, _ *http.Request) { Error(w, status, code, "") })
}

// ServeHTTP responds to a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.operations++
	w.Header().Set(operationHeader, fmt.Sprintf("op_%027d", a.operations))
	var fail http.HandlerFunc
	if len(a.failures) > 0 {
		fail, a.failures = a.failures[0], a.failures[1:]
	}
	a.mu.Unlock()
	if fail != nil {
		fail(w, r)
	} else if isAllowed(w, r) {
		a.mux.ServeHTTP(w, r)
	}
}

// online returns the agent that has a session, or nil. Its caller holds the lock.
func (a *API) online(id string) *agent {
	agent := a.agents[id]
	if agent == nil || !agent.online || agent.session.ID != id {
		return nil
	}
	return agent
}

// with returns a handler that calls f, with the lock held, for the agent of the session in the
// path.
func (a *API) with(f func(http.ResponseWriter, *agent)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if agent := a.online(r.PathValue("id")); agent != nil {
			f(w, agent)
		} else {
			Error(w, http.StatusNotFound, "", "")
		}
	}
}

func (a *API) restart(w http.ResponseWriter, agent *agent) {
	if agent.session.OS == "windows" {
		badRequest(w, "ERR_NGROK_804",
			"This ngrok agent does not support remote restarting: it runs on Windows.")
		return
	}
	a.start(agent)
	w.WriteHeader(http.StatusNoContent)
}

// start gives an agent a new session, and returns its ID. Its caller holds the lock.
func (a *API) start(agent *agent) string {
	if agent.updatedTo != "" && time.Since(agent.updatedAt) >= updateTime {
		agent.session.AgentVersion = agent.updatedTo
	}
	agent.updatedTo = ""
	old := agent.session.ID
	a.restarts++
	id := fmt.Sprintf("ts_restarted%d", a.restarts)
	agent.session.ID, agent.session.URI = id, listURI+"/"+id
	agent.session.StartedAt = time.Now().UTC().Format(time.RFC3339)
	agent.online = true
	a.agents[id] = agent
	// In the place before, so that a program that restarts what it lists does not meet it again.
	a.order = slices.Insert(a.order, slices.Index(a.order, old), id)
	return id
}

func (a *API) update(w http.ResponseWriter, agent *agent) {
	current, latest := "v"+agent.session.AgentVersion, "v"+a.options().LatestVersion
	switch {
	case latest == "v": // nothing changes
	case agent.updatedTo != "":
		badRequest(w, "ERR_NGROK_806",
			"This ngrok agent does not support remote updating: it has updated and not restarted since.")
		return
	case semver.Major(current) != semver.Major(latest), semver.Compare(current, latest) >= 0:
		badRequest(w, "ERR_NGROK_806",
			"This ngrok agent does not support remote updating: there is no update available.")
		return
	default:
		agent.updatedTo, agent.updatedAt = a.options().LatestVersion, time.Now()
	}
	w.WriteHeader(http.StatusNoContent)
}

// list responds with a page of sessions.
func (a *API) list(w http.ResponseWriter, r *http.Request) {
	opts, query := a.options(), r.URL.Query()
	size := maxPageSize
	if opts.PageSize > 0 {
		size = min(size, opts.PageSize)
	}
	if query.Has("limit") {
		limit, err := strconv.Atoi(query.Get("limit"))
		switch {
		case err != nil:
			badRequest(w, "ERR_NGROK_244", fmt.Sprintf("The page size limit must be a number between 1 and 100 but %q was provided.", query.Get("limit")))
			return
		case limit < 1 || limit > maxPageSize:
			badRequest(w, "ERR_NGROK_233", fmt.Sprintf("The page size limit must be between 1 and 100 but %d was provided.", limit))
			return
		}
		size = min(size, limit)
	}
	sessions := a.Sessions(query.Get("before_id"))
	if query.Has("filter") && opts.Filter != nil {
		sessions = slices.DeleteFunc(sessions, func(session api.TunnelSession) bool {
			return !opts.Filter(query.Get("filter"), session)
		})
	}
	page := map[string]any{"uri": listURI, "next_page_uri": nil}
	if len(sessions) > size {
		sessions = sessions[:size]
		// Whether ngrok repeats the filter here is not known. A client that relies on it would list
		// too much.
		next := url.Values{"before_id": {sessions[size-1].ID}, "limit": {strconv.Itoa(size)}}
		page["next_page_uri"] = listURI + "?" + next.Encode()
	}
	page["tunnel_sessions"] = sessions
	write(w, http.StatusOK, page)
}

// isAllowed reports whether a request has a valid key and version. If not, it responds.
//
// Texts and statuses of errors are from ngrok's documentation and its users, unless a comment says
// that they are guesses.
func isAllowed(w http.ResponseWriter, r *http.Request) bool {
	authorization, version := r.Header.Get("Authorization"), r.Header.Get("Ngrok-Version")
	scheme, key, _ := strings.Cut(authorization, " ")
	switch {
	case authorization == "":
		Error(w, http.StatusForbidden, "ERR_NGROK_200", "The API authentication you specified was missing: set the Authorization header.")
	case !strings.EqualFold(scheme, "Bearer") || !strings.Contains(key, "_"):
		// ngrok quotes the key, so clients must keep it out of their logs.
		Error(w, http.StatusForbidden, "ERR_NGROK_202",
			fmt.Sprintf("The API authentication you specified does not look like an ngrok API key.\nYour authentication: %q", key))
	case key != APIKey:
		Error(w, http.StatusForbidden, "ERR_NGROK_203", "The API authentication you specified does not belong to any known account.")
	case version == "":
		badRequest(w, "ERR_NGROK_218", "You must specify an API version with the Ngrok-Version header.")
	case version != "2":
		badRequest(w, "ERR_NGROK_217", fmt.Sprintf("The API version %q is not supported.", version)) // a guess: as if missing
	default:
		return true
	}
	return false
}

const operationHeader = "Ngrok-Operation-Id"

// badRequest writes an error with the status 400. For commands that is a guess: ngrok documents
// their codes alone.
func badRequest(w http.ResponseWriter, code, message string) {
	Error(w, http.StatusBadRequest, code, message)
}

// Error writes an error. The operation ID is that in the header of w. The code is left out if it is
// empty. If the message is empty, it is that of an unknown session with the status 404, and else
// the text of the status.
func Error(w http.ResponseWriter, status int, code, message string) {
	if message == "" && status == http.StatusNotFound {
		message = "Resource not found"
	}
	body := map[string]any{
		"status_code": status,
		"msg":         cmp.Or(message, http.StatusText(status), "Error"),
		"details":     map[string]string{"operation_id": w.Header().Get(operationHeader)},
	}
	if code != "" {
		body["error_code"] = code
	}
	write(w, status, body)
}

func write(w http.ResponseWriter, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // values are sessions, or from this package
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(data)
}
