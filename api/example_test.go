package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// The examples ask a fake of the API. A program leaves WithBaseURL out and gives New its own key.

func Example() {
	fake := httptest.NewServer(ngroktest.Handler(api.TunnelSession{
		ID: "ts_1", IP: "203.0.113.7", AgentVersion: "3.19.1", Region: "eu", StartedAt: "2026-03-04T05:06:07Z",
	}))
	defer fake.Close()

	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := client.GetTunnelSession(context.Background(), "ts_1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("host %s, agent %s, region %s, since %s\n",
		session.IP, session.AgentVersion, session.Region, session.StartedAt)
	// Output: host 203.0.113.7, agent 3.19.1, region eu, since 2026-03-04T05:06:07Z
}

func Example_notFound() {
	fake := httptest.NewServer(ngroktest.Handler())
	defer fake.Close()

	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(fake.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.GetTunnelSession(context.Background(), "ts_gone")
	if errors.Is(err, api.ErrNotFound) {
		fmt.Println("the agent has disconnected")
	}
	// What else ngrok said is in the ResponseError.
	var e *api.ResponseError
	if errors.As(err, &e) {
		fmt.Println(e.StatusCode, e.Message)
	}
	// Output:
	// the agent has disconnected
	// 404 Resource not found
}
