// Package ngrokapi is the root of the module; it has no code of its own. Programs import
// [example.com/ngrokapi/api].
//
// Go generate writes api/client.gen.go, which is committed and never edited. Run it after a change
// to openapi/ngrok.yaml, openapi/overlay.yaml, openapi/imports.tmpl or oapi-codegen.yaml. All parts
// of the module are listed in .github/CONTRIBUTING.md.
package ngrokapi

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi/ngrok.yaml
