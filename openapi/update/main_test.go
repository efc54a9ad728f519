package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trial is one module in a temporary folder, and the command to run on it.
type trial struct {
	command
	folder         string
	stdout, stderr bytes.Buffer
}

// newTrial returns a trial on the smallest module that the command works on: a vendored fragment and a client. It
// has no go command.
func newTrial(t *testing.T) *trial {
	t.Helper()
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "openapi", "ngrok.yaml"), testdata(t, "vendored.yaml"))
	writeFile(t, filepath.Join(folder, "api", "client.gen.go"), "package api\n")
	return newTrialIn(t, folder)
}

func newTrialIn(t *testing.T, folder string) *trial {
	t.Helper()
	tr := &trial{folder: folder}
	tr.command = command{
		updater: updater{root: folder, source: newSource(), today: func() string { return "2026-11-22" }},
		run: func(_ context.Context, _ string, _ io.Writer, args ...string) error {
			t.Errorf("the command ran go %s", strings.Join(args, " "))
			return nil
		},
		stdout: &tr.stdout,
		stderr: &tr.stderr,
	}
	return tr
}

// update runs the command on an upstream document.
func (tr *trial) update(t *testing.T, upstream string, args ...string) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "upstream")
	writeFile(t, file, upstream)
	return tr.main(t.Context(), append([]string{"-upstream", file}, args...))
}

// vendored returns what the vendored fragment is now.
func (tr *trial) vendored(t *testing.T) string {
	t.Helper()
	return readFile(t, filepath.Join(tr.folder, "openapi", "ngrok.yaml"))
}

// files returns the content of every file of the module.
func (tr *trial) files(t *testing.T) map[string]string {
	t.Helper()
	content := make(map[string]string)
	err := filepath.WalkDir(tr.folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			content[name] = readFile(t, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// wantSame fails the test if any file of the module is not what it was before.
func (tr *trial) wantSame(t *testing.T, before map[string]string) {
	t.Helper()
	if after := tr.files(t); !maps.Equal(before, after) {
		t.Errorf("the module's files changed:\nbefore %q\nafter  %q", before, after)
	}
}

func (tr *trial) wantStatus(t *testing.T, got, want int) {
	t.Helper()
	if got != want {
		t.Fatalf("the exit status is %d, want %d\nstdout: %s\nstderr: %s", got, want, &tr.stdout, &tr.stderr)
	}
}

// testdata returns a file of testdata with the line ends that the repository has.
func testdata(t *testing.T, name string) string {
	t.Helper()
	return strings.ReplaceAll(readFile(t, filepath.Join("testdata", name)), "\r\n", "\n")
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func writeFile(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replace returns text with from, which it must hold once, replaced.
func replace(t *testing.T, text, from, to string) string {
	t.Helper()
	if n := strings.Count(text, from); n != 1 {
		t.Fatalf("the text holds %q %d times, want 1", from, n)
	}
	return strings.Replace(text, from, to, 1)
}

func wantContains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not hold %q", text, part)
		}
	}
}

// serve returns the URL of a loopback server.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + "/upstream.yaml"
}

func TestWrongUseOfFlagsExitsWith2(t *testing.T) {
	for name, args := range map[string][]string{
		"an unknown flag":                {"-nonsense"},
		"an argument":                    {"upstream.yaml"},
		"a flag without its value":       {"-upstream"},
		"-check with -regenerate":        {"-check", "-regenerate", "-oasdiff", "o", "-apidiff", "a"},
		"-regenerate without the tools":  {"-regenerate"},
		"-regenerate with one tool only": {"-regenerate", "-oasdiff", "o"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			before := tr.files(t)
			tr.wantStatus(t, tr.main(t.Context(), args), 2)
			wantContains(t, tr.stderr.String(), "update: read the flags: ", "-h")
			tr.wantSame(t, before)
		})
	}
}

func TestHelpExitsWith0(t *testing.T) {
	tr := newTrial(t)
	tr.wantStatus(t, tr.main(t.Context(), []string{"-h"}), 0)
	wantContains(t, tr.stderr.String(), "-upstream", "-add", "-all", "-check")
}

func TestCheckWritesNothing(t *testing.T) {
	upstream := testdata(t, "upstream.yaml")
	for name, test := range map[string]struct {
		upstream string
		args     []string
		status   int
		says     string
	}{
		"same":                {upstream: upstream, status: 0, says: "no change"},
		"grown elsewhere":     {upstream: replace(t, upstream, "cidr", "network"), status: 0, says: "no change"},
		"differs":             {upstream: replace(t, upstream, "        region:\n          type: string\n", ""), status: 1, says: "differs"},
		"an operation to add": {upstream: upstream, args: []string{"-add", "TunnelSessionsStop"}, status: 1, says: "differs"},
		"added already":       {upstream: upstream, args: []string{"-add", "TunnelSessionsGet"}, status: 0, says: "no change"},
		"all":                 {upstream: upstream, args: []string{"-all"}, status: 1, says: "differs"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			before := tr.files(t)
			tr.wantStatus(t, tr.update(t, test.upstream, append(test.args, "-check")...), test.status)
			wantContains(t, tr.stdout.String()+tr.stderr.String(), test.says)
			tr.wantSame(t, before)
		})
	}
}

func TestSplitList(t *testing.T) {
	for list, want := range map[string]string{
		"":          "",
		"A":         "A",
		"A,B":       "A|B",
		" A , B ":   "A|B",
		",A,,B,":    "A|B",
		" , ,":      "",
		"A,\tB\n,C": "A|B|C",
	} {
		if got := strings.Join(splitList(list), "|"); got != want {
			t.Errorf("splitList(%q) is %q, want %q", list, got, want)
		}
	}
}
