// Package generated uses only names that the generator writes, as a caller of a client without a wrapper does.
package generated

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"example.com/ngrokapi/api"
)

type doer func(*http.Request) (*http.Response, error)

func (f doer) Do(r *http.Request) (*http.Response, error) { return f(r) }

var (
	_ api.ClientInterface              = (*api.Client)(nil)
	_ api.ClientWithResponsesInterface = (*api.ClientWithResponses)(nil)
	_ api.HttpRequestDoer              = doer(nil)
)

func authenticate(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("Ngrok-Version", "2")
	return nil
}

// Region asks for a session, and reads what the generated parser makes of the response.
func Region(ctx context.Context, id string) (string, error) {
	client, err := api.NewClientWithResponses("https://api.ngrok.com",
		api.WithHTTPClient(http.DefaultClient),
		api.WithRequestEditorFn(authenticate))
	if err != nil {
		return "", err
	}
	var rsp *api.TunnelSessionsGetResponse
	rsp, err = client.TunnelSessionsGetWithResponse(ctx, id, authenticate)
	if err != nil {
		return "", err
	}
	if rsp.StatusCode() != http.StatusOK || rsp.JSON200 == nil {
		return "", fmt.Errorf("%s: %s", rsp.Status(), rsp.Body)
	}
	var session *api.TunnelSession = rsp.JSON200
	return session.Region, nil
}

// Raw asks for a session and leaves the response to itself.
func Raw(ctx context.Context, id string) ([]byte, error) {
	client, err := api.NewClient("https://api.ngrok.com", api.WithBaseURL("https://proxy.test"), api.WithHTTPClient(doer(http.DefaultClient.Do)))
	if err != nil {
		return nil, err
	}
	rsp, err := client.TunnelSessionsGet(ctx, id, authenticate)
	if err != nil {
		return nil, err
	}
	defer rsp.Body.Close()
	return io.ReadAll(rsp.Body)
}

// Parse reads a response that came some other way.
func Parse(rsp *http.Response) (*api.TunnelSession, error) {
	parsed, err := api.ParseTunnelSessionsGetResponse(rsp)
	if err != nil {
		return nil, err
	}
	return parsed.JSON200, nil
}

// Request builds a request without sending it.
func Request(id string) (*http.Request, error) {
	return api.NewTunnelSessionsGetRequest("https://api.ngrok.com", id)
}
