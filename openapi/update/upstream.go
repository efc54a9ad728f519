package main

import (
	"context"
	"errors"
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

// newSource returns a source with limits that protect an unattended run from a stalled or endless server.
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

// readEither is read, but if the server responds with 404, it reads the same URL with the other extension: upstream has had
// ngrok.yaml and ngrok.json. It also returns the location that it read.
func (s source) readEither(ctx context.Context, location string) (data []byte, from string, err error) {
	data, err = s.read(ctx, location)
	other := otherExtension(location)
	if !errors.Is(err, errNotFound) || other == "" {
		return data, location, err
	}
	data, otherErr := s.read(ctx, other)
	if otherErr != nil {
		return nil, location, fmt.Errorf("%w, and %w", err, otherErr)
	}
	return data, other, nil
}

func otherExtension(location string) string {
	if base, ok := strings.CutSuffix(location, ".yaml"); ok {
		return base + ".json"
	}
	if base, ok := strings.CutSuffix(location, ".json"); ok {
		return base + ".yaml"
	}
	return ""
}

var errNotFound = errors.New("the server responds with 404 Not Found")

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
		if response.StatusCode == http.StatusNotFound {
			return nil, fmt.Errorf("get %s: %w", location, errNotFound)
		}
		return nil, fmt.Errorf("get %s: the server responds with %s", location, response.Status)
	}
	return response.Body, nil
}
