package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// deleteGone deletes the rows of an inventory, by session ID, whose sessions are gone. With a key of another account,
// every session is gone: unless the account has one of the inventory's sessions, deleteGone deletes nothing.
func deleteGone(ctx context.Context, client *api.ClientWithResponses, inventory map[string]string) error {
	missing := maps.Clone(inventory)
	for session, err := range client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			return fmt.Errorf("delete rows of gone sessions: %w", err)
		}
		delete(missing, session.ID)
	}
	if len(missing) == len(inventory) && len(missing) > 0 {
		return fmt.Errorf("delete rows of gone sessions: none of the %d sessions is online: check that the API key is of their account", len(missing))
	}
	// The list may have changed while it was read. Only this error says that a session is gone.
	for id := range missing {
		_, err := client.GetTunnelSession(ctx, id)
		switch {
		case errors.Is(err, api.ErrNotFound):
			delete(inventory, id)
		case err != nil:
			return fmt.Errorf("delete rows of gone sessions: %w", err)
		}
	}
	return nil
}

func TestCleanup(t *testing.T) {
	for _, test := range []struct {
		name     string
		prepare  func(*ngroktest.Server)
		want     string // the IDs that are left
		wantText string // in the error; empty for none
	}{
		{"gone", func(*ngroktest.Server) {}, "ts_1 ts_2", ""},
		{"list fails", func(s *ngroktest.Server) { s.Fail(503, "") }, "ts_1 ts_2 ts_gone", "503"},
		{"key of another account", func(s *ngroktest.Server) { s.Delete("ts_1"); s.Delete("ts_2") }, "ts_1 ts_2 ts_gone", "check that the API key"},
		{"lookup fails", func(s *ngroktest.Server) {
			s.Wrap(func(next http.Handler) http.Handler {
				mux := http.NewServeMux()
				mux.HandleFunc("GET /tunnel_sessions/{id}", http.NotFound) // as a proxy that does not know the path
				mux.Handle("/", next)
				return mux
			})
		}, "ts_1 ts_2 ts_gone", "404"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1"}, api.TunnelSession{ID: "ts_2"})
				test.prepare(srv)
				inventory := map[string]string{"ts_1": "rack 1", "ts_2": "rack 2", "ts_gone": "rack 3"}
				err := deleteGone(t.Context(), srv.Client(), inventory)
				if (err == nil) != (test.wantText == "") || err != nil && !strings.Contains(err.Error(), test.wantText) {
					t.Errorf("got error %v, want %q in it", err, test.wantText)
				}
				if got := strings.Join(slices.Sorted(maps.Keys(inventory)), " "); got != test.want {
					t.Errorf("left are %s, want %s", got, test.want)
				}
			})
		})
	}
}
