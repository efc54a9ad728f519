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
	"unicode"
	"unicode/utf8"

	"example.com/ngrokapi/api"
)

var sentinels = []error{
	api.ErrNotFound, api.ErrAuthentication, api.ErrRateLimited,
	api.ErrUnexpectedResponse, api.ErrResponseTooLarge, api.ErrInvalidID,
}

func TestResponseError(t *testing.T) {
	type details = map[string]any
	for _, test := range []struct {
		name   string
		status int
		header string // Ngrok-Operation-Id
		body   string
		is     error             // nil: none of the sentinels
		want   api.ResponseError // the parts that come from the body
	}{
		{"no authorization", 403, "", `{"error_code":"ERR_NGROK_200","status_code":403,"msg":"missing"}`,
			api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_200", Message: "missing"}},
		{"invalid key", 403, "", `{"error_code":"ERR_NGROK_203"}`, api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_203"}},
		{"authtoken as key", 400, "", `{"error_code":"ERR_NGROK_206"}`, api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_206"}},
		{"unauthorized by a proxy", 401, "", "<html>", api.ErrAuthentication, api.ResponseError{}},
		{"key refused with a 404", 404, "op_1", `{"error_code":"ERR_NGROK_203","msg":"x"}`, api.ErrAuthentication, api.ResponseError{Code: "ERR_NGROK_203", Message: "x", OperationID: "op_1"}},
		{"forbidden for another reason", 403, "", `{"error_code":"ERR_NGROK_300"}`, nil, api.ResponseError{Code: "ERR_NGROK_300"}},
		{"no version", 400, "", `{"error_code":"ERR_NGROK_218"}`, nil, api.ResponseError{Code: "ERR_NGROK_218"}},
		{"wrong filter", 400, "", `{"error_code":"invalid_cel_expression"}`, nil, api.ResponseError{Code: "invalid_cel_expression"}},
		{"rate limited", 429, "", `{"error_code":"ERR_NGROK_226"}`, api.ErrRateLimited, api.ResponseError{Code: "ERR_NGROK_226"}},

		{"unknown session", 404, "", notFound,
			api.ErrNotFound, api.ResponseError{Message: "Resource not found", OperationID: "op_1", Details: details{"operation_id": "op_1"}}},
		{"unknown session, with the operation ID in the header", 404, "op_2", `{"msg":"Resource not found","details":null}`,
			api.ErrNotFound, api.ResponseError{Message: "Resource not found", OperationID: "op_2"}},
		{"unknown session, by its code", 404, "", `{"error_code":"ERR_NGROK_222"}`, api.ErrNotFound, api.ResponseError{Code: "ERR_NGROK_222"}},
		{"unknown session, with a path of null", 404, "op_2", `{"msg":"x","details":{"path":null}}`,
			api.ErrNotFound, api.ResponseError{Message: "x", OperationID: "op_2", Details: details{"path": nil}}},
		{"unknown path", 404, "op_2", `{"msg":"x","details":{"path":"/x"}}`,
			api.ErrUnexpectedResponse, api.ResponseError{Message: "x", OperationID: "op_2", Details: details{"path": "/x"}}},
		{"unknown path, without its name", 404, "op_2", `{"msg":"Not Found"}`, api.ErrUnexpectedResponse, api.ResponseError{Message: "Not Found", OperationID: "op_2"}},
		{"404 of a web framework", 404, "", `{"code":404,"msg":"not found"}`, api.ErrUnexpectedResponse, api.ResponseError{Message: "not found"}},
		{"404 of a web framework with details", 404, "", `{"code":404,"msg":"not found","details":{"a":"b"}}`,
			api.ErrUnexpectedResponse, api.ResponseError{Message: "not found", Details: details{"a": "b"}}},
		{"404 of ngrok's gateway", 404, "", `{"error_code":"ERR_NGROK_3200","status_code":404,"msg":"The endpoint is offline."}`,
			api.ErrUnexpectedResponse, api.ResponseError{Code: "ERR_NGROK_3200", Message: "The endpoint is offline."}},
		{"404 of ngrok's without a word", 404, "op_2", `{}`, api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_2"}},
		{"404 with HTML", 404, "op_2", "<html>", api.ErrUnexpectedResponse, api.ResponseError{OperationID: "op_2"}},
		{"404 that is empty", 404, "", "", api.ErrUnexpectedResponse, api.ResponseError{}},
		{"404 with an array", 404, "", `["x"]`, api.ErrUnexpectedResponse, api.ResponseError{}},
		{"410 with ngrok's words", 410, "", notFound, nil, api.ResponseError{Message: "Resource not found", OperationID: "op_1", Details: details{"operation_id": "op_1"}}},

		{"another status in the body", 404, "", `{"status_code":200,"error_code":"ERR_NGROK_227"}`, api.ErrNotFound, api.ResponseError{Code: "ERR_NGROK_227"}},
		{"HTML", 502, "", "<html>", nil, api.ResponseError{}},
		{"nested details", 400, "op_2", `{"details":{"a":{"b":["c",1,null]},"operation_id":7}}`,
			nil, api.ResponseError{OperationID: "op_2", Details: details{"a": details{"b": []any{"c", 1.0, nil}}, "operation_id": 7.0}}},
		{"parts of other types", 400, "", `{"error_code":7,"details":"x","status_code":"y","msg":"z"}`, nil, api.ResponseError{Message: "z"}},
		{"white space in the message", 400, "", `{"msg":"  a\r\n\tb  c "}`, nil, api.ResponseError{Message: "a b c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
				rsp, err := answer(test.status, "", test.body)(r)
				rsp.Header.Set("Ngrok-Operation-Id", test.header)
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
			want.Body = append([]byte(nil), test.body...) // nil for none
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
		})
	}
}

// The code and the message survive details that cannot be decoded. What the details are then depends on the version of Go.
func TestCodeSurvivesDetails(t *testing.T) {
	const body = `{"details":{"limit":1e400},"error_code":"ERR_NGROK_1","msg":"x"}`
	_, err := once(t, answer(400, "application/json", body)).GetTunnelSession(t.Context(), "ts_1")
	var e *api.ResponseError
	if !errors.As(err, &e) || e.Code != "ERR_NGROK_1" || e.Message != "x" {
		t.Errorf("got %v, want the code and the message", err)
	}
}

// Each error text is one line that a terminal prints as it is, whatever the server says.
func TestErrorIsOnePrintableLine(t *testing.T) {
	const odd = "a\n\x1b[31mb\u2028c\x00\u202e\xff"
	inJSON, _ := json.Marshal(odd)
	for status, body := range map[int]string{
		400: fmt.Sprintf(`{"error_code":%[1]s,"msg":%[1]s,"details":{"operation_id":%[1]s}}`, inJSON),
		200: "{}",
	} {
		_, err := once(t, answer(status, "application/x"+odd, body)).GetTunnelSession(t.Context(), "ts_1")
		if err == nil {
			t.Fatal("got no error")
		}
		if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(text) {
			t.Errorf("got %q", text)
		}
	}
}

// ngrok quotes a malformed key in its message. The rest of the body stays as it is.
func TestKeyIsRedacted(t *testing.T) {
	for _, test := range []struct {
		status      int
		contentType string
		body        string
	}{
		{403, "application/json", `{"error_code":"ERR_NGROK_202", "msg":"Your key: \"%[1]s\"", "details":{"%[1]s":"%[1]s","operation_id":"%[1]s"}}`},
		{502, "text/html", "<p>Bearer %s</p> <&>"},
		{200, "text/html", "<p>%s</p>"},
		{200, "application/json", `{"id":7, "region":"%s"}`},
		{200, "application/json", `{"region":"%s"}`},
	} {
		client := once(t, answer(test.status, test.contentType, fmt.Sprintf(test.body, apiKey)))
		_, err := client.GetTunnelSession(t.Context(), "ts_1")
		var e *api.ResponseError
		if want := fmt.Sprintf(test.body, "[redacted]"); !errors.As(err, &e) || string(e.Body) != want {
			t.Errorf("%s: got %v with the body %s", test.body, err, cmp.Or(e, new(api.ResponseError)).Body)
			continue
		}
		checkSecret(t, err)
		checkSecret(t, *e)
	}
	client := newClient(t, api.WithHTTPClient(ok))
	checkSecret(t, client)
	checkSecret(t, client.ClientInterface)
}

// A body that is still compressed is the caller's or a proxy's doing, and the error says so.
func TestBodyIsStillEncoded(t *testing.T) {
	_, err := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		rsp, err := answer(200, "application/json", gzipped(session))(r)
		rsp.Header.Set("Content-Encoding", "gzip")
		return rsp, err
	})).GetTunnelSession(t.Context(), "ts_1")
	if !errors.Is(err, api.ErrUnexpectedResponse) || !strings.Contains(err.Error(), `its encoding "gzip"`) {
		t.Errorf("got %v", err)
	}
}
