package ngrokapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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

// A contract is an API that gives each request the same answer, and checks both against ngrok's document.
type contract struct {
	t         *testing.T
	validator *openapi.Validator
	answer    func(w http.ResponseWriter, r *http.Request)
	requests  []*http.Request
}

func newContract(t *testing.T, answer http.HandlerFunc) (*contract, *api.ClientWithResponses) {
	t.Helper()
	c := &contract{t: t, validator: validator(t), answer: answer}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL(srv.URL), api.WithHTTPClient(srv.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return c, client
}

func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	record := r.Clone(r.Context())
	record.Body = io.NopCloser(bytes.NewReader(body))
	c.requests = append(c.requests, record)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := c.validator.Request(r); err != nil {
		c.t.Errorf("request: %v", err)
	}
	rec := httptest.NewRecorder()
	c.answer(rec, r)
	if err := c.validator.Response(r, rec.Code, rec.Header(), rec.Body.Bytes()); err != nil {
		c.t.Errorf("response: %v", err)
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

func answerJSON(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, body)
	}
}

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func validator(t *testing.T) *openapi.Validator {
	t.Helper()
	v, err := openapi.NewValidator(document(t))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Each method sends the request of its operation, with all that the document asks for, and returns what is answered.
func TestMethods(t *testing.T) {
	const id = "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"
	session := &api.TunnelSession{
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
	list := func(query string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != query {
				answerJSON(`{"tunnel_sessions":[`+samples["today"]+`],"uri":"https://api.ngrok.com/tunnel_sessions","next_page_uri":null}`)(w, r)
				return
			}
			answerJSON(`{"tunnel_sessions":[`+samples["2022"]+`],"uri":"https://api.ngrok.com/tunnel_sessions",
				"next_page_uri":"https://api.ngrok.com/tunnel_sessions?before_id=ts_27k5Yn&limit=1"}`)(w, r)
		}
	}
	noContent := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		call   func(context.Context, *api.ClientWithResponses) (*api.TunnelSession, error)
		want   *api.TunnelSession
		sent   []string // method, path with query, and body of each request
	}{
		{"GetTunnelSession", answerJSON(samples["today"]),
			func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
				return c.GetTunnelSession(ctx, id)
			}, session, []string{"GET /tunnel_sessions/" + id + " "}},
		{"TunnelSessionsGetWithResponse", answerJSON(samples["today"]),
			func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
				rsp, err := c.TunnelSessionsGetWithResponse(ctx, id)
				if err != nil {
					return nil, err
				}
				if rsp.StatusCode() != 200 || string(rsp.Body) != samples["today"] {
					return nil, fmt.Errorf("got %d and %s", rsp.StatusCode(), rsp.Body)
				}
				return rsp.JSON200, nil
			}, session, []string{"GET /tunnel_sessions/" + id + " "}},
		{"ListTunnelSessions", list(""),
			func(ctx context.Context, c *api.ClientWithResponses) (last *api.TunnelSession, _ error) {
				for session, err := range c.ListTunnelSessions(ctx) {
					if err != nil {
						return nil, err
					}
					last = session
				}
				return last, nil
			}, session, []string{"GET /tunnel_sessions ", "GET /tunnel_sessions?before_id=ts_27k5Yn&limit=1 "}},
		{"RestartTunnelSession", noContent,
			func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
				return nil, c.RestartTunnelSession(ctx, id)
			}, nil, []string{"POST /tunnel_sessions/" + id + "/restart {}"}},
		{"StopTunnelSession", noContent,
			func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
				return nil, c.StopTunnelSession(ctx, id)
			}, nil, []string{"POST /tunnel_sessions/" + id + "/stop {}"}},
		{"UpdateTunnelSession", noContent,
			func(ctx context.Context, c *api.ClientWithResponses) (*api.TunnelSession, error) {
				return nil, c.UpdateTunnelSession(ctx, id)
			}, nil, []string{"POST /tunnel_sessions/" + id + "/update {}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			contract, client := newContract(t, test.answer)
			got, err := test.call(t.Context(), client)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			var sent []string
			for _, r := range contract.requests {
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

// The version is a constant of the client, as the overlay takes the parameter out of what it is generated from.
func TestVersionIsTheDocuments(t *testing.T) {
	contract, client := newContract(t, answerJSON(samples["today"]))
	if _, err := client.GetTunnelSession(t.Context(), "ts_1"); err != nil {
		t.Fatal(err)
	}
	parameter := document(t).Components.Parameters["ngrokVersion"]
	if parameter == nil {
		t.Fatal("the document has no parameter ngrokVersion: see how it asks for the version now")
	}
	want := []string{fmt.Sprint(parameter.Value.Schema.Value.Default)}
	if got := contract.requests[0].Header.Values(parameter.Value.Name); !slices.Equal(got, want) {
		t.Errorf("%s: sent %q, the document's default is %q", parameter.Value.Name, got, want)
	}
}

// So is the base URL, as the generator makes nothing of the document's servers.
func TestServerIsTheDocuments(t *testing.T) {
	doc := document(t)
	client, err := api.New(ngroktest.APIKey)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(client.ClientInterface.(*api.Client).Server, "/")
	if len(doc.Servers) != 1 || doc.Servers[0].URL != base {
		t.Errorf("the document's servers are %v, and the default base URL is %s", doc.Servers, base)
	}
	for path, item := range doc.Paths.Map() {
		if len(item.Servers) > 0 {
			t.Errorf("%s has servers of its own", path)
		}
		for method, operation := range item.Operations() {
			if operation.Servers != nil {
				t.Errorf("%s %s has servers of its own", method, path)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for name, sample := range samples {
		t.Run(name, func(t *testing.T) {
			_, client := newContract(t, answerJSON(sample))
			session, err := client.GetTunnelSession(t.Context(), "ts_1")
			if err != nil {
				t.Fatal(err)
			}
			if lost := lost(t, sample, session); len(lost) > 0 {
				t.Errorf("lost by the types: %q", lost)
			}
		})
	}
	t.Run("the check itself", func(t *testing.T) {
		sample := `{"id":"ts_1","new":"x","credential":{"id":"cr_1","newer":{"a":1}}}`
		_, client := newContract(t, answerJSON(sample))
		session, err := client.GetTunnelSession(t.Context(), "ts_1")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := lost(t, sample, session), []string{"/credential/newer", "/new"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// lost returns the fields of a JSON text that decoded does not give back: what is absent from its JSON, or differs.
// An empty value may be absent.
func lost(t *testing.T, sample string, decoded any) []string {
	t.Helper()
	again, err := json.Marshal(decoded)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := errors.Join(json.Unmarshal([]byte(sample), &want), json.Unmarshal(again, &got)); err != nil {
		t.Fatal(err)
	}
	return lostFields("", want, got)
}

func lostFields(at string, want, got any) []string {
	fields, ok := want.(map[string]any)
	if !ok {
		if reflect.DeepEqual(want, got) || got == nil && (want == nil || want == "") {
			return nil
		}
		return []string{at}
	}
	kept, ok := got.(map[string]any)
	if !ok {
		return []string{at}
	}
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		lost = append(lost, lostFields(at+"/"+name, fields[name], kept[name])...)
	}
	return lost
}

// Without this the checks of the contract could all pass because they check nothing.
func TestContractCatchesViolations(t *testing.T) {
	v := validator(t)
	req := httptest.NewRequest("GET", "/tunnel_sessions/ts_1", nil)
	for _, test := range []struct{ name, contentType, body string }{
		{"number for a string", "application/json", `{"id":1}`},
		{"string for a reference", "application/json", `{"credential":"cr_1"}`},
		{"null", "application/json", `null`},
		{"array", "application/json", `[{"id":"ts_1"}]`},
		{"truncated", "application/json", samples["today"][:40]},
		{"HTML", "text/html", `<html>`},
		{"no content type", "", samples["today"]},
	} {
		if v.Response(req, 200, http.Header{"Content-Type": {test.contentType}}, []byte(test.body)) == nil {
			t.Errorf("%s: not caught", test.name)
		}
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for _, status := range []int{201, 204, 301, 304, 404, 500} {
		if v.Response(req, status, header, []byte(samples["today"])) == nil {
			t.Errorf("status %d, which the document does not define: not caught", status)
		}
	}
	if err := v.Response(req, 200, header, []byte(samples["today"])); err != nil {
		t.Errorf("a response that conforms: %v", err)
	}
	for _, test := range []struct{ name, method, path, authorization, version string }{
		{"no version", "GET", "/tunnel_sessions/ts_1", "Bearer k", ""},
		{"version that is no number", "GET", "/tunnel_sessions/ts_1", "Bearer k", "two"},
		{"no key", "GET", "/tunnel_sessions/ts_1", "", "2"},
		{"empty key", "GET", "/tunnel_sessions/ts_1", "Bearer ", "2"},
		{"other scheme", "GET", "/tunnel_sessions/ts_1", "Basic eA==", "2"},
		{"unknown path", "GET", "/nothing", "Bearer k", "2"},
		{"unknown method", "TRACE", "/tunnel_sessions/ts_1", "Bearer k", "2"},
	} {
		req := httptest.NewRequest(test.method, test.path, nil)
		req.Header = http.Header{"Authorization": {test.authorization}, "Ngrok-Version": {test.version}}
		if v.Request(req) == nil {
			t.Errorf("request with %s: not caught", test.name)
		}
	}
}

// What the editors, PathParam and the Doer promise holds for all operations of the document, by their generated methods
// alone.
func TestEveryOperation(t *testing.T) {
	doc, v := document(t), validator(t)
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run(operation.OperationID, func(t *testing.T) {
				parameters := len(regexp.MustCompile(`{\w+}`).FindAllString(path, -1))
				good := slices.Repeat([]string{"a/b?c#%2e é"}, parameters)

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
				if sent.Header.Get("Authorization") == "" || sent.Header.Get("Ngrok-Version") == "" {
					t.Errorf("key or version is missing: %v", sent.Header)
				}

				for _, other := range []int{200, 201, 202, 203, 204, 206, 302} {
					// The Doer does not know which POSTs create something.
					isPost := method == http.MethodPost && (other == 201 || other == 204)
					if _, _, err := invoke(t, operation.OperationID, good, other, other != 204); other != status && !isPost && !errors.Is(err, api.ErrUnexpectedResponse) {
						t.Errorf("with the status %d: got %v, want ErrUnexpectedResponse", other, err)
					}
				}
				for _, bad := range badParameters(parameters) {
					if _, sent, err := invoke(t, operation.OperationID, bad, status, hasBody); sent != nil || !errors.Is(err, api.ErrInvalidID) {
						t.Errorf("%q: sent %v and got error %v, want none and ErrInvalidID", bad, sent, err)
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

// badParameters returns all ways to fill n path parameters of which at least one must be refused.
func badParameters(n int) [][]string {
	ways := [][]string{{}}
	for range n {
		var longer [][]string
		for _, way := range ways {
			for _, value := range []string{"x_1", "", ".", ".."} {
				longer = append(longer, append(slices.Clone(way), value))
			}
		}
		ways = longer
	}
	return ways[1:] // the first one is good
}

// invoke calls the generated method of an operation with the given path parameters, and no others. The request is
// answered with the status. It returns the result, the request if one was sent, and the error.
func invoke(t *testing.T, operationID string, parameters []string, status int, hasBody bool) (result any, sent *http.Request, err error) {
	t.Helper()
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL("https://proxy.test/ngrok"), api.WithHTTPClient(&http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			sent = withoutBase(r, "/ngrok")
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
	method := methodOf(t, client, operationID+"WithResponse")
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

// methodOf returns a generated method. Generation changes the letter case of an operation's ID.
func methodOf(t *testing.T, client *api.ClientWithResponses, name string) reflect.Value {
	t.Helper()
	v := reflect.ValueOf(client)
	for i := range v.NumMethod() {
		if strings.EqualFold(v.Type().Method(i).Name, name) {
			return v.Method(i)
		}
	}
	t.Fatalf("no method %s is generated", name)
	return reflect.Value{}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// withoutBase returns a copy of a request with its path relative to that of a base URL, as the document has paths.
func withoutBase(r *http.Request, base string) *http.Request {
	base = strings.TrimSuffix(base, "/")
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimPrefix(r.URL.Path, base)
	r.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, base)
	return r
}

// TestLive looks up a session of the real API, or of the one that NGROK_API_BASE_URL names, if NGROK_LIVE_ID has its ID
// and NGROK_API_KEY a key. It prints in what the answer differs from the document. "make live" sets the former.
func TestLive(t *testing.T) {
	id, key := os.Getenv("NGROK_LIVE_ID"), os.Getenv("NGROK_API_KEY")
	if id == "" || key == "" {
		t.Skip("set NGROK_API_KEY and run: make live ID=ts_…")
	}
	for _, difference := range live(t, key, os.Getenv("NGROK_API_BASE_URL"), id) {
		t.Error(difference)
	}
}

// live looks up a session as a user would, and returns what the validator finds in the request and the answer, and the
// fields that the types lose.
func live(t *testing.T, key, baseURL, id string) []string {
	t.Helper()
	base, err := url.Parse(baseURL)
	if err != nil {
		t.Fatal(err)
	}
	v := validator(t)
	var differences []string
	note := func(err error) {
		if err != nil {
			differences = append(differences, err.Error())
		}
	}
	var body []byte
	opts := []api.ClientOption{api.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		rsp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer rsp.Body.Close()
		body, err = io.ReadAll(io.LimitReader(rsp.Body, 10<<20))
		if err != nil {
			return nil, err
		}
		rsp.Body = io.NopCloser(bytes.NewReader(body))
		r = withoutBase(r, base.Path)
		note(v.Request(r))
		note(v.Response(r, rsp.StatusCode, rsp.Header, body))
		return rsp, nil
	})})}
	if baseURL != "" {
		opts = append(opts, api.WithBaseURL(baseURL))
	}
	client, err := api.New(key, opts...)
	if err != nil {
		t.Fatal(err)
	}
	session, err := client.GetTunnelSession(t.Context(), id)
	note(err)
	if err == nil {
		for _, field := range lost(t, string(body), session) {
			differences = append(differences, "not in the document: "+field)
		}
	}
	return differences
}

func TestLiveFindsDifferences(t *testing.T) {
	srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1", Region: "eu"})
	if got := live(t, ngroktest.APIKey, srv.URL, "ts_1"); len(got) > 0 {
		t.Errorf("got %q, want none", got)
	}
	differing := httptest.NewServer(answerJSON(`{"id":"ts_1","region":null,"host":"x"}`))
	defer differing.Close()
	got := strings.Join(live(t, ngroktest.APIKey, differing.URL+"/base", "ts_1"), "\n")
	for _, want := range []string{"/region", "not in the document: /host"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %q in it", got, want)
		}
	}
}
