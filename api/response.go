package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxErrorBodyBytes = 64 << 10  // that are kept of the body of an error
	maxDrainedBytes   = 256 << 10 // that are read after them, and dropped
)

// readBody reads the body of a response whole. If it has more than limit bytes, the error is ErrResponseTooLarge,
// and the bytes up to the limit are returned too.
func readBody(rsp *http.Response, limit int64) ([]byte, error) {
	if rsp.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes announced, %d allowed", ErrResponseTooLarge, rsp.ContentLength, limit)
	}
	data, err := io.ReadAll(io.LimitReader(rsp.Body, min(limit, math.MaxInt64-1)+1))
	if int64(len(data)) > limit {
		return data[:limit], fmt.Errorf("%w: more than %d bytes", ErrResponseTooLarge, limit)
	}
	return data, err
}

// checkSuccess says what keeps a response with a status below 400 from being what the operation promises. The
// generated parser leaves the result nil, without an error, for a status or a media type that it does not know.
func checkSuccess(method string, rsp *http.Response, body []byte) error {
	empty := len(bytes.TrimSpace(body)) == 0
	switch {
	case rsp.StatusCode == http.StatusOK:
	case method == http.MethodGet || rsp.StatusCode < 200 || rsp.StatusCode > 299:
		return errors.New("the status is not one of success")
	}
	switch mediaType := mediaType(rsp.Header); {
	case empty && method != http.MethodGet:
		return nil
	case empty:
		return errors.New("the body is empty")
	case !isJSON(mediaType):
		return fmt.Errorf("the content type is %q, not JSON", rsp.Header.Get("Content-Type"))
	case method == http.MethodGet && bytes.TrimSpace(body)[0] != '{':
		return errors.New("the body is not a JSON object")
	}
	if !json.Valid(body) {
		return errors.New("the body is not valid JSON")
	}
	return nil
}

// mediaType returns the media type of a response in lower case and without parameters.
func mediaType(h http.Header) string {
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// isJSON reports whether a media type is a JSON one, as the MIME Sniffing standard defines that.
func isJSON(mediaType string) bool {
	return mediaType == "application/json" || mediaType == "text/json" ||
		strings.Contains(mediaType, "/") && strings.HasSuffix(mediaType, "+json")
}

// succeeded prepares a response that has passed the gate for the generated parser.
func (c *call) succeeded(rsp *http.Response, data []byte) *http.Response {
	rsp.Body = &body{Reader: bytes.NewReader(data), unexpected: func(cause error) error {
		return c.responseError(rsp, data, cause)
	}}
	rsp.ContentLength = int64(len(data))
	if len(data) > 0 {
		// The parser looks for "json" in lower case.
		rsp.Header.Set("Content-Type", mediaType(rsp.Header))
	}
	if rsp.Request != nil {
		sent := rsp.Request
		rsp.Request = sent.WithContext(sent.Context())
		rsp.Request.Header = sent.Header.Clone()
		rsp.Request.Header.Del("Authorization")
		rsp.Request.Response = nil // of a redirect, with its own request
	}
	return rsp
}

// body is a response's body in memory.
type body struct {
	*bytes.Reader
	unexpected func(cause error) error // the error for the response, if the parser rejects the body
}

// Close does nothing: what there was to close is closed.
func (*body) Close() error { return nil }

// unparsed returns the error for a response from which the generated parser got no result: data is its body, and
// cause what the parser said.
func unparsed(rsp *http.Response, data []byte, cause error) error {
	if b, ok := rsp.Body.(*body); ok {
		return b.unexpected(cause)
	}
	// The client was not made by New, and has no Doer.
	c := &call{req: rsp.Request, attempts: 1}
	if c.req == nil {
		c.req = &http.Request{URL: new(url.URL)}
	}
	return c.responseError(rsp, data, cause)
}
