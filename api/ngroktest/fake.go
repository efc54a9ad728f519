package ngroktest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/semver"

	"example.com/ngrokapi/api"
)

const (
	listURI         = "https://api.ngrok.com/tunnel_sessions"
	maxPageSize     = 100
	updateTime      = 10 * time.Second // before a restart, as ngrok's document asks
	operationHeader = "Ngrok-Operation-Id"
)

// A fake is an HTTP handler that responds as ngrok does.
type fake struct {
	server *Server // its fields say how the API behaves
	mux    http.ServeMux

	mu         sync.Mutex
	agents     map[string]*agent // by session ID, including the IDs of earlier sessions
	order      []string          // these IDs in list order: before_id may name a session that is gone
	failures   []*failure        // for requests to come
	operations int               // so far
	starts     int               // so far
}

type agent struct {
	session   api.TunnelSession // the current one, or the last one
	online    bool
	updatedTo string // the version of an update since the last start, or ""
	updatedAt time.Time
}

func newFake(server *Server) *fake {
	a := &fake{server: server, agents: make(map[string]*agent)}
	a.mux.HandleFunc("GET /tunnel_sessions", a.list)
	a.mux.HandleFunc("GET /tunnel_sessions/{id}", a.with(func(w http.ResponseWriter, agent *agent) {
		writeJSON(w, http.StatusOK, agent.session)
	}))
	a.mux.HandleFunc("POST /tunnel_sessions/{id}/restart", a.with(a.restart))
	a.mux.HandleFunc("POST /tunnel_sessions/{id}/stop", a.with(func(w http.ResponseWriter, agent *agent) {
		agent.online = false
		w.WriteHeader(http.StatusNoContent)
	}))
	a.mux.HandleFunc("POST /tunnel_sessions/{id}/update", a.with(a.update))
	a.mux.HandleFunc("/", unknownPath)
	return a
}

func (a *fake) put(session api.TunnelSession) {
	if session.ID == "" {
		a.server.tb.Fatalf("ngroktest: the session %+v has no ID: set the field ID, by which it is looked up", session)
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
}

func (a *fake) stop(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if agent := a.online(id); agent != nil {
		agent.online = false
	}
}

func (a *fake) reconnect(id string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	agent := a.agents[id]
	if agent == nil {
		a.server.tb.Fatalf("ngroktest: reconnect: no agent has had a session with the ID %q: put it first", id)
	}
	a.start(agent)
	return agent.session.ID
}

// sessions returns the sessions in list order: those after the session with the given ID, or all if
// there never was one.
func (a *fake) sessions(after string) []api.TunnelSession {
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

// A failure responds to the next request that its ServeMux, which has no other handler, matches.
type failure struct {
	pattern string
	mux     http.ServeMux
	status  int
	code    string
}

func (f *failure) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	writeError(w, f.status, f.code, "")
}

func (a *fake) failOn(pattern string, status int, code string) {
	f := &failure{pattern: pattern, status: status, code: code}
	defer func() {
		if invalid := recover(); invalid != nil {
			a.server.tb.Fatalf("ngroktest: fail on %q: give a pattern of http.ServeMux: %v", pattern, invalid)
		}
	}()
	f.mux.Handle(pattern, f)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, f)
}

func (a *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	failure := a.begin(w, r)
	switch p := r.URL.EscapedPath(); {
	case failure != nil:
		failure.ServeHTTP(w, r)
	case !isAllowed(w, r): // it has responded
	case path.Clean(p) != p: // a ServeMux would redirect from "//"
		unknownPath(w, r)
	default:
		a.mux.ServeHTTP(w, r)
	}
}

// checkTaken fails a test that has succeeded if a failure is left.
func (a *fake) checkTaken() {
	a.mu.Lock()
	defer a.mu.Unlock()
	tb := a.server.tb
	if len(a.failures) > 0 && !tb.Failed() && !tb.Skipped() {
		tb.Errorf("ngroktest: no request took the failure on %q: check its pattern", a.failures[0].pattern)
	}
}

// begin gives a request an operation ID. It returns the failure that the request meets, or nil.
func (a *fake) begin(w http.ResponseWriter, r *http.Request) *failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.operations++
	w.Header().Set(operationHeader, fmt.Sprintf("op_%027d", a.operations))
	for i, f := range a.failures {
		// A ServeMux has its own handlers for requests that do not match, and for redirects.
		if handler, _ := f.mux.Handler(r); handler == http.Handler(f) {
			a.failures = slices.Delete(a.failures, i, i+1)
			return f
		}
	}
	return nil
}

// online returns the agent that has a session, or nil. The caller must hold the lock.
func (a *fake) online(id string) *agent {
	agent := a.agents[id]
	if agent == nil || !agent.online || agent.session.ID != id {
		return nil
	}
	return agent
}

// with returns a handler that calls f, under the lock, for the agent whose session is in the path.
func (a *fake) with(f func(http.ResponseWriter, *agent)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if agent := a.online(r.PathValue("id")); agent != nil {
			f(w, agent)
		} else {
			writeError(w, http.StatusNotFound, "", "")
		}
	}
}

func (a *fake) restart(w http.ResponseWriter, agent *agent) {
	if agent.session.OS == "windows" {
		badRequest(w, "ERR_NGROK_804", "This ngrok agent does not support remote restarting: it runs on Windows.")
		return
	}
	a.start(agent)
	w.WriteHeader(http.StatusNoContent)
}

// start gives an agent a new session. The caller must hold the lock.
func (a *fake) start(agent *agent) {
	if agent.updatedTo != "" && time.Since(agent.updatedAt) >= updateTime {
		agent.session.AgentVersion = agent.updatedTo
	}
	agent.updatedTo = ""
	old, id := agent.session.ID, ""
	for id == "" || a.agents[id] != nil { // a test may have put such a session
		a.starts++
		id = fmt.Sprintf("ts_restarted%d", a.starts)
	}
	agent.session.ID, agent.session.URI = id, listURI+"/"+id
	agent.session.StartedAt = time.Now().UTC().Format(time.RFC3339)
	agent.online = true
	a.agents[id] = agent
	// Before the old one, so that a program that restarts each agent it lists meets none again.
	a.order = slices.Insert(a.order, slices.Index(a.order, old), id)
}

func (a *fake) update(w http.ResponseWriter, agent *agent) {
	version, latest := agent.session.AgentVersion, a.server.LatestVersion
	const cannot = "This ngrok agent does not support remote updating: "
	switch {
	case latest == "": // the update changes nothing
	case agent.updatedTo != "":
		badRequest(w, "ERR_NGROK_806", cannot+"it has updated, and has not restarted since.")
		return
	case semver.Major("v"+version) != semver.Major("v"+latest), semver.Compare("v"+version, "v"+latest) >= 0,
		strings.Contains(version, "-msix"): // the Microsoft Store updates it
		badRequest(w, "ERR_NGROK_806", fmt.Sprintf(cannot+"it has version %q, and the latest is %q.", version, latest))
		return
	default:
		agent.updatedTo, agent.updatedAt = latest, time.Now()
	}
	w.WriteHeader(http.StatusNoContent)
}

// list responds with a page of sessions.
func (a *fake) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	size := maxPageSize
	if a.server.PageSize > 0 {
		size = min(size, a.server.PageSize)
	}
	if query.Has("limit") {
		limit, err := strconv.Atoi(query.Get("limit"))
		code := "ERR_NGROK_233"
		if err != nil {
			code = "ERR_NGROK_244"
		}
		if err != nil || limit < 1 || limit > maxPageSize {
			badRequest(w, code, "The page size limit must be a number between 1 and 100.")
			return
		}
		size = min(size, limit)
	}
	sessions := a.sessions(query.Get("before_id"))
	if query.Has("filter") && a.server.Filter != nil {
		sessions = slices.DeleteFunc(sessions, func(session api.TunnelSession) bool {
			return !a.server.Filter(query.Get("filter"), session)
		})
	}
	page := map[string]any{"uri": listURI, "next_page_uri": nil}
	if len(sessions) > size {
		sessions = sessions[:size]
		// It is not known whether ngrok repeats the filter here. A client that relies on it would
		// list too much.
		next := url.Values{"before_id": {sessions[size-1].ID}, "limit": {strconv.Itoa(size)}}
		page["next_page_uri"] = listURI + "?" + next.Encode()
	}
	page["tunnel_sessions"] = sessions
	writeJSON(w, http.StatusOK, page)
}

// isAllowed reports whether a request has a valid key and version. If not, it responds.
//
// The statuses and codes of these errors, and the quoted key, are from ngrok's documentation and
// its users, unless a comment calls them guesses. The messages are similar to ngrok's.
func isAllowed(w http.ResponseWriter, r *http.Request) bool {
	authorization, version := r.Header.Get("Authorization"), r.Header.Get("Ngrok-Version")
	scheme, key, _ := strings.Cut(authorization, " ")
	const your = "The API authentication you specified "
	switch {
	case authorization == "":
		writeError(w, http.StatusForbidden, "ERR_NGROK_200", your+"was missing: set the Authorization header.")
	case !strings.EqualFold(scheme, "Bearer") || !strings.Contains(key, "_"):
		// Quote the key, so that tests find clients that log it.
		writeError(w, http.StatusForbidden, "ERR_NGROK_202",
			fmt.Sprintf(your+"does not look like an ngrok API key.\nYour authentication: %q", key))
	case key != APIKey:
		writeError(w, http.StatusForbidden, "ERR_NGROK_203", your+"does not belong to any known account.")
	case version == "":
		badRequest(w, "ERR_NGROK_218", "You must specify an API version with the Ngrok-Version header.")
	case version != "2": // the status is a guess: that of a missing version
		badRequest(w, "ERR_NGROK_217", fmt.Sprintf("The API version %q is not supported.", version))
	default:
		return true
	}
	return false
}

// unknownPath responds as ngrok does to a path or a method that it does not have.
func unknownPath(w http.ResponseWriter, r *http.Request) {
	details := map[string]string{"path": r.URL.Path}
	writeJSON(w, http.StatusNotFound, errorBody{Status: http.StatusNotFound, Message: "Not Found", Details: details})
}

// badRequest writes an error with the status 400. For a command and a limit, that is a guess: ngrok
// documents only the codes.
func badRequest(w http.ResponseWriter, code, message string) {
	writeError(w, http.StatusBadRequest, code, message)
}

// writeError writes an error with the operation ID that is in the header of w.
func writeError(w http.ResponseWriter, status int, code, message string) {
	if message == "" && status == http.StatusNotFound {
		message = "Resource not found"
	}
	writeJSON(w, status, errorBody{
		Code:    code,
		Status:  status,
		Message: cmp.Or(message, http.StatusText(status), "Error"),
		Details: map[string]string{"operation_id": w.Header().Get(operationHeader)},
	})
}

type errorBody struct {
	Code    string            `json:"error_code,omitempty"`
	Status  int               `json:"status_code"`
	Message string            `json:"msg"`
	Details map[string]string `json:"details"`
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // values are sessions, or from this package
}
