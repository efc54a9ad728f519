package ngroktest

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/internal/fake"
	"example.com/ngrokapi/openapi"
)

// Handler returns a fake ngrok API with the given sessions, for programs that have no [testing.TB]. Tests use
// [NewServer]. The handler behaves as a [Server] whose fields are not set. Where that fails the test, it only responds with
// the status 500 and a message that names the field: also to a filter. Handler panics if a session has no ID.
func Handler(sessions ...api.TunnelSession) http.Handler {
	f := fake.New(func() fake.Options { return fake.Options{} })
	for _, s := range sessions {
		if err := f.Put(s); err != nil {
			panic("ngroktest: " + err.Error())
		}
	}
	return &validating{
		api:       f,
		filters:   func() bool { return false },
		validator: validator(),
		report:    func(error) {},
	}
}

// Error writes an error as ngrok does: as JSON, with an operation ID. It is for handlers of
// [Server.Wrap]. The code, such as "ERR_NGROK_810", is left out if it is empty. If the message is
// empty, it is the text of the status, or, with the status 404, that of an unknown session:
// Error(w, 404, "", "") matches [api.ErrNotFound].
//
// Set other headers, such as Retry-After, before.
func Error(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Ngrok-Operation-Id", "op_fromNgroktestError")
	fake.Error(w, status, code, message)
}

// validating is a fake API that checks requests and responses against ngrok's document.
type validating struct {
	api       *fake.API
	filters   func() bool // whether the API knows what filters mean
	validator *openapi.Validator
	report    func(error) // gets what does not conform
}

func (v *validating) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	v.api.ServeHTTP(rec, r)
	if err := v.check(r, rec); err != nil {
		v.report(err)
		Error(w, http.StatusInternalServerError, "", "ngroktest: "+err.Error()) // so that the call ends, with the reason
		return
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

// check returns an error if a response does not conform to the document, or is a success and its request does not. An
// error response that the document does not have, such as one for an unknown path, always conforms.
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

// checkQuery returns an error if a query has a parameter that the document does not have for the operation, or a filter
// that nothing evaluates.
func (v *validating) checkQuery(r *http.Request, route *routers.Route) error {
	query := r.URL.Query()
	known := slices.Concat(route.PathItem.Parameters, route.Operation.Parameters)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if known.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return fmt.Errorf("%s %s has no query parameter %q: check its name", r.Method, route.Path, name)
		}
	}
	if query.Has("filter") && !v.filters() {
		return fmt.Errorf("the list has the filter %q: set Server.Filter, which says what that means", query.Get("filter"))
	}
	return nil
}

// validator returns the validator of ngrok's document. All fakes share it: a test can have many, and the document can be
// large.
var validator = sync.OnceValue(func() *openapi.Validator {
	doc, err := openapi.Load()
	if err != nil {
		panic(err) // it is embedded
	}
	v, err := openapi.NewValidator(doc)
	if err != nil {
		panic(err)
	}
	return v
})
