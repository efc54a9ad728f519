package fleet_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

// A fleet has the last list that was complete, so that an outage of the API does not empty it.
type fleet struct {
	mu       sync.Mutex
	sessions []api.TunnelSession
	listed   time.Time
}

// follow lists the sessions every 30 seconds, until ctx ends.
func (f *fleet) follow(ctx context.Context, client *api.ClientWithResponses) {
	for ctx.Err() == nil {
		if err := f.refresh(ctx, client); err != nil {
			log.Print(err)
		}
		select {
		case <-time.After(30 * time.Second):
		case <-ctx.Done():
		}
	}
}

func (f *fleet) refresh(ctx context.Context, client *api.ClientWithResponses) error {
	var sessions []api.TunnelSession
	for session, err := range client.ListTunnelSessions(ctx, nil) {
		if err != nil {
			return fmt.Errorf("refresh the list of agents: %w", err)
		}
		sessions = append(sessions, *session)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions, f.listed = sessions, time.Now()
	return nil
}

// lastGood returns the last complete list and its age. Without one so far, ok is false.
func (f *fleet) lastGood() (sessions []api.TunnelSession, age time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions, time.Since(f.listed), !f.listed.IsZero()
}

func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1"}, api.TunnelSession{ID: "ts_2"})
		srv.PageSize = 1
		var down atomic.Bool
		srv.Wrap(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if down.Load() && r.URL.Query().Has("before_id") { // the second page: the list is incomplete
					ngroktest.Error(w, 503, "", "down")
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var f fleet
		if _, _, ok := f.lastGood(); ok {
			t.Error("there is a list before the first one")
		}
		go f.follow(ctx, srv.Client(api.WithHTTPClient(new(api.Doer))))
		for _, step := range []struct {
			name           string
			down           bool
			time           time.Duration
			minAge, maxAge time.Duration
		}{
			{"before the outage", false, 45 * time.Second, 15 * time.Second, 15 * time.Second},
			{"in it", true, 2 * time.Minute, 135 * time.Second, 135 * time.Second},
			{"after it", false, time.Minute, 0, 33 * time.Second},
		} {
			down.Store(step.down)
			time.Sleep(step.time)
			sessions, age, ok := f.lastGood()
			if !ok || len(sessions) != 2 || age < step.minAge || age > step.maxAge {
				t.Errorf("%s: got %d sessions of age %v", step.name, len(sessions), age)
			}
		}
	})
}
