package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

const (
	defaultBaseURL = "https://api.ngrok.com"
	apiVersion     = "2" // the only value of the header ngrok-version
	userAgent      = "ngrokapi"
)

// New returns a client that authenticates with apiKey, an ngrok API key or access token. It talks
// to https://api.ngrok.com unless [WithBaseURL] says otherwise. [WithHTTPClient] takes a [Doer],
// which sets retries and limits. New puts any other client, such as an [http.Client], into a Doer.
// A nil *http.Client means the default client.
//
// Make one client and share it: it is safe for concurrent use.
//
// New does no I/O. It returns an error if apiKey is empty or has a character that no key has, such
// as a line break, or if the base URL is not https. Plain http is allowed for localhost,
// 127.0.0.0/8 and ::1.
func New(apiKey string, opts ...ClientOption) (*ClientWithResponses, error) {
	if apiKey == "" || strings.Trim(apiKey, tokenChars) != "" {
		return nil, errors.New("new ngrok client: the API key is empty, or has a character that no key has, " +
			"such as white space or quotes")
	}
	own := []ClientOption{WithHTTPClient(new(Doer)), WithRequestEditorFn(headers(apiKey))}
	c, err := NewClient(defaultBaseURL, append(own, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("new ngrok client: %w", err)
	}
	if !isSafe(c.Server) {
		return nil, fmt.Errorf("new ngrok client: the base URL must be https with a host and perhaps a path, "+
			"as in %q; plain http would send the API key unencrypted and is for localhost only", defaultBaseURL)
	}
	if _, ok := c.Client.(*Doer); !ok {
		c.Client = &Doer{HTTPClient: c.Client}
	}
	return &ClientWithResponses{c}, nil
}

// tokenChars are the characters of a bearer token (RFC 6750). JSON needs no escapes for them, so a
// key can be found in a response, and redacted.
const tokenChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// isSafe reports whether requests to a base URL carry the API key encrypted, or stay on this
// machine.
func isSafe(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	// http.ProxyFromEnvironment has no proxy for these hosts. One set by hand gets the key.
	isLoopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback
}

// headers returns an editor that sets the API key, the API version and the user agent.
func headers(apiKey string) RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		req.Header.Set("Authorization", "Bearer "+apiKey)
		req.Header.Set("Ngrok-Version", apiVersion)
		req.Header.Set("User-Agent", userAgent)
		return nil
	}
}

// WithUserAgent puts product, such as "myapp/1.2", before the library's own user agent.
func WithUserAgent(product string) ClientOption {
	return WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		req.Header.Set("User-Agent", product+" "+req.Header.Get("User-Agent"))
		return nil
	})
}

// PathParam is a parameter in a path, such as an ID. It is always sent as one path segment.
type PathParam string

// MarshalText returns [ErrInvalidID] for "", "." and "..".
func (p PathParam) MarshalText() ([]byte, error) {
	if p == "" || p == "." || p == ".." {
		return nil, ErrInvalidID
	}
	return []byte(p), nil
}
