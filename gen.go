// Package ngrokapi is the root of the module; it has no code of its own. Programs import
// [example.com/ngrokapi/api].
//
// How the client is made:
//
//   - openapi/ngrok.yaml is the part of ngrok's OpenAPI document that the client covers, as ngrok has it.
//   - openapi/overlay.yaml says what is changed in it before generation.
//   - oapi-codegen.yaml configures the generator, oapi-codegen, which go.mod pins as a tool; openapi/imports.tmpl is the
//     head of the file that it writes.
//   - api/client.gen.go is that file. It is committed and never edited.
//   - The rest of api is written by hand: it authenticates requests and makes calls safe, for every operation alike.
//   - api/ngroktest is a fake of the API for tests, and api/examples has a program that uses the client. Both are made
//     of api/internal/fake.
//   - client_test.go holds the contract of the public API, checked against openapi/ngrok.yaml.
//   - openapi/update follows ngrok's document.
//
// Regenerate with go generate, after a change to any of the first three.
package ngrokapi

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi/ngrok.yaml
