package consumer

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// root is the folder of this module.
var root = filepath.Join("..", "..", "..")

// An outside is a module in a temporary folder that requires this one, as it is now.
type outside struct {
	folder, module, goVersion string
	environ                   []string
}

// newOutside returns a module with the given files, by their paths with slashes.
func newOutside(t *testing.T, files map[string]string) outside {
	t.Helper()
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	content := readFile(t, filepath.Join(root, "go.mod"))
	parsed, err := modfile.ParseLax("go.mod", []byte(content), nil)
	if err != nil {
		t.Fatal(err)
	}
	o := outside{folder: t.TempDir(), module: parsed.Module.Mod.Path, goVersion: parsed.Go.Version}
	all := maps.Clone(files)
	version := "v0.0.0"
	if _, major, _ := module.SplitPathVersion(o.module); major != "" {
		version = module.PathMajorPrefix(major) + ".0.0"
	}
	all["go.mod"] = fmt.Sprintf("module outside.test\n\ngo %s\n\nrequire %s %s\n\nreplace %[2]s => %[4]q\n",
		o.goVersion, o.module, version, absolute)
	// What a user's go get would fetch and check.
	all["go.sum"] = readFile(t, filepath.Join(root, "go.sum"))
	for name, content := range all {
		name = filepath.Join(o.folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// GOROOT is that of the go command which runs the tests, not of another.
	o.environ = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOROOT=")
	return o
}

// goCommand runs the go command in the module and returns what it prints.
func (o outside) goCommand(ctx context.Context, args ...string) (string, error) {
	return output(ctx, o.folder, o.environ, "go", args...)
}

// output runs a command and returns what it prints, without what the go command says of its downloads: whether there
// are any depends on the machine.
func output(ctx context.Context, folder string, environ []string, name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, environ, &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, &out)
	}
	var kept strings.Builder
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "go: downloading ") {
			kept.WriteString(line)
		}
	}
	return kept.String(), nil
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
