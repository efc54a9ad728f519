package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Match these with [errors.Is]; a [*ResponseError] matches those that fit it, also when it is wrapped.
var (
	// ErrNotFound is a 404 in which ngrok says that the account of the API key has no resource with that ID. The 404 of
	// a web server or a proxy, and ngrok's own for a path that it does not know, say nothing about the resource: they are
	// [ErrUnexpectedResponse].
	ErrNotFound = errors.New("not found")

	// ErrAuthentication is a response that refuses the API key: the status 401, or one of the codes
	// ERR_NGROK_200 to 203 and 206 to 208, which ngrok sends with the status 403 or 400. A key that is good but
	// lacks a permission is not among them.
	ErrAuthentication = errors.New("authentication failed")

	// ErrRateLimited is a response with the status 429. ngrok allows 120 requests in 60 seconds.
	ErrRateLimited = errors.New("rate limited")

	// ErrUnexpectedResponse is a response with a status below 400 that is not what ngrok's document has for the method,
	// such as a redirect or HTML, or a 404 that is not [ErrNotFound]. It often comes from something between the client
	// and ngrok. Other errors of a proxy's are a [*ResponseError] without a Code.
	ErrUnexpectedResponse = errors.New("unexpected response")

	// ErrResponseTooLarge is a successful response with a larger body than [Doer].MaxBodyBytes. It matches
	// ErrUnexpectedResponse too.
	ErrResponseTooLarge = errors.New("response too large")

	// ErrInvalidID is an ID, or another parameter in a path, that would turn the request into another operation's: an
	// empty one, "." and "..". Nothing was sent. It is not a [*ResponseError].
	ErrInvalidID = errors.New(`invalid ID: it must not be empty, "." or ".."`)
)

// ResponseError is a response that is not a success. Except for the status, everything is as the server sent it, with
// the API key redacted, and can be missing.
type ResponseError struct {
	StatusCode  int            // of the HTTP response, never of the body
	Code        string         // ngrok's error_code, such as "ERR_NGROK_202"; may be empty
	Message     string         // ngrok's msg, white space collapsed; may be empty, and may have control characters
	OperationID string         // details.operation_id, else the Ngrok-Operation-Id header; may be empty
	Details     map[string]any // as ngrok sent them; may be nil
	RetryAfter  time.Duration  // what the Retry-After header asked for, capped at the longest Duration; 0 if it is absent or invalid
	Attempts    int            // how often the request was sent, at least 1
	Method, URL string         // of the request
	Header      http.Header    // of the response
	Body        []byte         // at most 64 KiB

	cause error // what is wrong with a response whose status alone does not make it an error
}

// Error says in one printable line what was requested, what came back, and what can be done about it.
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
	return printable(b.String())
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

// Is reports whether the response is of the kind that target, a sentinel of this package, stands for.
func (e *ResponseError) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound && e.isAboutResource()
	case ErrAuthentication:
		return e.cause == nil && (e.StatusCode == http.StatusUnauthorized || slices.Contains(authenticationCodes, e.Code))
	case ErrRateLimited:
		return e.cause == nil && e.StatusCode == http.StatusTooManyRequests
	case ErrUnexpectedResponse:
		return e.cause != nil || e.StatusCode < http.StatusBadRequest ||
			e.StatusCode == http.StatusNotFound && !e.isAboutResource() && !e.Is(ErrAuthentication)
	}
	return false
}

// isAboutResource reports whether a 404 is ngrok's word on a resource. Web servers have a 404 for anything, and ngrok
// itself has one for a path that it does not know, which it then names.
func (e *ResponseError) isAboutResource() bool {
	path, _ := e.Details["path"].(string)
	return e.cause == nil && path == "" && (e.Code != "" || e.Message != "") && !e.Is(ErrAuthentication)
}

var authenticationCodes = []string{
	"ERR_NGROK_200", "ERR_NGROK_201", "ERR_NGROK_202", "ERR_NGROK_203",
	"ERR_NGROK_206", "ERR_NGROK_207", "ERR_NGROK_208",
}

// Unwrap returns what is wrong with a response that has a status of success, such as [ErrResponseTooLarge] or a
// [*encoding/json.UnmarshalTypeError]; nil for others.
func (e *ResponseError) Unwrap() error { return e.cause }

// newCallError returns the error of a call whose last attempt failed with err.
func newCallError(req *http.Request, err error, attempts int) error {
	var response *ResponseError
	isResponse := errors.As(err, &response)
	if isResponse && err == error(response) { //nolint:errorlint // what is around it is to be redacted
		return err
	}
	// If the context has a cause, net/http returns that alone.
	if ctx := req.Context(); ctx.Err() != nil {
		for _, ended := range []error{context.Cause(ctx), ctx.Err()} {
			if !errors.Is(err, ended) && !isOwn(ended) {
				err = fmt.Errorf("%w: %w", ended, err)
			}
		}
	}
	if attempts > 1 && !isResponse {
		err = fmt.Errorf("%w (%d attempts)", err, attempts)
	}
	return newRedactor(tokens(req)).error(err)
}

// redactor replaces secrets, which ngrok and proxies quote in what they answer.
type redactor struct {
	*strings.Replacer
	forms []string // of the secrets
}

// newRedactor returns a redactor of tokens as they are and as they look in a URL.
func newRedactor(tokens []string) *redactor {
	r := new(redactor)
	var pairs []string
	for _, token := range tokens {
		for _, form := range []string{token, url.PathEscape(token), url.QueryEscape(token)} {
			r.forms = append(r.forms, form)
			pairs = append(pairs, form, "[redacted]")
		}
	}
	r.Replacer = strings.NewReplacer(pairs...)
	return r
}

// tokens returns the tokens in the Authorization headers of requests, which ngrok's keys are in.
func tokens(requests ...*http.Request) []string {
	var tokens []string
	for _, req := range requests {
		if req == nil {
			continue
		}
		for name, values := range req.Header {
			if !strings.EqualFold(name, "Authorization") {
				continue
			}
			for _, value := range values {
				fields := strings.Fields(value)
				if len(fields) > 1 {
					fields = fields[1:] // without the scheme
				}
				if len(fields) > 0 {
					tokens = append(tokens, strings.Join(fields, " "))
				}
			}
		}
	}
	// The longest first, as one can begin with another.
	slices.SortFunc(tokens, func(a, b string) int { return len(b) - len(a) })
	return tokens
}

// line returns s as one printable line.
func (r *redactor) line(s string) string { return printable(r.Replace(s)) }

func (r *redactor) header(h http.Header) http.Header {
	clean := make(http.Header, len(h))
	for name, values := range h {
		name = r.Replace(name)
		for _, value := range values {
			clean[name] = append(clean[name], r.Replace(value))
		}
	}
	return clean
}

// body returns the body of an error. Where it was cut, a secret can be cut too: of one at its end, no more is left than
// a few characters.
func (r *redactor) body(data []byte) []byte {
	const harmless = 8
	text := r.Replace(string(data))
	for _, form := range r.forms {
		for n := len(form) - 1; n >= harmless; n-- {
			text = strings.TrimSuffix(text, form[:n])
		}
	}
	return []byte(text)
}

// error returns an error that matches what err matches, and has its text as one printable line without secrets.
func (r *redactor) error(err error) error {
	text := err.Error()
	e := &redactedError{text: r.line(text), is: func(target error) bool { return errors.Is(err, target) }}
	var response *ResponseError
	switch {
	case r.Replace(text) == text:
		e.err = err
	case errors.As(err, &response):
		e.err = response
	}
	return e
}

// redactedError unwraps to the error whose text it has if that text has no secret, as the parts of an error have what
// its text has.
type redactedError struct {
	text string
	is   func(target error) bool
	err  error // may be nil
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return e.is(target) }
func (e *redactedError) Unwrap() error        { return e.err }

// printable returns s as one line without control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return unicode.ReplacementChar
	}, s)
}
