package api

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// apiVersion is the version of the API that requests ask for: the default, and only value, of the header
// parameter ngrok-version in ngrok's OpenAPI document.
const apiVersion = "2"

// New returns a client that authenticates with apiKey, an ngrok API key or access token. It talks to
// https://api.ngrok.com unless [WithBaseURL] names another place, through a [Doer] with its defaults unless
// [WithHTTPClient] gives another one. WithHTTPClient also takes an [http.Client], or anything else with its Do
// method, and New wraps it in a Doer. Make one client and share it: it is safe for concurrent use.
//
// New does no I/O; whether ngrok accepts the key shows in the first call. It returns an error, which never holds
// the key, if
//   - the key is empty or has white space, control or non-ASCII characters;
//   - the base URL has no scheme or host, has user info, a query or a fragment, or would send the key unencrypted:
//     plain http is for localhost, 127.0.0.0/8 and ::1 only;
//   - an option, a request editor or the HTTP client is nil, or an option fails.
func New(apiKey string, opts ...ClientOption) (*ClientWithResponses, error) {
	if err := checkAPIKey(apiKey); err != nil {
		return nil, fmt.Errorf("new ngrok client: %w", err)
	}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("new ngrok client: option %d of %d is nil: leave it out", i+1, len(opts))
		}
	}
	// The library's editors come before those of the options, so that the caller has the last word. The guard
	// needs the base URL, which is known after the options.
	guard := new(pathGuard)
	first := func(c *Client) error {
		c.Client = new(Doer)
		c.RequestEditors = []RequestEditorFn{guard.edit, bearer(apiKey), version, userAgent}
		return nil
	}
	last := func(c *Client) error {
		base, err := parseBaseURL(c.Server)
		if err != nil {
			return err
		}
		guard.basePath = base.EscapedPath()
		c.Server = base.String()
		if slices.ContainsFunc(c.RequestEditors, func(e RequestEditorFn) bool { return e == nil }) {
			return errors.New("a request editor is nil: leave it out")
		}
		c.Client, err = asDoer(c.Client)
		return err
	}
	c, err := NewClientWithResponses(defaultBaseURL, slices.Concat([]ClientOption{first}, opts, []ClientOption{last})...)
	if err != nil {
		// A mistaken caller can have put the key into an option.
		return nil, fmt.Errorf("new ngrok client: %w", newRedactor(apiKey).error(withoutURL(err)))
	}
	return c, nil
}

// GetTunnelSession returns the tunnel session with the given ID, such as "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR".
//
// The error matches [ErrInvalidID] if the ID is empty, "." or "..", and then nothing was sent; [ErrNotFound] if
// ngrok has no such session; [ErrAuthentication], [ErrRateLimited] and the others as their comments say. If ngrok
// answered, it is a [*ResponseError]. Without an error the session is not nil.
//
// Editors apply to this call only, after those of the client.
func (c *ClientWithResponses) GetTunnelSession(ctx context.Context, id string, editors ...RequestEditorFn) (*TunnelSession, error) {
	rsp, err := c.TunnelSessionsGet(ctx, id, decoding(editors)...)
	if err != nil {
		return nil, err
	}
	return decode[TunnelSession](rsp)
}

// checkAPIKey rejects what cannot be a bearer token. A key has no shape that could be checked further.
func checkAPIKey(key string) error {
	if key == "" {
		return errors.New("the API key is empty: create one in the ngrok dashboard and pass it to New")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the API key has white space, control or non-ASCII characters: " +
			"check that it was copied whole, without a line break or quotes")
	}
	return nil
}

// asDoer returns a Doer that sends through c. If c is one, it is a copy.
func asDoer(c HttpRequestDoer) (HttpRequestDoer, error) {
	if v := reflect.ValueOf(c); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, errors.New("the HTTP client is nil: leave WithHTTPClient out for the default one")
	}
	d := Doer{HTTPClient: c}
	if given, ok := c.(*Doer); ok {
		d = *given
	}
	d.safe = safeClient(d.HTTPClient)
	return &d, nil
}
