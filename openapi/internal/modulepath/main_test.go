package main

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/ngrokapi/openapi/internal/tool"
)

var library = map[string]string{
	"go.mod":           "module old.test/lib\n\ngo 1.25.0\n",
	"README.md":        "Import `old.test/lib/api`, not old.test/library.\n",
	".ci/run":          "go list old.test/lib/...\n",
	".git/config":      "url = https://old.test/lib\n",
	"api/api.go":       "package api\n",
	"api/a_test.go":    "package api_test\n\nimport _ \"old.test/lib/api\"\n",
	"testdata/picture": "\x00old.test/lib",
}

func TestRenameModule(t *testing.T) {
	root := folder(t, library)
	want := maps.Clone(library)
	want["go.mod"] = "module new.test/lib\n\ngo 1.25.0\n"
	want["README.md"] = "Import `new.test/lib/api`, not old.test/library.\n"
	want[".ci/run"] = "go list new.test/lib/...\n"
	want["api/a_test.go"] = "package api_test\n\nimport _ \"new.test/lib/api\"\n"

	var stdout, stderr bytes.Buffer
	if code := run(root, []string{"new.test/lib"}, &stdout, &stderr); code != 0 {
		t.Fatalf("got exit status %d: %s", code, &stderr)
	}
	if got, want := stdout.String(), "the module path was old.test/lib and is new.test/lib: 4 files changed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	wantFiles(t, root, want)

	stdout.Reset()
	if code := run(root, []string{"new.test/lib"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "already") {
		t.Errorf("a second time: got exit status %d, %s", code, &stdout)
	}
	if code := run(root, []string{"old.test/lib"}, &stdout, &stderr); code != 0 {
		t.Errorf("back again: got exit status %d: %s", code, &stderr)
	}
	wantFiles(t, root, library)
}

func TestMisuseChangesNothing(t *testing.T) {
	root := folder(t, library)
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "usage: "},
		{[]string{""}, 2, "usage: "},
		{[]string{"a.test/b", "c.test/d"}, 2, "usage: "},
		{[]string{"lib"}, 1, "modulepath: check the new module path: "},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(root, test.args, &stdout, &stderr); code != test.code || !strings.HasPrefix(stderr.String(), test.want) {
			t.Errorf("%q: got exit status %d, %s", test.args, code, &stderr)
		}
	}
	wantFiles(t, root, library)
}

func TestFailureBringsEveryFileBack(t *testing.T) {
	root := folder(t, library)
	full := errors.New("no space left")
	for left := range 4 {
		write := func(name string, content []byte) error {
			if left--; left < 0 {
				return full
			}
			return tool.ReplaceFile(name, content)
		}
		_, err := renameModule(root, "new.test/lib", write)
		if !errors.Is(err, full) || !strings.Contains(err.Error(), "every file is as it was") {
			t.Errorf("got %v", err)
		}
		wantFiles(t, root, library)
	}
}

// The module itself, under another path, compiles, is formatted, and passes the tests of its main package.
func TestRenameThisModule(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles and tests a copy of the module")
	}
	const to = "git.example.org/you/ngrokapi"
	root := copyModule(t)
	now, err := currentPath(root)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := run(root, []string{to}, t.Output(), &stderr); code != 0 {
		t.Fatalf("got exit status %d: %s", code, &stderr)
	}
	if got := goCommand(t, root, "list", "-m"); strings.TrimSpace(got) != to {
		t.Errorf("the module path is %q", got)
	}
	for name, content := range files(t, root) {
		if now.path != to && replacePath(content, now.path, to) != content {
			t.Errorf("%s has the former path", name)
		}
	}
	goCommand(t, root, "build", "./...")
	goCommand(t, root, "vet", "./...")
	goCommand(t, root, "test", "-short", "./api")
	gofmt := exec.Command("gofmt", "-l", ".")
	gofmt.Dir = root
	if got, err := gofmt.CombinedOutput(); err != nil || len(got) > 0 {
		t.Errorf("gofmt: %v\n%s", err, got)
	}
}

func goCommand(t *testing.T, root string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func copyModule(t *testing.T) string {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	copied := make(map[string]string)
	for name, content := range files(t, root) {
		if !strings.HasPrefix(name, ".git/") {
			copied[name] = content
		}
	}
	return folder(t, copied)
}

// folder returns a temporary folder with files in it, by their paths with slashes.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// files returns the content of the files below root, by their paths with slashes.
func files(t *testing.T, root string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantFiles(t *testing.T, root string, want map[string]string) {
	t.Helper()
	got := files(t, root)
	if maps.Equal(got, want) {
		return
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there", name)
		}
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %q, want %q", name, got[name], want[name])
		}
	}
}
