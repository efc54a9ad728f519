package api_test

import (
	"flag"
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
	goleak.VerifyTestMain(closing{m})
}

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
