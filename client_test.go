package ngrokapi_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/ngroktest"
	"example.com/ngrokapi/openapi"
)

// samples are answers as ngrok has given them over the years. Nothing in them is real.
var samples = map[string]string{
	"today": `{"agent_version":"3.19.1","credential":{"id":"cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
		"uri":"https://api.ngrok.com/credentials/cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT"},
		"id":"ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR","ip":"203.0.113.7","os":"linux","region":"eu",
		"started_at":"2026-03-04T05:06:07Z","transport":"ngrok/2",
		"uri":"https://api.ngrok.com/tunnel_sessions/ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"}`,
	"2022": `{"agent_version":"prototype","credential":{"id":"cr_1","uri":"https://api.ngrok.com/credentials/cr_1"},
		"id":"ts_27k5Yn","ip":"2001:db8::7","metadata":"","os":"windows","region":"us",
		"started_at":"2022-04-14T12:43:04Z","transport":"ngrok/v2","uri":"https://api.ngrok.com/tunnel_sessions/ts_27k5Yn"}`,
	"ssh": `{"agent_version":"","credential":{"id":"sshcr_1","uri":"https://api.ngrok.com/ssh_credentials/sshcr_1"},
		"id":"ts_ssh","ip":"198.51.100.1","metadata":"{\"a\": \"<&>\u2028\u00e9\"}","os":"","region":"ap",
		"started_at":"2025-12-31T23:59:59Z","transport":"ssh","uri":"https://api.ngrok.com/tunnel_sessions/ts_ssh"}`,
	"sparse": `{"id":"ts_sparse"}`,
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

// Each method sends the request of its operation, with all that the document asks for, and returns what is answered.
// The fake validates both.
func TestMethods(t *testing.T) {
	const id = "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"
	session := api.TunnelSession{
		AgentVersion: "3.19.1",
		Credential: api.Ref{
			ID:  "cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
			URI: "https://api.ngrok.com/credentials/cr_2NKpmOyKfMbbDLkKk5jaZkiBVGT",
		},
		ID:        id,
		IP:        "203.0.113.7",
		OS:        "linux",
		Region:    "eu",
		StartedAt: "2026-03-04T05:06:07Z",
		Transport: "ngrok/2",
		URI:       "https://api.ngrok.com/tunnel_sessions/" + id,
	}
	if got, err := decode([]byte(samples["today"])); err != nil || got != session {
		t.Errorf("decoded %+v, %v, want %+v", got, err, session)
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
		}, &session, []string{"GET /tunnel_sessions ", "GET /tunnel_sessions?before_id=ts_27k5Yn&limit=1 "}},
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
			got, err := test.call(t.Context(), srv.Client())
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			var sent []string
			for _, r := range srv.Requests() {
				body, _ := io.ReadAll(r.Body)
				sent = append(sent, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
				if got, want := r.Header.Values("Authorization"), []string{"Bearer " + ngroktest.APIKey}; !slices.Equal(got, want) {
					t.Errorf("Authorization: got %q, want %q", got, want)
				}
			}
			if !slices.Equal(sent, test.sent) {
				t.Errorf("sent %q, want %q", sent, test.sent)
			}
		})
	}
}

// decode decodes a session, and has an error if the types lose a field of it.
func decode(data []byte) (session api.TunnelSession, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&session)
	return session, err
}

// The fakes and the checks of updates rest on the validator, which must not pass all.
func TestValidatorCatchesViolations(t *testing.T) {
	_, v := document(t)
	req := httptest.NewRequest("GET", "/tunnel_sessions/ts_1", nil)
	for _, test := range []struct {
		name, contentType, body string
		status                  int
		says                    string // the error; empty for none
	}{
		{"what conforms", "application/json", samples["today"], 200, ""},
		{"number for a string", "application/json", `{"id":1}`, 200, "/id"},
		{"other content type", "text/html", samples["today"], 200, "text/html"},
		{"status that is not defined", "application/json", samples["today"], 299, "status 299"},
		{"redirect, which kin-openapi passes", "application/json", samples["today"], 399, "status 399"},
	} {
		err := v.Response(req, test.status, http.Header{"Content-Type": {test.contentType}}, []byte(test.body))
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("answer, %s: got %v", test.name, err)
		}
	}
	for _, test := range []struct{ name, method, path, authorization, version string }{
		{"no version", "GET", "/tunnel_sessions/ts_1", "Bearer k", ""},
		{"no key", "GET", "/tunnel_sessions/ts_1", "", "2"},
		{"empty key", "GET", "/tunnel_sessions/ts_1", "Bearer ", "2"},
		{"other scheme", "GET", "/tunnel_sessions/ts_1", "Basic eA==", "2"},
		{"unknown path", "GET", "/nothing", "Bearer k", "2"},
	} {
		req := httptest.NewRequest(test.method, test.path, nil)
		req.Header = http.Header{"Authorization": {test.authorization}, "Ngrok-Version": {test.version}}
		if v.Request(req) == nil {
			t.Errorf("request, %s: not caught", test.name)
		}
	}
}

// What the editors, PathParam and the Doer promise holds for all operations of the document, by their generated methods
// alone. The client knows the base URL and the version by itself, and they are the document's.
func TestEveryOperation(t *testing.T) {
	doc, v := document(t)
	if len(doc.Servers) != 1 {
		t.Fatalf("the document has the servers %v, and the client one base URL", doc.Servers)
	}
	// The overlay takes this parameter out of what the client is generated from.
	parameter := doc.Components.Parameters["ngrokVersion"]
	if parameter == nil {
		t.Fatal("the document has no parameter ngrokVersion: see how it asks for the version now")
	}
	version := parameter.Value
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run(operation.OperationID, func(t *testing.T) {
				good := slices.Repeat([]string{"a/b?c#%2e é"}, len(regexp.MustCompile(`{\w+}`).FindAllString(path, -1)))
				status, hasBody := successOf(t, operation)
				result, sent, err := invoke(t, operation.OperationID, good, status, hasBody)
				if err != nil || sent == nil {
					t.Fatalf("with the document's status %d: got %v", status, err)
				}
				if hasBody && reflect.ValueOf(result).Elem().FieldByName(fmt.Sprint("JSON", status)).IsNil() {
					t.Error("got neither a result nor an error")
				}
				route, err := v.Route(sent)
				if err != nil || route.Operation.OperationID != operation.OperationID || sent.Method != method {
					t.Errorf("%s %s is not a request of the operation: %v", sent.Method, sent.URL, err)
				}
				// The generator makes nothing of servers.
				if !strings.HasPrefix(sent.URL.String(), doc.Servers[0].URL+"/") || len(item.Servers) > 0 || operation.Servers != nil {
					t.Errorf("%s is not on the document's server for it", sent.URL)
				}
				if got, want := sent.Header.Values(version.Name), []string{fmt.Sprint(version.Schema.Value.Default)}; !slices.Equal(got, want) {
					t.Errorf("%s: sent %q, the document's default is %q", version.Name, got, want)
				}
				if sent.Header.Get("Authorization") == "" {
					t.Errorf("the key is missing: %v", sent.Header)
				}

				for _, other := range []int{200, 201, 202, 203, 204, 206, 302} {
					// The Doer does not know which POSTs create something.
					isPost := method == http.MethodPost && (other == 201 || other == 204)
					if _, _, err := invoke(t, operation.OperationID, good, other, other != 204); other != status && !isPost && !errors.Is(err, api.ErrUnexpectedResponse) {
						t.Errorf("with the status %d: got %v, want ErrUnexpectedResponse", other, err)
					}
				}
				for i := range good {
					for _, value := range []string{"", ".", ".."} {
						bad := slices.Clone(good)
						bad[i] = value
						if _, sent, err := invoke(t, operation.OperationID, bad, status, hasBody); sent != nil || !errors.Is(err, api.ErrInvalidID) {
							t.Errorf("%q: sent %v and got error %v, want none and ErrInvalidID", bad, sent, err)
						}
					}
				}
			})
		}
	}
}

// successOf returns the only status of success that the document has for an operation, and whether it has a body.
func successOf(t *testing.T, operation *openapi3.Operation) (status int, hasBody bool) {
	t.Helper()
	for name, response := range operation.Responses.Map() {
		if name >= "4" {
			continue
		}
		if status != 0 {
			t.Errorf("the document has another status of success, %s", name)
		}
		if _, err := fmt.Sscan(name, &status); err != nil {
			t.Errorf("the document has the status %s: %v", name, err)
		}
		hasBody = response.Value.Content.Get("application/json") != nil
	}
	return status, hasBody
}

// invoke calls the generated method of an operation with the given path parameters, and no others. The request is
// answered with the status. It returns the result, the request if one was sent, and the error.
func invoke(t *testing.T, operationID string, parameters []string, status int, hasBody bool) (result any, sent *http.Request, err error) {
	t.Helper()
	client, err := api.New(ngroktest.APIKey, api.WithHTTPClient(&http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			sent = r
			answer := httptest.NewRecorder()
			if hasBody {
				answer.Header().Set("Content-Type", "application/json")
				answer.Body.WriteString("{}")
			}
			answer.Code = status
			return answer.Result(), nil
		}),
	}))
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

// TestLive looks up a session of the real API, or of the one that NGROK_API_BASE_URL names, if NGROK_LIVE_ID has its ID
// and NGROK_API_KEY a key. It prints in what the answer differs from the document. "make live" sets the former.
func TestLive(t *testing.T) {
	id, key := os.Getenv("NGROK_LIVE_ID"), os.Getenv("NGROK_API_KEY")
	if id == "" || key == "" {
		t.Skip("set NGROK_API_KEY and run: make live ID=ts_…")
	}
	for _, difference := range live(t, key, cmp.Or(os.Getenv("NGROK_API_BASE_URL"), "https://api.ngrok.com"), id) {
		t.Error(difference)
	}
}

// live looks up a session as a user would, and returns what the validator finds in the request and the answer, and the
// first field that the types lose.
func live(t *testing.T, key, baseURL, id string) []string {
	t.Helper()
	base, err := url.Parse(baseURL)
	if err != nil {
		t.Fatal(err)
	}
	_, v := document(t)
	var differences []string
	note := func(err error) {
		if err != nil {
			differences = append(differences, err.Error())
		}
	}
	var body []byte
	client, err := api.New(key, api.WithBaseURL(baseURL), api.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		rsp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer rsp.Body.Close()
		body, err = io.ReadAll(rsp.Body)
		if err != nil {
			return nil, err
		}
		rsp.Body = io.NopCloser(bytes.NewReader(body))
		// The document has paths without that of a base URL.
		r = r.Clone(r.Context())
		r.URL.Path = strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(base.Path, "/"))
		note(v.Request(r))
		note(v.Response(r, rsp.StatusCode, rsp.Header, body))
		return rsp, nil
	})}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.GetTunnelSession(t.Context(), id)
	if err == nil {
		_, err = decode(body)
	}
	note(err)
	return differences
}

func TestLiveFindsDifferences(t *testing.T) {
	for name, sample := range samples {
		if got := liveAnswer(t, sample); got != "" {
			t.Errorf("%s: got %s", name, got)
		}
	}
	got := liveAnswer(t, `{"id":"ts_1","region":null,"host":"x"}`)
	for _, want := range []string{"/region", `unknown field "host"`} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %q in it", got, want)
		}
	}
}

// liveAnswer returns in what a body differs from the document if it is the answer.
func liveAnswer(t *testing.T, body string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, body)
	}))
	defer srv.Close()
	return strings.Join(live(t, ngroktest.APIKey, srv.URL+"/base", "ts_1"), "\n")
}
