package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestAddKeepsOperations(t *testing.T) {
	upstream := testdata(t, "upstream.yaml")
	for name, test := range map[string]struct {
		args       []string
		operations string // all, by path
		schemas    string // all, in order
	}{
		"one": {
			args:       []string{"-add", "TunnelSessionsStop"},
			operations: "TunnelSessionsGet TunnelSessionsStop",
			schemas:    "Empty Ref TunnelSession",
		},
		"two, in any order, with blanks": {
			args:       []string{"-add", " TunnelSessionsStop,, IPPoliciesCreate ,"},
			operations: "IPPoliciesCreate TunnelSessionsGet TunnelSessionsStop",
			schemas:    "Empty IPPolicy IPPolicyCreate IPRule Ref TunnelSession",
		},
		"one twice, and one that is there": {
			args:       []string{"-add", "TunnelSessionsList,TunnelSessionsGet,TunnelSessionsList"},
			operations: "TunnelSessionsGet TunnelSessionsList",
			schemas:    "Ref TunnelSession TunnelSessionList",
		},
		"all": {
			args:       []string{"-all"},
			operations: "IPPoliciesCreate TunnelSessionsGet TunnelSessionsList TunnelSessionsStop",
			schemas:    "Empty IPPolicy IPPolicyCreate IPRule Ref TunnelSession TunnelSessionList",
		},
		"all and one of them": {
			args:       []string{"-all", "-add", "TunnelSessionsStop"},
			operations: "IPPoliciesCreate TunnelSessionsGet TunnelSessionsList TunnelSessionsStop",
			schemas:    "Empty IPPolicy IPPolicyCreate IPRule Ref TunnelSession TunnelSessionList",
		},
	} {
		t.Run(name, func(t *testing.T) {
			// Components that nothing refers to go also when every operation stays.
			whole := upstream + "    Unused:\n      $ref: '#/components/schemas/AlsoUnused'\n    AlsoUnused:\n      type: object\n"
			tr := newTrial(t)
			tr.wantStatus(t, tr.update(t, whole, test.args...), 0)
			_, document := splitHeader([]byte(tr.vendored(t)))
			operations, err := operationsOf(document)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(operations, " "); got != test.operations {
				t.Errorf("the operations are %s, want %s", got, test.operations)
			}
			_, schemas, _ := strings.Cut(string(document), "\n  schemas:\n")
			if got := strings.Join(keysAt(schemas, "    "), " "); got != test.schemas {
				t.Errorf("the schemas are %s, want %s", got, test.schemas)
			}
			wantContains(t, string(document), "\nservers:\n", "\nsecurity:\n", "\n  securitySchemes:\n")

			// From now on they are kept.
			before := tr.files(t)
			tr.wantStatus(t, tr.update(t, whole), 0)
			tr.wantSame(t, before)
		})
	}
}

// keysAt returns the keys with exactly that indentation at the beginning of text.
func keysAt(text, indentation string) []string {
	var keys []string
	for line := range strings.Lines(text) {
		rest, indented := strings.CutPrefix(line, indentation)
		if !indented {
			break
		}
		if key, _, isKey := strings.Cut(rest, ":"); isKey && !strings.HasPrefix(key, " ") {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestOperationsWithoutAnIDAreKept(t *testing.T) {
	upstream := replace(t, testdata(t, "upstream.yaml"), "      operationId: TunnelSessionsStop\n", "")
	tr := newTrial(t)
	tr.wantStatus(t, tr.update(t, upstream, "-add", "POST /tunnel_sessions/{id}/stop"), 0)
	before := tr.files(t)
	tr.wantStatus(t, tr.update(t, upstream), 0)
	tr.wantSame(t, before)
}

func TestARenameIsFollowedWhenAsked(t *testing.T) {
	renamed := replace(t, testdata(t, "upstream.yaml"), "operationId: TunnelSessionsGet\n", "operationId: TunnelsessionsGet\n")
	tr := newTrial(t)
	tr.wantStatus(t, tr.update(t, renamed, "-add", "TunnelsessionsGet"), 0)
	_, document := splitHeader([]byte(tr.vendored(t)))
	if operations, err := operationsOf(document); err != nil || !slices.Equal(operations, []string{"TunnelsessionsGet"}) {
		t.Errorf("the operations are %v, %v", operations, err)
	}
}

func TestUpstreamCannotBeCut(t *testing.T) {
	upstream := testdata(t, "upstream.yaml")
	id := "operationId: TunnelSessionsGet\n"
	for name, test := range map[string]struct {
		upstream string
		args     []string
		says     []string
	}{
		"not openapi":       {upstream: "a: 1\n", says: []string{"not an OpenAPI 3 document"}},
		"plain text":        {upstream: "404: Not Found", says: []string{"not an OpenAPI 3 document", "check -upstream"}},
		"html":              {upstream: "<!DOCTYPE html>", says: []string{"web page"}},
		"swagger 2":         {upstream: replace(t, upstream, "openapi: 3.0.0", "swagger: \"2.0\""), says: []string{"not an OpenAPI 3 document"}},
		"openapi 4":         {upstream: replace(t, upstream, "openapi: 3.0.0", "openapi: 4.0.0"), says: []string{`"4.0.0"`}},
		"a list":            {upstream: "- openapi\n", says: []string{"no mapping"}},
		"half of the yaml":  {upstream: upstream[:len(upstream)/2], says: []string{"check -upstream"}},
		"most of the yaml":  {upstream: before(t, upstream, "    TunnelSessionList:\n"), says: []string{"TunnelSessionList", "part of it is missing"}},
		"cut within a word": {upstream: before(t, upstream, "ty:\n"), says: []string{"check -upstream"}},
		"half of the json":  {upstream: asJSON(t, upstream)[:2000], says: []string{"neither whole YAML nor JSON"}},
		"no paths":          {upstream: before(t, upstream, "paths:\n"), says: []string{"no operations"}},
		"a key twice":       {upstream: upstream + "info: {}\n", says: []string{`"info" already defined`}},
		"two documents":     {upstream: upstream + "---\n" + upstream, says: []string{"does not end after one document"}},
		"gone": {
			upstream: replace(t, upstream, id, "operationId: TunnelSessionsRead\n"),
			says:     []string{"operation TunnelSessionsGet is gone from upstream", "delete it from openapi/ngrok.yaml"},
		},
		"gone, but for its case": {
			upstream: replace(t, upstream, id, "operationId: tunnelSessionsGet\n"),
			says:     []string{"operation TunnelSessionsGet is gone from upstream, which has tunnelSessionsGet", "-add tunnelSessionsGet"},
		},
		"gone, with -all": {
			upstream: replace(t, upstream, id, "operationId: tunnelSessionsGet\n"), args: []string{"-all"},
			says: []string{"operation TunnelSessionsGet is gone"},
		},
		"unknown to add": {
			upstream: upstream, args: []string{"-add", "TunnelSessionsList,Nonsense"},
			says: []string{"add operation Nonsense: upstream has none of that name"},
		},
		"unknown to add, but for its case": {
			upstream: upstream, args: []string{"-add", "tunnelsessionslist"},
			says: []string{"add operation tunnelsessionslist", "but TunnelSessionsList", "-add TunnelSessionsList"},
		},
		"unknown to add to all": {
			upstream: upstream, args: []string{"-all", "-add", "Nonsense"}, says: []string{"add operation Nonsense"},
		},
		"all that is wrong": {
			upstream: replace(t, upstream, id, "operationId: Other\n"), args: []string{"-add", "Nonsense"},
			says: []string{"operation TunnelSessionsGet is gone", "add operation Nonsense"},
		},
		"an id twice": {
			upstream: replace(t, upstream, "operationId: TunnelSessionsStop\n", id),
			says:     []string{"2 operations named TunnelSessionsGet: GET /tunnel_sessions/{id}, POST /tunnel_sessions/{id}/stop"},
		},
		"a path elsewhere": {
			upstream: replace(t, upstream, "paths:\n", "paths:\n  /moved:\n    $ref: '#/paths/~1ip_policies'\n"),
			says:     []string{"path /moved is a $ref"},
		},
		"invalid where it is kept": {
			upstream: replace(t, upstream, region, strings.ReplaceAll(region, "string", "text")),
			says:     []string{"check the new fragment", "text"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			before := tr.files(t)
			tr.wantStatus(t, tr.update(t, test.upstream, test.args...), 1)
			wantContains(t, tr.stderr.String(), append(test.says, "update: ")...)
			if first := strings.TrimPrefix(tr.stderr.String(), "update: ")[:1]; first != strings.ToLower(first) {
				t.Errorf("the error begins with a capital: %s", &tr.stderr)
			}
			tr.wantSame(t, before)
		})
	}
}

func TestAnIDTwiceWhereItIsCutIsNoMatter(t *testing.T) {
	upstream := replace(t, testdata(t, "upstream.yaml"), "operationId: TunnelSessionsStop\n", "operationId: IPPoliciesCreate\n")
	tr := newTrial(t)
	tr.wantStatus(t, tr.update(t, upstream), 0)
	wantContains(t, tr.stdout.String(), "no change")
}

// before returns text as far as the first occurrence of end.
func before(t *testing.T, text, end string) string {
	t.Helper()
	start, _, found := strings.Cut(text, end)
	if !found {
		t.Fatalf("the text does not hold %q", end)
	}
	return start
}

// The whole document of the API, which is not part of this module, when UPSTREAM names one.
func TestWholeUpstream(t *testing.T) {
	file := wholeUpstream(t)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := meaning(data)
	if err != nil {
		t.Fatal(err)
	}
	fragment, operations, err := cut(t.Context(), data, selection{all: true})
	if err != nil {
		t.Fatal(err)
	}
	part, err := meaning(fragment)
	if err != nil {
		t.Fatal(err)
	}
	wantPart(t, "", part, whole)
	again, _, err := cut(t.Context(), fragment, selection{keep: operations})
	if err != nil || string(again) != string(fragment) {
		t.Errorf("the fragment cut from itself differs from it, or %v", err)
	}
	for i, name := range operations {
		if i%15 != 0 {
			continue // some will do: each takes as long as all together
		}
		one, kept, err := cut(t.Context(), data, selection{keep: []string{name}})
		if err != nil || !slices.Equal(kept, []string{name}) {
			t.Errorf("cut %s: %v, %v", name, kept, err)
			continue
		}
		part, err := meaning(one)
		if err != nil {
			t.Error(err)
		}
		wantPart(t, "", part, whole)
	}
}

// wantPart fails the test if part has anything that whole does not have in the same place.
func wantPart(t *testing.T, place string, part, whole any) {
	t.Helper()
	mapping, isMapping := part.(map[string]any)
	if !isMapping {
		if !reflect.DeepEqual(part, whole) {
			t.Errorf("%s is %v, and %v upstream", place, part, whole)
		}
		return
	}
	from, _ := whole.(map[string]any)
	for key, value := range mapping {
		wantPart(t, place+"/"+key, value, from[key])
	}
}

// wholeUpstream returns the name of the file that holds it. A relative name is one from the module's folder, as in
// make update.
func wholeUpstream(t testing.TB) string {
	t.Helper()
	file := os.Getenv("UPSTREAM")
	switch {
	case file == "":
		t.Skip("UPSTREAM names no document")
	case strings.Contains(file, "://"):
		t.Skip("UPSTREAM names no file")
	case !filepath.IsAbs(file):
		file = filepath.Join("..", "..", file)
	}
	return file
}
