package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	firstBufferBytes    = 1 << 10 // for a body of unknown length; a session has about 600 bytes
	maxFirstBufferBytes = 1 << 20 // for one of announced length, as an announcement is nothing to rely on

	maxErrorBodyBytes = 64 << 10  // that are kept of the body of an error
	maxDrainedBytes   = 256 << 10 // that are read after them, and dropped
)

// accept is the gate: it reads a response whole and returns it as the generated parser understands it, or an error if
// it is not what the operation promises.
func (c *call) accept(rsp *http.Response) (*http.Response, error) {
	if rsp.Body == nil {
		rsp.Body = http.NoBody // as a fake in a test may have it
	}
	defer rsp.Body.Close()
	if rsp.StatusCode >= http.StatusBadRequest {
		return nil, c.failed(rsp)
	}
	data, err := readBody(rsp, c.maxBodyBytes)
	switch {
	case errors.Is(err, ErrResponseTooLarge):
		return nil, c.responseError(rsp, data, err)
	case err != nil:
		return nil, fmt.Errorf("%s %s: read the body of the response: %w", c.req.Method, c.req.URL, err)
	}
	if err := checkSuccess(c.req.Method, rsp, data); err != nil {
		return nil, c.responseError(rsp, data, err)
	}
	c.body.Reset(data)
	c.body.data = data
	rsp.Body, rsp.ContentLength = &c.body, int64(len(data))
	if c.req.Context().Value(decodes{}) == c.req {
		c.body.call = c
		return rsp, nil
	}
	if len(bytes.TrimSpace(data)) > 0 && !json.Valid(data) {
		return nil, c.responseError(rsp, data, errors.New("the body is not valid JSON"))
	}
	c.body.unexpected = func(cause error) error { return c.responseError(rsp, data, cause) }
	presentable(rsp)
	return rsp, nil
}

// readBody reads the body of a response whole. If it has more than limit bytes, the error is ErrResponseTooLarge,
// and the bytes up to the limit are returned too.
func readBody(rsp *http.Response, limit int64) ([]byte, error) {
	if rsp.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes announced, %d allowed", ErrResponseTooLarge, rsp.ContentLength, limit)
	}
	limit = min(limit, math.MaxInt64-1)
	// The buffer has room for the whole body and the read that finds its end, if the announcement is right.
	size := int64(firstBufferBytes)
	if rsp.ContentLength >= 0 {
		size = min(rsp.ContentLength, maxFirstBufferBytes) + 1
	}
	data := make([]byte, 0, size)
	for {
		n, err := rsp.Body.Read(data[len(data):min(int64(cap(data)), limit+1)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return data[:limit], fmt.Errorf("%w: more than %d bytes", ErrResponseTooLarge, limit)
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return data, err
		case len(data) == cap(data):
			more := int64(cap(data))
			if left := rsp.ContentLength + 1 - more; left > 0 {
				more = min(more, left)
			}
			data = slices.Grow(data, int(more))
		}
	}
}

// checkSuccess says what keeps a response with a status below 400 from being what the operation promises, apart from
// invalid JSON. The generated parser leaves the result nil, without an error, for a status or a media type that it
// does not know.
func checkSuccess(method string, rsp *http.Response, body []byte) error {
	if rsp.StatusCode != http.StatusOK && (method == http.MethodGet || rsp.StatusCode < 200 || rsp.StatusCode > 299) {
		return errors.New("the status is not one of success")
	}
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0 && method != http.MethodGet:
		return nil
	case len(body) == 0:
		return errors.New("the body is empty")
	case !isJSON(mediaType(rsp.Header)):
		return fmt.Errorf("the content type is %q, not JSON", rsp.Header.Get("Content-Type"))
	case method == http.MethodGet && body[0] != '{':
		return errors.New("the body is not a JSON object")
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

// presentable prepares a response that has passed the gate for the generated parser, and for the caller.
func presentable(rsp *http.Response) {
	if t := mediaType(rsp.Header); t != rsp.Header.Get("Content-Type") {
		rsp.Header.Set("Content-Type", t) // the parser looks for "json" in lower case
	}
	if sent := rsp.Request; sent != nil {
		rsp.Request = sent.WithContext(sent.Context())
		rsp.Request.Header = sent.Header.Clone()
		rsp.Request.Header.Del("Authorization")
		rsp.Request.Response = nil // of a redirect, with its own request
	}
}

// body is a response's body in memory.
type body struct {
	bytes.Reader
	data []byte

	// One of these makes the error for the response if its body cannot be decoded. The call is there if decode is
	// the only one to see the response, since it has the API key.
	call       *call
	unexpected func(cause error) error
}

// Close does nothing: what there was to close is closed.
func (*body) Close() error { return nil }

// decodes is in the context of a request whose response goes to decode and not to the caller. Its value is the
// request, as others can be made with the same context.
type decodes struct{}

// decoding returns the editors of a call with one more, which marks such a request. Less has to be done to the
// response then: the JSON parser looks at the whole body before it begins, so that nobody else has to.
func decoding(editors []RequestEditorFn) []RequestEditorFn {
	if len(editors) == 0 {
		return onlyToDecode
	}
	return append(slices.Clip(editors), toDecode)
}

var onlyToDecode = []RequestEditorFn{toDecode}

func toDecode(_ context.Context, req *http.Request) error {
	*req = *req.WithContext(context.WithValue(req.Context(), decodes{}, req))
	return nil
}

// decode returns what the body of a response holds. It does the generated parser's work for a method with one result,
// without another copy of the body.
func decode[T any](rsp *http.Response) (*T, error) {
	b, ok := rsp.Body.(*body)
	if !ok {
		// The client was not made by New, and has no Doer.
		req := rsp.Request
		if req == nil {
			req = &http.Request{Method: http.MethodGet, URL: new(url.URL)}
		}
		c := newCall(new(Doer), req)
		c.attempts = 1
		if _, err := c.accept(rsp); err != nil {
			return nil, c.failure(err)
		}
		b = &c.body
	}
	result := new(T)
	if err := json.Unmarshal(b.data, result); err != nil {
		if b.call != nil {
			return nil, b.call.responseError(rsp, b.data, err)
		}
		return nil, b.unexpected(err)
	}
	return result, nil
}
