package api_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What an importer of the package compiles beyond the standard library. Another one is another thing that can break,
// and that somebody has to review.
var dependencies = []string{
	"github.com/apapsch/go-jsonmerge/v2",
	"github.com/cenkalti/backoff/v5",
	"github.com/google/uuid",
	"github.com/oapi-codegen/runtime",
	"github.com/oapi-codegen/runtime/types",
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if .Standard}}{{.ImportPath}}{{else}}{{.ImportPath}} {{.Module.Main}}{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		path, main, ok := strings.Cut(strings.TrimSpace(line), " ")
		if path == "testing" {
			t.Error("importers compile the package testing")
		}
		if ok && main == "false" {
			got = append(got, path)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, dependencies) {
		t.Errorf("importers compile\n%q, want\n%q", got, dependencies)
	}
}
