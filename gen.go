// Package ngrokapi is the root of the module; it has no code of its own. Programs import
// [example.com/ngrokapi/api].
//
// How the client is made:
//
//   - openapi/ngrok.yaml is the fragment of ngrok's OpenAPI document that the client covers.
//   - openapi/overlay.yaml has our changes to it before generation.
//   - oapi-codegen.yaml configures the generator, oapi-codegen, whose version is in go.mod.
//     openapi/imports.tmpl is the head of the file that it writes.
//   - api/client.gen.go is that file. It is committed and never edited.
//   - The rest of api is written by hand. It adds authentication, retries, limits and response
//     checks to every operation.
//   - api/ngroktest is a fake of the API for tests, and api/examples has programs that use the
//     client. api/internal/fake is the part of the fake that an example runs with.
//   - client_test.go tests the contract of the public API against openapi/ngrok.yaml.
//   - .ci/update follows ngrok's document, with openapi/cut.
//
// Run go generate after a change to any of the first three.
package ngrokapi

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi/ngrok.yaml
