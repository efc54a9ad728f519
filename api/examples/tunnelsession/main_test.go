package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

func TestRun(t *testing.T) {
	odd := api.TunnelSession{ID: "ts_odd", Metadata: "a\n\x1b[31mb"}
	srv := httptest.NewServer(ngroktest.Handler(append(samples, odd)...))
	defer srv.Close()
	html := httptest.NewServer(http.NotFoundHandler())
	defer html.Close()
	at := func(url, key string) map[string]string {
		return map[string]string{"NGROK_API_BASE_URL": url, "NGROK_API_KEY": key}
	}
	const asksFake = "NGROK_API_KEY is not set: asking the built-in fake API\n"
	id := samples[0].ID
	for _, test := range []struct {
		name   string
		args   []string
		env    map[string]string
		code   int
		stdout string // in it; empty: nothing there
		stderr string // likewise
	}{
		{"list of the fake", nil, nil, 0, samples[1].ID + "  198.51.100.23  windows  3.18.4  us      2026-03-05T16:17:18Z\n", asksFake},
		{"session of the fake", []string{id}, nil, 0, "Region         eu\n", asksFake},
		{"unknown session of the fake", []string{"ts_2"}, nil, 1, "", `no tunnel session has the ID "ts_2"`},
		{"list", nil, at(srv.URL, ngroktest.APIKey), 0, "ts_odd                          -              -        -       -       -\n", ""},
		{"session", []string{id}, at(srv.URL, ngroktest.APIKey), 0, "Started at     2026-03-04T05:06:07Z\n", ""},
		{"control characters", []string{"ts_odd"}, at(srv.URL, ngroktest.APIKey), 0, `"a\n\x1b[31mb"`, ""},
		{"empty field", []string{"ts_odd"}, at(srv.URL, ngroktest.APIKey), 0, "OS             -\n", ""},
		{"two IDs", []string{"a", "b"}, at(srv.URL, ngroktest.APIKey), 2, "", "usage: "},
		{"unknown flag", []string{"-x"}, at(srv.URL, ngroktest.APIKey), 2, "", "usage: "},
		{"help", []string{"-h"}, nil, 0, "", "usage: "},
		{"unknown session", []string{"ts_2"}, at(srv.URL, ngroktest.APIKey), 1, "", `no tunnel session has the ID "ts_2"`},
		{"ID that is none", []string{".."}, at(srv.URL, ngroktest.APIKey), 1, "", "invalid ID"},
		{"unknown key", nil, at(srv.URL, "2unknown_key"), 1, "", "ERR_NGROK_203"},
		{"malformed key", []string{"ts_1"}, at(srv.URL, "a b"), 1, "", "white space"},
		{"base URL that is none", []string{"ts_1"}, at("api.ngrok.com", ngroktest.APIKey), 1, "", "base URL"},
		{"not the API", []string{"ts_1"}, at(html.URL, ngroktest.APIKey), 1, "", "404 Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), test.args, func(name string) string { return test.env[name] }, &stdout, &stderr)
			if code != test.code {
				t.Errorf("got exit status %d, want %d", code, test.code)
			}
			for what, output := range map[string][2]string{"stdout": {stdout.String(), test.stdout}, "stderr": {stderr.String(), test.stderr}} {
				if got, want := output[0], output[1]; !strings.Contains(got, want) || want == "" && got != "" {
					t.Errorf("%s: got %q, want %q in it", what, got, want)
				}
			}
			if code == 1 && test.env != nil && strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("stderr: got %q, want one line", stderr.String())
			}
		})
	}
}

func TestRunJSON(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []api.TunnelSession
	}{
		"list":    {[]string{"-json"}, samples},
		"session": {[]string{"-json", samples[1].ID}, samples[1:]},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout bytes.Buffer
			if code := run(t.Context(), test.args, func(string) string { return "" }, &stdout, io.Discard); code != 0 {
				t.Fatalf("got exit status %d", code)
			}
			dec := json.NewDecoder(&stdout)
			for _, want := range test.want {
				var got api.TunnelSession
				if err := dec.Decode(&got); err != nil || got != want {
					t.Errorf("got %+v, %v, want %+v", got, err, want)
				}
			}
			if dec.More() {
				t.Error("there is more")
			}
		})
	}
}

func TestRunIsInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		interrupt()
		<-r.Context().Done() // no answer
	}))
	defer srv.Close()
	env := map[string]string{"NGROK_API_BASE_URL": srv.URL, "NGROK_API_KEY": ngroktest.APIKey}
	var stdout, stderr bytes.Buffer
	code := run(ctx, nil, func(name string) string { return env[name] }, &stdout, &stderr)
	if code != 130 || stdout.Len() > 0 || stderr.Len() > 0 {
		t.Errorf("got exit status %d, %q, %q", code, stdout.String(), stderr.String())
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
