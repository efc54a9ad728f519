package ngroktest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// regionOf is the code under test: it takes a session that is gone for one without a region.
func regionOf(ctx context.Context, client *api.ClientWithResponses, id string) (string, error) {
	session, err := client.GetTunnelSession(ctx, id)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look up region: %w", err)
	}
	return session.Region, nil
}

func ExampleNewServer() {
	t := new(exampleTB) // in a test, its *testing.T
	defer t.end()
	ctx := context.Background() // in a test, t.Context()

	srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1", Region: "eu"})
	client := srv.Client()

	region, err := regionOf(ctx, client, "ts_1")
	fmt.Printf("%q %v\n", region, err)

	srv.Delete("ts_1")
	region, err = regionOf(ctx, client, "ts_1")
	fmt.Printf("%q %v\n", region, err)

	srv.Fail(429, "ERR_NGROK_226")
	_, err = regionOf(ctx, client, "ts_1")
	fmt.Println(errors.Is(err, api.ErrRateLimited))

	fmt.Println(len(srv.Requests()), "requests")
	// Output:
	// "eu" <nil>
	// "" <nil>
	// true
	// 3 requests
}

// An outage that ends: the first two requests fail, and the client's third attempt succeeds.
func ExampleServer_Wrap() {
	t := new(exampleTB) // in a test, its *testing.T
	defer t.end()
	ctx := context.Background() // in a test, t.Context()

	srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_2", Region: "eu"})
	var requests atomic.Int64
	srv.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) <= 2 {
				http.Error(w, "<html>down</html>", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})

	region, err := regionOf(ctx, srv.Client(api.WithHTTPClient(new(api.Doer))), "ts_2") // with retries
	fmt.Printf("%q %v after %d requests\n", region, err, len(srv.Requests()))
	// Output: "eu" <nil> after 3 requests
}

func ExampleHandler() {
	srv := httptest.NewServer(ngroktest.Handler(api.TunnelSession{ID: "ts_1", Region: "eu"}))
	defer srv.Close()

	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(srv.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	region, err := regionOf(context.Background(), client, "ts_1")
	fmt.Printf("%q %v\n", region, err)
	// Output: "eu" <nil>
}
