package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestSource(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/document":
			_, _ = io.WriteString(w, "a document")
		case "/large":
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			_, _ = zip.Write(make([]byte, 1001))
			_ = zip.Close()
		case "/short":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "short")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "document")
	write(t, file, "a document")
	for _, test := range []struct {
		location string
		limit    int64
		says     string // the error; empty for none
	}{
		{server.URL + "/document", int64(len("a document")), ""},
		{file, int64(len("a document")), ""},
		{server.URL + "/large", 1000, "more than 1000 bytes"},
		{server.URL + "/short", 1000, "unexpected EOF"},
		{server.URL + "/none", 1000, "404 Not Found"},
		{"ftp://127.0.0.1/", 1000, "unsupported protocol scheme"},
		{"http://%", 1000, "invalid URL escape"},
		{file + ".none", 1000, "document.none"},
	} {
		data, err := source{client: server.Client(), limit: test.limit}.read(t.Context(), test.location)
		if test.says == "" {
			if err != nil || string(data) != "a document" {
				t.Errorf("%s: %q, %v", test.location, data, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: the error is %v, want %q", test.location, err, test.says)
		}
	}
	if s := newSource(); s.client.Timeout <= 0 || s.limit <= 0 {
		t.Errorf("the command's own bounds are %v and %d bytes", s.client.Timeout, s.limit)
	}
}
