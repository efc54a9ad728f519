package api_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/ngrokapi/api"
)

// respond returns the error of a call that gets a response with a status, a header
// Ngrok-Operation-Id and a body.
func respond(t *testing.T, status int, operation, body string) error {
	t.Helper()
	client := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
		rsp, err := responding(status, "application/json", body)(r)
		rsp.Header.Set("Ngrok-Operation-Id", operation)
		return rsp, err
	}))
	_, err := client.GetTunnelSession(t.Context(), "ts_1")
	return fmt.Errorf("wrapped: %w", err)
}

func TestSentinels(t *testing.T) {
	all := []error{
		api.ErrNotFound, api.ErrAuthentication, api.ErrRateLimited,
		api.ErrUnexpectedResponse, api.ErrResponseTooLarge, api.ErrInvalidID,
	}
	for _, test := range []struct {
		name      string
		status    int
		operation string
		body      string
		is        error // the only sentinel that matches; nil: none
	}{
		{"no authorization", 403, "", `{"error_code":"ERR_NGROK_200"}`, api.ErrAuthentication},
		{"authtoken as key", 400, "", `{"error_code":"ERR_NGROK_206"}`, api.ErrAuthentication},
		{"unauthorized by a proxy", 401, "", "<html>", api.ErrAuthentication},
		{"key refused with a 404", 404, "op_1", `{"error_code":"ERR_NGROK_203","msg":"x"}`, api.ErrAuthentication},
		{"code 201", 403, "", `{"error_code":"ERR_NGROK_201"}`, api.ErrAuthentication},
		{"malformed key", 403, "", `{"error_code":"ERR_NGROK_202"}`, api.ErrAuthentication},
		{"code 207", 403, "", `{"error_code":"ERR_NGROK_207"}`, api.ErrAuthentication},
		{"code 208", 403, "", `{"error_code":"ERR_NGROK_208"}`, api.ErrAuthentication},
		{"no version", 400, "", `{"error_code":"ERR_NGROK_218"}`, nil},
		{"rate limited", 429, "", `{"error_code":"ERR_NGROK_226"}`, api.ErrRateLimited},

		{"unknown session", 404, "", notFound, api.ErrNotFound},
		{"null for the path", 404, "op_2", `{"msg":"x","details":{"path":null}}`, api.ErrNotFound},
		{"invalid ID, by its code", 404, "", `{"error_code":"ERR_NGROK_222"}`, api.ErrNotFound},
		{"another status in the body", 404, "op_1", `{"status_code":200,"msg":"x"}`, api.ErrNotFound},
		{"410 with ngrok's words", 410, "", notFound, nil},

		{"unknown path", 404, "op_2", `{"msg":"x","details":{"path":"/x"}}`, api.ErrUnexpectedResponse},
		{"unknown path, without its name", 404, "op_2", `{"msg":"Not Found"}`, api.ErrUnexpectedResponse},
		{"404 of a framework", 404, "", `{"code":404,"msg":"not found"}`, api.ErrUnexpectedResponse},
		{"404 with a short code", 404, "op_2", `{"error_code":"ERR_NGROK_400","msg":"x"}`, api.ErrNotFound},
		{"404 below the gateway's codes", 404, "op_2", `{"error_code":"ERR_NGROK_2999","msg":"x"}`, api.ErrNotFound},
		{"404 of a gateway", 404, "op_2", `{"error_code":"ERR_NGROK_3000","msg":"x"}`, api.ErrUnexpectedResponse},
		{"404 of ngrok without a message", 404, "op_2", `{}`, api.ErrUnexpectedResponse},
		{"404 with HTML", 404, "op_2", "<html>", api.ErrUnexpectedResponse},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := respond(t, test.status, test.operation, test.body)
			for _, sentinel := range all {
				if is, want := errors.Is(err, sentinel), errors.Is(test.is, sentinel); is != want {
					t.Errorf("%v: errors.Is %q: got %v, want %v", err, sentinel, is, want)
				}
			}
		})
	}
}

func TestResponseError(t *testing.T) {
	for body, want := range map[string]api.ResponseError{
		"<html>": {OperationID: "op_2"},
		`{"error_code":"ERR_NGROK_1","msg":"x","details":{"operation_id":"op_1","a":{"b":["c",1]}}}`: {
			Code: "ERR_NGROK_1", Message: "x", OperationID: "op_1",
			Details: map[string]any{"operation_id": "op_1", "a": map[string]any{"b": []any{"c", 1.0}}},
		},
		`{"details":{"operation_id":7}}`: {OperationID: "op_2", Details: map[string]any{"operation_id": 7.0}},

		// Fields of other types.
		`{"error_code":7,"details":"x","status_code":"y","msg":"z"}`: {Message: "z", OperationID: "op_2"},
		// White space in the message.
		`{"msg":"  a\r\n\tb  c "}`: {Message: "a b c", OperationID: "op_2"},
	} {
		var got *api.ResponseError
		if err := respond(t, 400, "op_2", body); !errors.As(err, &got) {
			t.Fatalf("%s: got %v, want a ResponseError", body, err)
		}
		want.StatusCode, want.Method, want.URL = 400, "GET", "https://api.ngrok.com/tunnel_sessions/ts_1"
		want.Body = []byte(body)
		gotJSON, _ := json.Marshal(got)
		if wantJSON, _ := json.Marshal(want); string(gotJSON) != string(wantJSON) {
			t.Errorf("%s: got\n%s\nwant\n%s", body, gotJSON, wantJSON)
		}
	}
}

// The text of an error leaves out the query, because a filter can be long. The URL has it.
func TestErrorHasNoQuery(t *testing.T) {
	filter := strings.Repeat(`obj.id == "ts_1" || `, 2000)
	for name, doer := range map[string]api.HttpRequestDoer{
		"response":    responding(414, "text/html", "<html>"),
		"no response": noResponse(errReset),
	} {
		params := &api.TunnelSessionsListParams{Filter: &filter}
		_, err := collect(once(t, doer).ListTunnelSessions(t.Context(), params))
		if err == nil || !strings.HasPrefix(err.Error(), `GET "`+sessionsURL+`": `) || len(err.Error()) > 200 {
			t.Errorf("%s: got %.200v", name, err)
		}
		if e, ok := errors.AsType[*api.ResponseError](err); ok && !strings.Contains(e.URL, "?filter=obj") {
			t.Errorf("%s: the URL is %.200s", name, e.URL)
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
		{403, "application/json", `{"msg":"Your key: \"%[1]s\"", "details":{"%[1]s":"%[1]s","operation_id":"%[1]s"}}`},
		{200, "text/html", "<p>%s</p>"},
		{200, "application/json", `{"id":7, "region":"%s"}`},
		{200, "application/json", `{"region":"%s"}`},
	} {
		client := once(t, responding(test.status, test.contentType, fmt.Sprintf(test.body, apiKey)))
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

// The limit of 64 KiB can cut the key. Some encoders of JSON escape its slashes.
func TestCutKeyIsRedacted(t *testing.T) {
	const key = "2Nfake/Key_1"
	bodyOf := func(sent string) string {
		client, err := api.New(key, api.WithHTTPClient(responding(403, "text/html", sent)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.GetTunnelSession(t.Context(), "ts_1")
		e, ok := errors.AsType[*api.ResponseError](err)
		if !ok {
			t.Fatalf("got %v, want a ResponseError", err)
		}
		return string(e.Body)
	}
	for _, quoted := range []string{key, `2Nfake\/Key_1`} {
		if got := bodyOf("<" + quoted + ">"); got != "<[redacted]>" {
			t.Errorf("got %s", got)
		}
		for n := range quoted {
			page := strings.Repeat("-", 64<<10-n)
			if got := bodyOf(page + quoted); got != page {
				t.Errorf("after %d bytes of %s: got a body that ends with %s", n, quoted, got[64<<10-n:])
			}
		}
	}
}

func TestErrorText(t *testing.T) {
	for _, test := range []struct {
		status int
		header map[string]string // besides the content type
		body   string
		want   string // after the URL
	}{
		{400, nil, `{"error_code":"ERR_NGROK_1","msg":"x","details":{"operation_id":"op_1"}}`,
			"400 Bad Request: x (ERR_NGROK_1) (operation op_1)"},
		{403, nil, `{"error_code":"ERR_NGROK_1"}`, "403 Forbidden (ERR_NGROK_1)"},
		{429, map[string]string{"Retry-After": "3600"}, `{"msg":"x"}`, "429 Too Many Requests: x (retry after 1h0m0s)"},
		{400, nil, `{"error_code":"a\n","msg":"\u001b[31mb\u2028c\u202e","details":{"operation_id":"\u0000d"}}`,
			"400 Bad Request:  [31mb c  (a ) (operation  d)"}, // what a terminal would interpret is a blank
		{404, nil, `{"msg":"x"}`, "404 Not Found: x: " +
			"not ngrok's response to such a request: check the base URL and the proxies"},
		{502, nil, "", "502 Bad Gateway"},
		{522, nil, `{"msg":"x"}`, "522: x"}, // a status without a text
		{500, nil, "<html>", "500 Internal Server Error: the body is not ngrok's JSON: " +
			`its content type is "text/html", its encoding "": check the base URL and the proxies`},
		{200, map[string]string{"Content-Encoding": "gzip"}, "\x1f\x8b", "200 OK: the body is not ngrok's JSON: " +
			`its content type is "text/html", its encoding "gzip": check the base URL and the proxies`},
	} {
		_, err := once(t, doerFunc(func(r *http.Request) (*http.Response, error) {
			rsp, err := responding(test.status, "text/html", test.body)(r)
			for name, value := range test.header {
				rsp.Header.Set(name, value)
			}
			return rsp, err
		})).GetTunnelSession(t.Context(), "ts_1")
		if want := `GET "` + sessionsURL + `/ts_1": ` + test.want; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
