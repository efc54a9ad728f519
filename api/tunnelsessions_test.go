package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/ngrokapi/api"
)

// pages is an HTTP client that answers each query with a body of its own, and notes the requests.
type pages struct {
	bodies   map[string]string
	requests []string
}

func (p *pages) Do(r *http.Request) (*http.Response, error) {
	p.requests = append(p.requests, r.URL.String())
	body, ok := p.bodies[r.URL.RawQuery]
	if !ok {
		return answer(404, "application/json", `{"msg":"Not Found","details":{"path":"/x"}}`)(r)
	}
	return answer(200, "application/json", body)(r)
}

// page returns the JSON of a page with the given next_page_uri, which is quoted unless it is null.
func page(next string, ids ...string) string {
	var sessions []string
	for _, id := range ids {
		sessions = append(sessions, fmt.Sprintf(`{"id":%q}`, id))
	}
	if next != "null" {
		next = fmt.Sprintf("%q", next)
	}
	return fmt.Sprintf(`{"tunnel_sessions":[%s],"uri":"https://api.ngrok.com/tunnel_sessions","next_page_uri":%s}`, strings.Join(sessions, ","), next)
}

func TestListTunnelSessions(t *testing.T) {
	const first = "https://api.ngrok.com/tunnel_sessions"
	for _, test := range []struct {
		name     string
		bodies   map[string]string
		ids      string
		is       error  // that the error matches; nil: none
		text     string // in the error
		requests []string
	}{
		{name: "one page", bodies: map[string]string{"": page("null", "a", "b")}, ids: "a b", requests: []string{first}},
		{name: "no sessions", bodies: map[string]string{"": page("null")}, requests: []string{first}},
		{name: "three pages", bodies: map[string]string{
			"":                    page(first+"?before_id=b&limit=2", "a", "b"),
			"before_id=b&limit=2": page(first+"?before_id=d&limit=2", "c", "d"),
			"before_id=d&limit=2": page("null", "e"),
		}, ids: "a b c d e", requests: []string{first, first + "?before_id=b&limit=2", first + "?before_id=d&limit=2"}},
		{name: "empty page that names another", bodies: map[string]string{
			"":            page(first+"?before_id=a", "a"),
			"before_id=a": page(first + "?before_id=b"),
		}, ids: "a", requests: []string{first, first + "?before_id=a"}},
		{name: "empty URI of the next page", bodies: map[string]string{"": page("", "a")}, ids: "a", requests: []string{first}},
		{name: "next page on another host", bodies: map[string]string{
			"":                  page("http://user:pw@evil.test:1/x/../y?before_id=a&new=1#z", "a"),
			"before_id=a&new=1": page("null", "b"),
		}, ids: "a b", requests: []string{first, first + "?before_id=a&new=1"}},
		{name: "next page with what a URL must escape", bodies: map[string]string{
			"":                               page(first+"?before_id=a b&limit=2&x=\u00e9", "a"),
			"before_id=a+b&limit=2&x=%C3%A9": page("null", "b"),
		}, ids: "a b", requests: []string{first, first + "?before_id=a+b&limit=2&x=%C3%A9"}},
		{name: "page that leads back to itself", bodies: map[string]string{
			"":            page(first+"?before_id=a", "a"),
			"before_id=a": page(first+"?before_id=a", "b"),
		}, ids: "a b", is: api.ErrUnexpectedResponse, text: "leads back", requests: []string{first, first + "?before_id=a"}},
		{name: "pages that lead back to each other", bodies: map[string]string{
			"":                    page(first+"?before_id=a", "a"),
			"before_id=a":         page(first+"?before_id=b", "b"),
			"before_id=b":         page(first+"?limit=9&before_id=a", "c"),
			"before_id=a&limit=9": page("null", "d"),
		}, ids: "a b c", is: api.ErrUnexpectedResponse, text: "leads back", requests: []string{first, first + "?before_id=a", first + "?before_id=b"}},
		{name: "URI that names no page", bodies: map[string]string{"": page(first+"?limit=2", "a")},
			ids: "a", is: api.ErrUnexpectedResponse, text: "names no page", requests: []string{first}},
		{name: "URI that is none", bodies: map[string]string{"": page("http://[::1", "a")},
			ids: "a", is: api.ErrUnexpectedResponse, text: "not a URI", requests: []string{first}},
		{name: "URI of another type", bodies: map[string]string{"": `{"tunnel_sessions":[{"id":"a"}],"next_page_uri":7}`},
			is: api.ErrUnexpectedResponse, text: "cannot unmarshal number", requests: []string{first}},
		{name: "session without an ID", bodies: map[string]string{"": page("null", "a", "")},
			is: api.ErrUnexpectedResponse, text: "no list of tunnel sessions that have IDs", requests: []string{first}},
		{name: "empty object", bodies: map[string]string{"": `{}`}, is: api.ErrUnexpectedResponse, requests: []string{first}},
		{name: "error document", bodies: map[string]string{"": `{"error_code":"ERR_NGROK_203","msg":"unknown key"}`},
			is: api.ErrUnexpectedResponse, requests: []string{first}},
		{name: "error on the second page", bodies: map[string]string{"": page(first+"?before_id=a", "a")},
			ids: "a", is: api.ErrUnexpectedResponse, text: "404", requests: []string{first, first + "?before_id=a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &pages{bodies: test.bodies}
			ids, err := collect(once(t, p).ListTunnelSessions(t.Context()))
			if got := strings.Join(ids, " "); got != test.ids {
				t.Errorf("got %q, want %q", got, test.ids)
			}
			var e *api.ResponseError
			if !errors.Is(err, test.is) || test.is != nil && (!errors.As(err, &e) || !strings.Contains(err.Error(), test.text)) {
				t.Errorf("got %v, want a ResponseError that is %v with %q", err, test.is, test.text)
			}
			if !slices.Equal(p.requests, test.requests) {
				t.Errorf("sent %q, want %q", p.requests, test.requests)
			}
		})
	}
}

func TestListIsLazyAndStartsAgain(t *testing.T) {
	p := &pages{bodies: map[string]string{
		"":            page("https://api.ngrok.com/tunnel_sessions?before_id=b", "a", "b"),
		"before_id=b": page("null", "c"),
	}}
	sessions := once(t, p).ListTunnelSessions(t.Context())
	if len(p.requests) != 0 {
		t.Error("a page was asked for before the loop")
	}
	for range 2 {
		for session, err := range sessions {
			if err != nil || session.ID == "b" {
				break
			}
		}
	}
	if len(p.requests) != 2 {
		t.Errorf("sent %q, want the first page twice", p.requests)
	}
	if ids, err := collect(sessions); err != nil || len(ids) != 3 {
		t.Errorf("got %q, %v, want the whole list", ids, err)
	}
}

// An error is yielded once, without a session, and ends the list. A caller that goes on gets nothing more.
func TestListEndsWithItsError(t *testing.T) {
	client := once(t, doerFunc(reset))
	var errs []error
	for session, err := range client.ListTunnelSessions(t.Context()) {
		if session != nil {
			t.Errorf("got %+v", session)
		}
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], errReset) {
		t.Errorf("got %v, want one error", errs)
	}
}

func TestListStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return answer(200, "application/json", page("https://api.ngrok.com/?before_id=a", "a"))(r)
	}))
	var got []error
	for _, err := range client.ListTunnelSessions(ctx) {
		got = append(got, err)
		cancel()
	}
	if len(got) != 2 || got[0] != nil || !errors.Is(got[1], context.Canceled) {
		t.Errorf("got %v, want a session and context.Canceled", got)
	}
}

// The editors of the caller see each page's request, the query included.
func TestEditorsOfList(t *testing.T) {
	p := &pages{bodies: map[string]string{
		"limit=1":             page("https://api.ngrok.com/tunnel_sessions?before_id=a&limit=1", "a"),
		"before_id=a&limit=1": page("null", "b"),
	}}
	limit := func(_ context.Context, req *http.Request) error {
		query := req.URL.Query()
		query.Set("limit", "1")
		req.URL.RawQuery = query.Encode()
		return nil
	}
	if ids, err := collect(once(t, p).ListTunnelSessions(t.Context(), limit)); err != nil || len(ids) != 2 {
		t.Errorf("by an editor of the call: got %q, %v", ids, err)
	}
	if ids, err := collect(once(t, p, api.WithRequestEditorFn(limit)).ListTunnelSessions(t.Context())); err != nil || len(ids) != 2 {
		t.Errorf("by an editor of the client: got %q, %v", ids, err)
	}
}

// What an editor of the client asks for, it asks for on each page, also if ngrok does not repeat it.
func TestEditorsOfClientKeepTheirQuery(t *testing.T) {
	p := &pages{bodies: map[string]string{
		"tenant=7":             page("https://api.ngrok.com/tunnel_sessions?before_id=a", "a"),
		"before_id=a&tenant=7": page("null", "b"),
	}}
	tenant := api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		req.URL.RawQuery = "tenant=7"
		return nil
	})
	if ids, err := collect(once(t, p, tenant).ListTunnelSessions(t.Context())); err != nil || len(ids) != 2 {
		t.Errorf("got %q, %v after %q", ids, err, p.requests)
	}
}

// A query parameter that is not set is not sent.
func TestUnsetQueryParameterIsNotSent(t *testing.T) {
	p := &pages{bodies: map[string]string{"limit=2": page("null"), "": page("null")}}
	limit := "2"
	for _, params := range []*api.TunnelSessionsListParams{{Limit: &limit}, {}, nil} {
		if _, err := once(t, p).TunnelSessionsListWithResponse(t.Context(), params); err != nil {
			t.Error(err)
		}
	}
}

// commands are the methods that tell an agent to do something.
var commands = map[string]func(*api.ClientWithResponses, context.Context, string, ...api.RequestEditorFn) error{
	"restart": (*api.ClientWithResponses).RestartTunnelSession,
	"stop":    (*api.ClientWithResponses).StopTunnelSession,
	"update":  (*api.ClientWithResponses).UpdateTunnelSession,
}

func TestCommands(t *testing.T) {
	for name, command := range commands {
		for _, test := range []struct {
			name     string
			answer   doerFunc
			is       error // nil: success
			requests int
		}{
			{"success", noContent, nil, 1},
			{"429, then success", nil, nil, 2},
			{"429 to the end", failing(429, ""), api.ErrRateLimited, 3},
			{"unknown session", answer(404, "application/json", `{"msg":"Resource not found"}`), api.ErrNotFound, 1},
			{"created", answer(201, "application/json", session), api.ErrUnexpectedResponse, 1},
			{"JSON with the status 200", answer(200, "application/json", "{}"), api.ErrUnexpectedResponse, 1},
			{"transport error", reset, errReset, 1},
		} {
			t.Run(name+" "+test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newScript(test.answer)
					if test.answer == nil {
						s = newScript(failing(429, ""), noContent)
					}
					var sent *http.Request
					client := newClient(t, api.WithHTTPClient(doerFunc(func(r *http.Request) (*http.Response, error) {
						sent = r
						return s.Do(r)
					})))
					if err := command(client, t.Context(), "ts_1"); !errors.Is(err, test.is) {
						t.Errorf("got %v, want %v", err, test.is)
					}
					if sent.Method != "POST" || sent.URL.Path != "/tunnel_sessions/ts_1/"+name || sent.Header.Get("Content-Type") != "application/json" {
						t.Errorf("sent %s %s %v", sent.Method, sent.URL, sent.Header)
					}
					if want := slices.Repeat([]string{"{}"}, test.requests); !slices.Equal(s.bodies, want) {
						t.Errorf("sent the bodies %q, want %q", s.bodies, want)
					}
				})
			})
		}
	}
}

// A command is not repeated where the first one may have arrived.
func TestCommandIsNotRepeated(t *testing.T) {
	for name, command := range commands {
		for _, failure := range []doerFunc{reset, failing(500, ""), failing(502, ""), failing(503, "1"), failing(504, ""), failing(408, "")} {
			s := newScript(failure, noContent)
			if err := command(newClient(t, api.WithHTTPClient(s)), t.Context(), "ts_1"); err == nil || len(s.at) != 1 {
				t.Errorf("%s: got %v after %d requests, want an error after 1", name, err, len(s.at))
			}
		}
	}
}

func TestInvalidIDIsNotSent(t *testing.T) {
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent %s %s", r.Method, r.URL)
		return nil, errReset
	}))
	for _, id := range []string{"", ".", ".."} {
		session, err := client.GetTunnelSession(t.Context(), id)
		if session != nil || !errors.Is(err, api.ErrInvalidID) {
			t.Errorf("get %q: got %v, %v, want ErrInvalidID", id, session, err)
		}
		for name, command := range commands {
			err := command(client, t.Context(), id)
			var e *api.ResponseError
			if !errors.Is(err, api.ErrInvalidID) || errors.As(err, &e) {
				t.Errorf("%s %q: got %v, want ErrInvalidID", name, id, err)
			}
		}
	}
}
