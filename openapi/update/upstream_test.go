package main

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSourceHasLimits(t *testing.T) {
	s := newSource()
	if s.client.Timeout != time.Minute {
		t.Errorf("the timeout is %v, want 60 s", s.client.Timeout)
	}
	if s.limit != 50<<20 {
		t.Errorf("the limit is %d bytes, want 50 MB", s.limit)
	}
}

// Each of these says no change only if the document was read to its end.
func TestUpstreamComesFromAServer(t *testing.T) {
	document := testdata(t, "upstream.yaml")
	for name, handler := range map[string]http.HandlerFunc{
		"plainly": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(document))
		},
		"compressed": func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				t.Error("the request does not accept gzip")
			}
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(compress(t, document))
		},
		"after a redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/moved" {
				http.Redirect(w, r, "/moved", http.StatusFound)
				return
			}
			_, _ = w.Write([]byte(document))
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			before := tr.files(t)
			tr.wantStatus(t, tr.main(t.Context(), []string{"-upstream", serve(t, handler)}), 0)
			wantContains(t, tr.stdout.String(), "no change")
			tr.wantSame(t, before)
		})
	}
}

func TestUpstreamIsTheSourceInTheHeader(t *testing.T) {
	tr := newTrial(t)
	asked := false
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked = true
		_, _ = w.Write([]byte(testdata(t, "upstream.yaml")))
	})
	file := filepath.Join(tr.folder, "openapi", "ngrok.yaml")
	writeFile(t, file, replace(t, testdata(t, "vendored.yaml"), "https://ngrok.invalid/upstream.yaml", url))
	tr.wantStatus(t, tr.main(t.Context(), nil), 0)
	if !asked {
		t.Error("the server was not asked")
	}
}

func TestALimitIsNotExceeded(t *testing.T) {
	document := testdata(t, "upstream.yaml")
	for name, test := range map[string]struct{ limit, status int }{
		"exactly the limit":   {limit: len(document), status: 0},
		"one byte over limit": {limit: len(document) - 1, status: 1},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			tr.source.limit = int64(test.limit)
			tr.wantStatus(t, tr.update(t, document), test.status)
		})
	}
}

func TestUpstreamCannotBeRead(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	document := testdata(t, "upstream.yaml")
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		location string
		handler  http.HandlerFunc // in place of location
		limit    int64
		timeout  time.Duration
		says     []string
	}{
		"not found":    {handler: answer(404, "404: Not Found"), says: []string{"404 Not Found", "check -upstream"}},
		"unavailable":  {handler: answer(503, ""), says: []string{"503 Service Unavailable", "later"}},
		"no content":   {handler: answer(204, ""), says: []string{"204 No Content"}},
		"html":         {handler: answer(200, "\n<!doctype html><title>Sign in</title>"), says: []string{"web page"}},
		"empty":        {handler: answer(200, ""), says: []string{"is empty"}},
		"blank":        {handler: answer(200, " \r\n\n"), says: []string{"is empty"}},
		"too large":    {handler: answer(200, document), limit: 1000, says: []string{"larger than 1000 bytes"}},
		"a gzip bomb":  {handler: gzipped(t, strings.Repeat(" ", 1<<20)), limit: 1 << 19, says: []string{"larger than"}},
		"bad gzip":     {handler: gzipped(t, ""), says: []string{"gzip"}},
		"cut short":    {handler: cutShort(document), says: []string{"to its end", "unexpected EOF", "try again"}},
		"refused":      {location: closed.URL, says: []string{"get " + closed.URL, "try again later"}},
		"no such file": {location: filepath.Join(t.TempDir(), "missing.yaml"), says: []string{"missing.yaml", "check -upstream"}},
		"a folder":     {location: t.TempDir(), says: []string{"read upstream"}},
		"ftp":          {location: "ftp://ngrok.invalid/a.yaml", says: []string{"neither an http nor an https URL"}},
		"bad url":      {location: "https://ngrok.invalid:port/", says: []string{"check -upstream"}},
		"redirected for ever": {
			handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) },
			says:    []string{"stopped after 10 redirects"},
		},
		"stalled before its answer": {
			handler: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			timeout: 50 * time.Millisecond, says: []string{"Client.Timeout", "try again later"},
		},
		"stalled within its answer": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(document[:200]))
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			},
			timeout: 50 * time.Millisecond, says: []string{"to its end", "Client.Timeout", "try again"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			before := tr.files(t)
			if test.limit != 0 {
				tr.source.limit = test.limit
			}
			if test.timeout != 0 {
				tr.source.client.Timeout = test.timeout
			}
			if test.handler != nil {
				test.location = serve(t, test.handler)
			}
			tr.wantStatus(t, tr.main(t.Context(), []string{"-upstream", test.location}), 1)
			wantContains(t, tr.stderr.String(), append(test.says, "update: read ")...)
			tr.wantSame(t, before)
		})
	}
}

func TestNoUpstreamIsKnown(t *testing.T) {
	tr := newTrial(t)
	file := filepath.Join(tr.folder, "openapi", "ngrok.yaml")
	writeFile(t, file, replace(t, testdata(t, "vendored.yaml"), "# Source: ", "# Origin: "))
	tr.wantStatus(t, tr.main(t.Context(), nil), 1)
	wantContains(t, tr.stderr.String(), "has no Source", "-upstream")
}

func compress(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// gzipped answers with text compressed, or for "" with something that only claims to be.
func gzipped(t *testing.T, text string) http.HandlerFunc {
	t.Helper()
	body := []byte("not compressed at all")
	if text != "" {
		body = compress(t, text)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body)
	}
}

// cutShort answers with less of text than it announces.
func cutShort(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = w.Write([]byte(text[:len(text)/2]))
	}
}
