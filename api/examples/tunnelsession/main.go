// Tunnelsession prints the tunnel sessions of an ngrok account, or those that match a filter, or
// the one with the given ID.
//
//	tunnelsession [-filter expression | ID]
//
// It reads the API key from NGROK_API_KEY, and the base URL of the API from NGROK_API_BASE_URL if
// that is set. Without a key it uses a built-in fake API, which has no filters. The exit status is
// 1 if the API or the output fails, and 2 if the command is misused.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run returns the exit status of the command.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("tunnelsession [-filter expression | ID]", flag.ContinueOnError)
	flags.SetOutput(stderr)
	filter := flags.String("filter", "", "list the sessions that match a CEL `expression`")
	key, baseURL := getenv("NGROK_API_KEY"), cmp.Or(getenv("NGROK_API_BASE_URL"), "https://api.ngrok.com")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 1, flags.NArg() == 1 && *filter != "":
		fmt.Fprintln(stderr, "tunnelsession: give one ID, or a filter, or neither")
		return 2
	case key == "" && *filter != "":
		fmt.Fprintln(stderr, "tunnelsession: the built-in fake API has no filters: set NGROK_API_KEY")
		return 2
	case key == "":
		fmt.Fprintln(stderr, "NGROK_API_KEY is not set: using the built-in fake API")
		srv := httptest.NewServer(ngroktest.Handler(samples...))
		defer srv.Close()
		key, baseURL = ngroktest.APIKey, srv.URL
	}
	sessions, err := find(ctx, key, baseURL, flags.Arg(0), *filter)
	if err == nil {
		err = show(stdout, sessions)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, api.ErrNotFound):
		err = fmt.Errorf("no online agent has this session ID: %w", err)
	case errors.Is(err, api.ErrAuthentication):
		err = fmt.Errorf("check NGROK_API_KEY: %w", err)
	}
	fmt.Fprintln(stderr, "tunnelsession:", err)
	return 1
}

// find returns the session with the given ID, or if that is "", those that match a filter.
func find(ctx context.Context, key, baseURL, id, filter string) ([]*api.TunnelSession, error) {
	client, err := api.New(key, api.WithBaseURL(baseURL), api.WithUserAgent("tunnelsession"))
	if err != nil {
		return nil, err
	}
	if id != "" {
		session, err := client.GetTunnelSession(ctx, id)
		return []*api.TunnelSession{session}, err
	}
	params := new(api.TunnelSessionsListParams)
	if filter != "" {
		params.Filter = &filter
	}
	var sessions []*api.TunnelSession
	for session, err := range client.ListTunnelSessions(ctx, params) {
		if err != nil {
			return nil, err // the list is incomplete
		}
		sessions = append(sessions, session)
	}
	return sessions, nil
}

// show prints sessions in columns.
func show(w io.Writer, sessions []*api.TunnelSession) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "ID\tIP\tOS\tAGENT VERSION\tREGION\tSTARTED AT\tMETADATA")
	for _, s := range sessions {
		var row []string
		// Fields of any type: ngrok may turn a string into an enum, which has a type of its own.
		for _, value := range []any{s.ID, s.IP, s.OS, s.AgentVersion, s.Region, s.StartedAt, s.Metadata} {
			row = append(row, printable(fmt.Sprint(value)))
		}
		fmt.Fprintln(columns, strings.Join(row, "\t"))
	}
	return columns.Flush()
}

// printable returns a value for a terminal, quoted if it has characters that could disturb it.
// Metadata can contain anything, such as line breaks and control sequences.
func printable(value string) string {
	switch {
	case value == "":
		return "-"
	case strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.Quote(value)
	}
	return value
}

// samples are the sessions of the fake API.
var samples = []api.TunnelSession{
	{ID: "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR", IP: "203.0.113.7", OS: "linux", AgentVersion: "3.19.1", Region: "eu",
		StartedAt: "2026-03-04T05:06:07Z", Metadata: `{"rack":"b12"}`},
	{ID: "ts_2NKqB7wYd0sUeHnGxRfPq3LtVmC", IP: "198.51.100.23", OS: "windows", AgentVersion: "3.18.4", Region: "us",
		StartedAt: "2026-03-05T16:17:18Z"},
}
