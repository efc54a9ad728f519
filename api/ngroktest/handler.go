package ngroktest

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"

	"example.com/ngrokapi/api"
	"example.com/ngrokapi/api/internal/fake"
	"example.com/ngrokapi/openapi"
)

// Handler returns a fake ngrok API that has the given sessions, for use without a [testing.TB]; tests have
// [NewServer]. What does not conform to ngrok's OpenAPI document is answered with the status 500 and a message that
// names the field. Handler panics if a session has no ID.
func Handler(sessions ...api.TunnelSession) http.Handler {
	f := new(fake.API)
	for _, s := range sessions {
		if err := f.Put(s); err != nil {
			panic("ngroktest: " + err.Error())
		}
	}
	return &conforming{
		serve:    func(w http.ResponseWriter, r *http.Request) { f.Serve(w, r, 0) },
		validate: validator(),
	}
}

// conforming is a handler that checks each request that succeeds, and the answer, against ngrok's document. The
// document has no errors.
type conforming struct {
	serve    http.HandlerFunc
	validate *openapi.Validator
	report   func(err error) // gets what does not conform; may be nil
}

func (c *conforming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	c.serve(answer, r)
	if answer.Code < http.StatusBadRequest {
		if err := c.check(r, answer); err != nil {
			if c.report != nil {
				c.report(err)
			}
			// The request is answered all the same, so that its client ends.
			http.Error(w, "ngroktest: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes()) // a client that is gone has an error of its own
}

func (c *conforming) check(r *http.Request, answer *httptest.ResponseRecorder) error {
	if err := c.validate.Request(r); err != nil {
		return fmt.Errorf("the request does not conform to ngrok's document: %w", err)
	}
	if err := c.validate.Response(r, answer.Code, answer.Header(), answer.Body.Bytes()); err != nil {
		return fmt.Errorf("the answer to %s %s does not conform to ngrok's document: %w", r.Method, r.URL.Path, err)
	}
	return nil
}

// validator is of ngrok's document. All fakes share one, as a test can have many and the document can be large.
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
