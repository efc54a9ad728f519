package main

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSourceReads(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			_, _ = io.WriteString(w, "plain")
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, "a document")
		_ = zip.Close()
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	file := filepath.Join(t.TempDir(), "document")
	write(t, file, "a document")
	for location, client := range map[string]*http.Client{
		plain.URL:  plain.Client(),
		secure.URL: secure.Client(),
		file:       nil,
	} {
		data, err := source{client: client, limit: int64(len("a document"))}.read(t.Context(), location)
		if err != nil || string(data) != "a document" {
			t.Errorf("%s: %q, %v", location, data, err)
		}
	}
}

func TestSourceRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
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
	for location, says := range map[string]string{
		server.URL + "/large":                   "more than 1000 bytes",
		server.URL + "/short":                   "unexpected EOF",
		server.URL + "/none":                    "404 Not Found",
		"ftp://127.0.0.1/":                      "unsupported protocol scheme",
		"http://%":                              "invalid URL escape",
		filepath.Join(t.TempDir(), "none.yaml"): "none.yaml",
	} {
		_, err := source{client: server.Client(), limit: 1000}.read(t.Context(), location)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: the error is %v, want %q", location, err, says)
		}
	}
}

func TestSourceGivesUpOnAStalledServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	impatient := source{client: &http.Client{Timeout: time.Millisecond}, limit: 1000}
	if _, err := impatient.read(t.Context(), server.URL); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	if s := newSource(); s.client.Timeout <= 0 || s.limit <= 0 {
		t.Errorf("the command's own bounds are %v and %d bytes", s.client.Timeout, s.limit)
	}
}
