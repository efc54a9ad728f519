package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

func TestRun(t *testing.T) {
	odd := api.TunnelSession{ID: "ts_odd", Metadata: "a\n\x1b[31mb"}
	srv := httptest.NewServer(ngroktest.Handler(sample, odd))
	defer srv.Close()
	html := httptest.NewServer(http.NotFoundHandler())
	defer html.Close()
	at := func(url, key string) map[string]string {
		return map[string]string{"NGROK_API_BASE_URL": url, "NGROK_API_KEY": key}
	}
	for _, test := range []struct {
		name   string
		args   []string
		env    map[string]string
		code   int
		stdout string // in it; empty: nothing there
		stderr string // likewise
	}{
		{"sample of the fake", nil, nil, 0, "Region         eu\n", "NGROK_API_KEY is not set"},
		{"session of the fake", []string{sample.ID}, nil, 0, sample.IP, "NGROK_API_KEY is not set"},
		{"unknown session of the fake", []string{"ts_2"}, nil, 1, "", `no tunnel session has the ID "ts_2"`},
		{"session", []string{sample.ID}, at(srv.URL, ngroktest.APIKey), 0, "Started at     2026-03-04T05:06:07Z\n", ""},
		{"control characters", []string{"ts_odd"}, at(srv.URL, ngroktest.APIKey), 0, `"a\n\x1b[31mb"`, ""},
		{"empty field", []string{"ts_odd"}, at(srv.URL, ngroktest.APIKey), 0, "OS             -\n", ""},
		{"no ID", nil, at(srv.URL, ngroktest.APIKey), 2, "", "usage: "},
		{"two IDs", []string{"a", "b"}, at(srv.URL, ngroktest.APIKey), 2, "", "usage: "},
		{"unknown flag", []string{"-x"}, at(srv.URL, ngroktest.APIKey), 2, "", "usage: "},
		{"help", []string{"-h"}, nil, 0, "", "usage: "},
		{"unknown session", []string{"ts_2"}, at(srv.URL, ngroktest.APIKey), 1, "", `no tunnel session has the ID "ts_2"`},
		{"ID that is none", []string{".."}, at(srv.URL, ngroktest.APIKey), 1, "", "invalid ID"},
		{"unknown key", []string{"ts_1"}, at(srv.URL, "2unknown_key"), 1, "", "check the API key"},
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
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-json", sample.ID}, func(string) string { return "" }, &stdout, &stderr); code != 0 {
		t.Fatalf("got exit status %d: %s", code, stderr.String())
	}
	var got api.TunnelSession
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil || got != sample {
		t.Errorf("got %s, %v", stdout.String(), err)
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
	code := run(ctx, []string{"ts_1"}, func(name string) string { return env[name] }, &stdout, &stderr)
	if code != 1 || stdout.Len() > 0 || stderr.String() != "tunnelsession: interrupted\n" {
		t.Errorf("got exit status %d, %q, %q", code, stdout.String(), stderr.String())
	}
}
