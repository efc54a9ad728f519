package ngroktest

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/openapi"
)

// Handler returns a fake ngrok API with the given sessions, for programs that are not tests. It
// behaves as a [Server] whose fields are not set: it has no filters, and updates change nothing. A
// request that would fail a test gets only the response with the status 500 and the reason. Handler
// panics if a session has no ID.
//
// A program that needs more, such as a demo of a rollout, passes its own [testing.TB] to
// [NewServer], and calls [Server.URL]. The type embeds the interface and has six methods: Cleanup,
// Errorf, Failed, Fatalf, Helper and Skipped.
func Handler(sessions ...api.TunnelSession) http.Handler {
	return NewServer(noTest{}, sessions...).handler
}

// noTest stands in for the test that a Handler does not have.
type noTest struct{ testing.TB }

func (noTest) Helper()                           {}
func (noTest) Cleanup(func())                    {}
func (noTest) Errorf(string, ...any)             {}
func (noTest) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// Error writes an error as ngrok does: as JSON, with an operation ID. It is for handlers of
// [Server.Wrap]. Set other headers, such as Retry-After, first.
//
// The code, such as "ERR_NGROK_810", is left out if it is empty. An empty message becomes the text
// of the status, or for a 404, ngrok's message about an unknown session: Error(w, 404, "", "")
// matches [api.ErrNotFound].
func Error(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set(operationHeader, "op_fromNgroktestError")
	writeError(w, status, code, message)
}

// validating is a fake API that checks requests and responses against ngrok's document.
type validating struct {
	api       *fake
	validator *openapi.Validator
}

func (v *validating) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	v.api.ServeHTTP(rec, r)
	if err := v.check(r, rec); err != nil {
		v.api.server.tb.Errorf("ngroktest: %v", err)
		Error(w, http.StatusInternalServerError, "", "ngroktest: "+err.Error()) // the caller sees the reason
		return
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// check returns an error if a response does not conform to the document, or is a success whose
// request does not. An error response that the document does not define, such as one for an unknown
// path, always conforms.
func (v *validating) check(r *http.Request, rec *httptest.ResponseRecorder) error {
	route, err := v.validator.Route(r)
	if rec.Code < http.StatusBadRequest {
		if err == nil {
			err = v.checkQuery(r, route)
		}
		if err == nil {
			err = v.validator.Request(r)
		}
		if err != nil {
			return fmt.Errorf("the request does not conform to ngrok's document: %w", err)
		}
	} else if err != nil || !openapi.Defines(route.Operation, rec.Code) {
		return nil
	}
	if err := v.validator.Response(r, rec.Code, rec.Header(), rec.Body.Bytes()); err != nil {
		return fmt.Errorf("the response to %s %s does not conform to ngrok's document: %w", r.Method, r.URL.Path, err)
	}
	return nil
}

// checkQuery returns an error if a query has a parameter that the document does not define for the
// operation, or a filter that nothing evaluates.
func (v *validating) checkQuery(r *http.Request, route *routers.Route) error {
	query := r.URL.Query()
	known := slices.Concat(route.PathItem.Parameters, route.Operation.Parameters)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if known.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return fmt.Errorf("%s %s has no query parameter %q: check its name", r.Method, route.Path, name)
		}
	}
	if query.Has("filter") && v.api.server.Filter == nil {
		return fmt.Errorf("the list has the filter %q: set Server.Filter to evaluate it", query.Get("filter"))
	}
	return nil
}

// validator returns the validator of ngrok's document. All fakes share it: a test can have many,
// and the document can be large.
var validator = sync.OnceValue(func() *openapi.Validator {
	doc, err := openapi.Load()
	if err != nil {
		panic(err) // it is embedded
	}
	v, err := newValidator(doc)
	if err != nil {
		panic(err)
	}
	return v
})

// newValidator returns a validator that accepts fields that tests do not set: missing or empty ones.
func newValidator(doc *openapi3.T) (*openapi.Validator, error) {
	err := doc.WalkSchemas(func(_ string, schema *openapi3.SchemaRef) error {
		schema.Value.Required = nil
		if len(schema.Value.Enum) > 0 {
			schema.Value.Enum = append(schema.Value.Enum, "")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return openapi.NewValidator(doc)
}
