package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

const benchSession = `{"agent_version":"3.19.1","credential":{"id":"cr_2NKpmTQYtOZyMWkZ0o4bQvKCx3e",` +
	`"uri":"https://api.ngrok.com/credentials/cr_2NKpmTQYtOZyMWkZ0o4bQvKCx3e"},` +
	`"id":"ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR","ip":"203.0.113.7","metadata":"{\"rack\":\"b12\"}",` +
	`"os":"linux","region":"eu","started_at":"2025-08-01T09:30:00Z","transport":"ngrok/v2",` +
	`"uri":"https://api.ngrok.com/tunnel_sessions/ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"}`

const benchID = "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"

// BenchmarkGet compares the client with plain net/http, the baseline. Responses are in memory.
func BenchmarkGet(b *testing.B) {
	memory := &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode:    http.StatusOK,
			Header:        http.Header{"Content-Type": {"application/json"}},
			Body:          io.NopCloser(struct{ io.Reader }{strings.NewReader(benchSession)}),
			ContentLength: int64(len(benchSession)),
			Request:       req,
		}, nil
	})}
	client := newClient(b, api.WithHTTPClient(memory))
	run := func(name string, get func(context.Context) (*api.TunnelSession, error)) {
		b.Run("row="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, err := get(b.Context()); err != nil || got.ID != benchID {
					b.Fatalf("got %v, %v", got, err)
				}
			}
		})
	}
	run("baseline", func(ctx context.Context) (*api.TunnelSession, error) { return baseline(ctx, memory) })
	run("client", func(ctx context.Context) (*api.TunnelSession, error) { return client.GetTunnelSession(ctx, benchID) })
}

// baseline gets a session with only the standard library, and guards against nothing.
func baseline(ctx context.Context, client *http.Client) (*api.TunnelSession, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, sessionsURL+"/"+benchID, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Ngrok-Version", "2")
	rsp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer rsp.Body.Close()
	if rsp.StatusCode != http.StatusOK {
		return nil, errors.New(rsp.Status)
	}
	session := new(api.TunnelSession)
	if err := json.NewDecoder(rsp.Body).Decode(session); err != nil {
		return nil, err
	}
	return session, nil
}
