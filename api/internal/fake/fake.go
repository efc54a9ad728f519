// Package fake is the fake ngrok API of package ngroktest, without the validator, which takes long to compile: the
// example program can do without it.
package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"example.com/ngrokapi/api"
)

// APIKey is the key that the API accepts. It has the shape of a real one.
const APIKey = "2NgrokTestKeyNotARealSecret_5uFakeFakeFakeFakeFake"

const maxPageSize = 100

// API is the fake. Its zero value has no sessions.
type API struct {
	mu         sync.Mutex
	sessions   map[string]api.TunnelSession
	order      []string // of the IDs in the list, those that are gone included: a page can begin behind one
	failures   []failure
	operations int // so far
	restarts   int // so far
}

// Put adds a session, or replaces the one with its ID.
func (a *API) Put(session api.TunnelSession) error {
	if session.ID == "" {
		return fmt.Errorf("the session %+v has no ID: set the field ID, by which it is looked up", session)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sessions == nil {
		a.sessions = make(map[string]api.TunnelSession)
	}
	if !slices.Contains(a.order, session.ID) {
		a.order = append(a.order, session.ID)
	}
	a.sessions[session.ID] = session
	return nil
}

// Delete removes the session with the given ID, if there is one.
func (a *API) Delete(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, id)
}

// Fail makes the next request fail that no other call of Fail is for.
func (a *API) Fail(status int, code string) {
	message := http.StatusText(status)
	if message == "" {
		message = "Error"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, failure{status: status, code: code, message: message})
}

// Serve answers a request as ngrok does, with at most pageSize sessions on a page, and at most 100.
func (a *API) Serve(w http.ResponseWriter, r *http.Request, pageSize int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.operations++
	operation := fmt.Sprintf("op_%027d", a.operations)
	w.Header().Set("Ngrok-Operation-Id", operation)
	status, value, failed := a.answer(r, pageSize)
	switch {
	case failed != nil:
		write(w, failed.status, failed.body(operation))
	case status == http.StatusNoContent:
		w.WriteHeader(status)
	default:
		write(w, status, value)
	}
}

// answer returns the status and the body of the answer to a request, or the failure that it is.
func (a *API) answer(r *http.Request, pageSize int) (int, any, *failure) {
	if len(a.failures) > 0 {
		next := a.failures[0]
		a.failures = a.failures[1:]
		return 0, nil, &next
	}
	if refused := refuse(r); refused != nil {
		return 0, nil, refused
	}
	route, id, ok := parseRoute(r)
	if !ok {
		return 0, nil, &failure{status: http.StatusNotFound, message: "Not Found", path: r.URL.Path}
	}
	if route == "GET" {
		return http.StatusOK, a.page(r, pageSize), nil
	}
	session, ok := a.sessions[id]
	if !ok {
		return 0, nil, &failure{status: http.StatusNotFound, message: "Resource not found"}
	}
	switch route {
	case "POST stop":
		delete(a.sessions, id)
	case "POST restart":
		delete(a.sessions, id)
		a.restarts++
		session.ID = fmt.Sprintf("ts_restarted%d", a.restarts)
		a.sessions[session.ID] = session
		// Before the old one, so that who restarts what the list has does not meet it again.
		a.order = slices.Insert(a.order, slices.Index(a.order, id), session.ID)
	case "POST update":
	default:
		return http.StatusOK, session, nil
	}
	return http.StatusNoContent, nil, nil
}

// parseRoute returns what a request is for: its method and the command in its path, and the ID of the session. "GET"
// alone is the list, and "GET " a session.
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

// page returns the page of the list that begins behind the session that before_id names.
func (a *API) page(r *http.Request, pageSize int) any {
	query := r.URL.Query()
	size := maxPageSize
	if pageSize > 0 {
		size = min(size, pageSize)
	}
	if limit, err := strconv.Atoi(query.Get("limit")); err == nil && limit > 0 {
		size = min(size, limit)
	}
	sessions := []api.TunnelSession{}
	for _, id := range a.order[slices.Index(a.order, query.Get("before_id"))+1:] {
		if session, ok := a.sessions[id]; ok {
			sessions = append(sessions, session)
		}
	}
	page := map[string]any{"uri": "https://api.ngrok.com/tunnel_sessions", "next_page_uri": nil}
	if len(sessions) > size {
		sessions = sessions[:size]
		next := url.Values{"before_id": {sessions[size-1].ID}, "limit": {strconv.Itoa(size)}}
		page["next_page_uri"] = "https://api.ngrok.com/tunnel_sessions?" + next.Encode()
	}
	page["tunnel_sessions"] = sessions
	return page
}

// A failure is an error as ngrok answers it. Texts and statuses are those that ngrok's documentation and users show;
// ngrok may change the texts.
type failure struct {
	status  int
	code    string // left out where empty
	message string
	path    string // in place of the operation ID in the details, where not empty
}

func (f *failure) body(operation string) any {
	details := map[string]any{"operation_id": operation}
	if f.path != "" {
		details = map[string]any{"path": f.path}
	}
	body := map[string]any{"status_code": f.status, "msg": f.message, "details": details}
	if f.code != "" {
		body["error_code"] = f.code
	}
	return body
}

// refuse returns the answer to a request without a valid key or version, nil to others.
func refuse(r *http.Request) *failure {
	authorization := r.Header.Get("Authorization")
	scheme, key, _ := strings.Cut(authorization, " ")
	switch {
	case authorization == "":
		return &failure{status: http.StatusForbidden, code: "ERR_NGROK_200",
			message: "The API authentication you specified was missing: set the Authorization header."}
	case !strings.EqualFold(scheme, "Bearer") || !strings.Contains(key, "_"):
		// ngrok quotes what it got, so clients have to keep it out of their logs.
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
		// The status of this one is not known. That of the missing version is the best guess.
		return &failure{status: http.StatusBadRequest, code: "ERR_NGROK_217",
			message: fmt.Sprintf("The API version %q is not supported.", version)}
	}
}

func write(w http.ResponseWriter, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // the values are sessions, and this package's own
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(data) // a client that is gone has an error of its own
}
