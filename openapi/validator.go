package openapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// A Validator checks requests and responses against a document. It is safe for concurrent use.
type Validator struct{ router routers.Router }

// NewValidator returns a validator for doc, which must not be changed afterwards. It ignores the
// document's servers: the host of a request does not matter.
func NewValidator(doc *openapi3.T) (*Validator, error) {
	anywhere := *doc
	anywhere.Servers = nil
	router, err := gorillamux.NewRouter(&anywhere)
	if err != nil {
		return nil, fmt.Errorf("make a validator: %w", err)
	}
	return &Validator{router}, nil
}

// Route returns the operation that a request is for.
func (v *Validator) Route(req *http.Request) (*routers.Route, error) {
	input, err := v.input(req)
	if err != nil {
		return nil, err
	}
	return input.Route, nil
}

// Request returns an error if a request does not conform to the document: no operation has its
// method and path, it is not authenticated, or a parameter is missing or wrong.
func (v *Validator) Request(req *http.Request) error {
	input, err := v.input(req)
	if err != nil {
		return err
	}
	return openapi3filter.ValidateRequest(req.Context(), input)
}

// Response returns an error if a response does not conform to the document, or has a status that
// the document does not define.
func (v *Validator) Response(req *http.Request, status int, header http.Header, body []byte) error {
	input, err := v.input(req)
	if err != nil {
		return err
	}
	// openapi3filter accepts redirects, defined or not.
	if !Defines(input.Route.Operation, status) {
		return fmt.Errorf("%s %s: the document does not define the status %d", req.Method, input.Route.Path, status)
	}
	return openapi3filter.ValidateResponse(req.Context(), (&openapi3filter.ResponseValidationInput{
		RequestValidationInput: input,
		Status:                 status,
		Header:                 header,
		Options:                input.Options,
	}).SetBodyBytes(body))
}

// Defines reports whether the document defines a status of an operation, by itself, as part of a
// range, or by default.
func Defines(operation *openapi3.Operation, status int) bool {
	return operation.Responses.Status(status) != nil || operation.Responses.Default() != nil
}

func (v *Validator) input(req *http.Request) (*openapi3filter.RequestValidationInput, error) {
	route, parameters, err := v.router.FindRoute(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.EscapedPath(), err)
	}
	return &openapi3filter.RequestValidationInput{
		Request:    req,
		PathParams: parameters,
		Route:      route,
		Options: &openapi3filter.Options{
			MultiError:            true,
			IncludeResponseStatus: true,
			// Defaults would be written into the request.
			SkipSettingDefaults: true,
			AuthenticationFunc:  authenticated,
		},
	}, nil
}

// authenticated returns an error if a request has no credential. The document does not say which
// ones are valid.
func authenticated(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	scheme, credential, _ := strings.Cut(input.RequestValidationInput.Request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, input.SecurityScheme.Scheme) || strings.TrimSpace(credential) == "" {
		return input.NewError(errors.New("the Authorization header has no bearer token"))
	}
	return nil
}
