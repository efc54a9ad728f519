package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// Departures returns each point in which a response to a request departs from the document, in the order of the
// fields: what violates it, and in a JSON body also fields that the document does not have and those that the body
// does not have, which are no violations.
func (v *Validator) Departures(req *http.Request, status int, header http.Header, body []byte) []string {
	var points []string
	for _, violation := range violations(v.Response(req, status, header, body)) {
		points = append(points, "violation: "+violation.Error())
	}
	route, err := v.Route(req)
	if err != nil {
		return points
	}
	response := route.Operation.Responses.Status(status)
	if response == nil || response.Value == nil {
		return points
	}
	var value any
	if media := response.Value.Content.Get(header.Get("Content-Type")); media != nil && json.Unmarshal(body, &value) == nil {
		points = append(points, fieldDepartures("", media.Schema, value)...)
	}
	return points
}

// violations returns the errors that err stands for. Those of a schema name their field.
func violations(err error) []error {
	var several openapi3.MultiError
	if errors.As(err, &several) && len(several) > 0 {
		return several
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func fieldDepartures(at string, schema *openapi3.SchemaRef, value any) []string {
	if schema == nil || schema.Value == nil {
		return nil
	}
	var points []string
	switch value := value.(type) {
	case map[string]any:
		properties := schema.Value.Properties
		names := maps.Clone(value)
		for name := range properties {
			names[name] = nil
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			field := at + "/" + name
			item, present := value[name]
			property, known := properties[name]
			switch {
			case !known && schema.Value.AdditionalProperties.Schema != nil:
				points = append(points, fieldDepartures(field, schema.Value.AdditionalProperties.Schema, item)...)
			case !known:
				points = append(points, fmt.Sprintf("unknown field: %s, which is %s", field, kind(item)))
			case !present:
				points = append(points, "missing field: "+field)
			default:
				points = append(points, fieldDepartures(field, property, item)...)
			}
		}
	case []any:
		for i, item := range value {
			points = append(points, fieldDepartures(at+"/"+strconv.Itoa(i), schema.Value.Items, item)...)
		}
	}
	return points
}

// kind names the type of a JSON value without showing it.
func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	}
	return "an object"
}
