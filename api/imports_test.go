package api_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What an importer of the package compiles beyond the standard library, and the modules that it is from. Another one
// is another thing that can break, and that somebody has to review.
var dependencies = []string{
	"github.com/apapsch/go-jsonmerge/v2 of github.com/apapsch/go-jsonmerge/v2",
	"github.com/google/uuid of github.com/google/uuid",
	"github.com/oapi-codegen/runtime of github.com/oapi-codegen/runtime",
	"github.com/oapi-codegen/runtime/types of github.com/oapi-codegen/runtime",
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f",
		`{{if eq .ImportPath "testing" "regexp" "html"}}{{.ImportPath}} is large{{else if and .Module (not .Module.Main)}}{{.ImportPath}} of {{.Module.Path}}{{end}}`, ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	if !slices.Equal(got, dependencies) {
		t.Errorf("importers compile\n%q, want\n%q", got, dependencies)
	}
}
