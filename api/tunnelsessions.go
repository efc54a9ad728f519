package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
)

// GetTunnelSession returns the tunnel session with the given ID, such as
// "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR". If the error is nil, the session has an ID. Its StartedAt is in
// UTC, in the format of [time.RFC3339].
//
// The error matches [ErrInvalidID] if the ID is empty, "." or "..", and [ErrNotFound] if the
// account has no such session: the agent is offline, or has come back with another session.
// The error can also match [ErrAuthentication], [ErrRateLimited], [ErrUnexpectedResponse] or
// [ErrResponseTooLarge]. If there was a complete response, the error is a [*ResponseError].
//
// Editors apply to this call only, after those of the client.
func (c *ClientWithResponses) GetTunnelSession(
	ctx context.Context, id string, editors ...RequestEditorFn,
) (*TunnelSession, error) {
	rsp, err := c.TunnelSessionsGet(ctx, PathParam(id), editors...)
	return decode(rsp, err, func(s *TunnelSession) bool { return s.ID != "" })
}

// ListTunnelSessions returns the tunnel sessions that are online in the account, in ngrok's order.
// It requests a page, of at most 100 sessions, only when the loop reaches it. Each loop over the
// sequence starts a new list.
//
//	params := &api.TunnelSessionsListParams{Filter: new(`obj.region == "eu"`)}
//	for session, err := range client.ListTunnelSessions(ctx, params) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(session.ID)
//	}
//
// Nil params list all sessions. Filter, a CEL expression that ngrok evaluates, and Limit, the size
// of a page, apply to every page. [strconv.Quote] makes a CEL string of any value, such as metadata
// with quotes. If the filter is invalid, the error is a [*ResponseError] whose Code is
// "invalid_cel_expression".
//
// An error ends the sequence: its session is nil, and the sessions before it are not the whole
// list. The errors are those of [ClientWithResponses.GetTunnelSession].
//
// A list is not a snapshot. An agent that reconnects meanwhile can have another session, and be on
// no page or on two. Reconnecting takes up to about a minute: consider an agent gone after two
// lists without it, about a minute apart. An empty list is no error. Without a filter, it means
// that all agents are offline, or that the key is of another account: alert somebody.
//
// A page without sessions is the last one, as in ngrok's own client. Pages are requested from the
// client's base URL, whatever host ngrok names for the next one. Editors apply to the request of
// each page, after those of the client. One that changes the query must keep before_id, which
// selects the page.
func (c *ClientWithResponses) ListTunnelSessions(
	ctx context.Context, params *TunnelSessionsListParams, editors ...RequestEditorFn,
) iter.Seq2[*TunnelSession, error] {
	// A copy, because the caller may change the parameters before the loop.
	first := *cmp.Or(params, new(TunnelSessionsListParams))
	isList := func(l *TunnelSessionList) bool { return l.TunnelSessions != nil || l.URI != "" }
	return func(yield func(*TunnelSession, error) bool) {
		query := first
		seen := map[string]bool{"": true} // values of before_id
		for {
			if query.BeforeID != nil {
				seen[*query.BeforeID] = true
			}
			rsp, err := c.TunnelSessionsList(ctx, &query, editors...)
			page, err := decode(rsp, err, isList)
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
			next := ""
			if uri, err := url.Parse(page.NextPageURI); err == nil {
				next = uri.Query().Get("before_id")
			}
			if seen[next] {
				yield(nil, newResponseError(rsp, nil, errors.New("the next_page_uri does not lead to another page")))
				return
			}
			query.BeforeID = &next
		}
	}
}

// RestartTunnelSession tells the ngrok agent of a tunnel session to restart. The agent reconnects
// with another session ID. Give each agent unique metadata in its configuration, and find it by
// that, for example with a filter. For a while, ngrok may list its old session beside the new one:
// write down the session ID before the restart, so that your program, even if it is started again,
// knows which one is old.
//
// A nil error means that ngrok accepted the command. The Code of a [*ResponseError] can be
//
//   - ERR_NGROK_804: the agent cannot restart, for the reason in the message. Agents on Windows
//     cannot: see [ClientWithResponses.StopTunnelSession].
//   - ERR_NGROK_808: the agent failed to restart, with the error in the message.
//   - ERR_NGROK_810: ngrok could not reach the agent, often because it is shutting down or
//     reconnecting. The agent may have received the command.
//   - ERR_NGROK_1701: the account's plan does not include restart and stop.
//
// Other errors are those of [ClientWithResponses.GetTunnelSession]. The request is a POST: the
// package comment says when it is retried, and [OutcomeUnknown] reports whether a command that
// failed may have been carried out.
func (c *ClientWithResponses) RestartTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) error {
	return noContent(c.TunnelSessionsRestart(ctx, PathParam(id), TunnelSessionsRestartJSONRequestBody{}, editors...))
}

// StopTunnelSession tells the ngrok agent of a tunnel session to exit. If the agent runs as a
// service, its service manager starts it again. On Windows, where agents cannot restart, this is
// how to restart one. Any other agent stays offline until somebody starts it.
//
// A nil error means that ngrok accepted the command. ERR_NGROK_805 means that the agent cannot
// stop, for the reason in the message. Other errors are those of
// [ClientWithResponses.RestartTunnelSession].
func (c *ClientWithResponses) StopTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) error {
	return noContent(c.TunnelSessionsStop(ctx, PathParam(id), TunnelSessionsStopJSONRequestBody{}, editors...))
}

// UpdateTunnelSession tells the ngrok agent of a tunnel session to update itself to the latest
// version within its major version. The agent runs the old version until it restarts. ngrok's
// document says to wait at least ten seconds before calling
// [ClientWithResponses.RestartTunnelSession].
//
// A nil error means that ngrok accepted the command. The Code of a [*ResponseError] can be
//
//   - ERR_NGROK_806: the agent cannot update, for the reason in the message. Its configuration
//     disables updates, it has the latest version, it is updating, or it has updated and not
//     restarted since. A program that ends between update and restart causes the last of these:
//     write down each update before you send it. If an agent whose update you wrote down refuses,
//     wait ten seconds and restart it, once. If its version is still old, give up and say so.
//   - ERR_NGROK_810: as for RestartTunnelSession.
//   - ERR_NGROK_1702: the account's plan does not include updates.
//
// Other errors are those of RestartTunnelSession. If the outcome is unknown, call again: an agent
// that has updated refuses a second update with ERR_NGROK_806.
func (c *ClientWithResponses) UpdateTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) error {
	return noContent(c.TunnelSessionsUpdate(ctx, PathParam(id), TunnelSessionsUpdateJSONRequestBody{}, editors...))
}

// noContent returns the error of a call whose success is a 204.
func noContent(rsp *http.Response, err error) error {
	if err != nil {
		return plainError(err)
	}
	if rsp.StatusCode != http.StatusNoContent {
		return newResponseError(rsp, nil, nil)
	}
	return nil
}

// decode returns the JSON object in the body of a response, if it is valid.
func decode[T any](rsp *http.Response, err error, isValid func(*T) bool) (*T, error) {
	if err != nil {
		return nil, plainError(err)
	}
	defer rsp.Body.Close()
	var data []byte
	if body, ok := rsp.Body.(bufferedBody); ok {
		data = body.Bytes()
	} else if data, err = io.ReadAll(rsp.Body); err != nil { // of a client without a Doer
		return nil, err
	}
	object := new(T)
	if err := json.Unmarshal(data, object); err != nil {
		return nil, newResponseError(rsp, data, err)
	}
	if !isValid(object) {
		return nil, newResponseError(rsp, data, errors.New("the body lacks the requested data"))
	}
	return object, nil
}

// plainError returns err, but ErrInvalidID without the text that generated code puts around it.
func plainError(err error) error {
	if errors.Is(err, ErrInvalidID) {
		return ErrInvalidID
	}
	return err
}
