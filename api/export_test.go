package api

import "net/http"

// DefaultClient returns the HTTP client that Doers share.
func DefaultClient() *http.Client { return defaultClient() }

// UntimedClient returns a copy of the HTTP client that Doers share, with a pool of its own and without timeouts.
func UntimedClient() *http.Client {
	transport := defaultClient().Transport.(*http.Transport).Clone()
	transport.DialContext = nil
	transport.TLSHandshakeTimeout = 0
	transport.HTTP2 = nil
	return &http.Client{Transport: transport}
}
