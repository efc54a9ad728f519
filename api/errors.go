package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Match these with [errors.Is]; a [*ResponseError] matches those that fit it, also when it is wrapped.
var (
	// ErrNotFound is a response with the status 404: ngrok has no resource with that ID, at least none that the
	// API key's account can see.
	ErrNotFound = errors.New("not found")

	// ErrAuthentication is a response that refuses the API key: the status 401, or one of the codes
	// ERR_NGROK_200 to 203 and 206 to 208, which ngrok sends with the status 403 or 400. A key that is good but
	// lacks a permission is not among them.
	ErrAuthentication = errors.New("authentication failed")

	// ErrRateLimited is a response with the status 429. ngrok allows 120 requests in 60 seconds.
	ErrRateLimited = errors.New("rate limited")

	// ErrUnexpectedResponse is a response with a status below 400 that is not what the operation promises: another
	// status than its own, a redirect, a body that is not the JSON it should be. Something between the client and
	// ngrok often is its author.
	ErrUnexpectedResponse = errors.New("unexpected response")

	// ErrResponseTooLarge is a successful response with a larger body than [Doer].MaxBodyBytes.
	ErrResponseTooLarge = errors.New("response too large")

	// ErrInvalidID is an ID, or another parameter in a path, with which the request would be that of another
	// operation: an empty one, "." and "..". Nothing was sent. It is not a [*ResponseError].
	ErrInvalidID = errors.New(`invalid ID: it must not be empty, "." or ".."`)
)

// ResponseError is a response that is not what the operation promises. Except for the status, everything is as
// the server sent it, with the API key blotted out, and can be missing.
type ResponseError struct {
	StatusCode  int            // of the HTTP response, never of the body
	Code        string         // ngrok's error_code, such as "ERR_NGROK_202"; may be empty
	Message     string         // ngrok's msg, white space collapsed; may be empty
	OperationID string         // details.operation_id, else the Ngrok-Operation-Id header; may be empty
	Details     map[string]any // as ngrok sent them; may be nil
	RetryAfter  time.Duration  // what the server asked for in the Retry-After header; 0 if it did not
	Attempts    int            // how often the request was sent, at least 1
	Method, URL string         // of the request
	Header      http.Header    // of the response
	Body        []byte         // at most 64 KiB

	cause error // what is wrong with a response that has a status of success
}

// Error says in one line what was requested, what came back, and what can be done about it.
func (e *ResponseError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d", e.Method, e.URL, e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	var facts []string
	if e.Code != "" {
		facts = append(facts, e.Code)
	}
	if e.OperationID != "" {
		facts = append(facts, "operation "+e.OperationID)
	}
	if e.Attempts > 1 {
		facts = append(facts, strconv.Itoa(e.Attempts)+" attempts")
	}
	if e.RetryAfter > 0 {
		facts = append(facts, "retry after "+e.RetryAfter.String())
	}
	if len(facts) > 0 {
		b.WriteString(" (" + strings.Join(facts, ", ") + ")")
	}
	b.WriteString(e.advice())
	return b.String()
}

func (e *ResponseError) advice() string {
	switch {
	case e.Is(ErrAuthentication):
		return ": check the API key"
	case errors.Is(e.cause, ErrResponseTooLarge):
		return ": raise Doer.MaxBodyBytes if that is expected"
	case e.Is(ErrUnexpectedResponse):
		return ": check the base URL and what is between here and ngrok"
	}
	return ""
}

// Is reports whether the response is one that target, a sentinel of this package, stands for.
func (e *ResponseError) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrAuthentication:
		return e.StatusCode == http.StatusUnauthorized || slices.Contains(authenticationCodes, e.Code)
	case ErrUnexpectedResponse:
		return e.StatusCode < http.StatusBadRequest
	}
	return false
}

var authenticationCodes = []string{
	"ERR_NGROK_200", "ERR_NGROK_201", "ERR_NGROK_202", "ERR_NGROK_203",
	"ERR_NGROK_206", "ERR_NGROK_207", "ERR_NGROK_208",
}

// Unwrap returns what is wrong with a response that has a status of success, such as [ErrResponseTooLarge] or a
// [*json.UnmarshalTypeError]; nil for others.
func (e *ResponseError) Unwrap() error { return e.cause }

// failed returns the error for a response with a status of 400 or more. The status counts, whatever happens to
// the body.
func (c *call) failed(rsp *http.Response) error {
	r := c.redactor()
	// A key that the bound cuts in two could not be recognized, so a little more is read and then dropped.
	data, err := io.ReadAll(io.LimitReader(rsp.Body, maxErrorBodyBytes+r.longest))
	if err == nil {
		// A connection over HTTP/1.1 can be used again after the end of the body only.
		_, err = io.CopyN(io.Discard, rsp.Body, maxDrainedBytes)
	}
	e := c.responseError(rsp, data, nil)
	if ctx := c.req.Context(); err != nil && !errors.Is(err, io.EOF) && ctx.Err() != nil {
		return fmt.Errorf("%w while reading the body of the response: %w", ended(ctx), e)
	}
	return e
}

// responseError returns the error for a response with the given body, as far as it was read.
func (c *call) responseError(rsp *http.Response, data []byte, cause error) *ResponseError {
	r := c.redactor()
	e := &ResponseError{
		StatusCode: rsp.StatusCode,
		RetryAfter: parseRetryAfter(rsp.Header.Get("Retry-After"), time.Now()),
		Attempts:   c.attempts,
		Method:     c.req.Method,
		URL:        r.string(c.req.URL.Redacted()),
		Header:     r.header(rsp.Header),
		Body:       r.body(data, maxErrorBodyBytes),
	}
	if cause != nil {
		e.cause = r.error(cause) // it can quote a header
	}
	// Any part can be missing or of another type than ngrok documents. What does not fit is left out.
	var ngrok struct {
		Code    any `json:"error_code"`
		Message any `json:"msg"`
		Details any `json:"details"`
	}
	if rsp.StatusCode >= http.StatusBadRequest && json.Unmarshal(data, &ngrok) == nil {
		e.Code, _ = r.value(ngrok.Code).(string)
		message, _ := r.value(ngrok.Message).(string)
		e.Message = strings.Join(strings.Fields(message), " ")
		e.Details, _ = r.value(ngrok.Details).(map[string]any)
	}
	e.OperationID, _ = e.Details["operation_id"].(string)
	if e.OperationID == "" {
		e.OperationID = e.Header.Get("Ngrok-Operation-Id")
	}
	return e
}
