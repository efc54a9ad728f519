package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

const (
	// The document's only server, and the only value of its header parameter ngrok-version.
	defaultBaseURL = "https://api.ngrok.com"
	apiVersion     = "2"
)

// New returns a client that authenticates with apiKey, an ngrok API key or access token. It talks to
// https://api.ngrok.com unless [WithBaseURL] names another place, through a [Doer] with its defaults unless
// [WithHTTPClient] gives another one. WithHTTPClient also takes an [http.Client], or anything else with its Do
// method, and New puts it into a Doer. Make one client and share it: it is safe for concurrent use. Another key needs
// another client, which costs next to nothing and shares the connections.
//
// New does no I/O; whether ngrok accepts the key shows in the first call. It returns an error, which does not quote the
// key or the base URL, if
//   - the key is not a bearer token: letters, digits and -._~+/ with = at the end (RFC 6750);
//   - the base URL has no scheme or host, has user info, a query or a fragment, or would send the key unencrypted:
//     plain http is for localhost, 127.0.0.0/8 and ::1 only;
//   - an option or the HTTP client is nil, or an option fails. A nil request editor is skipped.
func New(apiKey string, opts ...ClientOption) (*ClientWithResponses, error) {
	if err := checkAPIKey(apiKey); err != nil {
		return nil, fmt.Errorf("new ngrok client: %w", err)
	}
	c := &Client{
		Server:         defaultBaseURL,
		Client:         new(Doer),
		RequestEditors: []RequestEditorFn{headers(apiKey)},
	}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("new ngrok client: option %d of %d is nil: leave it out", i+1, len(opts))
		}
		if err := opt(c); err != nil {
			return nil, fmt.Errorf("new ngrok client: %w", optionError(err, apiKey))
		}
	}
	baseURL, err := parseBaseURL(c.Server)
	if err != nil {
		return nil, fmt.Errorf("new ngrok client: %w", err)
	}
	c.Server = baseURL
	c.RequestEditors = withoutNil(c.RequestEditors)
	if isNil(c.Client) {
		return nil, errors.New("new ngrok client: the HTTP client is nil: leave WithHTTPClient out for the default one")
	}
	if _, ok := c.Client.(*Doer); !ok {
		c.Client = &Doer{HTTPClient: c.Client}
	}
	return &ClientWithResponses{c}, nil
}

// PathParam is an ID, or another parameter in a path. It is sent as one path segment, whatever characters it has.
type PathParam string

// MarshalText returns the parameter before it is escaped, or [ErrInvalidID] for "", "." and "..", which would turn the
// path into another operation's.
func (p PathParam) MarshalText() ([]byte, error) {
	switch p {
	case "", ".", "..":
		return nil, ErrInvalidID
	}
	return []byte(p), nil
}

// headers returns the editor that authenticates requests, and names the version of the API, without which ngrok answers
// ERR_NGROK_218, and the library.
func headers(apiKey string) RequestEditorFn {
	shared := [...]string{"Bearer " + apiKey, apiVersion, libraryUserAgent()}
	return func(_ context.Context, req *http.Request) error {
		own := shared // a later editor may write into the values
		req.Header["Authorization"] = own[0:1:1]
		req.Header["Ngrok-Version"] = own[1:2:2]
		req.Header["User-Agent"] = own[2:3:3]
		return nil
	}
}

// withoutNil returns the editors that can be called.
func withoutNil(editors []RequestEditorFn) []RequestEditorFn {
	return slices.DeleteFunc(slices.Clone(editors), func(editor RequestEditorFn) bool { return editor == nil })
}

// What a bearer token is made of, by RFC 6750, but for the = at its end.
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// checkAPIKey rejects what cannot be a bearer token. Keys have no further shape: an authtoken looks the same.
func checkAPIKey(key string) error {
	token := strings.TrimRight(key, "=")
	switch {
	case token == "":
		return errors.New("the API key is empty: create one in the ngrok dashboard and pass it to New")
	case strings.Trim(token, tokenCharacters) != "":
		return errors.New("the API key has a character that no key has: " +
			"check that it was copied whole, without white space, line breaks or quotes")
	}
	return nil
}

// optionError returns the error of an option without the API key and without a URL that cannot be parsed.
func optionError(err error, apiKey string) error {
	if parse := (*url.Error)(nil); errors.As(err, &parse) && parse.Op == "parse" {
		return errUnparsable
	}
	return newRedactor([]string{apiKey}).error(err)
}

var errUnparsable = fmt.Errorf("a URL cannot be parsed: write the base URL as in %q", defaultBaseURL)

// parseBaseURL returns raw with a clean path that ends in a slash, or says why the key must not be sent there. Its
// errors quote nothing of raw, of which any part can be a misplaced password.
func parseBaseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", errUnparsable
	case u.User != nil:
		return "", errors.New("the base URL has user info: leave it out, the API key is what authenticates")
	case u.Scheme == "" || u.Hostname() == "":
		return "", fmt.Errorf("the base URL has no scheme or no host: write it as in %q", defaultBaseURL)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("the base URL has a query or a fragment, which requests cannot carry: leave it out")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", errors.New("the base URL would send the API key unencrypted: use https; " +
			"http is for localhost, 127.0.0.0/8 and ::1 only")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("the base URL has another scheme than https: use https")
	}
	return u.JoinPath("/").String(), nil
}

// isLoopback reports whether a host is on this machine, also for net/http, which sends to a proxy for others.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback() && !ip.Is4In6() && ip.Zone() == ""
}

func isNil(client HttpRequestDoer) bool {
	v := reflect.ValueOf(client)
	return !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil()
}
