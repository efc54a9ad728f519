package consumer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Every Go snippet of the README compiles outside of this module, and its tests pass.
func TestReadmeSnippets(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the README's snippets")
	}
	readme := readFile(t, filepath.Join(root, "README.md"))
	packages := importable(t)
	files := make(map[string]string)
	var tests []string
	for _, each := range blocks(readme) {
		if each.language != "go" {
			continue
		}
		content, err := complete(each, "README.md", packages)
		if err != nil {
			t.Errorf("%v; the snippet in line %d is neither a file, nor declarations, nor statements", err, each.line)
			continue
		}
		folder := fmt.Sprintf("line%d", each.line)
		if regexp.MustCompile(`(?m)^func (Test|Example)\w*\(`).MatchString(each.text) {
			tests = append(tests, "./"+folder)
		}
		files[folder+"/snippet_test.go"] = content
	}
	if len(files) == 0 {
		t.Fatal("the README has no Go snippet")
	}
	o := newOutside(t, files)
	// A call that ends before the snippet does is followed by what uses its variables.
	if _, err := o.goCommand(t.Context(), "vet", "-unreachable=false", "./..."); err != nil {
		t.Error(err)
	}
	if len(tests) > 0 {
		if _, err := o.goCommand(t.Context(), append([]string{"test"}, tests...)...); err != nil {
			t.Error(err)
		}
	}
}

// importable returns the import paths of the standard library and of this module by the packages' names.
func importable(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, pattern := range []string{"std", "./..."} {
		list, err := output(t.Context(), root, os.Environ(), "go", "list", "-e", pattern)
		if err != nil {
			t.Fatal(err)
		}
		for importPath := range strings.FieldsSeq(list) {
			name := path.Base(importPath)
			if slices.Contains(strings.Split(importPath, "/"), "internal") || strings.HasPrefix(importPath, "vendor/") {
				continue
			}
			// Of two with the same name, such as the two named rand, a snippet has to import the one that it means.
			if _, ambiguous := found[name]; ambiguous {
				found[name] = ""
				continue
			}
			found[name] = importPath
		}
	}
	for name, importPath := range found {
		if importPath == "" {
			delete(found, name)
		}
	}
	return found
}

// Every target and variable of make in the README and in the guide for contributors is in the Makefile, and every
// folder that a go command names is there.
func TestReadmeCommands(t *testing.T) {
	makefile := readFile(t, filepath.Join(root, "Makefile"))
	for _, name := range []string{"README.md", filepath.Join(".github", "CONTRIBUTING.md")} {
		commands := shellCommands(readFile(t, filepath.Join(root, name)))
		if len(commands) == 0 {
			t.Errorf("%s has no command", name)
		}
		for _, each := range commands {
			if err := check(each, makefile); err != nil {
				t.Errorf("%s: %s: %v", name, each, err)
			}
		}
	}
}

func check(c shellCommand, makefile string) error {
	if len(c.words) == 0 {
		return nil
	}
	switch c.words[0] {
	case "make":
		for _, word := range c.words[1:] {
			if name, _, isVariable := strings.Cut(word, "="); isVariable {
				if !regexp.MustCompile(`\$\(` + regexp.QuoteMeta(name) + `\)|\$\(if \$\(` + regexp.QuoteMeta(name) + `\)`).MatchString(makefile) {
					return fmt.Errorf("the Makefile uses no variable %s", name)
				}
			} else if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(word) + `:`).MatchString(makefile) {
				return fmt.Errorf("the Makefile has no target %s", word)
			}
		}
	case "go":
		for _, word := range c.words[1:] {
			folder, isFolder := strings.CutPrefix(word, "./")
			if !isFolder {
				continue
			}
			folder = strings.TrimSuffix(strings.TrimSuffix(folder, "..."), "/")
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(folder))); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestCheck(t *testing.T) {
	const makefile = "run:\n\tgo run . $(ID) $(if $(JSON),-json)\nmodule-path:\n"
	for _, test := range []struct {
		command string
		good    bool
	}{
		{"make", true}, {"make run", true}, {"make run ID=1 JSON=1", true}, {"make module-path", true},
		{"make module", false}, {"make path", false}, {"make run NAME=1", false}, {"make run walk", false},
		{"go run ./api/ngroktest", true}, {"go vet ./...", true}, {"go vet ./api/...", true}, {"go test -v .", true}, {"go run ./nowhere", false},
		{"git tag v1.2.3", true},
	} {
		if err := check(parseCommand(test.command), makefile); (err == nil) != test.good {
			t.Errorf("%s: got %v", test.command, err)
		}
	}
}

// What the README shows and needs no key, no network and no long time does what it shows.
func TestReadmeCommandsRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the README's commands")
	}
	var environ []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "NGROK_") && !strings.HasPrefix(variable, "MAKE") && !strings.HasPrefix(variable, "MFLAGS=") {
			environ = append(environ, variable)
		}
	}
	ran := 0
	for _, each := range shellCommands(readFile(t, filepath.Join(root, "README.md"))) {
		if !isOffline(each) {
			continue
		}
		t.Run(each.String(), func(t *testing.T) {
			if each.words[0] == "make" {
				if runtime.GOOS == "windows" {
					t.Skip("Windows has no make of its own")
				}
				if _, err := exec.LookPath("make"); err != nil {
					unavailable(t, "make", err)
				}
			}
			got, err := output(t.Context(), root, environ, each.words[0], each.words[1:]...)
			if err != nil {
				t.Fatal(err)
			}
			if missing, ok := shows(got, each.output); !ok {
				t.Errorf("it does not print %q, or earlier; it prints\n%s", missing, got)
			}
		})
		ran++
	}
	if ran == 0 {
		t.Error("the README has no command that can be run")
	}
}

var offline = regexp.MustCompile(`^(make( (help|run)( .*)?)?|go run \./api/examples/.*|go doc .*)$`)

// isOffline reports whether a command can be run by a test.
func isOffline(c shellCommand) bool {
	line := strings.Join(c.words, " ")
	if len(c.environ) > 0 || strings.Contains(line, "…") {
		return false
	}
	return offline.MatchString(line)
}

// shows reports whether output has the lines that are shown, in their order. It returns the first one that it lacks.
// Where a line shows "…", there can be anything.
func shows(output string, shown []string) (missing string, ok bool) {
	var lines []string
	for line := range bytes.Lines([]byte(output)) {
		lines = append(lines, strings.TrimSpace(string(line)))
	}
	for _, want := range shown {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", ".*") + "$")
		at := slices.IndexFunc(lines, pattern.MatchString)
		if at < 0 && want != "" && want != "…" {
			return want, false
		}
		lines = lines[at+1:]
	}
	return "", true
}

func TestShows(t *testing.T) {
	const output = "one 1\r\n\n  two 2\nthree\n"
	for _, test := range []struct {
		shown   []string
		missing string
	}{
		{nil, ""},
		{[]string{"one 1", "", "two 2"}, ""},
		{[]string{"one …", "…", "three"}, ""},
		{[]string{"two 2", "one 1"}, "one 1"},
		{[]string{"one"}, "one"},
		{[]string{"three", "three"}, "three"},
	} {
		if missing, ok := shows(output, test.shown); missing != test.missing || ok != (test.missing == "") {
			t.Errorf("%q: got %q, %t", test.shown, missing, ok)
		}
	}
}

func TestIsOffline(t *testing.T) {
	for _, test := range []struct {
		command string
		want    bool
	}{
		{"make run", true}, {"make run JSON=1", true}, {"make", true}, {"make help", true},
		{"go run ./api/examples/tunnelsession", true}, {"go run ./api/examples/tunnelsession -json", true}, {"go doc ./api", true},
		{"make run ID=ts_…", false}, {"NGROK_API_KEY=1 make run", false}, {"make runner", false}, {"make test", false},
		{"go test ./...", false}, {"go run ./openapi/update", false},
	} {
		if got := isOffline(parseCommand(test.command)); got != test.want {
			t.Errorf("%s: got %t", test.command, got)
		}
	}
}
