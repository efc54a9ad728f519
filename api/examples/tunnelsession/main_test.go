package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

func TestRun(t *testing.T) {
	odd := api.TunnelSession{ID: "ts_odd", Metadata: "a\n\x1b[31mb" + strings.Repeat("é", 120)}
	fake := ngroktest.NewServer(t, append(samples, odd)...)
	fake.Filter = func(expression string, session api.TunnelSession) bool { return expression == session.Region }
	html := httptest.NewServer(http.NotFoundHandler())
	defer html.Close()
	key, broken := []string{ngroktest.APIKey, fake.URL()}, []string{ngroktest.APIKey, html.URL}
	id := samples[0].ID
	const usesFake = "NGROK_API_KEY is not set: using the built-in fake API\n"
	for _, test := range []struct {
		name   string
		args   []string
		env    []string // NGROK_API_KEY and NGROK_API_BASE_URL
		code   int
		stdout string // a part of it; empty: nothing
		stderr string // as stdout
	}{
		{"list of the fake", nil, nil, 0, "  198.51.100.23  windows  3.18.4         us      2026-03-05T16:17:18Z  -\n", usesFake},
		{"list", nil, key, 0, "IP             OS       AGENT VERSION  REGION  STARTED AT            METADATA\n", ""},
		{"filter", []string{"-filter", "eu"}, key, 0, id + "  203.0.113.7  linux  3.19.1         eu      2026-03-04T05:06:07Z  {\"rack\":\"b12\"}\n", ""},
		{"session", []string{id}, key, 0, "Started at     2026-03-04T05:06:07Z\n", ""},
		{"control characters", []string{"ts_odd"}, key, 0, `"a\n\x1b[31mb` + strings.Repeat("é", 120) + "\"\n", ""},
		{"two IDs", []string{"a", "b"}, key, 2, "", "usage: "},
		{"ID and filter", []string{"-filter", "eu", id}, key, 2, "", "either one ID or a filter"},
		{"unknown session", []string{"ts_2"}, key, 1, "", `no tunnel session has the ID "ts_2"`},
		{"unknown key", nil, []string{"2unknown_key", fake.URL()}, 1, "", ": check NGROK_API_KEY\n"},
		{"not the API", []string{"ts_1"}, broken, 1, "", "404 Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := runWith(t.Context(), test.env, test.args...)
			if code != test.code {
				t.Errorf("got exit status %d, want %d", code, test.code)
			}
			for _, output := range [][2]string{{stdout, test.stdout}, {stderr, test.stderr}} {
				if got, want := output[0], output[1]; !strings.Contains(got, want) || want == "" && got != "" {
					t.Errorf("got %q, want %q in it", got, want)
				}
			}
			if code == 1 && test.env != nil && strings.Count(stderr, "\n") != 1 {
				t.Errorf("got %q, want one line", stderr)
			}
			for line := range strings.Lines(stdout) {
				if test.args == nil && utf8.RuneCountInString(line) > 121 {
					t.Errorf("got a line longer than 120: %s", line)
				}
			}
		})
	}
}

// runWith runs the command with an API key and a base URL, if env has them.
func runWith(ctx context.Context, env []string, args ...string) (code int, stdout, stderr string) {
	variables := make(map[string]string)
	if env != nil {
		variables = map[string]string{"NGROK_API_KEY": env[0], "NGROK_API_BASE_URL": env[1]}
	}
	var out, err bytes.Buffer
	code = run(ctx, args, func(name string) string { return variables[name] }, &out, &err)
	return code, out.String(), err.String()
}

func TestRunJSON(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []api.TunnelSession
	}{
		{[]string{"-json"}, samples},
		{[]string{"-json", samples[1].ID}, samples[1:]},
	} {
		_, stdout, _ := runWith(t.Context(), nil, test.args...)
		var got []api.TunnelSession
		for dec := json.NewDecoder(strings.NewReader(stdout)); dec.More(); {
			var session api.TunnelSession
			if err := dec.Decode(&session); err != nil {
				t.Fatal(err)
			}
			got = append(got, session)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: got %+v, want %+v", test.args, got, test.want)
		}
	}
}

func TestRunIsInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		interrupt()
		<-r.Context().Done() // no response
	}))
	defer srv.Close()
	code, stdout, stderr := runWith(ctx, []string{ngroktest.APIKey, srv.URL})
	if code != 130 || stdout != "" || stderr != "" {
		t.Errorf("got exit status %d, %q, %q", code, stdout, stderr)
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestPipeIsClosed(t *testing.T) {
	for _, args := range [][]string{nil, {"-json"}, {samples[0].ID}, {"-json", samples[0].ID}} {
		var stderr bytes.Buffer
		code := run(t.Context(), args, func(string) string { return "" }, closedPipe{}, &stderr)
		if code != 0 || strings.Contains(stderr.String(), "tunnelsession:") {
			t.Errorf("%q: got exit status %d, %q", args, code, stderr.String())
		}
	}
}
