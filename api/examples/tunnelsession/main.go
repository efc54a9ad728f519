// The command tunnelsession prints the tunnel sessions of an ngrok account, or those that match a filter, or the one with
// the given ID.
//
//	tunnelsession [-json] [-filter expression | ID]
//
// It reads the API key from NGROK_API_KEY, and the base URL of the API from NGROK_API_BASE_URL if that is set. Without a
// key it uses a fake of the API that it has built in, which has no filters.
//
// With -json it prints a JSON object per session. The exit status is 1 if the API or the output fails, and 2 if the
// command is misused.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http/httptest"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/internal/fake"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	// Writing to a closed pipe, such as that of head, returns an error then.
	signal.Ignore(syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// samples are the sessions of the built-in fake.
var samples = []api.TunnelSession{{
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
}, {
	AgentVersion: "3.18.4",
	Credential: api.Ref{
		ID:  "cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
		URI: "https://api.ngrok.com/credentials/cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
	},
	ID:        "ts_2NKqB7wYd0sUeHnGxRfPq3LtVmC",
	IP:        "198.51.100.23",
	OS:        "windows",
	Region:    "us",
	StartedAt: "2026-03-05T16:17:18Z",
	Transport: "ngrok/2",
	URI:       "https://api.ngrok.com/tunnel_sessions/ts_2NKqB7wYd0sUeHnGxRfPq3LtVmC",
}}

const usage = "usage: tunnelsession [-json] [-filter expression | ID], with an API key in NGROK_API_KEY"

// run returns the exit status of the command.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("tunnelsession", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprintln(stderr, usage) }
	asJSON := flags.Bool("json", false, "print JSON")
	filter := flags.String("filter", "", "list the sessions that match a CEL expression")
	key, baseURL := getenv("NGROK_API_KEY"), getenv("NGROK_API_BASE_URL")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 1, flags.NArg() == 1 && *filter != "":
		fmt.Fprintln(stderr, "tunnelsession: give either one ID or a filter")
		flags.Usage()
		return 2
	case key == "" && *filter != "":
		fmt.Fprintln(stderr, "tunnelsession: the built-in fake API has no filters: set NGROK_API_KEY")
		return 2
	case key == "":
		fmt.Fprintln(stderr, "NGROK_API_KEY is not set: using the built-in fake API")
		srv := newFake()
		defer srv.Close()
		key, baseURL = fake.APIKey, srv.URL
	}
	err := show(ctx, stdout, key, baseURL, flags.Arg(0), *filter, *asJSON)
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return 0
	case ctx.Err() != nil:
		return 130 // as of a command that an interrupt ends
	case errors.Is(err, api.ErrAuthentication):
		err = fmt.Errorf("%w: check NGROK_API_KEY", err)
	}
	fmt.Fprintln(stderr, "tunnelsession:", err)
	return 1
}

func newFake() *httptest.Server {
	f := fake.New(func() fake.Options { return fake.Options{} })
	for _, session := range samples {
		if err := f.Put(session); err != nil {
			panic(err)
		}
	}
	return httptest.NewServer(f)
}

// show prints the session with the given ID, or a list if it is "".
func show(ctx context.Context, w io.Writer, key, baseURL, id, filter string, asJSON bool) error {
	opts := []api.ClientOption{api.WithUserAgent("tunnelsession")}
	if baseURL != "" {
		opts = append(opts, api.WithBaseURL(baseURL))
	}
	client, err := api.New(key, opts...)
	if err != nil {
		return err
	}
	if id == "" {
		return list(ctx, w, client, filter, asJSON)
	}
	session, err := client.GetTunnelSession(ctx, id)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return fmt.Errorf("no tunnel session has the ID %q: %w", id, err)
	case err != nil:
		return err
	case asJSON:
		return encode(w, session)
	}
	return table(w, [][]string{
		{"ID", session.ID},
		{"IP", session.IP},
		{"OS", session.OS},
		{"Agent version", session.AgentVersion},
		{"Region", session.Region},
		{"Started at", session.StartedAt},
		{"Transport", session.Transport},
		{"Credential", session.Credential.ID},
		{"Metadata", session.Metadata},
		{"URI", session.URI},
	}, math.MaxInt)
}

// list prints the sessions that match a filter, or all if it is "".
func list(ctx context.Context, w io.Writer, client *api.ClientWithResponses, filter string, asJSON bool) error {
	params := new(api.TunnelSessionsListParams)
	if filter != "" {
		params.Filter = &filter
	}
	rows := [][]string{{"ID", "IP", "OS", "AGENT VERSION", "REGION", "STARTED AT", "METADATA"}}
	for session, err := range client.ListTunnelSessions(ctx, params) {
		if err != nil {
			return err
		}
		if asJSON {
			if err := encode(w, session); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{
			session.ID, session.IP, session.OS, session.AgentVersion, session.Region, session.StartedAt, session.Metadata,
		})
	}
	if asJSON {
		return nil
	}
	return table(w, rows, 120)
}

func encode(w io.Writer, session *api.TunnelSession) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(session)
}

// table prints rows in columns. It cuts the last column so that lines have at most width characters, as far as it can.
func table(w io.Writer, rows [][]string, width int) error {
	last := len(rows[0]) - 1
	for i := range last {
		column := 0
		for _, row := range rows {
			row[i] = cell(row[i])
			column = max(column, utf8.RuneCountInString(row[i]))
		}
		width -= column + 2
	}
	width = max(width, len("METADATA"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		value := []rune(cell(row[last]))
		if len(value) > width {
			value = append(value[:width-1], '…')
		}
		row[last] = string(value)
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// cell returns a value in printable form. Metadata can contain anything, such as line breaks and control sequences of
// terminals.
func cell(value string) string {
	switch {
	case value == "":
		return "-"
	case strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.Quote(value)
	}
	return value
}
