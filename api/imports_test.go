package api_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// An importer of the package compiles packages of only these modules. Each one can break, and
// somebody has to review it. Large packages of the standard library are not compiled either.
func TestImports(t *testing.T) {
	want := []string{
		"github.com/apapsch/go-jsonmerge/v2",
		"github.com/google/uuid",
		"github.com/oapi-codegen/runtime",
	}
	const format = `{{if eq .ImportPath "testing" "regexp" "html"}}{{.ImportPath}}
		{{- else if and .Module (not .Module.Main)}}{{.Module.Path}}{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", format, ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("importers compile %q, want %q", got, want)
	}
}
