package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

// sessionJSON returns a session as ngrok sends it, with size bytes of metadata.
func sessionJSON(size int) string {
	return `{"agent_version":"3.19.1","credential":{"id":"cr_2NKpmTQYtOZyMWkZ0o4bQvKCx3e",` +
		`"uri":"https://api.ngrok.com/credentials/cr_2NKpmTQYtOZyMWkZ0o4bQvKCx3e"},` +
		`"id":"ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR","ip":"203.0.113.7","metadata":"` + strings.Repeat("m", size) +
		`","os":"linux","region":"eu","started_at":"2025-08-01T09:30:00Z","transport":"ngrok/v2",` +
		`"uri":"https://api.ngrok.com/tunnel_sessions/ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"}`
}

const benchmarkedID = "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"

// A row of a benchmark makes the same call in one way, with a base URL and an HTTP client.
type row struct {
	name string
	bind func(b *testing.B, baseURL string, client *http.Client) getter
}

type getter func(ctx context.Context) (*api.TunnelSession, error)

// The baseline is what a user would write with net/http.
var rows = []row{
	{"baseline", func(_ *testing.B, baseURL string, client *http.Client) getter {
		return func(ctx context.Context) (*api.TunnelSession, error) {
			return baseline(ctx, client, baseURL, benchmarkedID)
		}
	}},
	{"generated", func(b *testing.B, baseURL string, client *http.Client) getter {
		c, err := api.NewClientWithResponses(baseURL, api.WithHTTPClient(client),
			api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
				req.Header.Set("Authorization", "Bearer "+apiKey)
				req.Header.Set("Ngrok-Version", "2")
				return nil
			}))
		if err != nil {
			b.Fatal(err)
		}
		return func(ctx context.Context) (*api.TunnelSession, error) {
			rsp, err := c.TunnelSessionsGetWithResponse(ctx, benchmarkedID)
			if err != nil {
				return nil, err
			}
			return rsp.JSON200, nil
		}
	}},
	{"client", func(b *testing.B, baseURL string, client *http.Client) getter {
		c := newClient(b, api.WithBaseURL(baseURL), api.WithHTTPClient(client))
		return func(ctx context.Context) (*api.TunnelSession, error) {
			return c.GetTunnelSession(ctx, benchmarkedID)
		}
	}},
}

// baseline gets a session with the standard library alone, and guards against nothing.
func baseline(ctx context.Context, client *http.Client, baseURL, id string) (*api.TunnelSession, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/tunnel_sessions/"+id, nil)
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
		return nil, fmt.Errorf("get session %s: %s", id, rsp.Status)
	}
	body, err := io.ReadAll(rsp.Body)
	if err != nil {
		return nil, err
	}
	session := new(api.TunnelSession)
	if err := json.Unmarshal(body, session); err != nil {
		return nil, err
	}
	return session, nil
}

// memory is a RoundTripper without a network, so only the work around it is measured.
type memory string

func (m memory) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          &memoryBody{strings.NewReader(string(m))},
		ContentLength: int64(len(m)),
		Request:       req,
	}, nil
}

// memoryBody has no more methods than the body of a real response.
type memoryBody struct{ r io.Reader }

func (b *memoryBody) Read(p []byte) (int, error) { return b.r.Read(p) }
func (*memoryBody) Close() error                 { return nil }

// BenchmarkGet gets a session from memory.
func BenchmarkGet(b *testing.B) {
	for _, row := range rows {
		b.Run("row="+row.name, func(b *testing.B) {
			get := row.bind(b, "https://api.ngrok.com", &http.Client{Transport: memory(sessionJSON(100))})
			b.ReportAllocs()
			for b.Loop() {
				if got, err := get(b.Context()); err != nil || got.ID != benchmarkedID {
					b.Fatalf("got %v, %v", got, err)
				}
			}
		})
	}
}
