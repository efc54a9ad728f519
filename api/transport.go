package api

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// noRedirects returns an HTTP client that follows no redirects, which could send the API key
// elsewhere. For nil, or a nil http.Client, it is the default client.
func noRedirects(configured HttpRequestDoer) HttpRequestDoer {
	c, ok := configured.(*http.Client)
	if configured != nil && !ok {
		return configured
	}
	var client http.Client
	if c != nil {
		client = *c
	} else if _, ok := http.DefaultTransport.(*http.Transport); ok {
		client.Transport = sharedTransport()
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

const maxSends = 16

var errSends = fmt.Errorf("the server refused the request, or closed the connection, %d times", maxSends)

// countSends counts how often a request that gets no response is written over HTTP/2, and cancels
// the attempt before that is more often than maxSends: net/http repeats a request that an HTTP/2
// server refuses, without a limit (https://go.dev/issue/52459). Over HTTP/1.1 it repeats only on
// kept connections that turn out to be closed, which ends with the pool.
func countSends(ctx context.Context, cancel func()) (context.Context, *atomic.Int32) {
	var sends atomic.Int32
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if c, ok := info.Conn.(*tls.Conn); !ok || c.ConnectionState().NegotiatedProtocol != "h2" {
				sends.Store(0)
			}
			if sends.Load() >= maxSends {
				cancel()
			}
		},
		WroteHeaders: func() { sends.Add(1) },
		// The next request is another one: a layer below may ask for a token, for example.
		GotFirstResponseByte: func() { sends.Store(0) },
	}), &sends
}

var sharedTransport = sync.OnceValue(NewTransport)

// NewTransport returns a transport like that of a [Doer] without an HTTPClient, for programs that
// change or wrap it. It is a copy of the current [http.DefaultTransport], if that is an
// [http.Transport]. It uses a proxy that HTTPS_PROXY names, as net/http does. It differs in this:
//
//   - Dialing takes at most 10 seconds, less than an attempt. The error then says that nothing was
//     sent, so even a command is retried. With a transport that dials for longer, the attempt times
//     out first, and the outcome is unknown. It is also unknown if a dial function of your own
//     fails with an error other than a [*net.OpError] whose Op is "dial". DialTLSContext is not
//     limited, and the deprecated Dial is not used.
//   - If a proxy refuses to connect to ngrok, the error names the proxy and its status. Nothing was
//     sent, so even a command is retried. This is a hook in OnProxyConnectResponse, which calls that
//     of http.DefaultTransport first.
//   - Up to 128 idle connections per host are kept: over HTTP/1.1, each concurrent call needs one.
//   - HTTP/2 is used if the server speaks it, unless the program has turned it off. All calls share
//     its connection, so pings detect within 15 seconds that it is dead. Other settings in the
//     HTTP2 field are not copied.
func NewTransport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 90 * time.Second}
	if program, ok := http.DefaultTransport.(*http.Transport); ok {
		t = program.Clone()
	}
	dial := t.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return dial(ctx, network, address)
	}
	hook := t.OnProxyConnectResponse
	t.OnProxyConnectResponse = func(ctx context.Context, proxy *url.URL, req *http.Request, rsp *http.Response) error {
		var err error
		if hook != nil {
			err = hook(ctx, proxy, req, rsp)
		}
		if err == nil && rsp.StatusCode != http.StatusOK {
			refusal := fmt.Errorf("the proxy %s refuses to connect to %s: %q", proxy.Host, req.Host, rsp.Status)
			err = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: refusal}
		}
		return err
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 128
	t.ForceAttemptHTTP2 = true // net/http does not attempt it with a custom dial function
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
	return t
}
