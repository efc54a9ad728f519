package api

import (
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	attemptTimeout = 30 * time.Second

	// Each caller that waits for an answer over HTTP/1.1 has a connection of its own. One that does not fit in the
	// pool when the answer is there is closed, and the next call has to make another.
	idleConnsPerHost = 128

	maxResponseHeaderBytes = 1 << 20
)

// defaultClient is what a Doer sends with that has no HTTP client. There is one, so that a program that makes a
// client for each of many keys, or for each call, has one pool of connections.
var defaultClient = sync.OnceValue(func() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Timeout:       attemptTimeout,
		CheckRedirect: noRedirects,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           2 * idleConnsPerHost,
			MaxIdleConnsPerHost:    idleConnsPerHost,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: maxResponseHeaderBytes,
			// All calls over HTTP/2 share one connection. When it dies without a word, they should not all have
			// to wait for their timeouts.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		},
	}
})

// safeClient returns what attempts are sent with: c, made safe if it is an http.Client, or the default one.
func safeClient(c HttpRequestDoer) HttpRequestDoer {
	hc, ok := c.(*http.Client)
	switch {
	case c == nil || ok && hc == nil:
		return defaultClient()
	case !ok:
		return c
	}
	safe := *hc
	safe.CheckRedirect = noRedirects
	if hc.CheckRedirect != nil {
		safe.CheckRedirect = func(req *http.Request, via []*http.Request) error {
			// net/http itself takes the key along to another port, to a subdomain, and from https to http.
			if !sameOrigin(req.URL, via[0].URL) {
				req.Header.Del("Authorization")
			}
			return hc.CheckRedirect(req, via)
		}
	}
	return &safe
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host
}
