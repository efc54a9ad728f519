package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

// A success may have no session.
func TestNoSession(t *testing.T) {
	for _, body := range []string{`{}`, `{"id":null}`, `{"id":7}`, `{"id":"ts_1",}`, `{"id":"ts_1"`} {
		got, err := once(t, responding(200, "application/json", body)).GetTunnelSession(t.Context(), "ts_1")
		e, ok := errors.AsType[*api.ResponseError](err)
		if got != nil || !errors.Is(err, api.ErrUnexpectedResponse) || !ok || string(e.Body) != body {
			t.Errorf("%s: got %+v, %v, want ErrUnexpectedResponse with the body", body, got, err)
		}
	}
}

const sessionsURL = "https://api.ngrok.com/tunnel_sessions"

// pages is an HTTP client with a body for each URL. The parameters of the URL's query are sorted.
type pages map[string]string

func (p pages) Do(r *http.Request) (*http.Response, error) {
	r.URL.RawQuery = r.URL.Query().Encode()
	if body, ok := p[r.URL.String()]; ok {
		return responding(200, "application/json", body)(r)
	}
	return responding(404, "application/json", `{"msg":"`+r.URL.String()+`"}`)(r)
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
		{"pages that lead to each other", pages{
			sessionsURL:                  page(sessionsURL+"?before_id=a", "a"),
			sessionsURL + "?before_id=a": page(sessionsURL+"?before_id=b", "b"),
			sessionsURL + "?before_id=b": page(sessionsURL+"?before_id=a", "c"),
		}, "a b c", "does not lead to another page"},
		{"URI without before_id", pages{sessionsURL: page(sessionsURL+"?limit=2", "a")},
			"a", "does not lead to another page"},
		{"invalid URI", pages{sessionsURL: page("http://[::1", "a")}, "a", "does not lead to another page"},
		{"URI of another type", pages{sessionsURL: `{"tunnel_sessions":[{"id":"a"}],"next_page_uri":7}`},
			"", "cannot unmarshal number"},
		{"empty object", pages{sessionsURL: `{}`}, "", "the body lacks the requested data"},
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
			if !errors.Is(err, api.ErrUnexpectedResponse) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want ErrUnexpectedResponse with %q", err, test.text)
			}
		})
	}
}

// The parameters of the caller and of editors reach every page, whichever of them ngrok repeats.
func TestParametersOfList(t *testing.T) {
	params := api.TunnelSessionsListParams{Filter: new(`obj.os == "a b"`), Limit: new("1"), BeforeID: new("z")}
	const query = "&filter=obj.os+%3D%3D+%22a+b%22&limit=1&tenant=7"
	tenant := func(_ context.Context, req *http.Request) error {
		req.URL.RawQuery += "&tenant=7"
		return nil
	}
	for _, next := range []string{"", "&filter=obj.os+%3D%3D+%22a+b%22&limit=1", "&filter=x&limit=100"} {
		client := once(t, pages{
			sessionsURL + "?before_id=z" + query: page(sessionsURL+"?before_id=a"+next, "a"),
			sessionsURL + "?before_id=a" + query: page(sessionsURL+"?before_id=z", "b"), // again
		})
		later := params
		sessions := client.ListTunnelSessions(t.Context(), &later, tenant)
		later = api.TunnelSessionsListParams{} // the sequence has its own
		if ids, err := collect(sessions); !errors.Is(err, api.ErrUnexpectedResponse) || len(ids) != 2 {
			t.Errorf("ngrok repeats %q: got %q, %v, want both pages, and no third one", next, ids, err)
		}
	}
	if *params.BeforeID != "z" {
		t.Error("the caller's parameters have changed")
	}
	// Parameters that are not set are not sent.
	none := new(api.TunnelSessionsListParams)
	if _, err := collect(once(t, pages{sessionsURL: page("")}).ListTunnelSessions(t.Context(), none)); err != nil {
		t.Error(err)
	}
}

// The methods work on a client without a Doer too.
func TestWithoutDoer(t *testing.T) {
	body := &counter{err: errReset}
	broken := func(r *http.Request) (*http.Response, error) {
		rsp, err := ok(r)
		rsp.Body = body
		return rsp, err
	}
	for want, doer := range map[error]doerFunc{nil: ok, errReset: broken} {
		client, err := api.NewClientWithResponses("https://api.test", api.WithHTTPClient(doer))
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.GetTunnelSession(t.Context(), "ts_1")
		if !errors.Is(err, want) || (got != nil) != (err == nil) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	if !body.closed {
		t.Error("the body is open")
	}
}

func TestListIsLazyAndStartsAgain(t *testing.T) {
	p := pages{
		sessionsURL:                  page(sessionsURL+"?before_id=b", "a", "b"),
		sessionsURL + "?before_id=b": page("", "c"),
	}
	s := newScript(p.Do)
	sessions := once(t, s).ListTunnelSessions(t.Context(), nil)
	for range 2 {
		for session, err := range sessions {
			if err != nil || session.ID == "b" {
				break
			}
		}
	}
	if len(s.at) != 2 {
		t.Errorf("sent %d requests, want the first page twice", len(s.at))
	}
	for range 2 {
		if ids, err := collect(sessions); err != nil || len(ids) != 3 {
			t.Errorf("got %q, %v, want the whole list", ids, err)
		}
	}
}

// Commands accept no success but a 204, and return a bare ErrInvalidID. TestIDs tests which IDs are
// invalid.
func TestCommands(t *testing.T) {
	created := once(t, responding(201, "application/json", session))
	type command = func(*api.ClientWithResponses, context.Context, string, ...api.RequestEditorFn) error
	for name, command := range map[string]command{
		"restart": (*api.ClientWithResponses).RestartTunnelSession,
		"stop":    (*api.ClientWithResponses).StopTunnelSession,
		"update":  (*api.ClientWithResponses).UpdateTunnelSession,
	} {
		if err := command(created, t.Context(), "ts_1"); !errors.Is(err, api.ErrUnexpectedResponse) {
			t.Errorf("%s: got %v after a 201, want ErrUnexpectedResponse", name, err)
		}
		err := command(created, t.Context(), "..")
		if !errors.Is(err, api.ErrInvalidID) || err.Error() != api.ErrInvalidID.Error() {
			t.Errorf("%s: got %v, want only ErrInvalidID", name, err)
		}
	}
}
