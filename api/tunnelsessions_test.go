package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/ngrokapi/api"
)

// A success can still be no session.
func TestWhatIsNoSession(t *testing.T) {
	for _, body := range []string{`{}`, `{"status":"ok"}`, `{"id":null}`, `{"id":7}`, `{"id":"ts_1",}`, `{"id":"ts_1"`} {
		got, err := once(t, answer(200, "application/json", body)).GetTunnelSession(t.Context(), "ts_1")
		var e *api.ResponseError
		if got != nil || !errors.Is(err, api.ErrUnexpectedResponse) || !errors.As(err, &e) || e.StatusCode != 200 || string(e.Body) != body {
			t.Errorf("%s: got %+v, %v, want ErrUnexpectedResponse with the body", body, got, err)
		}
	}
}

const sessionsURL = "https://api.ngrok.com/tunnel_sessions"

// pages is an HTTP client with a body for each URL.
type pages map[string]string

func (p pages) Do(r *http.Request) (*http.Response, error) {
	if body, ok := p[r.URL.String()]; ok {
		return answer(200, "application/json", body)(r)
	}
	return answer(404, "application/json", `{"msg":"`+r.URL.String()+`"}`)(r)
}

// page returns the JSON of a page with the given next_page_uri, or null for "".
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
		{"no sessions, as null", pages{sessionsURL: `{"tunnel_sessions":null,"uri":"` + sessionsURL + `"}`}, "", ""},
		{"three pages", pages{
			sessionsURL:                  page(sessionsURL+"?before_id=b&limit=2", "a", "b"),
			sessionsURL + "?before_id=b": page(sessionsURL+"?before_id=d&limit=2", "c", "d"),
			sessionsURL + "?before_id=d": page("", "e"),
		}, "a b c d e", ""},
		{"empty page that names another", pages{
			sessionsURL:                  page(sessionsURL+"?before_id=a", "a"),
			sessionsURL + "?before_id=a": page(sessionsURL + "?before_id=b"),
		}, "a", ""},
		{"next page on another host", pages{
			sessionsURL:                  page("http://user:pw@evil.test:1/x/../y?before_id=a#z", "a"),
			sessionsURL + "?before_id=a": page("", "b"),
		}, "a b", ""},
		{"page that leads to itself", pages{
			sessionsURL:                  page(sessionsURL+"?before_id=a", "a"),
			sessionsURL + "?before_id=a": page(sessionsURL+"?before_id=a", "a"),
		}, "a a", "does not lead to another page"},
		{"URI without before_id", pages{sessionsURL: page(sessionsURL+"?limit=2", "a")}, "a", "does not lead to another page"},
		{"invalid URI", pages{sessionsURL: page("http://[::1", "a")}, "a", "does not lead to another page"},
		{"URI of another type", pages{sessionsURL: `{"tunnel_sessions":[{"id":"a"}],"next_page_uri":7}`}, "", "cannot unmarshal number"},
		{"empty object", pages{sessionsURL: `{}`}, "", "the body lacks what was asked for"},
		{"error on the second page", pages{sessionsURL: page(sessionsURL+"?before_id=a", "a")}, "a", "404"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ids, err := collect(once(t, test.pages).ListTunnelSessions(t.Context(), nil))
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

// The parameters, and what editors set, reach every page, also if ngrok does not repeat them.
func TestParametersOfList(t *testing.T) {
	const filter = `obj.region == "eu" && obj.os != "windows"`
	const query = "?filter=obj.region+%3D%3D+%22eu%22+%26%26+obj.os+%21%3D+%22windows%22&limit=1&tenant=7&trace=8"
	set := func(name, value string) api.RequestEditorFn {
		return func(_ context.Context, req *http.Request) error {
			query := req.URL.Query()
			query.Set(name, value)
			req.URL.RawQuery = query.Encode()
			return nil
		}
	}
	params := &api.TunnelSessionsListParams{Filter: new(filter), Limit: new("1"), BeforeID: new("z")}
	for name, next := range map[string]string{
		"that ngrok repeats":         "?before_id=a&filter=" + "obj.region+%3D%3D+%22eu%22+%26%26+obj.os+%21%3D+%22windows%22&limit=1",
		"that ngrok does not repeat": "?before_id=a",
		"that ngrok gets wrong":      "?before_id=a&filter=x",
	} {
		p := pages{
			sessionsURL + strings.Replace(query, "?", "?before_id=z&", 1): page(sessionsURL+next, "a"),
			sessionsURL + strings.Replace(query, "?", "?before_id=a&", 1): page("", "b"),
		}
		client := once(t, p, api.WithRequestEditorFn(set("tenant", "7")))
		later := *params
		sessions := client.ListTunnelSessions(t.Context(), &later, set("trace", "8"))
		later = api.TunnelSessionsListParams{} // the sequence has its own
		if ids, err := collect(sessions); err != nil || len(ids) != 2 {
			t.Errorf("parameters %s: got %q, %v, want both pages", name, ids, err)
		}
	}
	if want := (&api.TunnelSessionsListParams{Filter: new(filter), Limit: new("1"), BeforeID: new("z")}); !reflect.DeepEqual(params, want) {
		t.Error("the caller's parameters have changed")
	}
	// What is not set is not sent.
	if _, err := collect(once(t, pages{sessionsURL: page("")}).ListTunnelSessions(t.Context(), &api.TunnelSessionsListParams{})); err != nil {
		t.Error(err)
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
	})).ListTunnelSessions(t.Context(), nil)
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
	for session, err := range client.ListTunnelSessions(ctx, nil) {
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

// commands are the methods that tell an agent to do something.
var commands = map[string]func(*api.ClientWithResponses, context.Context, string, ...api.RequestEditorFn) error{
	"restart": (*api.ClientWithResponses).RestartTunnelSession,
	"stop":    (*api.ClientWithResponses).StopTunnelSession,
	"update":  (*api.ClientWithResponses).UpdateTunnelSession,
}

// A request that was refused is sent again whole.
func TestCommands(t *testing.T) {
	for name, command := range commands {
		for _, test := range []struct {
			name    string
			answers []doerFunc
			is      error // nil: success
		}{
			{"429, then success", []doerFunc{failing(429, ""), noContent}, nil},
			{"unknown session", []doerFunc{answer(404, "application/json", notFound)}, api.ErrNotFound},
			{"created", []doerFunc{answer(201, "application/json", session)}, api.ErrUnexpectedResponse},
			{"connection breaks", []doerFunc{reset}, errReset},
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

// The error for an invalid ID is one plain sentence. FuzzID tests which IDs are invalid.
func TestInvalidID(t *testing.T) {
	client := once(t, doerFunc(reset))
	_, err := client.GetTunnelSession(t.Context(), "..")
	errs := map[string]error{"get": err}
	for name, command := range commands {
		errs[name] = command(client, t.Context(), "..")
	}
	for name, err := range errs {
		if !errors.Is(err, api.ErrInvalidID) || err.Error() != `invalid ID: it must not be empty, "." or ".."` {
			t.Errorf("%s: got %v, want ErrInvalidID alone", name, err)
		}
	}
}
