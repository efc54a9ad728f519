package api

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// GetTunnelSession returns the tunnel session with the given ID, such as "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR".
//
// The error matches [ErrInvalidID] if the ID is empty, "." or "..", and then nothing was sent; [ErrNotFound] if
// ngrok has no such session; [ErrAuthentication], [ErrRateLimited], [ErrUnexpectedResponse] or [ErrResponseTooLarge] as
// their comments say. If ngrok answered, it is a [*ResponseError]. Without an error the session is not nil and has an ID.
//
// Editors apply to this call only, after those of the client.
func (c *ClientWithResponses) GetTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) (*TunnelSession, error) {
	rsp, err := c.TunnelSessionsGet(ctx, PathParam(id), withoutNil(editors)...)
	if err != nil {
		return nil, err
	}
	session := new(TunnelSession)
	b, err := decode(rsp, session)
	if err != nil {
		return nil, err
	}
	if session.ID == "" {
		return nil, b.unexpected(errors.New("the tunnel session has no ID"))
	}
	return session, nil
}

// ListTunnelSessions returns the tunnel sessions that are online in the account, in the order in which ngrok lists
// them. It asks for a page, of at most 100 sessions, only when the loop reaches it. Each use of the sequence lists anew.
//
//	for session, err := range client.ListTunnelSessions(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(session.ID)
//	}
//
// An error ends the sequence: its session is nil, and the sessions before it are not all. The error is as that of
// [ClientWithResponses.GetTunnelSession]. A page without sessions is the last one, as in ngrok's own client. Pages are
// asked for at the client's base URL, whatever host ngrok names for the next one.
//
// Editors apply to the request of each page, after those of the client. One that changes the query must keep what is
// in it, which names the page.
func (c *ClientWithResponses) ListTunnelSessions(ctx context.Context, editors ...RequestEditorFn) iter.Seq2[*TunnelSession, error] {
	return func(yield func(*TunnelSession, error) bool) {
		var query url.Values
		seen := make(map[string]bool)
		for {
			page, b, err := c.tunnelSessionsPage(ctx, query, editors)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.TunnelSessions {
				if !yield(&page.TunnelSessions[i], nil) {
					return
				}
			}
			if page.NextPageURI == "" || len(page.TunnelSessions) == 0 {
				return
			}
			query, err = nextPage(page.NextPageURI, seen)
			if err != nil {
				yield(nil, b.unexpected(err))
				return
			}
		}
	}
}

// tunnelSessionsPage returns the page that a query names, which is empty for the first one, and the body that it is from.
func (c *ClientWithResponses) tunnelSessionsPage(ctx context.Context, query url.Values, editors []RequestEditorFn) (*TunnelSessionList, *body, error) {
	setQuery := func(_ context.Context, req *http.Request) error {
		if len(query) > 0 {
			all := req.URL.Query() // what an editor of the client added
			maps.Copy(all, query)
			req.URL.RawQuery = all.Encode()
		}
		return nil
	}
	rsp, err := c.TunnelSessionsList(ctx, nil, append([]RequestEditorFn{setQuery}, withoutNil(editors)...)...)
	if err != nil {
		return nil, nil, err
	}
	// A body without a list leaves the session without an ID in place: it is not an empty list.
	page := &TunnelSessionList{TunnelSessions: make([]TunnelSession, 1)}
	b, err := decode(rsp, page)
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(page.TunnelSessions, func(s TunnelSession) bool { return s.ID == "" }) {
		return nil, nil, b.unexpected(errors.New("the body has no list of tunnel sessions that have IDs"))
	}
	return page, b, nil
}

// nextPage returns the query of the next page from its URI, and adds the page to those that were seen.
func nextPage(uri string, seen map[string]bool) (url.Values, error) {
	next, err := url.Parse(uri)
	if err != nil {
		return nil, errors.New("the next_page_uri is not a URI")
	}
	query := next.Query()
	before := query.Get("before_id")
	switch {
	case before == "":
		return nil, errors.New("the next_page_uri names no page")
	case seen[before]:
		return nil, errors.New("the next_page_uri leads back to a page that was listed")
	}
	seen[before] = true
	return query, nil
}

// RestartTunnelSession tells the ngrok agent of a tunnel session to restart itself. The agent then reconnects with a
// new tunnel session ID. ngrok's document says that agents on Windows cannot restart.
//
// Without an error the command was issued: ngrok answered 204. The errors are as those of
// [ClientWithResponses.GetTunnelSession]. The request is a POST, which is repeated after a 429 and nothing else, so
// that the agent does not get the command twice.
func (c *ClientWithResponses) RestartTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) error {
	return noContent(c.TunnelSessionsRestartWithBody(ctx, PathParam(id), "application/json", strings.NewReader("{}"), withoutNil(editors)...))
}

// StopTunnelSession tells the ngrok agent of a tunnel session to exit.
//
// Errors and retries are as those of [ClientWithResponses.RestartTunnelSession].
func (c *ClientWithResponses) StopTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) error {
	return noContent(c.TunnelSessionsStopWithBody(ctx, PathParam(id), "application/json", strings.NewReader("{}"), withoutNil(editors)...))
}

// UpdateTunnelSession tells the ngrok agent of a tunnel session to update itself to the latest version, but not to
// another major one. The agent goes on running the old version until it is restarted: ngrok's document says to wait at
// least ten seconds before calling [ClientWithResponses.RestartTunnelSession]. It also says that the call fails if there
// is no update, if the agent's configuration disables update checks, if the agent is updating already, or if it has
// updated and not restarted since.
//
// Errors and retries are as those of RestartTunnelSession.
func (c *ClientWithResponses) UpdateTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) error {
	return noContent(c.TunnelSessionsUpdateWithBody(ctx, PathParam(id), "application/json", strings.NewReader("{}"), withoutNil(editors)...))
}

// noContent returns the error of a call whose success is a 204.
func noContent(rsp *http.Response, err error) error {
	if err != nil {
		return err
	}
	b, err := bodyOf(rsp)
	if err != nil {
		return err
	}
	if rsp.StatusCode != http.StatusNoContent {
		return b.unexpected(errStatus)
	}
	return nil
}
