// Package fake is the fake ngrok API of package ngroktest, without the validator, which takes long to compile: the
// example program can do without it.
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

	"example.com/ngrokapi/api"
)

// APIKey is the key that the API accepts. It has the shape of a real one.
const APIKey = "2NgrokTestKeyNotARealSecret_5uFakeFakeFakeFakeFake"

const (
	listURI     = "https://api.ngrok.com/tunnel_sessions"
	maxPageSize = 100
)

// API is the fake. Its zero value has no sessions. Its methods are safe for concurrent use.
type API struct {
	mu         sync.Mutex
	agents     map[string]*agent // by session ID
	order      []string          // IDs in list order, including deleted ones: before_id may name one
	failures   []failure
	operations int // so far
	restarts   int // so far
}

// Options are the fields of ngroktest.Server.
type Options struct {
	PageSize      int
	LatestVersion string
	Filter        func(expression string, session api.TunnelSession) bool // nil: the list is not filtered
}

type agent struct {
	session   api.TunnelSession
	updatedTo string // the version that the agent runs after its next restart; may be empty
}

// Put adds a session, or replaces the one with its ID.
func (a *API) Put(session api.TunnelSession) error {
	if session.ID == "" {
		return fmt.Errorf("the session %+v has no ID: set the field ID, by which it is looked up", session)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.agents == nil {
		a.agents = make(map[string]*agent)
	}
	if !slices.Contains(a.order, session.ID) {
		a.order = append(a.order, session.ID)
	}
	if known, ok := a.agents[session.ID]; ok {
		known.session = session
	} else {
		a.agents[session.ID] = &agent{session: session}
	}
	return nil
}

// Delete removes the session with the given ID, if there is one.
func (a *API) Delete(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.agents, id)
}

// Sessions returns the sessions in list order: those after the session with the given ID, or all if there never was one.
func (a *API) Sessions(after string) []api.TunnelSession {
	a.mu.Lock()
	defer a.mu.Unlock()
	sessions := []api.TunnelSession{}
	for _, id := range a.order[slices.Index(a.order, after)+1:] {
		if agent, ok := a.agents[id]; ok {
			sessions = append(sessions, agent.session)
		}
	}
	return sessions
}

// Fail adds a failure to the queue. Each request takes one from it.
func (a *API) Fail(status int, code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, failure{status: status, code: code})
}

// Serve responds to a request as ngrok does.
func (a *API) Serve(w http.ResponseWriter, r *http.Request, opts Options) {
	operation, failed := a.begin()
	w.Header().Set("Ngrok-Operation-Id", operation)
	var value any
	if failed == nil {
		value, failed = a.respond(r, opts)
	}
	switch {
	case failed != nil:
		write(w, failed.status, failed.body(operation))
	case value == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		write(w, http.StatusOK, value)
	}
}

// begin returns the operation ID of a request, and its failure if one is queued.
func (a *API) begin() (operation string, failed *failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.operations++
	if len(a.failures) > 0 {
		failed, a.failures = &a.failures[0], a.failures[1:]
	}
	return fmt.Sprintf("op_%027d", a.operations), failed
}

// respond returns the body of a success, which is nil with the status 204, or a failure.
func (a *API) respond(r *http.Request, opts Options) (any, *failure) {
	if refused := refuse(r); refused != nil {
		return nil, refused
	}
	route, id, ok := parseRoute(r)
	if !ok {
		return nil, &failure{status: http.StatusNotFound, message: "Not Found", path: r.URL.Path}
	}
	if route == "GET" {
		query := r.URL.Query()
		return page(a.Sessions(query.Get("before_id")), query, opts)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	agent, ok := a.agents[id]
	if !ok {
		return nil, &failure{status: http.StatusNotFound, message: "Resource not found"}
	}
	switch route {
	case "POST stop":
		delete(a.agents, id)
	case "POST restart":
		return nil, a.restart(agent, opts.LatestVersion)
	case "POST update":
		return nil, agent.update(opts.LatestVersion)
	default:
		return agent.session, nil
	}
	return nil, nil
}

// restart gives an agent a new session. Its caller holds the lock.
func (a *API) restart(agent *agent, latestVersion string) *failure {
	session := &agent.session
	if latestVersion != "" {
		if session.OS == "windows" {
			return badRequest("ERR_NGROK_804", "This ngrok agent does not support remote restarting: it runs on Windows.")
		}
		session.StartedAt = time.Now().UTC().Format(time.RFC3339)
	}
	if agent.updatedTo != "" {
		session.AgentVersion, agent.updatedTo = agent.updatedTo, ""
	}
	old := session.ID
	a.restarts++
	session.ID = fmt.Sprintf("ts_restarted%d", a.restarts)
	session.URI = listURI + "/" + session.ID
	delete(a.agents, old)
	a.agents[session.ID] = agent
	// In the place before, so that a program that restarts what it lists does not meet the agent again.
	a.order = slices.Insert(a.order, slices.Index(a.order, old), session.ID)
	return nil
}

func (a *agent) update(latestVersion string) *failure {
	switch {
	case latestVersion == "":
		return nil
	case a.session.AgentVersion == latestVersion:
		return badRequest("ERR_NGROK_806", "This ngrok agent does not support remote updating: there is no update available.")
	case a.updatedTo != "":
		return badRequest("ERR_NGROK_806", "This ngrok agent does not support remote updating: it has updated and not restarted since.")
	}
	a.updatedTo = latestVersion
	return nil
}

// badRequest returns a failure with the status 400, which is a guess: ngrok documents the codes alone.
func badRequest(code, message string) *failure {
	return &failure{status: http.StatusBadRequest, code: code, message: message}
}

// parseRoute returns the method and the command of a request, and the ID of its session. The route "GET" is the list, and
// "GET " is a session.
func parseRoute(r *http.Request) (route, id string, ok bool) {
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if segments[0] != "tunnel_sessions" || len(segments) > 3 {
		return "", "", false
	}
	if len(segments) == 1 {
		return r.Method, "", r.Method == http.MethodGet
	}
	id, err := url.PathUnescape(segments[1])
	route = r.Method + " " + strings.Join(segments[2:], "")
	known := slices.Contains([]string{"GET ", "POST stop", "POST restart", "POST update"}, route)
	return route, id, known && err == nil && id != "" && !strings.HasSuffix(r.URL.EscapedPath(), "/")
}

// page returns the first page of sessions, as the query asks for it.
func page(sessions []api.TunnelSession, query url.Values, opts Options) (any, *failure) {
	size := maxPageSize
	if opts.PageSize > 0 {
		size = min(size, opts.PageSize)
	}
	if query.Has("limit") {
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil {
			return nil, badRequest("ERR_NGROK_244", fmt.Sprintf("The page size limit must be a number between 1 and 100 but %q was provided.", query.Get("limit")))
		}
		if limit < 1 || limit > maxPageSize {
			return nil, badRequest("ERR_NGROK_233", fmt.Sprintf("The page size limit must be between 1 and 100 but %d was provided.", limit))
		}
		size = min(size, limit)
	}
	if query.Has("filter") && opts.Filter != nil {
		sessions = slices.DeleteFunc(sessions, func(session api.TunnelSession) bool {
			return !opts.Filter(query.Get("filter"), session)
		})
	}
	page := map[string]any{"uri": listURI, "next_page_uri": nil}
	if len(sessions) > size {
		sessions = sessions[:size]
		// Whether ngrok repeats the filter here is not known. A client that relies on it would list too much.
		next := url.Values{"before_id": {sessions[size-1].ID}, "limit": {strconv.Itoa(size)}}
		page["next_page_uri"] = listURI + "?" + next.Encode()
	}
	page["tunnel_sessions"] = sessions
	return page, nil
}

// A failure is an error response. Texts and statuses are from ngrok's documentation and its users, unless a comment says
// that they are guesses.
type failure struct {
	status  int
	code    string // left out if empty
	message string // if empty, the text of the status
	path    string // if not empty, in the details instead of the operation ID
}

func (f *failure) body(operation string) any {
	details := map[string]string{"operation_id": operation}
	if f.path != "" {
		details = map[string]string{"path": f.path}
	}
	body := map[string]any{
		"status_code": f.status,
		"msg":         cmp.Or(f.message, http.StatusText(f.status), "Error"),
		"details":     details,
	}
	if f.code != "" {
		body["error_code"] = f.code
	}
	return body
}

// WriteError writes an error response of an operation with the given ID.
func WriteError(w http.ResponseWriter, operation string, status int, code, message string) {
	f := &failure{status: status, code: code, message: message}
	w.Header().Set("Ngrok-Operation-Id", operation)
	write(w, status, f.body(operation))
}

// refuse returns the failure of a request without a valid key or version, or nil.
func refuse(r *http.Request) *failure {
	authorization := r.Header.Get("Authorization")
	scheme, key, _ := strings.Cut(authorization, " ")
	switch {
	case authorization == "":
		return &failure{status: http.StatusForbidden, code: "ERR_NGROK_200",
			message: "The API authentication you specified was missing: set the Authorization header."}
	case !strings.EqualFold(scheme, "Bearer") || !strings.Contains(key, "_"):
		// ngrok quotes the key, so clients must keep it out of their logs.
		return &failure{status: http.StatusForbidden, code: "ERR_NGROK_202",
			message: fmt.Sprintf("The API authentication you specified does not look like an ngrok API key.\nYour authentication: %q", key)}
	case key != APIKey:
		return &failure{status: http.StatusForbidden, code: "ERR_NGROK_203",
			message: "The API authentication you specified does not belong to any known account."}
	}
	switch version := r.Header.Get("Ngrok-Version"); version {
	case "2":
		return nil
	case "":
		return &failure{status: http.StatusBadRequest, code: "ERR_NGROK_218",
			message: "You must specify an API version with the Ngrok-Version header."}
	default:
		// The status is a guess: that of a missing version.
		return &failure{status: http.StatusBadRequest, code: "ERR_NGROK_217",
			message: fmt.Sprintf("The API version %q is not supported.", version)}
	}
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
