package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Match these with [errors.Is], even when wrapped.
var (
	// ErrNotFound means that the API key's account has no resource with the requested ID. Only a
	// 404 of ngrok's API counts: one with a message and an operation ID, or with a code that begins
	// with ERR_NGROK_2. Any other 404, such as that of a proxy, of ngrok's gateway, or for a path
	// that ngrok does not know, is [ErrUnexpectedResponse]. Another account's key finds nothing.
	ErrNotFound = errors.New("not found")

	// ErrAuthentication means that the API key was refused: the status is 401, or the code is
	// ERR_NGROK_200 to 203 or 206 to 208. A key that lacks a permission is another error.
	ErrAuthentication = errors.New("authentication failed")

	// ErrRateLimited means that the status is 429: the account made more than 120 requests in 60
	// seconds, or more than its plan allows.
	ErrRateLimited = errors.New("rate limited")

	// ErrUnexpectedResponse means that the response probably did not come from ngrok's API: HTML
	// with status 200, a redirect, or a 404 of a proxy. Check the base URL, and the proxies between
	// the client and ngrok.
	ErrUnexpectedResponse = errors.New("unexpected response")

	// ErrResponseTooLarge means that the body of a response is larger than [Doer].MaxBodyBytes. The
	// error matches ErrUnexpectedResponse too.
	ErrResponseTooLarge = errors.New("response too large: raise Doer.MaxBodyBytes if that is expected")

	// ErrInvalidID means that an ID is "", "." or "..", which would make the path that of another
	// operation. Nothing was sent.
	ErrInvalidID = errors.New(`invalid ID: it must not be empty, "." or ".."`)
)

// ResponseError is a response that is not a success. The API key is redacted in its body, and in
// the fields that come from the body.
type ResponseError struct {
	StatusCode  int
	Code        string         // ngrok's error_code, such as "ERR_NGROK_226"; may be empty
	Message     string         // ngrok's msg, with white space collapsed; may be empty
	OperationID string         // ngrok's ID of the request; may be empty
	Details     map[string]any // may be nil
	RetryAfter  time.Duration  // 0 if the header is missing, invalid, or a past date
	Method, URL string         // of the request
	Body        []byte         // at most 64 KiB

	cause error // what is wrong with the response besides its status; may be nil
}

const maxErrorBodyBytes = 64 << 10

// foreignBody returns the error for a body that ngrok's API does not send.
func foreignBody(header http.Header) error {
	return fmt.Errorf("the body is not ngrok's JSON: its content type is %q, its encoding %q: "+
		"check the base URL and the proxies", header.Get("Content-Type"), header.Get("Content-Encoding"))
}

var errForeign = errors.New("not ngrok's response to such a request: check the base URL and the proxies")

// newResponseError returns the error for a response. body is as much of its body as was read.
func newResponseError(rsp *http.Response, body []byte, cause error) *ResponseError {
	req := rsp.Request
	key := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	body = redact(body[:min(len(body), maxErrorBodyBytes)], key)
	var document struct {
		Code    string         `json:"error_code"`
		Message string         `json:"msg"`
		Details map[string]any `json:"details"`
	}
	_ = json.Unmarshal(body, &document) // any part can be missing or of another type
	operationID, _ := document.Details["operation_id"].(string)
	e := &ResponseError{
		StatusCode:  rsp.StatusCode,
		Code:        document.Code,
		Message:     strings.Join(strings.Fields(document.Message), " "),
		OperationID: cmp.Or(operationID, rsp.Header.Get("Ngrok-Operation-Id")),
		Details:     document.Details,
		RetryAfter:  retryAfter(rsp.Header),
		Method:      req.Method,
		URL:         req.URL.Redacted(),
		Body:        body,
	}
	switch {
	case cause != nil:
		e.cause = cause
	case document.Message == "" && document.Code == "" && len(body) > 0:
		e.cause = foreignBody(rsp.Header)
	case e.Is(ErrUnexpectedResponse):
		e.cause = errForeign
	}
	return e
}

// redact replaces an API key in body, the beginning of the body of a response. ngrok quotes a
// malformed key in its message, and a proxy may quote the request in an HTML page.
func redact(body []byte, key string) []byte {
	if key == "" {
		return body
	}
	text := string(body)
	for _, key := range []string{key, strings.ReplaceAll(key, "/", `\/`)} { // as some encoders of JSON write it
		text = strings.ReplaceAll(text, key, "[redacted]")
		if len(body) == maxErrorBodyBytes { // the limit may have cut the key
			n := len(key)
			for !strings.HasSuffix(text, key[:n]) {
				n--
			}
			text = text[:len(text)-n]
		}
	}
	return []byte(text)
}

// retryAfter returns the time that the Retry-After header asks for, in seconds or as a date. It
// returns 0 if the header is missing or invalid, or the date is past.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, math.MaxInt64/uint64(time.Second))) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date")) // the server's clock may differ from ours
	if err != nil {
		now = time.Now()
	}
	return max(0, date.Sub(now))
}

// Error returns one printable line, such as
//
//	GET "https://api.ngrok.com/tunnel_sessions": 400 Bad Request: no (ERR_NGROK_1) (operation op_1)
func (e *ResponseError) Error() string {
	path, _, _ := strings.Cut(e.URL, "?") // a filter can be long
	// Cloudflare's 522, for example, has no text.
	text := strings.TrimSpace(fmt.Sprintf("%s %q: %d %s", e.Method, path, e.StatusCode, http.StatusText(e.StatusCode)))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.RetryAfter > 0 {
		text += fmt.Sprintf(" (retry after %v)", e.RetryAfter)
	}
	if e.OperationID != "" {
		text += " (operation " + e.OperationID + ")"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// Is reports whether target is the sentinel of this package that describes the response.
func (e *ResponseError) Is(target error) bool {
	switch {
	case e.StatusCode == http.StatusUnauthorized, slices.Contains(authenticationCodes, e.Code):
		return target == ErrAuthentication
	case e.StatusCode == http.StatusTooManyRequests:
		return target == ErrRateLimited
	case e.StatusCode == http.StatusNotFound && e.isAboutResource():
		return target == ErrNotFound
	case e.StatusCode == http.StatusNotFound, e.StatusCode < http.StatusBadRequest:
		return target == ErrUnexpectedResponse
	}
	return false
}

// isAboutResource reports whether a 404 comes from ngrok's API and is about a resource. Its 404 for
// an unknown path says "Not Found", and has the path in the details. Codes from ERR_NGROK_3000 on
// come from ngrok's gateway, for example if an endpoint is offline.
func (e *ResponseError) isAboutResource() bool {
	isFromAPI := e.OperationID != "" && e.Message != "" || strings.HasPrefix(e.Code, "ERR_NGROK_2")
	isFromGateway := len(e.Code) == len("ERR_NGROK_3000") && e.Code >= "ERR_NGROK_3000"
	return isFromAPI && !isFromGateway && e.Details["path"] == nil && e.Message != "Not Found"
}

var authenticationCodes = []string{
	"ERR_NGROK_200", "ERR_NGROK_201", "ERR_NGROK_202", "ERR_NGROK_203", "ERR_NGROK_206", "ERR_NGROK_207", "ERR_NGROK_208",
}

// Unwrap returns what is wrong with the response besides its status, such as [ErrResponseTooLarge],
// or nil.
func (e *ResponseError) Unwrap() error { return e.cause }
