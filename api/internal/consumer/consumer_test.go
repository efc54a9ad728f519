// Package consumer looks at the module as its users do: from another module, with their Go, and through the README.
package consumer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newest is the newest Go that the module is known to work with.
const newest = "go1.27.2"

// Callers compile, with the oldest Go that go.mod allows as with the newest, and compile no more than they need.
func TestCallers(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the standard library for other versions of Go")
	}
	files := make(map[string]string)
	for _, name := range []string{"generated/generated.go", "wrapper/wrapper.go"} {
		files[name] = readFile(t, filepath.Join("testdata", filepath.FromSlash(name)))
	}
	oldest := "go" + newOutside(t, files).goVersion
	for _, toolchain := range []string{oldest, newest} {
		t.Run(toolchain, func(t *testing.T) {
			o := newOutside(t, files)
			o.environ = append(o.environ, "GOTOOLCHAIN="+toolchain)
			version, err := o.goCommand(t.Context(), "env", "GOVERSION")
			if err != nil {
				unavailable(t, toolchain, err)
			}
			if strings.TrimSpace(version) != toolchain {
				t.Fatalf("it is %s, want %s", version, toolchain)
			}
			if _, err := o.goCommand(t.Context(), "build", "./..."); err != nil {
				t.Fatal(err)
			}
			packages, err := o.goCommand(t.Context(), "list", "-deps", "./...")
			if err != nil {
				t.Fatal(err)
			}
			for path := range strings.FieldsSeq(packages) {
				if isUnwanted(path) {
					t.Errorf("callers compile %s", path)
				}
			}
			if !strings.Contains(packages, o.module+"/api\n") {
				t.Errorf("callers compile %s", packages)
			}
		})
	}
}

// isUnwanted reports whether a package is for tests or for generating the client: no caller needs it.
func isUnwanted(path string) bool {
	for _, part := range []string{"kin-openapi", "oapi-codegen/", "speakeasy", "golang.org/x/tools", "golang.org/x/mod", "go.yaml.in"} {
		if strings.Contains(path, part) && !strings.HasPrefix(path, "github.com/oapi-codegen/runtime") {
			return true
		}
	}
	return path == "testing"
}

// unavailable skips a test that can't be run here, but not unseen: where CI is set, it fails.
func unavailable(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not to be had: %v", what, err)
	}
	t.Skipf("%s is not to be had: %v", what, err)
}
