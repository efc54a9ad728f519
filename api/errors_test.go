package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

func TestResponseError(t *testing.T) {
	const jsonType = "application/json"
	for _, test := range []struct {
		name        string
		status      int
		contentType string
		body        string
		is          error // nil: none of the sentinels
		want        api.ResponseError
	}{
		{"no authorization", 403, jsonType,
			`{"error_code":"ERR_NGROK_200","status_code":403,"msg":"missing","details":{"operation_id":"op_1"}}`,
			api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_200", Message: "missing", OperationID: "op_1",
				Details: map[string]any{"operation_id": "op_1"}}},
		{"invalid key", 403, jsonType, `{"error_code":"ERR_NGROK_203","msg":"unknown"}`,
			api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_203", Message: "unknown", OperationID: "op_header"}},
		{"authtoken as key", 400, jsonType, `{"error_code":"ERR_NGROK_206","msg":"authtoken"}`,
			api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_206", Message: "authtoken", OperationID: "op_header"}},
		{"unauthorized by a proxy", 401, "text/html", `<html>`,
			api.ErrAuthentication, api.ResponseError{OperationID: "op_header"}},
		{"forbidden for another reason", 403, jsonType, `{"error_code":"ERR_NGROK_300"}`,
			nil, api.ResponseError{Code: "ERR_NGROK_300", OperationID: "op_header"}},
		{"no version", 400, jsonType, `{"error_code":"ERR_NGROK_218","msg":"version"}`,
			nil, api.ResponseError{Code: "ERR_NGROK_218", Message: "version", OperationID: "op_header"}},
		{"unknown session", 404, jsonType,
			`{"status_code":404,"msg":"Resource not found","details":{"operation_id":"op_1"}}`,
			api.ErrNotFound, api.ResponseError{Message: "Resource not found", OperationID: "op_1",
				Details: map[string]any{"operation_id": "op_1"}}},
		{"unknown path", 404, jsonType, `{"status_code":404,"msg":"Not Found","details":{"path":"/x"}}`,
			api.ErrUnexpectedResponse, api.ResponseError{Message: "Not Found", OperationID: "op_header",
				Details: map[string]any{"path": "/x"}}},
		{"not an identifier", 400, jsonType, `{"error_code":"ERR_NGROK_227","msg":"not an ID"}`,
			nil, api.ResponseError{Code: "ERR_NGROK_227", Message: "not an ID", OperationID: "op_header"}},
		{"rate limited", 429, jsonType, `{"error_code":"ERR_NGROK_226","msg":"slow down"}`,
			api.ErrRateLimited, api.ResponseError{Code: "ERR_NGROK_226", Message: "slow down", OperationID: "op_header"}},
		{"code that is a word", 400, jsonType, `{"error_code":"invalid_cel_expression","msg":"cel"}`,
			nil, api.ResponseError{Code: "invalid_cel_expression", Message: "cel", OperationID: "op_header"}},
		{"status of the body differs", 404, jsonType, `{"status_code":200,"msg":"x"}`,
			api.ErrNotFound, api.ResponseError{Message: "x", OperationID: "op_header"}},
		{"details null", 500, jsonType, `{"msg":"x","details":null}`,
			nil, api.ResponseError{Message: "x", OperationID: "op_header"}},
		{"details with nested values", 400, jsonType, `{"msg":"x","details":{"a":{"b":["c",1,null]},"operation_id":7}}`,
			nil, api.ResponseError{Message: "x", OperationID: "op_header",
				Details: map[string]any{"a": map[string]any{"b": []any{"c", 1.0, nil}}, "operation_id": 7.0}}},
		{"parts of other types", 400, jsonType, `{"error_code":7,"msg":{"a":"b"},"details":"x","status_code":"y"}`,
			nil, api.ResponseError{OperationID: "op_header"}},
		{"white space in the message", 400, jsonType, `{"msg":"  a\r\n\tb  c "}`,
			nil, api.ResponseError{Message: "a b c", OperationID: "op_header"}},
		{"HTML", 502, "text/html", "<html>Bad Gateway</html>", nil, api.ResponseError{OperationID: "op_header"}},
		{"JSON without content type", 400, "", `{"msg":"x"}`, nil, api.ResponseError{Message: "x", OperationID: "op_header"}},
		{"HTML of a web server", 404, "text/html", "<html>Not Found</html>", api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_header"}},
		{"unknown session, by its code", 404, jsonType, `{"error_code":"ERR_NGROK_222"}`,
			api.ErrNotFound, api.ResponseError{Code: "ERR_NGROK_222", OperationID: "op_header"}},
		{"key refused with a 404", 404, jsonType, `{"error_code":"ERR_NGROK_203","msg":"unknown key"}`,
			api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_203", Message: "unknown key", OperationID: "op_header"}},
		{"unknown session, with a path of null", 404, jsonType, `{"msg":"Resource not found","details":{"path":null}}`,
			api.ErrNotFound, api.ResponseError{Message: "Resource not found", OperationID: "op_header", Details: map[string]any{"path": nil}}},
		{"JSON of another server", 404, jsonType, `{"message":"no Route matched"}`, api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_header"}},
		{"empty object", 404, jsonType, `{}`, api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_header"}},
		{"empty", 404, jsonType, "", api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_header"}},
		{"array", 404, jsonType, `["x"]`, api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_header"}},
		{"null", 429, jsonType, `null`, api.ErrRateLimited, api.ResponseError{OperationID: "op_header"}},
		{"truncated", 404, jsonType, `{"msg":"x`, api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_header"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
				rsp, err := answer(test.status, test.contentType, test.body)(r)
				rsp.Header.Set("Ngrok-Operation-Id", "op_header")
				return rsp, err
			}))
			session, err := client.GetTunnelSession(t.Context(), "ts_1")
			err = fmt.Errorf("wrapped: %w", err)
			var got *api.ResponseError
			if session != nil || !errors.As(err, &got) {
				t.Fatalf("got %+v, %v, want a ResponseError", session, err)
			}
			for _, sentinel := range sentinels {
				want := errors.Is(test.is, sentinel)
				if is := errors.Is(err, sentinel); is != want {
					t.Errorf("errors.Is %q: got %v, want %v", sentinel, is, want)
				}
			}
			want := test.want
			want.StatusCode, want.Method, want.URL = test.status, "GET", "https://api.ngrok.com/tunnel_sessions/ts_1"
			want.Attempts, want.Header, want.Body = 1, got.Header, []byte(test.body)
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
		})
	}
}

func TestResponseErrorText(t *testing.T) {
	for _, test := range []struct {
		name string
		err  api.ResponseError
		want string
	}{
		{"status alone", api.ResponseError{Method: "GET", URL: "https://h/x", StatusCode: 500},
			"GET https://h/x: 500 Internal Server Error"},
		{"status without a name", api.ResponseError{Method: "GET", URL: "https://h/x", StatusCode: 599}, "GET https://h/x: 599"},
		{"all", api.ResponseError{Method: "GET", URL: "https://h/x", StatusCode: 429, Message: "slow down",
			Code: "ERR_NGROK_226", OperationID: "op_1", Attempts: 3, RetryAfter: time.Minute},
			"GET https://h/x: 429 Too Many Requests: slow down (ERR_NGROK_226, operation op_1, 3 attempts, retry after 1m0s)"},
		{"key refused", api.ResponseError{Method: "GET", URL: "https://h/x", StatusCode: 403, Code: "ERR_NGROK_203"},
			"GET https://h/x: 403 Forbidden (ERR_NGROK_203): check the API key"},
		{"unexpected", api.ResponseError{Method: "GET", URL: "https://h/x", StatusCode: 302},
			"GET https://h/x: 302 Found: check the base URL and what is between here and ngrok"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.err.Error(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Whatever the server or the transport says, the text of an error is one line that a terminal only prints.
func TestErrorIsOnePrintableLine(t *testing.T) {
	const odd = "a\n\x1b[31mb\u2028c\x00\u202e\xff"
	inJSON, err := json.Marshal(odd)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json" + odd}, "Ngrok-Operation-Id": {odd}}
	for name, doer := range map[string]doerFunc{
		"error of ngrok's": func(r *http.Request) (*http.Response, error) {
			rsp, err := answer(400, "", fmt.Sprintf(`{"error_code":%[1]s,"msg":%[1]s,"details":{"operation_id":%[1]s}}`, inJSON))(r)
			rsp.Header = header
			return rsp, err
		},
		"header": func(r *http.Request) (*http.Response, error) {
			rsp, err := answer(200, "", "{}")(r)
			rsp.Header = header
			return rsp, err
		},
		"transport error": func(*http.Request) (*http.Response, error) { return nil, errors.New(odd) },
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
	var read int
	client := once(t, doerFunc(func(*http.Request) (*http.Response, error) {
		rsp := response(403, "")
		rsp.Body = io.NopCloser(readerFunc(func(p []byte) (int, error) { // without an end
			read += len(p)
			return copy(p, strings.Repeat("x", len(p))), nil
		}))
		return rsp, nil
	}))
	_, err := client.GetTunnelSession(t.Context(), "ts_1")
	var e *api.ResponseError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a ResponseError", err)
	}
	if len(e.Body) > limit || len(e.Body) < limit-len(apiKey) {
		t.Errorf("kept %d bytes, want %d, or less by a key that could be cut off", len(e.Body), limit)
	}
	if read > 8*limit {
		t.Errorf("read %d bytes", read)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
