package api_test

import (
	"net/http"
	"regexp"
	"runtime"
	"testing"

	"example.com/ngrokapi/api"
)

// The other headers that New sets are held to ngrok's document by the tests of the module's top directory.
func TestUserAgent(t *testing.T) {
	library := `ngrokapi/\S+ ` + regexp.QuoteMeta(runtime.Version()) + "$"
	for want, opts := range map[string][]api.ClientOption{
		"^" + library:                      nil,
		`^myapp/1\.2 \(fleet\) ` + library: {api.WithUserAgent("myapp/1.2 (fleet)")},
	} {
		var got []string
		client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
			got = r.Header["User-Agent"]
			return ok(r)
		}), opts...)
		if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || !regexp.MustCompile(want).MatchString(got[0]) {
			t.Errorf("got %q, want one like %q", got, want)
		}
	}
}
