// Package fleet_test has examples of programs for fleets of agents. Each file has the program first and its test after it,
// in a bubble of testing/synctest, where waits take no time.
package fleet_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

const restartableInEurope = `obj.region == "eu" && obj.os != "windows"`

// listRestartable returns the IDs of the sessions in Europe whose agents can be restarted. ngrok evaluates the filter, so
// that the others are not transferred.
func listRestartable(ctx context.Context, client *api.ClientWithResponses) ([]string, error) {
	params := &api.TunnelSessionsListParams{Filter: new(restartableInEurope)}
	var ids []string
	for session, err := range client.ListTunnelSessions(ctx, params) {
		if err != nil {
			return nil, fmt.Errorf("list restartable agents: %w", err)
		}
		ids = append(ids, session.ID)
	}
	return ids, nil
}

func TestFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := ngroktest.NewServer(t,
			api.TunnelSession{ID: "ts_1", Region: "eu", OS: "linux"},
			api.TunnelSession{ID: "ts_2", Region: "us", OS: "linux"},
			api.TunnelSession{ID: "ts_3", Region: "eu", OS: "windows"},
			api.TunnelSession{ID: "ts_4", Region: "eu", OS: "darwin"},
		)
		srv.PageSize = 1
		srv.Filter = func(expression string, session api.TunnelSession) bool {
			if expression != restartableInEurope {
				t.Errorf("got the filter %s", expression)
			}
			return session.Region == "eu" && session.OS != "windows"
		}
		ids, err := listRestartable(t.Context(), srv.Client())
		if want := []string{"ts_1", "ts_4"}; err != nil || !slices.Equal(ids, want) {
			t.Errorf("got %q, %v, want %q", ids, err, want)
		}
	})
}
