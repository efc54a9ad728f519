package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxErrorBodyBytes   = 64 << 10  // kept of the body of an error
	maxDrainedBytes     = 256 << 10 // read after them, and dropped
	maxFirstBufferBytes = 1 << 20   // for a body of known length, as Content-Length is not trusted
)

// exchange is an attempt of a request and what it got.
type exchange struct {
	req     *http.Request // as it was before layers around the transport changed their clone
	rsp     *http.Response
	attempt int
}

// gate is what every response passes: it returns a copy of one that is a success, with the whole body in memory, and
// an error for any other. It never writes to the response, which a fake may share.
func gate(x exchange, maxBodyBytes int64) (*http.Response, error) {
	if x.rsp.Body == nil {
		x.rsp = withBody(x.rsp, http.NoBody) // a fake's
	}
	defer x.rsp.Body.Close()
	switch {
	case x.rsp.StatusCode < http.StatusOK:
		// After a 101 the body is the connection, and nothing bounds the read.
		return nil, newResponseError(x, nil, errStatus)
	case x.rsp.Request != nil && x.rsp.Request.Response != nil:
		return nil, readError(x, errors.New("the HTTP client followed a redirect"))
	case x.rsp.StatusCode >= http.StatusBadRequest:
		return nil, readError(x, nil)
	case !isSuccess(x.req.Method, x.rsp.StatusCode):
		return nil, readError(x, errStatus)
	}
	if maxBodyBytes <= 0 {
		maxBodyBytes = defaultMaxBodyBytes
	}
	data, err := readBody(x.rsp, maxBodyBytes)
	if err != nil && !errors.Is(err, ErrResponseTooLarge) {
		return nil, fmt.Errorf("%s %s: read the body of the response: %w", x.req.Method, x.req.URL.Redacted(), err)
	}
	if err == nil {
		err = checkBody(x, data)
	}
	if err != nil {
		return nil, newResponseError(x, data, err)
	}
	b := &body{data: data, unexpected: func(cause error) error { return newResponseError(x, data, cause) }}
	b.Reset(data)
	passed := withBody(x.rsp, b)
	passed.ContentLength = int64(len(data))
	passed.Request = withoutKey(cmp.Or(x.rsp.Request, x.req))
	if t := mediaType(x.rsp.Header); t != x.rsp.Header.Get("Content-Type") {
		passed.Header = maps.Clone(x.rsp.Header)
		passed.Header.Set("Content-Type", t) // the generated parsers look for "json" in lower case
	}
	return passed, nil
}

var errStatus = errors.New("the status is not what ngrok's document has for the method")

// isSuccess reports whether a status is one that ngrok's document has for a method. Each operation in it has one
// status of success: 204 without a body, or another one with a JSON object.
func isSuccess(method string, status int) bool {
	switch method {
	case http.MethodGet, http.MethodPut, http.MethodPatch:
		return status == http.StatusOK
	case http.MethodPost:
		return status == http.StatusCreated || status == http.StatusNoContent
	case http.MethodDelete:
		return status == http.StatusNoContent
	}
	return status < 300 // of a method that no operation has
}

// checkBody says what keeps the body of a successful response from being a JSON object, as far as its ends tell. To
// look between them is for the decoder.
func checkBody(x exchange, data []byte) error {
	if x.rsp.StatusCode == http.StatusNoContent || x.req.Method == http.MethodHead || x.req.Method == http.MethodOptions {
		return nil
	}
	data, contentType := bytes.TrimSpace(data), mediaType(x.rsp.Header)
	switch {
	case len(data) == 0:
		return errors.New("the body is empty")
	case !strings.HasSuffix(contentType, "/json") && !strings.HasSuffix(contentType, "+json"):
		return fmt.Errorf("the content type is %q, not JSON", x.rsp.Header.Get("Content-Type"))
	case data[0] != '{':
		return errors.New("the body is not a JSON object")
	case data[len(data)-1] != '}':
		return errors.New("the body does not end as a JSON object")
	}
	return nil
}

// readBody reads the body of a response whole. If it has more than limit bytes, the error is ErrResponseTooLarge,
// and the data is the beginning.
func readBody(rsp *http.Response, limit int64) ([]byte, error) {
	if rsp.ContentLength > limit {
		return nil, fmt.Errorf("%w: the Content-Length is %d, and %d are allowed", ErrResponseTooLarge, rsp.ContentLength, limit)
	}
	// One byte more than the limit tells that there is more.
	limited := io.LimitReader(rsp.Body, min(limit, math.MaxInt64-1)+1)
	var data []byte
	var err error
	if 0 <= rsp.ContentLength && rsp.ContentLength <= maxFirstBufferBytes {
		buffer := bytes.NewBuffer(make([]byte, 0, rsp.ContentLength+bytes.MinRead))
		_, err = buffer.ReadFrom(limited)
		data = buffer.Bytes()
	} else {
		data, err = io.ReadAll(limited)
	}
	if int64(len(data)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", ErrResponseTooLarge, limit)
	}
	return data, err
}

// readError returns the error for a response that is one. Its status counts, whatever happens to the body.
func readError(x exchange, cause error) error {
	data, err := io.ReadAll(io.LimitReader(x.rsp.Body, maxErrorBodyBytes+1))
	if err == nil {
		// A connection over HTTP/1.1 can be used again after the end of the body only.
		_, err = io.CopyN(io.Discard, x.rsp.Body, maxDrainedBytes)
	}
	e := newResponseError(x, data, cause)
	if ended := x.req.Context().Err(); ended != nil && err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w while reading the body of the response: %w", ended, e)
	}
	return e
}

// newResponseError returns the error for a response with the given body, as far as it was read. The cause is what is
// wrong with a response whose status alone does not make it an error.
func newResponseError(x exchange, data []byte, cause error) *ResponseError {
	r := newRedactor(tokens(x.req, x.rsp.Request)) // a transport can have set its own
	data = data[:min(len(data), maxErrorBodyBytes)]
	if plain := unescape().Replace(string(data)); r.Replace(plain) != plain {
		data = []byte(plain)
	}
	e := &ResponseError{
		StatusCode:  x.rsp.StatusCode,
		RetryAfter:  parseRetryAfter(x.rsp.Header.Get("Retry-After"), time.Now()),
		Attempts:    x.attempt,
		Method:      x.req.Method,
		URL:         r.Replace(x.req.URL.Redacted()),
		Header:      r.header(x.rsp.Header),
		Body:        r.body(data),
		OperationID: r.Replace(x.rsp.Header.Get("Ngrok-Operation-Id")),
	}
	if cause != nil {
		e.cause = r.error(cause) // it can quote a header
	}
	// Any part can be missing or of another type than ngrok documents. What does not fit is left out.
	var document struct {
		Code    any `json:"error_code"`
		Message any `json:"msg"`
		Details any `json:"details"`
	}
	if json.Unmarshal(e.Body, &document) == nil {
		e.Code, _ = document.Code.(string)
		message, _ := document.Message.(string)
		e.Message = strings.Join(strings.Fields(message), " ")
		e.Details, _ = document.Details.(map[string]any)
	}
	if id, ok := e.Details["operation_id"].(string); ok {
		e.OperationID = id
	}
	return e
}

// unescape undoes the escapes with which JSON can spell a token. Those of a backslash stay, as they begin no other.
var unescape = sync.OnceValue(func() *strings.Replacer {
	pairs := []string{`\\`, `\\`, `\/`, "/"}
	for _, c := range tokenCharacters + "=" {
		pairs = append(pairs, fmt.Sprintf(`\u%04x`, c), string(c), fmt.Sprintf(`\u%04X`, c), string(c))
	}
	return strings.NewReplacer(pairs...)
})

// parseRetryAfter returns how long a Retry-After header asks to wait: a number of seconds, or a date. What is past or
// neither counts as absent. What is too long for a Duration is the longest one.
func parseRetryAfter(value string, now time.Time) time.Duration {
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		if seconds > math.MaxInt64/uint64(time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// mediaType returns the media type of a response in lower case and without parameters.
func mediaType(h http.Header) string {
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// withBody returns a copy of a response that has another body.
func withBody(rsp *http.Response, body io.ReadCloser) *http.Response {
	c := *rsp
	c.Body = body
	return &c
}

// withoutKey returns a copy of a request without the header that authenticates.
func withoutKey(req *http.Request) *http.Request {
	c := req.WithContext(req.Context())
	c.Header = make(http.Header, len(req.Header))
	for name, values := range req.Header {
		if !strings.EqualFold(name, "Authorization") {
			c.Header[name] = values
		}
	}
	return c
}

// body is the body of a response that has passed the gate.
type body struct {
	bytes.Reader
	data []byte

	// unexpected returns the error for the response if its body is not what it should be. It knows the API key, and is
	// a function so that no way to print a response shows it.
	unexpected func(cause error) error
}

// Close does nothing: the body is in memory.
func (*body) Close() error { return nil }

// bodyOf returns the body of a response that has passed the gate. One that has not, from a client that New did not
// make or from a layer around the client that puts another body in, passes it here.
func bodyOf(rsp *http.Response) (*body, error) {
	if rsp == nil || rsp.Request == nil {
		return nil, errors.New("read a response: there is none, or it has no Request: make the client with New")
	}
	if b, ok := rsp.Body.(*body); ok {
		return b, nil
	}
	passed, err := gate(exchange{rsp.Request, rsp, 1}, 0)
	if err != nil {
		return nil, newCallError(rsp.Request, err, 1)
	}
	return passed.Body.(*body), nil
}

// decode decodes the JSON object in the body of a response into v.
func decode(rsp *http.Response, v any) (*body, error) {
	b, err := bodyOf(rsp)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b.data, v); err != nil {
		return nil, b.unexpected(err)
	}
	return b, nil
}
