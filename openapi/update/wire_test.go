package main

import (
	"slices"
	"testing"
)

func TestParseWire(t *testing.T) {
	found, err := parseWire([]byte(`[
		{"id": "endpoint-added", "text": "endpoint added", "level": 1, "operation": "GET", "path": "/a"},
		{"id": "maybe", "text": "removed\n  the property", "level": 2, "operation": "GET", "path": "/b"},
		{"id": "gone", "text": "removed", "level": 3, "operation": "POST", "path": "/c"},
		{"id": "schema", "text": "added", "level": 1, "section": "components"}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"            GET /a: endpoint added [endpoint-added]",
		"  breaking  GET /b: removed the property [maybe]",
		"  breaking  POST /c: removed [gone]",
		"            components: added [schema]",
	}
	if !slices.Equal(found.Lines, want) || found.Breaking != 2 {
		t.Errorf("it is %d, %q", found.Breaking, found.Lines)
	}
}

func TestParseWireWithoutChanges(t *testing.T) {
	found, err := parseWire([]byte("[]\n"))
	if err != nil || len(found.Lines) != 0 || found.Breaking != 0 {
		t.Errorf("it is %v, %v", found, err)
	}
}

func TestParseWireRejects(t *testing.T) {
	for _, output := range []string{"", "No changes\n", "{}", "[{"} {
		if found, err := parseWire([]byte(output)); err == nil {
			t.Errorf("parseWire(%q) is %v", output, found)
		}
	}
}
