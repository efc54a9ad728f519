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
	c.requests = append(c.requests, r)
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

func TestGetTunnelSession(t *testing.T) {
	contract, client := newContract(t, answerJSON(samples["today"]))
	const id = "ts_2NKpmSZ7q1LvXwCjTzBrmPDkFfR"
	want := &api.TunnelSession{
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
	got, err := client.GetTunnelSession(t.Context(), id)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("GetTunnelSession: got %+v, %v, want %+v", got, err, want)
	}
	rsp, err := client.TunnelSessionsGetWithResponse(t.Context(), id)
	if err != nil {
		t.Fatalf("TunnelSessionsGetWithResponse: %v", err)
	}
	if rsp.StatusCode() != 200 || !reflect.DeepEqual(rsp.JSON200, want) {
		t.Errorf("TunnelSessionsGetWithResponse: got %d, %+v, want %+v", rsp.StatusCode(), rsp.JSON200, want)
	}
	if string(rsp.Body) != samples["today"] {
		t.Errorf("TunnelSessionsGetWithResponse: got the body %q, want it as it was sent", rsp.Body)
	}
	if len(contract.requests) != 2 {
		t.Fatalf("got %d requests, want one of each method", len(contract.requests))
	}
	for _, r := range contract.requests {
		if r.Method != "GET" || r.URL.Path != "/tunnel_sessions/"+id {
			t.Errorf("got %s %s", r.Method, r.URL.Path)
		}
		if got, want := r.Header.Values("Authorization"), []string{"Bearer " + ngroktest.APIKey}; !slices.Equal(got, want) {
			t.Errorf("Authorization: got %q, want %q", got, want)
		}
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
	for missing, headers := range map[string][]string{"version": {"Authorization", "Bearer k"}, "key": {"Ngrok-Version", "2"}} {
		req := httptest.NewRequest("GET", "/tunnel_sessions/ts_1", nil)
		req.Header.Set(headers[0], headers[1])
		if v.Request(req) == nil {
			t.Errorf("request without %s: not caught", missing)
		}
	}
}

// What the editors and the Doer promise holds for all operations of the document, by their generated methods alone.
func TestEveryOperation(t *testing.T) {
	doc, v := document(t), validator(t)
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run(operation.OperationID, func(t *testing.T) {
				parameters := len(regexp.MustCompile(`{\w+}`).FindAllString(path, -1))
				good := slices.Repeat([]string{"a/b?c#%2e é"}, parameters)

				sent, _ := invoke(t, operation.OperationID, good)
				if len(sent) != 1 {
					t.Fatalf("sent %d requests, want 1", len(sent))
				}
				route, err := v.Route(sent[0])
				if err != nil || route.Operation.OperationID != operation.OperationID || sent[0].Method != method {
					t.Errorf("%s %s is not a request of the operation: %v", sent[0].Method, sent[0].URL, err)
				}
				if sent[0].Header.Get("Authorization") == "" || sent[0].Header.Get("Ngrok-Version") == "" {
					t.Errorf("key or version is missing: %v", sent[0].Header)
				}

				for _, bad := range badParameters(parameters) {
					if sent, err := invoke(t, operation.OperationID, bad); len(sent) > 0 || !errors.Is(err, api.ErrInvalidID) {
						t.Errorf("%q: sent %d requests and got error %v, want none and ErrInvalidID", bad, len(sent), err)
					}
				}
			})
		}
	}
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

// invoke calls the generated method of an operation with the given path parameters, and no others. It returns the
// requests that were sent, and the error.
func invoke(t *testing.T, operationID string, parameters []string) ([]*http.Request, error) {
	t.Helper()
	var sent []*http.Request
	client, err := api.New(ngroktest.APIKey, api.WithBaseURL("https://proxy.test/ngrok"), api.WithHTTPClient(&api.Doer{
		MaxAttempts: 1,
		HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, withoutBase(r, "/ngrok"))
			return nil, errors.New("not sent")
		})},
	}))
	if err != nil {
		t.Fatal(err)
	}
	method := methodOf(t, client, operationID)
	args := []reflect.Value{reflect.ValueOf(t.Context())}
	for i := 1; i < method.Type().NumIn()-1; i++ { // the last ones are the editors
		if i <= len(parameters) {
			args = append(args, reflect.ValueOf(parameters[i-1]))
		} else {
			args = append(args, reflect.Zero(method.Type().In(i)))
		}
	}
	err, _ = method.Call(args)[1].Interface().(error)
	return sent, err
}

// methodOf returns the method that is generated for an operation. Generation changes the letter case of its ID.
func methodOf(t *testing.T, client *api.ClientWithResponses, operationID string) reflect.Value {
	t.Helper()
	v := reflect.ValueOf(client)
	for i := range v.NumMethod() {
		if strings.EqualFold(v.Type().Method(i).Name, operationID) {
			return v.Method(i)
		}
	}
	t.Fatalf("no method is generated for %s", operationID)
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

// TestLive runs the contract against the real API, or the one that NGROK_API_BASE_URL names, if NGROK_LIVE_ID has
// the ID of a session and NGROK_API_KEY a key. "make live" sets the former.
func TestLive(t *testing.T) {
	id, key := os.Getenv("NGROK_LIVE_ID"), os.Getenv("NGROK_API_KEY")
	if id == "" || key == "" {
		t.Skip("set NGROK_API_KEY and run: make live ID=ts_…")
	}
	points, err := live(t.Context(), validator(t), key, os.Getenv("NGROK_API_BASE_URL"), id)
	if err != nil {
		t.Error(err)
	}
	for _, point := range points {
		t.Log(point)
		if strings.HasPrefix(point, "violation") {
			t.Fail()
		}
	}
	t.Logf("%d departures from the document", len(points))
}

// live looks up a session as a user would, and returns the points in which the answer departs from the document.
func live(ctx context.Context, v *openapi.Validator, key, baseURL, id string) ([]string, error) {
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, err
	}
	var opts []api.ClientOption
	if baseURL != "" {
		opts = append(opts, api.WithBaseURL(baseURL))
	}
	// What the server sent is seen here, before the client makes anything of it.
	var points []string
	opts = append(opts, api.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		rsp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer rsp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(rsp.Body, 10<<20))
		if err != nil {
			return nil, err
		}
		rsp.Body = io.NopCloser(bytes.NewReader(body))
		r = withoutBase(r, base.Path)
		if err := v.Request(r); err != nil {
			points = append(points, "violation: "+err.Error())
		}
		points = append(points, v.Departures(r, rsp.StatusCode, rsp.Header, body)...)
		return rsp, nil
	})}))
	client, err := api.New(key, opts...)
	if err != nil {
		return nil, err
	}
	session, err := client.GetTunnelSession(ctx, id)
	switch {
	case err != nil:
		return points, err
	case session.ID != id:
		return points, fmt.Errorf("asked for the session %s, got %s", id, session.ID)
	}
	return points, nil
}

func TestLiveAgainstFake(t *testing.T) {
	srv := ngroktest.NewServer(t, api.TunnelSession{ID: "ts_1", Region: "eu"})
	points, err := live(t.Context(), validator(t), ngroktest.APIKey, srv.URL, "ts_1")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(points, "missing field: /metadata") || slices.Contains(points, "missing field: /region") {
		t.Errorf("got %q, want the fields that the session does not have", points)
	}
	if _, err := live(t.Context(), validator(t), ngroktest.APIKey, srv.URL, "ts_2"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("unknown session: got %v, want ErrNotFound", err)
	}

	departing := httptest.NewServer(answerJSON(`{"id":"ts_1","region":null,"host":"x"}`))
	defer departing.Close()
	points, err = live(t.Context(), validator(t), ngroktest.APIKey, departing.URL+"/base", "ts_1")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"unknown field: /host, which is a string", "missing field: /ip", `violation: .*"/region"`} {
		if !slices.ContainsFunc(points, regexp.MustCompile(`(?s)`+want).MatchString) {
			t.Errorf("got %q, want one like %q", points, want)
		}
	}
}
