package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/ngrokapi/openapi/internal/tool"
)

// A repository is a small module in a temporary folder, under git.
type repository struct {
	t      *testing.T
	folder string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		unavailable(t, "git", err)
	}
	// What a person has configured is not for tests: signing, hooks, the name of the first branch.
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	r := repository{t, t.TempDir()}
	r.git("init", "--quiet")
	r.write("go.mod", "module new.test/lib\n\ngo 1.25.0\n")
	r.write("api/api.go", "package api\n\nfunc New() {}\n")
	r.write("api/ngroktest/server.go", "package ngroktest\n\nfunc NewServer() {}\n")
	return r
}

// unavailable skips a test that can't be run here, but not unseen: where CI is set, it fails.
func unavailable(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not to be had: %v", what, err)
	}
	t.Skipf("%s is not to be had: %v", what, err)
}

func (r repository) write(name, content string) {
	r.t.Helper()
	name = filepath.Join(r.folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) git(args ...string) {
	r.t.Helper()
	args = append([]string{"-c", "user.name=a", "-c", "user.email=a@b.test"}, args...)
	if _, err := git(r.t.Context(), r.folder, args...); err != nil {
		r.t.Fatal(err)
	}
}

// release commits everything and tags it.
func (r repository) release(version string) {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--allow-empty", "--message", version)
	r.git("tag", version)
}

// check runs the command.
func (r repository) check(run tool.Runner, version string) (code int, stdout, stderr string) {
	r.t.Helper()
	var out, failures bytes.Buffer
	c := command{root: r.folder, run: run, stdout: &out, stderr: &failures}
	code = c.main(r.t.Context(), []string{"-apidiff", "apidiff@v1", "-version", version})
	return code, out.String(), failures.String()
}

// reports is an apidiff that has a report for each package.
func reports(found map[string]string) tool.Runner {
	return func(_ context.Context, folder string, stdout io.Writer, args ...string) error {
		if args[0] != "run" || args[1] != "apidiff@v1" {
			return fmt.Errorf("the command is go %q", args)
		}
		path := args[len(args)-1]
		content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err != nil || !bytes.Contains(content, []byte("module new.test/lib\n")) {
			return fmt.Errorf("in %s there is %s", folder, content)
		}
		if args[2] == "-w" {
			return nil
		}
		_, err = io.WriteString(stdout, found[path])
		return err
	}
}

func TestCheck(t *testing.T) {
	added := reports(map[string]string{"new.test/lib/api/ngroktest": "Compatible changes:\n- B: added\n"})
	breaking := reports(map[string]string{"new.test/lib/api": "Incompatible changes:\n- A: removed\n"})
	for _, test := range []struct {
		name    string
		run     tool.Runner
		change  func(repository)
		version string
		code    int
		stdout  []string // in that order
		stderr  string
	}{
		{"nothing", reports(nil), nil, "", 0, []string{"last release: v1.2.0\n", "of api (apidiff):\n            nothing", "verdict: patch, v1.2.1"}, ""},
		{"added", added, nil, "", 0, []string{"of api/ngroktest (apidiff):\n            B: added", "verdict: minor, v1.3.0"}, ""},
		{"too small", added, nil, "v1.2.1", 1, []string{"verdict: minor"}, "too small for the changes since v1.2.0; the least is v1.3.0"},
		{"right", added, nil, "v1.3.0", 0, []string{"verdict: minor", "\nv1.3.0 will do\n"}, ""},
		{"breaking", breaking, nil, "v1.3.0", 1, []string{"  breaking  A: removed", "verdict: major, v2.0.0"}, "the least is v2.0.0"},
		{"not for this path", added, nil, "v2.0.0", 1, nil, "needs new.test/lib/v2"},
		{"no version", added, nil, "1.3", 1, nil, "form v1.2.3"},
		{"not committed", reports(nil), func(r repository) { r.write("README.md", "new") }, "v1.2.1", 0, []string{"v1.2.1 will do, once all is committed\n"}, ""},
		{"newer Go", reports(nil), func(r repository) { r.write("go.mod", "module new.test/lib\n\ngo 1.26\n") }, "v1.2.1", 1,
			[]string{"go.mod needs Go 1.26, and needed 1.25.0", "verdict: minor"}, "too small"},
		{"older Go", reports(nil), func(r repository) { r.write("go.mod", "module new.test/lib\n\ngo 1.24.0\n") }, "v1.2.1", 0, nil, ""},
		{"package removed", reports(nil), func(r repository) {
			if err := os.RemoveAll(filepath.Join(r.folder, "api", "ngroktest")); err != nil {
				t.Fatal(err)
			}
		}, "", 0, []string{"of api/ngroktest (apidiff):\n  breaking  package removed", "verdict: major"}, ""},
		{"another path", reports(nil), func(r repository) { r.write("go.mod", "module new.test/lib/v2\n\ngo 1.25.0\n") }, "v2.0.0", 0,
			[]string{"verdict: another module", "v2.0.0 will do"}, ""},
		{"a greater tag elsewhere", reports(nil), func(r repository) {
			r.git("checkout", "--quiet", "-b", "next")
			r.release("v1.9.0")
			r.git("checkout", "--quiet", "-")
		}, "v1.2.1", 0, []string{"last release: v1.2.0"}, ""},
		{"a tag that is no version", reports(nil), func(r repository) { r.release("v9"); r.release("newest") }, "v1.2.1", 0, []string{"last release: v1.2.0"}, ""},
		{"apidiff fails", func(context.Context, string, io.Writer, ...string) error { return io.ErrUnexpectedEOF }, nil, "", 1, nil,
			"compare package api with v1.2.0: unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			r.release("v1.0.0")
			r.release("v1.10.0-rc.1")
			r.git("tag", "--delete", "v1.10.0-rc.1")
			r.release("v1.2.0")
			if test.change != nil {
				test.change(r)
			}
			code, stdout, stderr := r.check(test.run, test.version)
			if code != test.code || !strings.Contains(stderr, test.stderr) || test.stderr == "" && stderr != "" {
				t.Errorf("got exit status %d and %q, want %d and %q", code, stderr, test.code, test.stderr)
			}
			rest := stdout
			for _, want := range test.stdout {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("%q is missing, or too early, in\n%s", want, stdout)
				}
				rest = after
			}
		})
	}
}

func TestCheckFirstRelease(t *testing.T) {
	r := newRepository(t)
	for _, when := range []string{"before the first commit", "before the first tag"} {
		code, stdout, stderr := r.check(reports(nil), "v0.1.0")
		if code != 0 || !strings.Contains(stdout, "no release yet") {
			t.Errorf("%s: got exit status %d, %s%s", when, code, stdout, stderr)
		}
		r.git("add", "--all")
		r.git("commit", "--quiet", "--allow-empty", "--message", when)
	}
	shallow := repository{t, filepath.Join(t.TempDir(), "shallow")}
	r.release("v0.1.0")
	r.release("v0.2.0")
	r.git("clone", "--quiet", "--depth", "1", "--no-local", r.folder, shallow.folder)
	if code, _, stderr := shallow.check(reports(nil), ""); code != 1 || !strings.Contains(stderr, "--unshallow") {
		t.Errorf("of a shallow clone: got exit status %d, %s", code, stderr)
	}
}

func TestCheckWithoutGit(t *testing.T) {
	r := newRepository(t)
	if err := os.RemoveAll(filepath.Join(r.folder, ".git")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(r.folder))
	if code, _, stderr := r.check(reports(nil), ""); code != 1 || !strings.Contains(stderr, "look for the last release: git ") {
		t.Errorf("without a repository: got exit status %d, %s", code, stderr)
	}
	t.Setenv("PATH", t.TempDir())
	if code, _, stderr := r.check(reports(nil), ""); code != 1 || !strings.Contains(stderr, "install it") {
		t.Errorf("without git: got exit status %d, %s", code, stderr)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-h"}, 0, "PACKAGE@VERSION"},
		{nil, 2, "-apidiff is missing"},
		{[]string{"-x"}, 2, "not defined"},
		{[]string{"-apidiff", "a@v1", "v1.2.3"}, 2, "unexpected argument"},
	} {
		var stdout, stderr bytes.Buffer
		c := command{root: t.TempDir(), stdout: &stdout, stderr: &stderr}
		if code := c.main(t.Context(), test.args); code != test.code || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%q: got exit status %d, %s", test.args, code, &stderr)
		}
	}
}

// The apidiff that the Makefile names finds what a report above claims.
func TestCheckWithApidiff(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles apidiff")
	}
	makefile, err := os.ReadFile(filepath.Join("..", "..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^APIDIFF := (\S+@v\S+)\r?$`).FindSubmatch(makefile)
	if match == nil {
		t.Fatal("the Makefile does not pin APIDIFF")
	}
	apidiff := string(match[1])
	t.Setenv("GOBIN", t.TempDir())
	t.Setenv("GOTOOLCHAIN", "auto") // it can need a newer Go than this module
	if err := tool.GoCommand(t.Context(), ".", io.Discard, "install", apidiff); err != nil {
		unavailable(t, "apidiff", err)
	}
	r := newRepository(t)
	r.release("v1.2.0")
	run := func(ctx context.Context, folder string, stdout io.Writer, args ...string) error {
		args[1] = apidiff
		return tool.GoCommand(ctx, folder, stdout, args...)
	}
	r.write("api/api.go", "package api\n\nfunc New() {}\n\nfunc Newer() {}\n")
	r.write("api/ngroktest/server.go", "package ngroktest\n\nimport \"new.test/lib/api\"\n\nfunc NewServer() { api.Newer() }\n")
	if code, stdout, stderr := r.check(run, "v1.2.1"); code != 1 || !strings.Contains(stdout, "            Newer: added\n") {
		t.Errorf("got exit status %d, %s%s", code, stdout, stderr)
	}
	r.write("api/ngroktest/server.go", "package ngroktest\n\nfunc NewServer(int) {}\n")
	if code, stdout, stderr := r.check(run, "v1.3.0"); code != 1 || !strings.Contains(stdout, "  breaking  NewServer: changed") {
		t.Errorf("got exit status %d, %s%s", code, stdout, stderr)
	}
}
