package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// source reads whole upstream documents.
type source struct {
	client *http.Client
	limit  int64 // bytes, after decompression
}

// newSource returns a source with the limits that protect an unattended run from a stalled or endless server.
func newSource() source {
	return source{client: &http.Client{Timeout: 60 * time.Second}, limit: 50 << 20}
}

// read returns what is at location, which is an http or https URL or else the name of a file.
func (s source) read(ctx context.Context, location string) ([]byte, error) {
	body, err := s.open(ctx, location)
	if err != nil {
		return nil, fmt.Errorf("read upstream: %w", err)
	}
	// One byte more than allowed tells a document of exactly the limit from a larger one.
	data, err := io.ReadAll(io.LimitReader(body, s.limit+1))
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read upstream %s to its end: %w; try again, or download it and pass the file to -upstream",
			location, err)
	}
	if int64(len(data)) > s.limit {
		return nil, fmt.Errorf("read upstream %s: it is larger than %d bytes, which no document of an API is; check -upstream",
			location, s.limit)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fmt.Errorf("read upstream %s: it is empty; check -upstream, or try again later", location)
	}
	return data, nil
}

func (s source) open(ctx context.Context, location string) (io.ReadCloser, error) {
	scheme, _, isURL := strings.Cut(location, "://")
	if !isURL {
		file, err := os.Open(location)
		if err != nil {
			return nil, fmt.Errorf("%w; check -upstream, which takes a URL or the name of a file", err)
		}
		return file, nil
	}
	if !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return nil, fmt.Errorf("%s is neither an http nor an https URL; check -upstream", location)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, fmt.Errorf("%w; check -upstream", err)
	}
	response, err := s.client.Do(request)
	if failure := (*url.Error)(nil); errors.As(err, &failure) {
		return nil, fmt.Errorf("get %s: %w; try again later, or download it and pass the file to -upstream",
			location, failure.Err)
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("get %s: the server answered %s; check -upstream, or try again later",
			location, response.Status)
	}
	return response.Body, nil
}
