package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/ngrokapi/openapi/internal/tool"
)

// fakeGo stands for the go command and the tools that it runs.
type fakeGo struct {
	t         *testing.T
	changelog string // what oasdiff prints
	report    string // what apidiff prints
	fails     string // the step that fails
	steps     []string
}

func (f *fakeGo) run(_ context.Context, folder string, stdout io.Writer, args ...string) error {
	f.t.Helper()
	vendored := readFile(f.t, filepath.Join(folder, "openapi", "ngrok.yaml"))
	client := filepath.Join(folder, "api", "client.gen.go")
	step, output := strings.Join(args, " "), ""
	switch {
	case slices.Equal(args[:min(5, len(args))], []string{"run", "oasdiff@v1", "changelog", "--format", "json"}):
		step, output = "oasdiff", f.changelog
		if readFile(f.t, args[5]) != vendored || readFile(f.t, args[6]) == vendored {
			f.t.Error("oasdiff does not compare what was with what is to be")
		}
	case slices.Equal(args[:min(3, len(args))], []string{"run", "apidiff@v1", "-w"}):
		step = "apidiff -w"
		writeFile(f.t, args[3], readFile(f.t, client))
	case slices.Equal(args[:min(2, len(args))], []string{"run", "apidiff@v1"}):
		step, output = "apidiff", f.report
		if readFile(f.t, args[2]) != "package api\n" {
			f.t.Error("apidiff does not compare with the client as it was")
		}
	case step == "generate ./...":
		writeFile(f.t, client, "package api\n\n// regenerated\n")
	case step == "test ./...":
		output = "ok  \tapi\n"
	}
	f.steps = append(f.steps, step)
	if step == f.fails {
		return errors.New("go " + step + ": exit status 1")
	}
	_, err := io.WriteString(stdout, output)
	return err
}

const (
	harmless = `[{"id": "added", "text": "added", "level": 1, "operation": "GET", "path": "/a"}]`
	broken   = `[{"id": "gone", "text": "gone", "level": 3, "operation": "GET", "path": "/a"}]`
)

func regenerateArgs(args ...string) []string {
	return append(args, "-regenerate", "-oasdiff", "oasdiff@v1", "-apidiff", "apidiff@v1")
}

func TestRegenerate(t *testing.T) {
	changed := replace(t, testdata(t, "upstream.yaml"), region, "")
	for name, test := range map[string]struct {
		changelog, report string
		args              []string
		status            int
		verdict           string
	}{
		"patch":              {changelog: harmless, verdict: "verdict: patch: 1 change on the wire"},
		"minor":              {changelog: harmless, report: "Compatible changes:\n- A: added\n", verdict: "verdict: minor: 1 change for Go callers"},
		"major by the wire":  {changelog: broken, status: 1, verdict: "verdict: major: 1 breaking change on the wire"},
		"major for callers":  {changelog: "[]", report: "Incompatible changes:\n- A: removed\n", status: 1, verdict: "verdict: major: no breaking change on the wire and 1"},
		"major, but allowed": {changelog: broken, args: []string{"-allow-breaking"}, verdict: "verdict: major: 1 breaking change on the wire"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			fake := &fakeGo{t: t, changelog: test.changelog, report: test.report}
			tr.run = fake.run
			tr.wantStatus(t, tr.update(t, changed, regenerateArgs(test.args...)...), test.status)

			if want := []string{"oasdiff", "apidiff -w", "generate ./...", "build example.com/ngrokapi/api", "apidiff", "test ./..."}; !slices.Equal(fake.steps, want) {
				t.Errorf("the steps are %q, want %q", fake.steps, want)
			}
			wantInOrder(t, tr.stdout.String(), "openapi/ngrok.yaml: changed", "on the wire", "api/client.gen.go: regenerated",
				"for Go callers", "tests:", "ok  \tapi", test.verdict)
			lines := strings.Split(strings.TrimSpace(tr.stdout.String()), "\n")
			wantContains(t, lines[len(lines)-1], test.verdict)
			if got := strings.Contains(tr.stdout.String(), "  breaking  "); got != strings.Contains(test.verdict, "major") {
				t.Errorf("breaking changes are marked: %v\n%s", got, &tr.stdout)
			}
			if test.status != 0 {
				wantContains(t, tr.stderr.String(), "the change is breaking: BREAKING=allow", "are changed: review them")
			}
			// Also a breaking change is there to be reviewed.
			if strings.Contains(tr.vendored(t), "region") || len(tr.files(t)) != 2 {
				t.Error("the files are not what they should be after the change")
			}
			wantContains(t, readFile(t, filepath.Join(tr.folder, "api", "client.gen.go")), "// regenerated")
		})
	}
}

func TestRegenerateWithoutAChange(t *testing.T) {
	tr := newTrial(t)
	before := tr.files(t)
	tr.wantStatus(t, tr.update(t, testdata(t, "upstream.yaml"), regenerateArgs()...), 0)
	wantInOrder(t, tr.stdout.String(), "no change, upstream means the same\n", "verdict: no change\n")
	tr.wantSame(t, before)
}

func TestRegenerateRestoresAfterAFailure(t *testing.T) {
	for step, says := range map[string]string{
		"oasdiff":                        "compare the documents",
		"apidiff -w":                     "record what package api exports",
		"generate ./...":                 "regenerate the client",
		"build example.com/ngrokapi/api": "compile the regenerated client",
		"apidiff":                        "compare what package api exports",
	} {
		t.Run(step, func(t *testing.T) {
			tr := newTrial(t)
			before := tr.files(t)
			fake := &fakeGo{t: t, changelog: broken, fails: step}
			tr.run = fake.run
			changed := replace(t, testdata(t, "upstream.yaml"), region, "")
			tr.wantStatus(t, tr.update(t, changed, regenerateArgs("-allow-breaking")...), 1)
			wantContains(t, tr.stderr.String(), "update: "+says+": go "+step+": exit status 1")
			if strings.Contains(tr.stdout.String(), "verdict") {
				t.Errorf("there is a verdict: %s", &tr.stdout)
			}
			if changes := step != "oasdiff" && step != "apidiff -w"; changes != strings.Contains(tr.stderr.String(), "every file is as it was") {
				t.Errorf("the error does not tell what became of the files: %s", &tr.stderr)
			}
			if last := fake.steps[len(fake.steps)-1]; last != step {
				t.Errorf("after its failure, %s is followed by %s", step, last)
			}
			tr.wantSame(t, before)
		})
	}
}

// Who has to repair hand-written code needs the change at hand.
func TestRegenerateLeavesTheChangeWhenTestsFail(t *testing.T) {
	for changelog, verdict := range map[string]string{harmless: "verdict: patch: ", broken: "verdict: major: "} {
		tr := newTrial(t)
		tr.run = (&fakeGo{t: t, changelog: changelog, fails: "test ./..."}).run
		changed := replace(t, testdata(t, "upstream.yaml"), region, "")
		tr.wantStatus(t, tr.update(t, changed, regenerateArgs("-allow-breaking")...), 1)
		wantInOrder(t, tr.stdout.String(), "tests:", verdict, "; the tests fail\n")
		wantContains(t, tr.stderr.String(), "test the regenerated client: go test ./...: exit status 1", "repair what they break")
		if strings.Contains(tr.vendored(t), "region") {
			t.Error("the change is gone")
		}
	}
}

func TestRegenerateRestoresAfterAnInterrupt(t *testing.T) {
	tr := newTrial(t)
	before := tr.files(t)
	fake := &fakeGo{t: t, changelog: "[]", fails: "test ./..."}
	ctx, interrupt := context.WithCancel(t.Context())
	tr.run = func(ctx context.Context, folder string, stdout io.Writer, args ...string) error {
		if args[0] == "test" {
			interrupt()
		}
		return fake.run(ctx, folder, stdout, args...)
	}
	file := filepath.Join(t.TempDir(), "upstream.yaml")
	writeFile(t, file, testdata(t, "upstream.yaml"))
	tr.wantStatus(t, tr.main(ctx, regenerateArgs("-all", "-upstream", file)), 1)
	wantContains(t, tr.stderr.String(), "context canceled", "every file is as it was")
	tr.wantSame(t, before)
}

func TestRegenerateRejectsWhatIsNoChangelog(t *testing.T) {
	tr := newTrial(t)
	before := tr.files(t)
	tr.run = (&fakeGo{t: t, changelog: "No changes\n"}).run
	tr.wantStatus(t, tr.update(t, testdata(t, "upstream.yaml"), regenerateArgs("-all")...), 1)
	wantContains(t, tr.stderr.String(), "read the changelog of oasdiff")
	tr.wantSame(t, before)
}

func TestRegenerateLeavesNoTemporaryFiles(t *testing.T) {
	temporary := t.TempDir()
	for _, variable := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(variable, temporary)
	}
	for _, fails := range []string{"", "test ./..."} {
		tr := newTrial(t)
		tr.run = (&fakeGo{t: t, changelog: "[]", fails: fails}).run
		tr.update(t, testdata(t, "upstream.yaml"), regenerateArgs("-all")...)
		if left, err := filepath.Glob(filepath.Join(temporary, "ngrokapi-*")); err != nil || len(left) > 0 {
			t.Errorf("after %q failed, there are %v, %v", fails, left, err)
		}
	}
}

func wantInOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("%q is missing, or too early, in\n%s", part, text)
		}
		rest = after
	}
}

// copyModule copies this module to a temporary folder, without the commands that maintain it and what looks at it
// from outside: their tests would copy and compile it again.
func copyModule(t *testing.T) string {
	t.Helper()
	root, folder := filepath.Join("..", ".."), t.TempDir()
	left := []string{".git", "api/internal", "openapi/internal", "openapi/update"}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(left, filepath.ToSlash(inside)) {
			return filepath.SkipDir
		}
		if entry.Type().IsRegular() {
			writeFile(t, filepath.Join(folder, inside), readFile(t, name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// The newer form of the document changes nothing that callers rely on: what the module's own tests say of a client
// holds for one generated from it.
func TestRegenerateFromTheNewerForm(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles and tests a copy of the module")
	}
	tr := newTrialIn(t, copyModule(t))
	tr.run = fakeTools{}.run
	writeFile(t, tr.path(vendoredFile), testdata(t, "vendored.yaml"))
	tr.wantStatus(t, tr.update(t, testdata(t, "newer.json"), regenerateArgs("-all")...), 0)
	t.Log(tr.stdout.String())
	client := readFile(t, filepath.Join(tr.folder, "api", "client.gen.go"))
	wantContains(t, client, "\ntype Error struct {", "JSON4XX ", "JSON5XX ", ") TunnelSessionsStopWithResponse(")
	if strings.Contains(client, "NgrokVersion") {
		t.Error("the overlay left the version parameter to callers")
	}
}

// fakeTools has a go command, but stands for oasdiff and apidiff, which take long to build.
type fakeTools struct{}

func (fakeTools) run(ctx context.Context, folder string, stdout io.Writer, args ...string) error {
	switch {
	case args[0] != "run":
		return tool.GoCommand(ctx, folder, stdout, args...)
	case args[1] == "oasdiff@v1":
		_, err := fmt.Fprint(stdout, "[]")
		return err
	default:
		return nil
	}
}
