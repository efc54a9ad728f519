package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// WithUserAgent puts product, as in "myapp/1.2", before the library's own user agent, which is
// "ngrokapi/<version> <Go's version>". The option fails if product is empty, begins or ends with a space, or has
// anything but printable ASCII.
func WithUserAgent(product string) ClientOption {
	return func(c *Client) error {
		if product == "" || strings.TrimSpace(product) != product ||
			strings.ContainsFunc(product, func(r rune) bool { return r < ' ' || r > '~' }) {
			return errors.New("the user agent is empty or has other than printable ASCII characters: " +
				`write it as in "myapp/1.2"`)
		}
		return WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			req.Header.Set("User-Agent", strings.TrimSpace(product+" "+req.Header.Get("User-Agent")))
			return nil
		})(c)
	}
}

var libraryUserAgent = sync.OnceValue(func() string {
	module := strings.TrimSuffix(reflect.TypeFor[Doer]().PkgPath(), "/api")
	version := "devel" // as in this module's own programs
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				version = m.Version
			}
		}
	}
	return "ngrokapi/" + version + " " + runtime.Version()
})
