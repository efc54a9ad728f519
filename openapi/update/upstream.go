package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// source reads upstream's document.
type source struct {
	client *http.Client
	limit  int64 // bytes, after decompression
}

// newSource returns a source whose bounds protect an unattended run from a stalled or endless server.
func newSource() source {
	return source{client: &http.Client{Timeout: time.Minute}, limit: 50 << 20}
}

// read returns what is at location, which is an http or https URL or else the name of a file.
func (s source) read(ctx context.Context, location string) ([]byte, error) {
	body, err := s.open(ctx, location)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	// One byte more than allowed tells a document of exactly the limit from a larger one.
	data, err := io.ReadAll(io.LimitReader(body, s.limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s to its end: %w", location, err)
	}
	if int64(len(data)) > s.limit {
		return nil, fmt.Errorf("read %s: it has more than %d bytes", location, s.limit)
	}
	return data, nil
}

func (s source) open(ctx context.Context, location string) (io.ReadCloser, error) {
	if !strings.Contains(location, "://") {
		return os.Open(location)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("get %s: the server answers %s", location, response.Status)
	}
	return response.Body, nil
}
