package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	// Git must see the repositories of the tests, and no settings but theirs.
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} {
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	_ = os.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	os.Exit(m.Run())
}

const header = `# A header.
#
# Source:     https://example.com/upstream.yaml
# Retrieved:  2025-08
# SHA-256:    0
# Operations: TunnelSessionsGet
`

// repository is a module in a git repository of its own, with a fake go command.
type repository struct {
	command
	output  bytes.Buffer
	scratch string // for upstream's document

	changelog, exports string // what oasdiff and apidiff print
	fails, failure     string // the step that fails, and more of its error
	steps              []string
	interrupted        bool // whether that step is interrupted
	interrupt          context.CancelFunc
}

// newRepository returns a repository that holds the fragment of testdata/upstream.yaml.
func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{changelog: "[]", scratch: t.TempDir()}
	r.command = command{root: t.TempDir(), source: newSource(), today: "2026-11-22", run: r.runFake, stdout: &r.output}
	write(t, r.path(fragmentFile), header+read(t, "testdata/fragment.yaml"))
	write(t, r.path(clientFile), "package api // for "+read(t, r.path(fragmentFile)))
	r.git(t, "init", "--quiet")
	r.git(t, "add", "--all")
	r.git(t, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "test")
	return r
}

func (r *repository) path(name string) string { return filepath.Join(r.root, filepath.FromSlash(name)) }

func (r *repository) git(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := runProgram(t.Context(), r.root, &out, "git", args...); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// changed returns the names of the files that are not as they are committed.
func (r *repository) changed(t *testing.T) string {
	t.Helper()
	return strings.Join(strings.Fields(r.git(t, "diff", "--name-only", "HEAD")+r.git(t, "ls-files", "--others")), " ")
}

// follow updates the repository to the upstream document.
func (r *repository) follow(t *testing.T, upstream string, o options) error {
	t.Helper()
	r.output.Reset()
	o.upstream = filepath.Join(r.scratch, "upstream")
	write(t, o.upstream, upstream)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.interrupt = cancel
	return r.update(ctx, o)
}

// runFake runs git, and stands for the go command and the programs that that runs. The client that it generates quotes
// the fragment.
func (r *repository) runFake(ctx context.Context, folder string, stdout io.Writer, program string, args ...string) error {
	if program == "git" {
		return runProgram(ctx, folder, stdout, program, args...)
	}
	step := args[0]
	var err error
	switch line := strings.Join(args, " "); {
	case step == "generate":
		var fragment []byte
		if fragment, err = os.ReadFile(r.path(fragmentFile)); err == nil {
			err = os.WriteFile(r.path(clientFile), append([]byte("package api // for "), fragment...), 0o600)
		}
	case step == "test":
		_, err = io.WriteString(stdout, "ok "+line+"\n")
	case strings.HasPrefix(line, "run oasdiff@v1 changelog --format json --flatten-allof "):
		step = "oasdiff"
		_, err = io.WriteString(stdout, r.changelog)
		if same(args[6], r.path(fragmentFile)) || args[7] != fragmentFile {
			err = errors.New("oasdiff must compare HEAD with the work tree")
		}
	case strings.HasPrefix(line, "run apidiff@v1 -w "):
		step = "apidiff -w"
		if err = os.WriteFile(args[3], nil, 0o600); same(filepath.Join(folder, clientFile), r.path(clientFile)) {
			err = errors.New("apidiff -w must look at HEAD")
		}
	case strings.HasPrefix(line, "run apidiff@v1 "):
		step = "apidiff"
		if _, err = os.Stat(args[2]); err == nil {
			_, err = io.WriteString(stdout, r.exports)
		}
	}
	r.steps = append(r.steps, step)
	if step == r.fails {
		if r.interrupted {
			r.interrupt()
		}
		return errors.New(step + " failed" + r.failure)
	}
	return err
}

func same(a, b string) bool {
	first, _ := os.ReadFile(a)
	second, _ := os.ReadFile(b)
	return first == nil || bytes.Equal(first, second)
}

// withReport are the options with which an update goes on to the verdict.
var withReport = options{oasdiff: "oasdiff@v1", apidiff: "apidiff@v1"}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// replace returns text with the only occurrence of before replaced.
func replace(t *testing.T, text, before, after string) string {
	t.Helper()
	if strings.Count(text, before) != 1 {
		t.Fatalf("the text has %q %d times", before, strings.Count(text, before))
	}
	return strings.Replace(text, before, after, 1)
}

// asJSON returns a YAML document as JSON, with sorted keys.
func asJSON(t *testing.T, document string) string {
	t.Helper()
	content, err := parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(content, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
