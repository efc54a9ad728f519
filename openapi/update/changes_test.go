package main

import (
	"slices"
	"testing"
)

func TestParseChangelog(t *testing.T) {
	found, err := parseChangelog([]byte(`[
		{"id": "a", "text": "is\nnew", "level": 1, "operation": "GET", "path": "/a"},
		{"id": "b", "text": "may break", "level": 2, "operation": "GET", "path": "/b"},
		{"id": "c", "text": "breaks", "level": 3, "section": "components"},
		{"id": "api-version-not-bumped", "text": "still 1.0.0", "level": 1, "section": "info"}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"            GET /a: is new [a]",
		"  breaking  GET /b: may break [b]",
		"  breaking  components: breaks [c]",
	}
	if !slices.Equal(found.lines, want) || found.breaking != 2 {
		t.Errorf("found %d breaking in %q", found.breaking, found.lines)
	}
}

func TestParseExports(t *testing.T) {
	found := parseExports("Ignoring internal package x\nIncompatible changes:\n- A: removed\n- A: removed\n" +
		"- ClientInterface.TunnelsList: added\n- ClientInterface.Old: removed\n- OtherInterface.M: added\n- A: old is comparable, new is not\n\nCompatible changes:\n- B: added\n")
	want := []string{
		"  breaking  A: removed",
		"            ClientInterface.TunnelsList: added",
		"  breaking  ClientInterface.Old: removed",
		"  breaking  OtherInterface.M: added",
		"            A: old is comparable, new is not",
		"            B: added",
	}
	if !slices.Equal(found.lines, want) || found.breaking != 3 {
		t.Errorf("found %d breaking in %q", found.breaking, found.lines)
	}
}

func TestAddServers(t *testing.T) {
	upstream := read(t, "testdata/upstream.yaml")
	other := "    servers:\n      - url: https://example.com\n"
	for name, test := range map[string]struct {
		after    string
		breaking int
	}{
		"another description": {replace(t, upstream, "  - url: https://api.ngrok.com\n", "  - url: https://api.ngrok.com\n    description: the API\n"), 0},
		"another for a path":  {replace(t, upstream, "  /tunnel_sessions:\n", "  /tunnel_sessions:\n"+other), 1},
		"another for an operation": {replace(t, upstream, "      operationId: TunnelSessionsGet\n",
			"      operationId: TunnelSessionsGet\n      servers:\n        - url: https://example.com\n"), 1},
	} {
		var found changes
		if err := found.addServers(revision{committed: []byte(upstream), next: []byte(test.after)}); err != nil {
			t.Fatal(err)
		}
		if found.breaking != test.breaking {
			t.Errorf("%s: found %q", name, found.lines)
		}
	}
}
