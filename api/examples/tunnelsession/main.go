// The command tunnelsession prints a tunnel session of an ngrok agent.
//
//	tunnelsession [-json] ID
//
// It reads the API key from NGROK_API_KEY, and asks the API at NGROK_API_BASE_URL if that is set. Without a key it
// asks a fake of the API that it has built in, which knows one session; the ID can then be left out.
//
// The exit status is 1 if there is no session to print, and 2 if the command is misused.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/signal"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// sample is what the built-in fake knows.
var sample = api.TunnelSession{
	AgentVersion: "3.19.1",
	Credential: api.Ref{
		ID:  "cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
		URI: "https://api.ngrok.com/credentials/cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
	},
	ID:        "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR",
	IP:        "203.0.113.7",
	Metadata:  `{"rack":"b12"}`,
	OS:        "linux",
	Region:    "eu",
	StartedAt: "2026-03-04T05:06:07Z",
	Transport: "ngrok/2",
	URI:       "https://api.ngrok.com/tunnel_sessions/ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR",
}

// run is the command, with what it has from its surroundings. It returns the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("tunnelsession", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprintln(stderr, "usage: tunnelsession [-json] ID, with an API key in NGROK_API_KEY") }
	asJSON := flags.Bool("json", false, "print JSON")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	id, key, baseURL := flags.Arg(0), getenv("NGROK_API_KEY"), getenv("NGROK_API_BASE_URL")
	if flags.NArg() > 1 || id == "" && key != "" {
		flags.Usage()
		return 2
	}
	if key == "" {
		fake := httptest.NewServer(ngroktest.Handler(sample))
		defer fake.Close()
		key, baseURL = ngroktest.APIKey, fake.URL
		if id == "" {
			id = sample.ID
		}
		fmt.Fprintln(stderr, "NGROK_API_KEY is not set: asking the built-in fake API, which knows", sample.ID)
	}
	session, err := lookUp(ctx, key, baseURL, id)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "tunnelsession: interrupted")
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "tunnelsession:", err)
		return 1
	}
	show := table
	if *asJSON {
		show = indented
	}
	if err := show(stdout, session); err != nil {
		fmt.Fprintln(stderr, "tunnelsession:", err)
		return 1
	}
	return 0
}

func lookUp(ctx context.Context, key, baseURL, id string) (*api.TunnelSession, error) {
	opts := []api.ClientOption{api.WithUserAgent("tunnelsession")}
	if baseURL != "" {
		opts = append(opts, api.WithBaseURL(baseURL))
	}
	client, err := api.New(key, opts...)
	if err != nil {
		return nil, err
	}
	session, err := client.GetTunnelSession(ctx, id)
	if errors.Is(err, api.ErrNotFound) {
		return nil, fmt.Errorf("no tunnel session has the ID %q: %w", id, err)
	}
	return session, err
}

func indented(w io.Writer, session *api.TunnelSession) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(session)
}
