package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// region is a property of testdata/upstream.yaml, for tests that take it away.
const region = "        region:\n          type: string\n"

func TestCommittedFragmentIsInTheCommandsForm(t *testing.T) {
	head, body := splitHeader([]byte(read(t, filepath.Join("..", "ngrok.yaml"))))
	for _, name := range []string{"Source", "Copyright", "License", "Retrieved", "SHA-256", "Operations"} {
		if field(head, name) == "" {
			t.Errorf("the header has no %s", name)
		}
	}
	doc, err := readDocument(t.Context(), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	again, err := doc.cut(t.Context(), splitList(field(head, "Operations")))
	if err != nil || string(again) != body {
		t.Errorf("cut out of itself, the fragment is another, or %v:\n%s", err, again)
	}
}

func TestUpdateWritesTheFragment(t *testing.T) {
	upstream := replace(t, read(t, "testdata/upstream.yaml"), region, "        zone: {type: string}\n")
	r := newRepository(t)
	if err := r.follow(t, upstream, options{}); err != nil {
		t.Fatal(err)
	}
	want := replace(t, header, "2025-08", "2026-11-22")
	want = replace(t, want, "SHA-256:    0", fmt.Sprintf("SHA-256:    %x", sha256.Sum256([]byte(upstream))))
	// Keys are sorted.
	end := "          type: string\n      type: object\n  securitySchemes:\n"
	want += replace(t, replace(t, read(t, "testdata/fragment.yaml"), region, ""), end, "          type: string\n        zone:\n"+end)
	if got := read(t, r.path(fragmentFile)); got != want {
		t.Errorf("the fragment is\n%s\nwant\n%s", got, want)
	}
	if got := r.changed(t); got != fragmentFile {
		t.Errorf("changed: %s", got)
	}
}

// What is spelled differently, or lies outside of the fragment, is no change.
func TestUpdateWithoutAChange(t *testing.T) {
	upstream := read(t, "testdata/upstream.yaml")
	for name, document := range map[string]string{
		"a byte order mark and crlf":          "\uFEFF" + strings.ReplaceAll(upstream, "\n", "\r\n"),
		"json with escapes for one character": replace(t, asJSON(t, upstream), `"one session 🚇"`, `"one session \ud83d\ude87"`),
		"anchors": strings.NewReplacer(
			"ip:\n          type: string", "ip: &text\n          type: string", "os:\n          type: string", "os: *text",
			"region:\n          type: string", "region:\n          <<: *text").Replace(upstream),
		"an operation more":              replace(t, upstream, "paths:\n", "paths:\n  /new:\n    get:\n      responses: {200: {description: new}}\n"),
		"an operation ID twice, outside": replace(t, upstream, "operationId: TunnelSessionsStop", "operationId: TunnelSessionsList"),
		"orders to generators":           replace(t, upstream, region, region+"          x-go-name: Zone\n          x-oapi-codegen-extra-tags: {json: \"-\"}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			// Git on Windows can check it out with these line ends.
			write(t, r.path(fragmentFile), strings.ReplaceAll(read(t, r.path(fragmentFile)), "\n", "\r\n"))
			if err := errors.Join(r.follow(t, document, options{check: true}), r.follow(t, document, withReport)); err != nil {
				t.Error(err)
			}
			if !strings.HasSuffix(r.output.String(), "\nverdict: no change\n") || r.changed(t) != "" {
				t.Errorf("changed: %s\n%s", r.changed(t), &r.output)
			}
		})
	}
}

// A value of upstream's is what JSON would have, from YAML and from JSON.
func TestUpdateKeepsValues(t *testing.T) {
	upstream := read(t, "testdata/upstream.yaml")
	for value, want := range map[string]string{
		"{type: string, enum: [2022-11-28, 2023-01-01]}":          `"2022-11-28", "2023-01-01"`,
		"{type: string, enum: [007, 0x1F, 1_000, .inf, +1, 1.0]}": `"007", "0x1F", "1_000", ".inf", "+1", "1.0"`,
		"{type: string, enum: ['2022-11-28', 'null', '1e3']}":     `"2022-11-28", "null", "1e3"`,
		"{type: string, nullable: true, enum: [free, null]}":      `"free", null`,
		"{type: integer, enum: [1, 2]}":                           `1, 2`,
		"{enum: [2022-11-28]}":                                    `"2022-11-28"`,
		"{type: boolean, enum: [True]}":                           `true`,
	} {
		document := replace(t, upstream, region, region+"        plan: "+value+"\n")
		for _, form := range []string{document, asJSON(t, document)} {
			r := newRepository(t)
			if err := r.follow(t, form, options{}); err != nil {
				t.Errorf("%s: %v", value, err)
				continue
			}
			content, err := parse([]byte(read(t, r.path(fragmentFile))))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"components", "schemas", "TunnelSession", "properties", "plan"} {
				content = content[name].(map[string]any)
			}
			got, _ := json.Marshal(content["enum"])
			if want := "[" + strings.ReplaceAll(want, ", ", ",") + "]"; string(got) != want {
				t.Errorf("%s: got %s, want %s", value, got, want)
			}
		}
	}
}

// If the document has moved to the other extension, the header says so.
func TestUpdateFollowsTheSource(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ngrok.json" {
			_, _ = io.WriteString(w, asJSON(t, read(t, "testdata/upstream.yaml")))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	r := newRepository(t)
	fragment := read(t, r.path(fragmentFile))
	write(t, r.path(fragmentFile), replace(t, fragment, "https://example.com/upstream.yaml", server.URL+"/ngrok.yaml"))
	for i, says := range []string{server.URL + "/ngrok.yaml is not there: " + server.URL + "/ngrok.json is read instead\n", ""} {
		r.output.Reset()
		if err := r.update(t.Context(), options{}); err != nil {
			t.Fatal(err)
		}
		if got := r.output.String(); !strings.HasPrefix(got, says+"openapi/ngrok.yaml: no change\n") {
			t.Errorf("run %d says %s", i+1, got)
		}
		if got, want := read(t, r.path(fragmentFile)), replace(t, fragment, "https://example.com/upstream.yaml", server.URL+"/ngrok.json"); got != want {
			t.Errorf("after run %d the fragment is\n%s", i+1, got)
		}
	}
}

func TestUpdateKeepsOperations(t *testing.T) {
	upstream := read(t, "testdata/upstream.yaml") + "    Unused:\n      type: object\n"
	renamed := replace(t, upstream, "operationId: TunnelSessionsGet\n", "operationId: TunnelsessionsGet\n")
	nullable := replace(t, upstream, region, "        region:\n          type: [string, \"null\"]\n")
	parts := []string{"3.1.0", "IPPoliciesCreate", "TunnelSessionsGet", "TunnelSessionsList", "TunnelSessionsStop", "TunnelsessionsGet",
		"Empty:", "IPPolicy:", "TunnelSession:", "Unused:", `"null"`}
	for name, test := range map[string]struct {
		upstream, keep string // keep is in the header
		options        options
		line           string // of the header, afterwards
		has            string // which of the parts
	}{
		"one more": {upstream, "TunnelSessionsGet", options{add: []string{"TunnelSessionsStop"}},
			"TunnelSessionsGet, TunnelSessionsStop", "TunnelSessionsGet TunnelSessionsStop Empty: TunnelSession:"},
		"one that is there": {upstream, "TunnelSessionsGet", options{add: []string{"TunnelSessionsGet"}},
			"TunnelSessionsGet", "TunnelSessionsGet TunnelSession:"},
		"one that is renamed": {renamed, "TunnelSessionsGet", options{add: []string{"TunnelsessionsGet"}},
			"TunnelsessionsGet", "TunnelsessionsGet TunnelSession:"},
		"another, by hand": {upstream, "IPPoliciesCreate", options{},
			"IPPoliciesCreate", "IPPoliciesCreate IPPolicy:"},
		"all from now on, though one is renamed": {renamed, "TunnelSessionsGet", options{all: true},
			"*", "IPPoliciesCreate TunnelSessionsList TunnelSessionsStop TunnelsessionsGet Empty: IPPolicy: TunnelSession:"},
		"all, and one by name": {upstream, "*", options{add: []string{"TunnelSessionsStop"}},
			"*", "IPPoliciesCreate TunnelSessionsGet TunnelSessionsList TunnelSessionsStop Empty: IPPolicy: TunnelSession:"},
		"one of OpenAPI 3.1": {replace(t, nullable, "openapi: 3.0.0", "openapi: 3.1.0"), "TunnelSessionsGet", options{},
			"TunnelSessionsGet", `3.1.0 TunnelSessionsGet TunnelSession: "null"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			write(t, r.path(fragmentFile), replace(t, header, "TunnelSessionsGet", test.keep)+read(t, "testdata/fragment.yaml"))
			// The second time, the header says it.
			for _, o := range []options{test.options, {}} {
				if err := r.follow(t, test.upstream, o); err != nil {
					t.Fatal(err)
				}
				head, fragment := splitHeader([]byte(read(t, r.path(fragmentFile))))
				if got := field(head, "Operations"); got != test.line {
					t.Errorf("the header says %s, want %s", got, test.line)
				}
				words := strings.Fields(fragment)
				has := slices.DeleteFunc(slices.Clone(parts), func(part string) bool { return !slices.Contains(words, part) })
				if got := strings.Join(has, " "); got != test.has {
					t.Errorf("the fragment has %s, want %s", got, test.has)
				}
			}
		})
	}
}

func TestUpdateRefuses(t *testing.T) {
	upstream := read(t, "testdata/upstream.yaml")
	id := "operationId: TunnelSessionsGet\n"
	whole := "it must be a whole OpenAPI 3 document in YAML or JSON: check "
	for name, test := range map[string]struct {
		upstream string
		add      []string
		says     string
	}{
		"html":                    {upstream: "<!DOCTYPE html>\n<html lang=en>\n<p>Not here: look elsewhere.\n</html>", says: whole},
		"text":                    {upstream: "404: Not Found", says: whole},
		"nothing":                 {says: whole},
		"openapi as a number":     {upstream: replace(t, upstream, "openapi: 3.0.0", "openapi: 3.0"), says: `must be a string such as "3.0.0"`},
		"an infinite number":      {upstream: replace(t, upstream, region, region+"        load: {type: number, default: .inf}\n"), says: "/components/schemas/TunnelSession/properties/load/default: JSON has no such value as .inf"},
		"an integer of 23 digits": {upstream: replace(t, upstream, region, region+"        load: {type: integer, maximum: 12345678901234567890123}\n"), says: "/load/maximum: JSON has no such value"},
		"an octal number":         {upstream: replace(t, upstream, region, region+"        load: {type: integer, enum: [007]}\n"), says: "/load/enum/0: JSON has no such value as 007"},
		"openapi 4":               {upstream: replace(t, upstream, "openapi: 3.0.0", "openapi: 4.0.0"), says: whole},
		"most of the yaml":        {upstream: strings.Split(upstream, "    TunnelSessionList:\n")[0], says: "TunnelSessionList"},
		"most of the json":        {upstream: strings.TrimRight(asJSON(t, upstream), " }\n\t"), says: whole},
		"a key twice":             {upstream: upstream + "info: {}\n", says: `"info" already defined`},
		"an endless anchor":       {upstream: upstream + "x: &x\n  y: *x\n", says: "contains itself"},
		"no operations":           {upstream: "openapi: 3.0.0\npaths: {}\n", says: "no operations"},
		"a URL elsewhere":         {upstream: upstream + "    Other:\n      $ref: 'https://example.com/other.yaml#/Other'\n", says: "example.com"},
		"a path without content":  {upstream: replace(t, upstream, "paths:\n", "paths:\n  /a:\n"), says: "path /a is empty"},
		"a path elsewhere":        {upstream: replace(t, upstream, "paths:\n", "paths:\n  /a:\n    $ref: '#/paths/~1ip_policies'\n"), says: "path /a is a $ref"},
		"an operation ID twice":   {upstream: replace(t, upstream, "operationId: TunnelSessionsStop\n", id), says: "same operation id"},
		"an unknown type":         {upstream: replace(t, upstream, region, strings.ReplaceAll(region, "string", "text")), says: "tell upstream"},
		"a name that is gone": {upstream: replace(t, upstream, id, "operationId: Other\n"),
			says: "no operation TunnelSessionsGet; if the document is whole, take it out of the line Operations in openapi/ngrok.yaml and run make update UPSTREAM="},
		"a name in another case": {upstream: replace(t, upstream, id, "operationId: tunnelSessionsGet\n"),
			add: []string{"TunnelSessionsStop"}, says: " ADD=tunnelSessionsGet,TunnelSessionsStop"},
		"a name that nobody has": {upstream: upstream, add: []string{"Nonsense"}, says: "no operation Nonsense to add"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			o := withReport
			o.add = test.add
			err := r.follow(t, test.upstream, o)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error is %v, want %q", err, test.says)
			}
			if r.changed(t) != "" || len(r.steps) > 0 || r.output.Len() > 0 {
				t.Errorf("changed: %s, steps: %v\n%s", r.changed(t), r.steps, &r.output)
			}
		})
	}
}

func TestUpdateSaysHowToNameOperations(t *testing.T) {
	r := newRepository(t)
	write(t, r.path(fragmentFile), replace(t, header, "# Operations: TunnelSessionsGet\n", ""))
	if err := r.follow(t, "", options{}); err == nil || !strings.Contains(err.Error(), `write a line "# Operations: A, B"`) {
		t.Errorf("the error is %v", err)
	}
}

func TestCheckWritesNothing(t *testing.T) {
	r := newRepository(t)
	err := r.follow(t, replace(t, read(t, "testdata/upstream.yaml"), region, ""), options{check: true, all: true})
	if err == nil || !strings.HasSuffix(err.Error(), "; run make update UPSTREAM='"+filepath.Join(r.scratch, "upstream")+"' ALL=1") {
		t.Errorf("the error is %v", err)
	}
	if got := r.changed(t); got != "" {
		t.Errorf("changed: %s", got)
	}
	// What an earlier run left is not what is committed.
	write(t, r.path(fragmentFile), replace(t, read(t, r.path(fragmentFile)), region, ""))
	if err := r.follow(t, read(t, "testdata/upstream.yaml"), options{check: true}); err != nil {
		t.Error(err)
	}
	if got := r.changed(t); got != fragmentFile {
		t.Errorf("changed: %s", got)
	}
}

const (
	added  = `[{"id": "added", "text": "added", "level": 1, "operation": "GET", "path": "/a"}]`
	broken = `[{"id": "gone", "text": "gone", "level": 3, "operation": "GET", "path": "/a"}]`
)

func TestReport(t *testing.T) {
	changed := replace(t, read(t, "testdata/upstream.yaml"), region, "")
	moved := replace(t, read(t, "testdata/upstream.yaml"), "https://api.ngrok.com", "https://api.example.com")
	steps := []string{"oasdiff", "generate", "build", "apidiff -w", "apidiff", "test"}
	for name, test := range map[string]struct {
		upstream, changelog, exports, fails, failure string
		allow                                        bool
		verdict, says                                string
		steps                                        int
	}{
		"patch": {upstream: changed, changelog: added, steps: 6, verdict: "patch: 1 on the wire, 0 for Go callers, none breaking"},
		"minor": {upstream: changed, changelog: added, exports: "Compatible changes:\n- A: added\n", steps: 6,
			verdict: "minor: 1 on the wire, 1 for Go callers, none breaking"},
		"major by the wire": {upstream: changed, changelog: broken, steps: 6,
			verdict: "major: 1 breaking on the wire, 0 breaking for Go callers", says: "BREAKING=allow"},
		"major for callers": {upstream: changed, changelog: added, exports: "Incompatible changes:\n- A: removed\n", steps: 6,
			verdict: "major: 0 breaking on the wire, 1 breaking for Go callers", says: "BREAKING=allow"},
		"major, but allowed": {upstream: changed, changelog: broken, allow: true, steps: 6,
			verdict: "major: 1 breaking on the wire, 0 breaking for Go callers"},
		"a moved server": {upstream: moved, changelog: "[]", steps: 6,
			verdict: "major: 1 breaking on the wire, 0 breaking for Go callers", says: "BREAKING=allow"},
		"documents that cannot be compared": {upstream: changed, changelog: added, allow: true, fails: "oasdiff", steps: 1,
			verdict: "major: the documents cannot be compared", says: "compare the documents: oasdiff failed"},
		"a changelog that is none": {upstream: changed, changelog: "No changes\n", allow: true, steps: 1,
			verdict: "major: the documents cannot be compared", says: "read the changelog of oasdiff"},
		"a client that cannot be generated": {upstream: changed, changelog: added, allow: true, fails: "generate", steps: 2,
			failure: ": Client redeclared in this block", verdict: "major: the client cannot be built", says: "x-go-name"},
		"a client that cannot be generated for another reason": {upstream: changed, changelog: added, allow: true, fails: "generate", steps: 2,
			verdict: "major: the client cannot be built", says: "regenerate the client: generate failed\nopenapi/ngrok.yaml and"},
		"a client that does not compile": {upstream: changed, changelog: added, allow: true, fails: "build", steps: 3,
			failure: ": invalid recursive type Node", verdict: "major: the client cannot be built", says: "x-go-type-skip-optional-pointer: false"},
		"HEAD does not compile": {upstream: changed, changelog: added, allow: true, fails: "apidiff -w", steps: 4,
			verdict: "major: the clients cannot be compared", says: "at HEAD: apidiff -w failed"},
		"tests that fail": {upstream: changed, changelog: added, allow: true, fails: "test", steps: 6,
			verdict: "major: the tests fail", says: "test failed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			r.changelog, r.exports, r.fails, r.failure = test.changelog, test.exports, test.fails, test.failure
			o := withReport
			o.allowBreaking = test.allow
			// The second run says the same as the first.
			for range 2 {
				r.steps = nil
				err := r.follow(t, test.upstream, o)
				switch {
				case (err == nil) != (test.says == ""):
					t.Errorf("the error is %v", err)
				case err != nil && (!strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "repair what that breaks")):
					t.Errorf("the error is %v, want %q", err, test.says)
				}
				if !strings.HasSuffix(r.output.String(), "\nverdict: "+test.verdict+"\n") {
					t.Errorf("the verdict is not %s:\n%s", test.verdict, &r.output)
				}
				if !slices.Equal(r.steps, steps[:test.steps]) {
					t.Errorf("the steps are %q", r.steps)
				}
				// A person has to see it.
				if strings.Contains(read(t, r.path(fragmentFile)), "region") == (test.upstream == changed) {
					t.Error("the fragment is not upstream's")
				}
				r.wantNoWorktree(t)
				// HEAD decides, not what is staged, and a run that was killed may have left its worktree.
				r.git(t, "add", "--all")
				r.git(t, "worktree", "add", "--detach", r.path(".git/update-head"), "HEAD")
			}
			// Git is the way back, and so is upstream.
			r.fails = ""
			if err := r.follow(t, read(t, "testdata/upstream.yaml"), withReport); err != nil {
				t.Error(err)
			}
			if r.changed(t) != "" || !strings.HasSuffix(r.output.String(), "\nverdict: no change\n") {
				t.Errorf("changed: %s\n%s", r.changed(t), &r.output)
			}
		})
	}
}

func (r *repository) wantNoWorktree(t *testing.T) {
	t.Helper()
	if got := r.git(t, "worktree", "list"); strings.Count(got, "\n") != 1 {
		t.Errorf("the worktrees are\n%s", got)
	}
	if _, err := os.Stat(r.path(".git/update-head")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the worktree's folder is still there, or %v", err)
	}
}

func TestReportIsInOrder(t *testing.T) {
	r := newRepository(t)
	r.changelog, r.exports = broken, "Compatible changes:\n- A: added\n"
	if err := r.follow(t, replace(t, read(t, "testdata/upstream.yaml"), region, ""), withReport); err == nil {
		t.Error("a breaking change passes")
	}
	want := `openapi/ngrok.yaml: changed

on the wire (oasdiff changelog):
  breaking  GET /a: gone [gone]

for Go callers of api (apidiff):
            A: added

tests:
ok test . ./api/... ./openapi

verdict: major: 1 breaking on the wire, 0 breaking for Go callers
`
	if got := r.output.String(); got != want {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

func TestInterruptLeavesNoVerdict(t *testing.T) {
	for _, step := range []string{"oasdiff", "generate", "apidiff", "test"} {
		r := newRepository(t)
		r.fails, r.interrupted = step, true
		err := r.follow(t, replace(t, read(t, "testdata/upstream.yaml"), region, ""), withReport)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run make update") {
			t.Errorf("after an interrupt of %s, the error is %v", step, err)
		}
		if strings.Contains(r.output.String(), "verdict") {
			t.Errorf("after an interrupt of %s, there is a verdict:\n%s", step, &r.output)
		}
		r.wantNoWorktree(t)
	}
}
