package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// redacted stands where an API key was.
const redacted = "[redacted]"

// inHTML does what package html does, which is larger than all of this one.
var inHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// A redactor blots out secrets, which ngrok and proxies quote in what they answer.
type redactor struct {
	forms    []string // of the secrets: as they are, and as they look in JSON, in a URL and in HTML
	longest  int64    // of the forms, in bytes
	replacer *strings.Replacer
}

func newRedactor(secrets ...string) *redactor {
	r := new(redactor)
	var pairs []string
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		inJSON, _ := json.Marshal(secret) // of a string, and so without an error
		for _, form := range []string{
			secret,
			strings.Trim(string(inJSON), `"`),
			strings.Trim(strconv.Quote(secret), `"`),
			strings.ReplaceAll(secret, "/", `\/`),
			url.QueryEscape(secret),
			url.PathEscape(secret),
			inHTML.Replace(secret),
		} {
			r.forms = append(r.forms, form)
			r.longest = max(r.longest, int64(len(form)))
			pairs = append(pairs, form, redacted)
		}
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// redactor returns one for the credentials that the call's request carries.
func (c *call) redactor() *redactor {
	var secrets []string
	for _, value := range c.req.Header.Values("Authorization") {
		_, secret, ok := strings.Cut(value, " ")
		if !ok {
			secret = value
		}
		secrets = append(secrets, strings.TrimSpace(secret))
	}
	return newRedactor(secrets...)
}

func (r *redactor) string(s string) string { return r.replacer.Replace(s) }

func (r *redactor) header(h http.Header) http.Header {
	h = h.Clone()
	for _, values := range h {
		for i := range values {
			values[i] = r.string(values[i])
		}
	}
	return h
}

// body returns at most limit bytes of data. If data is longer, the last bytes can be the start of a secret, and go.
func (r *redactor) body(data []byte, limit int) []byte {
	if len(data) > limit {
		data = data[:len(data)-r.unfinished(data)]
	}
	data = []byte(r.string(string(data)))
	return data[:min(len(data), limit):min(len(data), limit)]
}

// unfinished returns the length of the longest start of a secret that data ends in.
func (r *redactor) unfinished(data []byte) int {
	longest := 0
	for _, form := range r.forms {
		for n := min(len(form)-1, len(data)); n > longest; n-- {
			if bytes.HasSuffix(data, []byte(form[:n])) {
				longest = n
			}
		}
	}
	return longest
}

// value returns a decoded JSON value with the secrets blotted out of all its strings.
func (r *redactor) value(v any) any {
	switch v := v.(type) {
	case string:
		return r.string(v)
	case []any:
		for i := range v {
			v[i] = r.value(v[i])
		}
		return v
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, item := range v {
			clean[r.string(name)] = r.value(item)
		}
		return clean
	}
	return v
}

// error returns err, or in its place one with the secrets blotted out if its text has any.
func (r *redactor) error(err error) error {
	text := err.Error()
	if clean := r.string(text); clean != text {
		return &redactedError{text: clean, is: func(target error) bool { return errors.Is(err, target) }}
	}
	return err
}

// redactedError has another error's text without secrets. It matches what the other one matches, but does not
// hand it out, since its parts hold the secrets too.
type redactedError struct {
	text string
	is   func(target error) bool
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return e.is(target) }
