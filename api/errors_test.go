package api_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/ngrokapi/api"
)

var sentinels = []error{
	api.ErrNotFound, api.ErrAuthentication, api.ErrRateLimited,
	api.ErrUnexpectedResponse, api.ErrResponseTooLarge, api.ErrInvalidID,
}

// The header with the operation's ID counts only where the body has none. The content type does not count at all.
func TestResponseError(t *testing.T) {
	type details = map[string]any
	for _, test := range []struct {
		name   string
		status int
		body   string
		is     error             // nil: none of the sentinels
		want   api.ResponseError // what the body says
	}{
		{"no authorization", 403, `{"error_code":"ERR_NGROK_200","status_code":403,"msg":"missing"}`,
			api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_200", Message: "missing"}},
		{"invalid key", 403, `{"error_code":"ERR_NGROK_203"}`, api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_203"}},
		{"authtoken as key", 400, `{"error_code":"ERR_NGROK_206"}`, api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_206"}},
		{"unauthorized by a proxy", 401, "<html>", api.ErrAuthentication, api.ResponseError{}},
		{"key refused with a 404", 404, `{"error_code":"ERR_NGROK_203"}`, api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_203"}},
		{"forbidden for another reason", 403, `{"error_code":"ERR_NGROK_300"}`, nil, api.ResponseError{Code: "ERR_NGROK_300"}},
		{"no version", 400, `{"error_code":"ERR_NGROK_218"}`, nil, api.ResponseError{Code: "ERR_NGROK_218"}},
		{"rate limited", 429, `{"error_code":"ERR_NGROK_226"}`, api.ErrRateLimited, api.ResponseError{Code: "ERR_NGROK_226"}},

		{"unknown session", 404, `{"status_code":404,"msg":"Resource not found","details":{"operation_id":"op_1"}}`,
			api.ErrNotFound, api.ResponseError{Message: "Resource not found", OperationID: "op_1", Details: details{"operation_id": "op_1"}}},
		{"unknown session, by its code", 404, `{"error_code":"ERR_NGROK_222"}`, api.ErrNotFound, api.ResponseError{Code: "ERR_NGROK_222"}},
		{"unknown session, with a path of null", 404, `{"msg":"x","details":{"path":null}}`,
			api.ErrNotFound, api.ResponseError{Message: "x", Details: details{"path": nil}}},
		{"unknown path", 404, `{"msg":"Not Found","details":{"path":"/x"}}`,
			api.ErrUnexpectedResponse, api.ResponseError{Message: "Not Found", Details: details{"path": "/x"}}},
		{"404 with HTML", 404, "<html>", api.ErrUnexpectedResponse, api.ResponseError{}},
		{"404 that is empty", 404, "", api.ErrUnexpectedResponse, api.ResponseError{}},
		{"404 with an array", 404, `["x"]`, api.ErrUnexpectedResponse, api.ResponseError{}},
		{"404 with JSON of another server", 404, `{"message":"no Route matched"}`, api.ErrUnexpectedResponse, api.ResponseError{}},

		{"status of the body differs", 404, `{"status_code":200,"msg":"x"}`, api.ErrNotFound, api.ResponseError{Message: "x"}},
		{"HTML", 502, "<html>", nil, api.ResponseError{}},
		{"details of null", 500, `{"msg":"x","details":null}`, nil, api.ResponseError{Message: "x"}},
		{"nested details", 400, `{"details":{"a":{"b":["c",1,null]},"operation_id":7}}`,
			nil, api.ResponseError{Details: details{"a": details{"b": []any{"c", 1.0, nil}}, "operation_id": 7.0}}},
		{"parts of other types", 400, `{"error_code":7,"msg":{"a":"b"},"details":"x","status_code":"y"}`, nil, api.ResponseError{}},
		{"white space in the message", 400, `{"msg":"  a\r\n\tb  c "}`, nil, api.ResponseError{Message: "a b c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
				rsp, err := answer(test.status, "", test.body)(r)
				rsp.Header.Set("Ngrok-Operation-Id", "op_header")
				return rsp, err
			}))
			_, err := client.GetTunnelSession(t.Context(), "ts_1")
			err = fmt.Errorf("wrapped: %w", err)
			var got *api.ResponseError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a ResponseError", err)
			}
			for _, sentinel := range sentinels {
				if is, want := errors.Is(err, sentinel), errors.Is(test.is, sentinel); is != want {
					t.Errorf("errors.Is %q: got %v, want %v", sentinel, is, want)
				}
			}
			want := test.want
			want.StatusCode, want.Method, want.URL = test.status, "GET", "https://api.ngrok.com/tunnel_sessions/ts_1"
			want.OperationID = cmp.Or(want.OperationID, "op_header")
			want.Attempts, want.Header, want.Body = 1, http.Header{"Ngrok-Operation-Id": {"op_header"}}, []byte(test.body)
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
		})
	}
}

func TestResponseErrorText(t *testing.T) {
	for _, test := range []struct {
		err  api.ResponseError
		want string
	}{
		{api.ResponseError{StatusCode: 500}, "500 Internal Server Error"},
		{api.ResponseError{StatusCode: 599}, "599"},
		{api.ResponseError{StatusCode: 429, Message: "slow down", Code: "ERR_NGROK_226", OperationID: "op_1", Attempts: 3, RetryAfter: time.Minute},
			"429 Too Many Requests: slow down (ERR_NGROK_226, operation op_1, 3 attempts, retry after 1m0s)"},
		{api.ResponseError{StatusCode: 403, Code: "ERR_NGROK_203"}, "403 Forbidden (ERR_NGROK_203): check the API key"},
		{api.ResponseError{StatusCode: 302}, "302 Found: check the base URL and what is between here and ngrok"},
	} {
		test.err.Method, test.err.URL = "GET", "https://h/x"
		if got, want := test.err.Error(), "GET https://h/x: "+test.want; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Whatever the server or the transport says, the text of an error is one line that a terminal only prints.
func TestErrorIsOnePrintableLine(t *testing.T) {
	const odd = "a\n\x1b[31mb\u2028c\x00\u202e\xff"
	inJSON, _ := json.Marshal(odd)
	with := func(status int, body string) doerFunc {
		return func(r *http.Request) (*http.Response, error) {
			rsp, err := answer(status, "", body)(r)
			rsp.Header = http.Header{"Content-Type": {"application/json" + odd}, "Ngrok-Operation-Id": {odd}}
			return rsp, err
		}
	}
	for name, doer := range map[string]doerFunc{
		"error of ngrok's": with(400, fmt.Sprintf(`{"error_code":%[1]s,"msg":%[1]s,"details":{"operation_id":%[1]s}}`, inJSON)),
		"header":           with(200, "{}"),
		"transport error":  func(*http.Request) (*http.Response, error) { return nil, errors.New(odd) },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := once(t, doer).GetTunnelSession(t.Context(), "ts_1")
			if err == nil {
				t.Fatal("got no error")
			}
			if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(text) {
				t.Errorf("got %q", text)
			}
		})
	}
}

func TestOversizeErrorBody(t *testing.T) {
	const limit = 64 << 10
	body := new(counter)
	client := once(t, doerFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 403, Body: body}, nil
	}))
	_, err := client.GetTunnelSession(t.Context(), "ts_1")
	var e *api.ResponseError
	if !errors.As(err, &e) || len(e.Body) != limit || body.read > 8*limit {
		t.Errorf("got %v after %d bytes, of which %d should be kept", err, body.read, limit)
	}
}
