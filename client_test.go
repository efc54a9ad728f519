package ngrokapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
	"example.com/ngrokapi/openapi"
)

// samples are sessions in the forms that ngrok has sent over the years, with made-up values.
var samples = map[string]string{
	"today": `{"agent_version":"3.19.1","credential":{"id":"cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
		"uri":"https://api.ngrok.com/credentials/cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT"},
		"id":"ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR","ip":"203.0.113.7","os":"linux","region":"eu",
		"started_at":"2026-03-04T05:06:07Z","transport":"ngrok/2",
		"uri":"https://api.ngrok.com/tunnel_sessions/ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"}`,
	"2022": `{"agent_version":"prototype","credential":{"id":"cr_1","uri":"https://api.ngrok.com/credentials/cr_1"},
		"id":"ts_27k5Yn","ip":"2001:db8::7","metadata":"","os":"windows","region":"us","started_at":"2022-04-14T12:43:04Z",
		"transport":"ngrok/v2","uri":"https://api.ngrok.com/tunnel_sessions/ts_27k5Yn"}`,
	"ssh": `{"agent_version":"","credential":{"id":"sshcr_1","uri":"https://api.ngrok.com/ssh_credentials/sshcr_1"},
		"id":"ts_ssh","ip":"198.51.100.1","metadata":"{\"a\": \"<&>\u2028\u00e9\"}","os":"","region":"ap",
		"started_at":"2025-12-31T23:59:59Z","transport":"ssh","uri":"https://api.ngrok.com/tunnel_sessions/ts_ssh"}`,
}

// The types have every field that ngrok has sent.
func TestSamples(t *testing.T) {
	for name, sample := range samples {
		if _, err := decode([]byte(sample)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// decode decodes a session. It returns an error if the types lack one of its fields.
func decode(data []byte) (session api.TunnelSession, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&session)
	return session, err
}

func document(t *testing.T) (*openapi3.T, *openapi.Validator) {
	t.Helper()
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	v, err := openapi.NewValidator(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, v
}

// Each method sends the request of its operation, and returns the data of the response or an error.
// The fake checks requests and responses, errors included, against the document.
func TestMethods(t *testing.T) {
	const id = "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"
	_, v := document(t)
	session, err := decode([]byte(samples["today"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		call func(context.Context, *api.ClientWithResponses) (*api.TunnelSession, error)
		want *api.TunnelSession
		sent []string // method, path with query, and body of each request
	}{
		{"GetTunnelSession", func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
			return c.GetTunnelSession(ctx, id)
		}, &session, []string{"GET /tunnel_sessions/" + id + " "}},
		{"ListTunnelSessions", func(ctx context.Context, c *api.ClientWithResponses) (last *api.TunnelSession, err error) {
			for last, err = range c.ListTunnelSessions(ctx, nil) {
				if err != nil {
					break
				}
			}
			return last, err
		}, &session, []string{"GET /tunnel_sessions ", "GET /tunnel_sessions?before_id=ts_27k5Yn "}},
		{"RestartTunnelSession", func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
			return nil, c.RestartTunnelSession(ctx, id)
		}, nil, []string{"POST /tunnel_sessions/" + id + "/restart {}"}},
		{"StopTunnelSession", func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
			return nil, c.StopTunnelSession(ctx, id)
		}, nil, []string{"POST /tunnel_sessions/" + id + "/stop {}"}},
		{"UpdateTunnelSession", func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
			return nil, c.UpdateTunnelSession(ctx, id)
		}, nil, []string{"POST /tunnel_sessions/" + id + "/update {}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_27k5Yn"}, session)
			srv.PageSize = 1
			srv.Fail(http.StatusForbidden, "ERR_NGROK_203")
			if got, err := test.call(t.Context(), srv.Client()); got != nil || !errors.Is(err, api.ErrAuthentication) {
				t.Errorf("got %+v, %v, want ErrAuthentication", got, err)
			}
			got, err := test.call(t.Context(), srv.Client())
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			var sent []string
			for _, r := range srv.Requests()[1:] {
				body, _ := io.ReadAll(r.Body)
				sent = append(sent, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
			}
			if !slices.Equal(sent, test.sent) {
				t.Errorf("sent %q, want %q", sent, test.sent)
			}
			// The Doer knows the success statuses of all operations, the method only its own.
			route, err := v.Route(srv.Requests()[0])
			if err != nil || len(successesOf(t, route.Operation)) != 1 {
				t.Errorf("the document has another success status: add it to the method (%v)", err)
			}
		})
	}
}

// The generated methods of all operations in the document keep the promises of the editors,
// PathParam and the Doer.
func TestEveryOperation(t *testing.T) {
	doc, v := document(t)
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run(operation.OperationID, func(t *testing.T) {
				good := slices.Repeat([]string{"a/b?c#%2e é"}, strings.Count(path, "{"))
				successes := successesOf(t, operation)
				for status, hasBody := range successes {
					sent := testSuccess(t, operation.OperationID, good, status, hasBody)
					route, err := v.Route(sent)
					if err != nil || route.Operation.OperationID != operation.OperationID || sent.Method != method {
						t.Errorf("%s %s is not a request of the operation: %v", sent.Method, sent.URL, err)
					}
					// The generator ignores servers. New uses the document's first one.
					isOnServer := strings.HasPrefix(sent.URL.String(), doc.Servers[0].URL+"/")
					if !isOnServer || len(item.Servers) > 0 || operation.Servers != nil {
						t.Errorf("%s is not on the document's server for it", sent.URL)
					}
					testHeaders(t, sent, slices.Concat(item.Parameters, operation.Parameters))
				}
				for _, status := range []int{200, 201, 202, 203, 204, 206, 302} {
					_, isSuccess := successes[status]
					// The Doer does not know which POSTs create something.
					isPost := method == http.MethodPost && (status == 201 || status == 204)
					_, _, err := invoke(t, operation.OperationID, good, status, status != 204)
					if !isSuccess && !isPost && !errors.Is(err, api.ErrUnexpectedResponse) {
						t.Errorf("with the status %d: got %v, want ErrUnexpectedResponse", status, err)
					}
				}
				for i := range good {
					for _, value := range []string{"", ".", ".."} {
						bad := slices.Clone(good)
						bad[i] = value
						_, sent, err := invoke(t, operation.OperationID, bad, 200, true)
						if sent != nil || !errors.Is(err, api.ErrInvalidID) {
							t.Errorf("%q: sent %v and got %v, want nothing and ErrInvalidID", bad, sent, err)
						}
					}
				}
			})
		}
	}
}

// successesOf returns the success statuses that the document has for an operation, and whether each
// has a body.
func successesOf(t *testing.T, operation *openapi3.Operation) map[int]bool {
	t.Helper()
	successes := make(map[int]bool)
	for name, response := range operation.Responses.Map() {
		if name >= "4" { // or "default"
			continue
		}
		status, err := strconv.Atoi(name)
		if err != nil {
			t.Errorf("the document has the status %s: %v", name, err)
		}
		successes[status] = response.Value.Content.Get("application/json") != nil
	}
	if len(successes) == 0 {
		t.Error("the document has no success status")
	}
	return successes
}

// testSuccess tests that a status of the document is a success, and returns the request.
func testSuccess(t *testing.T, operationID string, parameters []string, status int, hasBody bool) *http.Request {
	t.Helper()
	result, sent, err := invoke(t, operationID, parameters, status, hasBody)
	if errors.Is(err, api.ErrUnexpectedResponse) {
		t.Fatalf("the document has the success status %d for it: add it to successes in api/doer.go (%v)", status, err)
	}
	if err != nil || sent == nil {
		t.Fatalf("with the document's status %d: got %v", status, err)
	}
	if hasBody && reflect.ValueOf(result).Elem().FieldByName(fmt.Sprint("JSON", status)).IsNil() {
		t.Errorf("with the document's status %d: got neither a result nor an error", status)
	}
	return sent
}

// testHeaders tests that a request has the key, and each header that the document requires, with
// the document's default. One of them is the version, which the overlay removes before generation.
func testHeaders(t *testing.T, sent *http.Request, parameters openapi3.Parameters) {
	t.Helper()
	if got, want := sent.Header.Values("Authorization"), []string{"Bearer " + ngroktest.APIKey}; !slices.Equal(got, want) {
		t.Errorf("Authorization: got %q, want %q", got, want)
	}
	for _, parameter := range parameters {
		p := parameter.Value
		if p.In != openapi3.ParameterInHeader || !p.Required {
			continue
		}
		if got, want := sent.Header.Values(p.Name), []string{fmt.Sprint(p.Schema.Value.Default)}; !slices.Equal(got, want) {
			t.Errorf("%s: sent %q, the document's default is %q", p.Name, got, want)
		}
	}
}

// invoke calls the generated method of an operation with the given path parameters, and no others.
// The response has the given status. It returns the result, the request if one was sent, and the
// error.
func invoke(t *testing.T, operationID string, parameters []string, status int, hasBody bool) (
	result any, sent *http.Request, err error,
) {
	t.Helper()
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = r
		response := httptest.NewRecorder()
		if hasBody {
			response.Header().Set("Content-Type", "application/json")
			response.Body.WriteString("{}")
		}
		response.Code = status
		return response.Result(), nil
	})
	client, err := api.New(ngroktest.APIKey, api.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	var method reflect.Value
	all := reflect.ValueOf(client)
	for i := range all.NumMethod() {
		// Generation changes the letter case of an operation's ID.
		if strings.EqualFold(all.Type().Method(i).Name, operationID+"WithResponse") {
			method = all.Method(i)
		}
	}
	if !method.IsValid() {
		t.Fatalf("no method is generated for %s", operationID)
	}
	args := []reflect.Value{reflect.ValueOf(t.Context())}
	for i := 1; i < method.Type().NumIn()-1; i++ { // the last ones are the editors
		arg := reflect.New(method.Type().In(i)).Elem()
		if i <= len(parameters) {
			arg.SetString(parameters[i-1])
		}
		args = append(args, arg)
	}
	results := method.Call(args)
	err, _ = results[1].Interface().(error)
	return results[0].Interface(), sent, err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
