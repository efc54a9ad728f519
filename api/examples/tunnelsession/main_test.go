package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
)

func TestRun(t *testing.T) {
	session := api.TunnelSession{ID: "ts_odd", Metadata: "a\n\x1b[31mb"}
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	srv := ngroktest.NewServer(t, append(samples, session)...)
	srv.Filter = func(ip string, session api.TunnelSession) bool { return session.IP == ip }
	proxy := httptest.NewServer(http.NotFoundHandler())
	defer proxy.Close()
	const (
		key, header = ngroktest.APIKey, "ID IP OS AGENT VERSION REGION STARTED AT METADATA "
		linux       = `ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR 203.0.113.7 linux 3.19.1 eu 2026-03-04T05:06:07Z {"rack":"b12"}`
		windows     = ` ts_2NKqB7wYd0sUeHnGxRfPq3LtVmC 198.51.100.23 windows 3.18.4 us 2026-03-05T16:17:18Z -`
		odd         = `ts_odd - - - - - "a\n\x1b[31mb"`
	)
	for _, test := range []struct {
		name         string
		args         []string
		key, baseURL string
		status       int
		stdout       string // with one space between words
		stderr       string // a part of it; "": nothing
	}{
		{"fake", nil, "", "", 0, header + linux + windows, "NGROK_API_KEY is not set: using the built-in fake API"},
		{"list", nil, key, srv.URL(), 0, header + linux + windows + " " + odd, ""},
		{"filter", []string{"-filter", "203.0.113.7"}, key, srv.URL(), 0, header + linux, ""},
		{"session", []string{"ts_odd"}, key, srv.URL(), 0, header + odd, ""},
		{"help", []string{"-h"}, key, srv.URL(), 0, "", "-filter expression"},
		{"two IDs", []string{"a", "b"}, key, srv.URL(), 2, "", "give one ID"},
		{"filter for the fake", []string{"-filter", "eu"}, "", "", 2, "", "set NGROK_API_KEY"},
		{"unknown session", []string{"ts_2"}, key, srv.URL(), 1, "", "no online agent has this session ID: GET "},
		{"unknown key", nil, "2unknown_key", srv.URL(), 1, "", "check NGROK_API_KEY: GET "},
		{"not the API", []string{"ts_1"}, key, proxy.URL, 1, "", "404 Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := map[string]string{"NGROK_API_KEY": test.key, "NGROK_API_BASE_URL": test.baseURL}
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), test.args, func(name string) string { return env[name] }, &stdout, &stderr)
			if got := words(stdout.String()); status != test.status || got != test.stdout {
				t.Errorf("got exit status %d and\n%s\nwant %d and\n%s", status, got, test.status, test.stdout)
			}
			if got := stderr.String(); !strings.Contains(got, test.stderr) || test.stderr == "" && got != "" {
				t.Errorf("got %q, want %q in it", got, test.stderr)
			}
		})
	}
}
