package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the go command says of two programs, and a client that adds so many bytes to a floor of 1000.
func fakeGo(t *testing.T, added int) runner {
	return func(_ context.Context, folder string, env []string, args ...string) (string, error) {
		client := filepath.Base(folder) == "client"
		write := func(name, content string) {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
				t.Error(err)
			}
		}
		switch command := strings.Join(args, " "); {
		case strings.HasPrefix(command, "list -m"):
			return "example.com/ngrokapi\n/somewhere\n1.25.0\n", nil
		case command == "mod tidy":
			if client {
				write("go.sum", "a v1 h1:x\na v1/go.mod h1:y\n")
			}
		case strings.HasPrefix(command, "list -deps"):
			if client {
				return "true fmt \ntrue net \nfalse a/x a false\nfalse a/y a false\nfalse weight weight true\n", nil
			}
			return "true fmt \nfalse weight weight true\n", nil
		case strings.HasPrefix(command, "build"):
			if !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "GOCACHE="+filepath.Dir(folder)) }) {
				t.Errorf("it builds with the environment %q, and so perhaps not all", env)
			}
			size := 1000
			if client {
				size += added
			}
			write(args[slices.Index(args, "-o")+1], strings.Repeat("x", size))
		default:
			t.Errorf("it ran go %s", command)
		}
		return "", nil
	}
}

func TestReport(t *testing.T) {
	for name, test := range map[string]struct {
		added int
		want  string
	}{
		"light": {30, "bytes of the binary 1000 1030 +30 (+3.0 %) ≤ +3 %, met"},
		"heavy": {31, "bytes of the binary 1000 1031 +31 (+3.1 %) ≤ +3 %, missed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			var stdout bytes.Buffer
			if err := run(t.Context(), fakeGo(t, test.added), &stdout); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(strings.Fields(stdout.String()), " ")
			for _, want := range []string{
				test.want,
				"modules beyond the standard library 0 1 +1 ≤ 5, met",
				"lines in go.sum 0 2 +2",
				"packages beyond the standard library 0 2 +2",
				"packages of the standard library 1 2 +1",
				"compile time, nothing cached",
				"The modules are a and the packages a/x a/y",
			} {
				if !strings.Contains(got, want) {
					t.Errorf("it does not print %q:\n%s", want, &stdout)
				}
			}
			if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
				t.Errorf("it left %v, %v", left, err)
			}
		})
	}
}

func TestFailure(t *testing.T) {
	for _, failing := range []string{"list -m", "mod tidy", "list -deps", "build"} {
		t.Run(failing, func(t *testing.T) {
			failed := errors.New("failed on purpose")
			works := fakeGo(t, 0)
			err := run(t.Context(), func(ctx context.Context, folder string, env []string, args ...string) (string, error) {
				if strings.HasPrefix(strings.Join(args, " "), failing) {
					return "", failed
				}
				return works(ctx, folder, env, args...)
			}, &bytes.Buffer{})
			if !errors.Is(err, failed) {
				t.Errorf("got %v, want the failure of go %s", err, failing)
			}
		})
	}
	_, err := goCommand(t.Context(), "", nil, "nonsense")
	if err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("got %v, want what the go command said", err)
	}
}

func TestProgramsCompile(t *testing.T) {
	for _, name := range []string{"floor", "client"} {
		text, err := programs.ReadFile("programs/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := goCommand(t.Context(), "", nil, "vet", file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThisModule(t *testing.T) {
	got, err := thisModule(t.Context(), goCommand)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(got.folder, "go.mod")); err != nil || got.path == "" || got.goVersion == "" {
		t.Errorf("got %+v, %v", got, err)
	}
}
