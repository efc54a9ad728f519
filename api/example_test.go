package api_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// The examples use a fake of the API. A program passes its own key to New, and no WithBaseURL.
var fake = sync.OnceValue(func() *httptest.Server {
	return httptest.NewServer(ngroktest.Handler(api.TunnelSession{ID: "ts_1", Region: "eu"}))
})

// ngrok allows an account 120 requests in 60 seconds: here, a burst of 20 and 100 more. All clients
// of the account should share the limiter.
func ExampleDoer_pacing() {
	limiter := rate.NewLimiter(rate.Every(time.Minute/100), 20)
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL),
		api.WithHTTPClient(&api.Doer{Limiter: limiter}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := []string{"ts_1", "ts_gone"}
	results := make([]string, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			session, err := client.GetTunnelSession(context.Background(), id)
			switch {
			case errors.Is(err, api.ErrNotFound):
				results[i] = "gone"
			case err != nil:
				results[i] = err.Error()
			default:
				results[i] = session.Region
			}
		})
	}
	wg.Wait()
	fmt.Println(results)
	// Output: [eu gone]
}

// Before you repeat a command that failed, check whether it had an effect.
func ExampleOutcomeUnknown() {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway) // ngrok may have received the request
	}))
	defer gateway.Close()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(gateway.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = client.RestartTunnelSession(context.Background(), "ts_1")
	switch {
	case err == nil:
		fmt.Println("the agent comes back with another session")
	case api.OutcomeUnknown(err):
		fmt.Println("list the sessions, and check whether the agent has another one")
	default:
		fmt.Println("the agent does not restart:", err)
	}
	// Output: list the sessions, and check whether the agent has another one
}

// tracing is a RoundTripper that prints each attempt. Do not print the Authorization header: it has
// the API key.
type tracing struct{ next http.RoundTripper }

func (t tracing) RoundTrip(req *http.Request) (*http.Response, error) {
	rsp, err := t.next.RoundTrip(req)
	if err == nil {
		fmt.Println(req.Method, req.URL.Path, rsp.StatusCode)
	}
	return rsp, err
}

// Trust the certificates of a corporate proxy, and trace each attempt. A proxy in HTTPS_PROXY is
// used without this.
func ExampleNewTransport() {
	roots, err := x509.SystemCertPool()
	if err != nil {
		fmt.Println(err)
		return
	}
	var proxyCA []byte // of the file with the proxy's certificate, in PEM
	roots.AppendCertsFromPEM(proxyCA)
	transport := api.NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	defer transport.CloseIdleConnections()

	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake().URL),
		api.WithHTTPClient(&http.Client{Transport: tracing{transport}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := client.GetTunnelSession(context.Background(), "ts_1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session.Region)
	// Output:
	// GET /tunnel_sessions/ts_1 200
	// eu
}
