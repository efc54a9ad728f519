package api_test

import (
	"net/http"
	"regexp"
	"runtime"
	"testing"

	"example.com/ngrokapi/api"
)

func TestHeaders(t *testing.T) {
	library := `ngrokapi/\S+ ` + regexp.QuoteMeta(runtime.Version())
	for _, test := range []struct {
		name      string
		opts      []api.ClientOption
		userAgent string
	}{
		{"by default", nil, "^" + library + "$"},
		{"with a product", []api.ClientOption{api.WithUserAgent("myapp/1.2 (fleet)")}, `^myapp/1\.2 \(fleet\) ` + library + "$"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got http.Header
			client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
				got = r.Header
				return ok(r)
			}), test.opts...)
			if _, err := client.TunnelSessionsGetWithResponse(t.Context(), "ts_1"); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{
				"Authorization": "^Bearer " + apiKey + "$",
				"Ngrok-Version": "^2$",
				"User-Agent":    test.userAgent,
			} {
				if values := got[name]; len(values) != 1 || !regexp.MustCompile(want).MatchString(values[0]) {
					t.Errorf("%s: got %q, want one like %q", name, values, want)
				}
			}
		})
	}
}
