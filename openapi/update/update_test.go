package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// region is a property of the small document, for tests that take it away.
const region = "        region:\n          type: string\n"

// wantVendored returns the fragment that an update to upstream on the trial's day leaves.
func wantVendored(t *testing.T, upstream string) string {
	t.Helper()
	golden := testdata(t, "vendored.yaml")
	sum := func(document string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(document))) }
	return replace(t, golden, sum(testdata(t, "upstream.yaml")), sum(upstream))
}

func TestUpdateWritesTheFragment(t *testing.T) {
	upstream := testdata(t, "upstream.yaml")
	tr := newTrial(t)
	file := filepath.Join(tr.folder, "openapi", "ngrok.yaml")
	stale := replace(t, wantVendored(t, upstream), region, "")
	stale = replace(t, stale, "2026-11-22", "2025-08")
	header, document := splitHeader([]byte(stale))
	writeFile(t, file, sumLine.ReplaceAllString(header, "")+string(document))

	tr.wantStatus(t, tr.update(t, upstream), 0)
	wantContains(t, tr.stdout.String(), "openapi/ngrok.yaml: changed, 1 operation;")
	if got, want := tr.vendored(t), wantVendored(t, upstream); got != want {
		t.Errorf("the fragment is\n%s\nwant\n%s", got, want)
	}
	if files := tr.files(t); len(files) != 2 {
		t.Errorf("there are %d files, want 2", len(files))
	}

	tr.today = func() string { return "2026-11-29" }
	before := tr.files(t)
	tr.stdout.Reset()
	tr.wantStatus(t, tr.update(t, upstream), 0)
	wantContains(t, tr.stdout.String(), "no change")
	tr.wantSame(t, before)
}

func TestUpdateFollowsUpstream(t *testing.T) {
	upstream := testdata(t, "upstream.yaml")
	for name, test := range map[string]struct {
		upstream string
		want     string
	}{
		"property added": {
			upstream: replace(t, upstream, region, "        zone: {type: string}\n"+region),
			want:     replace(t, wantVendored(t, upstream), region, "        zone:\n          type: string\n"+region),
		},
		"property removed": {
			upstream: replace(t, upstream, region, ""),
			want:     replace(t, wantVendored(t, upstream), region, ""),
		},
		"type changed": {
			upstream: replace(t, upstream, region, strings.ReplaceAll(region, "string", "integer")),
			want:     replace(t, wantVendored(t, upstream), region, strings.ReplaceAll(region, "string", "integer")),
		},
		"path moved": {
			upstream: replace(t, upstream, "  /tunnel_sessions/{id}:\n", "  /sessions/{id}:\n"),
			want:     replace(t, wantVendored(t, upstream), "  /tunnel_sessions/{id}:\n", "  /sessions/{id}:\n"),
		},
		"description changed": {
			upstream: replace(t, upstream, "    One session,\n        and no other.", "    A\n        session."),
			want:     replace(t, wantVendored(t, upstream), "One session, and no other.", "A session."),
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := replace(t, test.want, fmt.Sprintf("%x", sha256.Sum256([]byte(upstream))),
				fmt.Sprintf("%x", sha256.Sum256([]byte(test.upstream))))
			// Neither a second run nor line ends make a difference.
			for range 2 {
				tr := newTrial(t)
				tr.wantStatus(t, tr.update(t, test.upstream), 0)
				if got := tr.vendored(t); got != want {
					t.Errorf("the fragment is\n%s\nwant\n%s", got, want)
				}
			}
			tr := newTrial(t)
			tr.wantStatus(t, tr.update(t, strings.ReplaceAll(test.upstream, "\n", "\r\n")), 0)
			_, got := splitHeader([]byte(tr.vendored(t)))
			if _, same := splitHeader([]byte(want)); string(got) != string(same) {
				t.Errorf("from a document with CRLF, the fragment is\n%s\nwant\n%s", got, same)
			}
		})
	}
}

// What is written differently, or outside of the fragment, is no change.
func TestUpdateWithoutAChangeOfMeaning(t *testing.T) {
	upstream := testdata(t, "upstream.yaml")
	for name, document := range map[string]string{
		"the same":        upstream,
		"crlf":            strings.ReplaceAll(upstream, "\n", "\r\n"),
		"json":            asJSON(t, upstream),
		"more operations": replace(t, upstream, "  /ip_policies:\n", "  /new:\n    get:\n      responses:\n        200: {description: new}\n  /ip_policies:\n"),
		"an alias":        replace(t, upstream, "      tags:\n        - IPPolicies\n", "      tags: &tags\n        - TunnelSessions\n"),
		"aliases": strings.NewReplacer("schema:\n            type: string", "schema: *string",
			"        - name: limit\n          in: query\n          required: false\n          schema:\n            type: string",
			"        - name: limit\n          in: query\n          schema: &string {type: string}").Replace(upstream),
		"other order": replace(t, replace(t, upstream, "info:\n  title: small\n  version: 1.0.0\n", ""),
			"components:\n", "info: {version: 1.0.0, title: small}\ncomponents:\n"),
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			before := tr.files(t)
			tr.wantStatus(t, tr.update(t, document), 0)
			wantContains(t, tr.stdout.String(), "no change")
			tr.wantSame(t, before)
		})
	}
}

func TestUpdateFromTheNewerForm(t *testing.T) {
	tr := newTrial(t)
	tr.wantStatus(t, tr.update(t, testdata(t, "newer.json")), 0)
	header, document := splitHeader([]byte(tr.vendored(t)))
	wantContains(t, header, "# Source:    https://ngrok.invalid/upstream.yaml\n", "# Retrieved: 2026-11-22\n")
	wantContains(t, string(document), "\n        4XX:\n          $ref: '#/components/responses/Error'\n",
		"\n  responses:\n    Error:\n", "\n    Error:\n      properties:\n        details:\n", "\n  securitySchemes:\n")
	if strings.ContainsAny(strings.ReplaceAll(string(document), "{id}", ""), "{}") || strings.Contains(string(document), "IPPolicy") {
		t.Errorf("the fragment is not in block style, or more than what is needed:\n%s", document)
	}

	before := tr.files(t)
	tr.stdout.Reset()
	tr.wantStatus(t, tr.update(t, testdata(t, "newer.json")), 0)
	wantContains(t, tr.stdout.String(), "no change")
	tr.wantSame(t, before)
}

func TestUpdateAcceptsAWindowsCheckout(t *testing.T) {
	upstream := testdata(t, "upstream.yaml")
	tr := newTrial(t)
	file := filepath.Join(tr.folder, "openapi", "ngrok.yaml")
	writeFile(t, file, strings.ReplaceAll(testdata(t, "vendored.yaml"), "\n", "\r\n"))
	before := tr.files(t)
	tr.wantStatus(t, tr.update(t, upstream), 0)
	tr.wantSame(t, before)

	grown := replace(t, upstream, region, "")
	tr.wantStatus(t, tr.update(t, grown), 0)
	if got, want := tr.vendored(t), replace(t, wantVendored(t, grown), region, ""); got != want {
		t.Errorf("the fragment is\n%q\nwant\n%q", got, want)
	}
}

func TestVendoredFragmentIsUnusable(t *testing.T) {
	for name, test := range map[string]struct{ content, says string }{
		"broken": {"# Source: a\nopenapi: [", "repair it"},
		"empty":  {"# Source: a\n", "repair it"},
		"no operations": {
			"openapi: 3.0.0\ninfo: {title: none, version: \"1\"}\npaths: {}\n", "name some with -add",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			writeFile(t, filepath.Join(tr.folder, "openapi", "ngrok.yaml"), test.content)
			before := tr.files(t)
			tr.wantStatus(t, tr.update(t, testdata(t, "upstream.yaml")), 1)
			wantContains(t, tr.stderr.String(), test.says)
			tr.wantSame(t, before)
		})
	}
	t.Run("missing", func(t *testing.T) {
		tr := newTrialIn(t, t.TempDir())
		tr.wantStatus(t, tr.update(t, testdata(t, "upstream.yaml")), 1)
		wantContains(t, tr.stderr.String(), "read the vendored fragment", "folder of go.mod")
	})
}

// asJSON returns a YAML document as JSON.
func asJSON(t *testing.T, document string) string {
	t.Helper()
	content, err := meaning([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(content, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
