package openapi_test

import (
	"testing"

	"example.com/ngrokapi/openapi"
)

func TestLoadReturnsNewDocuments(t *testing.T) {
	first, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	first.Components.Schemas["TunnelSession"].Value.Properties = nil
	second, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Components.Schemas["TunnelSession"].Value.Properties) == 0 {
		t.Error("a change to one document shows in another")
	}
}

func TestParse(t *testing.T) {
	const head = `{"openapi":"3.0.0","info":{"title":"t","version":"1"},"paths":`
	for _, test := range []struct {
		name, data string
		want       string // in the error; empty for none
	}{
		{"JSON", head + `{}}`, ""},
		{"not a document", `<html>`, "load openapi document"},
		{"no paths", `{"openapi":"3.0.0","info":{"title":"t","version":"1"}}`, "paths"},
		{"reference to nothing", head + `{"/x":{"get":{"responses":{"200":{"$ref":"#/components/responses/X"}}}}}}`, "responses/X"},
		{"reference to elsewhere", head + `{"/x":{"get":{"responses":{"200":{"$ref":"http://127.0.0.1:1/x"}}}}}}`, "external"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := openapi.Parse([]byte(test.data))
			check(t, err, test.want)
		})
	}
}
