package ngroktest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// regionOf is the code under test. A session that is gone has no region.
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

// One operation fails. A ServeMux selects it.
func ExampleServer_Wrap() {
	t := new(exampleTB) // in a test, its *testing.T
	defer t.end()
	ctx := context.Background() // in a test, t.Context()

	srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1"})
	srv.Wrap(func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /tunnel_sessions/{id}/restart", func(w http.ResponseWriter, r *http.Request) {
			ngroktest.Error(w, http.StatusBadRequest, "ERR_NGROK_808", r.PathValue("id")+" failed to restart")
		})
		mux.Handle("/", next)
		return mux
	})

	var e *api.ResponseError
	if err := srv.Client().RestartTunnelSession(ctx, "ts_1"); errors.As(err, &e) {
		fmt.Println(e.Code, e.Message)
	}
	fmt.Println(srv.Client().StopTunnelSession(ctx, "ts_1"))
	// Output:
	// ERR_NGROK_808 ts_1 failed to restart
	// <nil>
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
