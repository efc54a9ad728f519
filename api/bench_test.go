package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// A row of a benchmark makes the same call in one way, with a base URL and an HTTP client. Nil is the default client.
type row struct {
	name string
	bind func(b *testing.B, baseURL string, client *http.Client) getter
}

type getter func(ctx context.Context) (*api.TunnelSession, error)

// The baseline is what a user would write with net/http.
var rows = []row{
	{"baseline", func(_ *testing.B, baseURL string, client *http.Client) getter {
		return func(ctx context.Context) (*api.TunnelSession, error) {
			return baseline(ctx, cmp.Or(client, http.DefaultClient), baseURL, benchmarkedID)
		}
	}},
	{"generated", func(b *testing.B, baseURL string, client *http.Client) getter {
		c, err := api.NewClientWithResponses(baseURL, api.WithHTTPClient(cmp.Or(client, http.DefaultClient)),
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
		doer := new(api.Doer)
		if client != nil {
			doer.HTTPClient = client
		}
		c := newClient(b, api.WithBaseURL(baseURL), api.WithHTTPClient(doer))
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

// BenchmarkGet gets a session from memory, and over loopback, where the server shares the processors and its allocations
// count too.
func BenchmarkGet(b *testing.B) {
	body := sessionJSON(100)
	inMemory(b, "in-memory", body)
	for _, callers := range []int{1, 64} {
		loopback(b, fmt.Sprintf("http1/callers=%d", callers), callers, body)
	}
}

// BenchmarkLarge gets a session of a megabyte.
func BenchmarkLarge(b *testing.B) {
	inMemory(b, "in-memory", sessionJSON(1<<20))
}

func inMemory(b *testing.B, name, body string) {
	for _, row := range rows {
		b.Run(name+"/row="+row.name, func(b *testing.B) {
			benchmark(b, 1, row.bind(b, "https://api.ngrok.com", &http.Client{Transport: memory(body)}))
		})
	}
}

// loopback runs each row against a server of its own, with the default HTTP client.
func loopback(b *testing.B, name string, callers int, body string) {
	for _, row := range rows {
		b.Run(name+"/row="+row.name, func(b *testing.B) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				sendJSON(w, http.StatusOK, body)
			}))
			defer srv.Close()
			benchmark(b, callers, row.bind(b, srv.URL, nil))
			api.SharedClient().CloseIdleConnections()
			http.DefaultClient.CloseIdleConnections()
		})
	}
}

// BenchmarkList lists 5,000 sessions in 50 pages.
func BenchmarkList(b *testing.B) {
	sessions := strings.Repeat(","+sessionJSON(100), 100)[1:]
	const next = "https://api.ngrok.com/tunnel_sessions?before_id="
	client := newClient(b, api.WithHTTPClient(doerFunc(func(r *http.Request) (*http.Response, error) {
		page, _ := strconv.Atoi(r.URL.Query().Get("before_id"))
		uri := "null"
		if page++; page < 50 {
			uri = fmt.Sprintf(`"%s%d"`, next, page)
		}
		return memory(fmt.Sprintf(`{"tunnel_sessions":[%s],"next_page_uri":%s}`, sessions, uri)).RoundTrip(r)
	})))
	b.Run("in-memory/row=client", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if ids, err := collect(client.ListTunnelSessions(b.Context(), nil)); err != nil || len(ids) != 5000 {
				b.Fatalf("got %d sessions, %v", len(ids), err)
			}
		}
	})
}

// benchmark measures calls by so many callers at once, without the first calls, which connect.
func benchmark(b *testing.B, callers int, get getter) {
	call := func() {
		if got, err := get(b.Context()); err != nil || got == nil || got.ID != benchmarkedID {
			b.Errorf("got %v, %v", got, err)
		}
	}
	share(callers, callers, call)
	b.ReportAllocs()
	b.ResetTimer()
	share(b.N, callers, call)
}

// share makes n calls by so many goroutines, whatever the number of processors.
func share(n, callers int, call func()) {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				call()
			}
		})
	}
	wg.Wait()
}
