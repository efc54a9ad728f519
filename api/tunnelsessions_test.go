package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/ngrokapi/api"
)

const sessionsURL = "https://api.ngrok.com/tunnel_sessions"

// pages is an HTTP client that has a body for each URL.
type pages map[string]string

func (p pages) Do(r *http.Request) (*http.Response, error) {
	if body, ok := p[r.URL.String()]; ok {
		return answer(200, "application/json", body)(r)
	}
	return answer(404, "application/json", `{"msg":"Not Found","details":{"path":"/x"}}`)(r)
}

// page returns the JSON of a page with the given next_page_uri, of which "" stands for null.
func page(next string, ids ...string) string {
	sessions := []api.TunnelSession{}
	for _, id := range ids {
		sessions = append(sessions, api.TunnelSession{ID: id})
	}
	body := map[string]any{"tunnel_sessions": sessions, "next_page_uri": nil}
	if next != "" {
		body["next_page_uri"] = next
	}
	data, _ := json.Marshal(body)
	return string(data)
}

func TestListTunnelSessions(t *testing.T) {
	for _, test := range []struct {
		name  string
		pages pages
		ids   string
		text  string // in the error, which is ErrUnexpectedResponse; empty for none
	}{
		{"no sessions", pages{sessionsURL: page("")}, "", ""},
		{"three pages", pages{
			sessionsURL:                          page(sessionsURL+"?before_id=b&limit=2", "a", "b"),
			sessionsURL + "?before_id=b&limit=2": page(sessionsURL+"?before_id=d&limit=2", "c", "d"),
			sessionsURL + "?before_id=d&limit=2": page("", "e"),
		}, "a b c d e", ""},
		{"empty page that names another", pages{
			sessionsURL:                  page(sessionsURL+"?before_id=a", "a"),
			sessionsURL + "?before_id=a": page(sessionsURL + "?before_id=b"),
		}, "a", ""},
		{"next page on another host", pages{
			sessionsURL:                        page("http://user:pw@evil.test:1/x/../y?before_id=a&new=1#z", "a"),
			sessionsURL + "?before_id=a&new=1": page("", "b"),
		}, "a b", ""},
		{"pages that lead back to each other", pages{
			sessionsURL:                          page(sessionsURL+"?before_id=a", "a"),
			sessionsURL + "?before_id=a":         page(sessionsURL+"?before_id=b", "b"),
			sessionsURL + "?before_id=b":         page(sessionsURL+"?limit=9&before_id=a", "c"),
			sessionsURL + "?before_id=a&limit=9": page("", "d"),
		}, "a b c", "leads back"},
		{"URI that names no page", pages{sessionsURL: page(sessionsURL+"?limit=2", "a")}, "a", "names no page"},
		{"URI that is none", pages{sessionsURL: page("http://[::1", "a")}, "a", "not a URI"},
		{"URI of another type", pages{sessionsURL: `{"tunnel_sessions":[{"id":"a"}],"next_page_uri":7}`}, "", "cannot unmarshal number"},
		{"session without an ID", pages{sessionsURL: page("", "a", "")}, "", "no list of tunnel sessions that have IDs"},
		{"empty object", pages{sessionsURL: `{}`}, "", "no list of tunnel sessions that have IDs"},
		{"error on the second page", pages{sessionsURL: page(sessionsURL+"?before_id=a", "a")}, "a", "404"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ids, err := collect(once(t, test.pages).ListTunnelSessions(t.Context()))
			if got := strings.Join(ids, " "); got != test.ids {
				t.Errorf("got %q, want %q", got, test.ids)
			}
			if test.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *api.ResponseError
			if !errors.Is(err, api.ErrUnexpectedResponse) || !errors.As(err, &e) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want a ResponseError that is ErrUnexpectedResponse with %q", err, test.text)
			}
		})
	}
}

func TestListIsLazyAndStartsAgain(t *testing.T) {
	p := pages{
		sessionsURL:                  page(sessionsURL+"?before_id=b", "a", "b"),
		sessionsURL + "?before_id=b": page("", "c"),
	}
	requests := 0
	sessions := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		requests++
		return p.Do(r)
	})).ListTunnelSessions(t.Context())
	for range 2 {
		for session, err := range sessions {
			if err != nil || session.ID == "b" {
				break
			}
		}
	}
	if requests != 2 {
		t.Errorf("sent %d requests, want the first page twice", requests)
	}
	for range 2 {
		if ids, err := collect(sessions); err != nil || len(ids) != 3 {
			t.Errorf("got %q, %v, want the whole list", ids, err)
		}
	}
}

// An error, here the end of the context, is yielded once, without a session, and ends the list.
func TestListEndsWithItsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return answer(200, "application/json", page(sessionsURL+"?before_id=a", "a"))(r)
	}))
	var got []error
	for session, err := range client.ListTunnelSessions(ctx) {
		if (session == nil) != (err != nil) {
			t.Errorf("got %v, %v, want a session or an error", session, err)
		}
		got = append(got, err)
		cancel()
	}
	if len(got) != 2 || !errors.Is(got[1], context.Canceled) {
		t.Errorf("got %v, want a session and context.Canceled", got)
	}
}

// What editors ask for, they ask for on each page, also if ngrok does not repeat it. Those of the call see the query.
func TestEditorsOfList(t *testing.T) {
	p := pages{
		sessionsURL + "?limit=1&tenant=7":             page(sessionsURL+"?before_id=a", "a"),
		sessionsURL + "?before_id=a&limit=1&tenant=7": page("", "b"),
	}
	set := func(name, value string) api.RequestEditorFn {
		return func(_ context.Context, req *http.Request) error {
			query := req.URL.Query()
			query.Set(name, value)
			req.URL.RawQuery = query.Encode()
			return nil
		}
	}
	client := once(t, p, api.WithRequestEditorFn(set("tenant", "7")))
	if ids, err := collect(client.ListTunnelSessions(t.Context(), set("limit", "1"))); err != nil || len(ids) != 2 {
		t.Errorf("got %q, %v, want both pages", ids, err)
	}
}

// A query parameter that is not set is not sent.
func TestUnsetQueryParameterIsNotSent(t *testing.T) {
	p := pages{sessionsURL: page(""), sessionsURL + "?limit=2": page("")}
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

// The first bodies are those of refused requests: what was refused is sent again whole.
func TestCommands(t *testing.T) {
	for name, command := range commands {
		for _, test := range []struct {
			name    string
			answers []doerFunc
			is      error // nil: success
		}{
			{"429, then success", []doerFunc{failing(429, ""), noContent}, nil},
			{"unknown session", []doerFunc{answer(404, "application/json", `{"msg":"Resource not found"}`)}, api.ErrNotFound},
			{"created", []doerFunc{answer(201, "application/json", session)}, api.ErrUnexpectedResponse},
			{"transport error", []doerFunc{reset}, errReset},
		} {
			t.Run(name+" "+test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newScript(test.answers...)
					if err := command(newClient(t, api.WithHTTPClient(s)), t.Context(), "ts_1"); !errors.Is(err, test.is) {
						t.Errorf("got %v, want %v", err, test.is)
					}
					if want := slices.Repeat([]string{"{}"}, len(test.answers)); !slices.Equal(s.bodies, want) {
						t.Errorf("sent the bodies %q, want %q", s.bodies, want)
					}
				})
			})
		}
	}
}

// FuzzID holds the same for GetTunnelSession.
func TestInvalidIDOfCommand(t *testing.T) {
	client := once(t, doerFunc(reset))
	for name, command := range commands {
		err := command(client, t.Context(), "..")
		var e *api.ResponseError
		if !errors.Is(err, api.ErrInvalidID) || errors.As(err, &e) {
			t.Errorf("%s: got %v, want ErrInvalidID alone", name, err)
		}
	}
}
