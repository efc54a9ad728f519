package api_test

import (
	"context"
	"flag"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// No goroutine is left after all tests, neither of a call nor of a connection.
func TestMain(m *testing.M) {
	flag.Parse()
	// Parallel tests wait for retries most of the time.
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	// The default client must copy this at its first use, not when package api is initialized.
	transport := http.DefaultTransport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		defaultDials.Add(1)
		return dial(ctx, network, address)
	}
	goleak.VerifyTestMain(closing{m})
}

var defaultDials atomic.Int64 // by http.DefaultTransport and its copies

// closing is a test run that closes the examples' server at its end.
type closing struct{ *testing.M }

func (m closing) Run() int {
	code := m.M.Run()
	fake().Close()
	// The goroutines of closed connections take a moment to end, and longer on a busy machine than
	// one Find waits.
	for range 60 {
		if goleak.Find() == nil {
			break
		}
	}
	return code
}
