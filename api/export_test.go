package api

import "net/http"

// SharedClient returns the HTTP client of Doers that have none of their own.
func SharedClient() *http.Client { return sharedClient() }

// UntimedClient returns a copy of that client with a connection pool of its own and without timeouts.
func UntimedClient() *http.Client {
	transport := sharedClient().Transport.(*http.Transport).Clone()
	transport.DialContext = nil
	transport.TLSHandshakeTimeout = 0
	transport.HTTP2 = nil
	return &http.Client{Transport: transport}
}
