package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// bearer authenticates requests.
func bearer(apiKey string) RequestEditorFn {
	authorization := "Bearer " + apiKey
	return func(_ context.Context, req *http.Request) error {
		req.Header["Authorization"] = []string{authorization}
		return nil
	}
}

// version names the version of the API, without which ngrok answers ERR_NGROK_218.
func version(_ context.Context, req *http.Request) error {
	req.Header["Ngrok-Version"] = []string{apiVersion}
	return nil
}

// pathGuard keeps every path parameter one path segment. The generated request builders escape slashes, but resolve
// "" and dots, so that GET /tunnel_sessions/{id} with the ID ".." would be GET /.
type pathGuard struct {
	basePath string // escaped, with a slash at the end
}

func (g *pathGuard) edit(_ context.Context, req *http.Request) error {
	path, ok := strings.CutPrefix(req.URL.EscapedPath(), g.basePath)
	if !ok || !intact(req.Method, path) {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.EscapedPath(), ErrInvalidID)
	}
	return nil
}
