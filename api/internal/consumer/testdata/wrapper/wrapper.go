// Package wrapper uses every name of package api that is written by hand, as a caller does.
package wrapper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"example.com/ngrokapi/api"
)

// sessions is a caller's own interface, for fakes.
type sessions interface {
	GetTunnelSession(ctx context.Context, id string, editors ...api.RequestEditorFn) (*api.TunnelSession, error)
}

var _ sessions = (*api.ClientWithResponses)(nil)

// Client has every option.
func Client(logger *slog.Logger) (*api.ClientWithResponses, error) {
	return api.New(os.Getenv("NGROK_API_KEY"),
		api.WithBaseURL("https://proxy.test/ngrok"),
		api.WithUserAgent("outside/1"),
		api.WithHTTPClient(&api.Doer{
			HTTPClient:   &http.Client{Timeout: time.Minute},
			MaxAttempts:  1,
			MaxBodyBytes: 1 << 20,
			Logger:       logger,
		}))
}

// Region asks for a session and tells the errors apart.
func Region(ctx context.Context, client sessions, id string) (string, error) {
	session, err := client.GetTunnelSession(ctx, id, func(_ context.Context, r *http.Request) error {
		r.Header.Set("X-Request-Id", "1")
		return nil
	})
	for _, known := range []error{
		api.ErrNotFound, api.ErrAuthentication, api.ErrRateLimited,
		api.ErrUnexpectedResponse, api.ErrResponseTooLarge, api.ErrInvalidID,
	} {
		if errors.Is(err, known) {
			return "", fmt.Errorf("look up %s: %w", id, known)
		}
	}
	var e *api.ResponseError
	if errors.As(err, &e) {
		var wait time.Duration = e.RetryAfter
		var details map[string]any = e.Details
		return "", fmt.Errorf("%d %s %s %s %v %v %d %s %s %s %s", e.StatusCode, e.Code, e.Message, e.OperationID, details,
			wait, e.Attempts, e.Method, e.URL, e.Header.Get("Date"), e.Body)
	}
	if err != nil {
		return "", err
	}
	var credential api.Ref = session.Credential
	return session.Region + credential.ID + session.AgentVersion + session.ID + session.IP + session.Metadata + session.OS +
		session.StartedAt + session.Transport + session.URI, nil
}
