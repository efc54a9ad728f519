package main

import (
	"strings"
	"testing"

	"example.com/ngrokapi/openapi/internal/tool"
)

func TestVersions(t *testing.T) {
	breaking := difference{changes: tool.Changes{Lines: []string{"a", "b"}, Breaking: 1}}
	added := difference{changes: tool.Changes{Lines: []string{"a"}}}
	moved := difference{otherPath: "old.test/lib"}
	nothing := difference{}
	for _, test := range []struct {
		name    string
		path    string // "" for new.test/lib
		held    []string
		since   difference
		least   string
		text    string // in the verdict
		good    []string
		refused []string
	}{
		{name: "first release", text: "no release yet", good: []string{"v0.1.0", "v1.0.0", "v0.0.1-rc.1"}},
		{name: "first release of v2", path: "new.test/lib/v2", text: "such as v2.0.0", good: []string{"v2.0.0"}},
		{name: "pre-releases only", held: []string{"v1.0.0-rc.2"}, since: breaking, text: "no release yet",
			good: []string{"v1.0.0-rc.3", "v1.0.0"}, refused: []string{"v1.0.0-rc.1", "v1.0.0-rc.2", "v0.9.0"}},

		{name: "nothing", held: []string{"v1.2.3"}, since: nothing, least: "v1.2.4", text: "patch, v1.2.4 or later: nothing",
			good: []string{"v1.2.4", "v1.2.5-rc.1", "v1.3.0"}, refused: []string{"v1.2.3", "v1.2.3-rc.1", "v1.2.2", "v0.9.0"}},
		{name: "added", held: []string{"v1.2.3"}, since: added, least: "v1.3.0", text: "minor, v1.3.0 or later: 1 change, none breaking",
			good: []string{"v1.3.0", "v1.3.0-rc.1", "v1.4.0"}, refused: []string{"v1.2.4", "v1.2.4-rc.1"}},
		{name: "breaking", held: []string{"v1.2.3"}, since: breaking, least: "v2.0.0", text: "major, v2.0.0 or later, with the module path new.test/lib/v2",
			refused: []string{"v1.2.4", "v1.3.0", "v1.99.0"}},
		{name: "breaking of v2", path: "new.test/lib/v2", held: []string{"v1.0.0", "v2.0.0"}, since: breaking, least: "v3.0.0",
			text: "new.test/lib/v3", refused: []string{"v2.1.0"}},

		{name: "nothing in v0", held: []string{"v0.2.3"}, since: nothing, least: "v0.2.4", text: "patch", good: []string{"v0.2.4"}},
		{name: "added in v0", held: []string{"v0.2.3"}, since: added, least: "v0.3.0", text: "minor", good: []string{"v0.3.0", "v1.0.0"}, refused: []string{"v0.2.4"}},
		{name: "breaking in v0", held: []string{"v0.2.3"}, since: breaking, least: "v0.3.0", text: "minor, v0.3.0 or later: 1 breaking change",
			good: []string{"v0.3.0", "v0.3.0-rc.1", "v1.0.0"}, refused: []string{"v0.2.4"}},

		{name: "after a pre-release", held: []string{"v1.2.3", "v1.3.0-rc.2"}, since: nothing, least: "v1.2.4", text: "patch",
			good: []string{"v1.3.0-rc.10", "v1.3.0"}, refused: []string{"v1.2.4", "v1.3.0-rc.1"}},
		{name: "another module", held: []string{"v1.2.3"}, since: moved, text: "old.test/lib",
			good: []string{"v1.2.4", "v1.3.0"}, refused: []string{"v1.2.3", "v0.1.0"}},
		{name: "a version without bound", held: []string{"v1.99999999999999999999.0"}, since: added, least: "v1.100000000000000000000.0", text: "minor"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := release{path: test.path, tags: tags{all: append([]string{"v1.8.0"}, test.held...), held: test.held}, since: test.since}
			if r.path == "" {
				r.path = "new.test/lib"
			}
			v := r.verdict()
			if v.least != test.least || !strings.Contains(v.text, test.text) {
				t.Errorf("got %+v, want %q and %q", v, test.least, test.text)
			}
			for _, version := range test.good {
				if err := r.accept(v, version); err != nil {
					t.Errorf("%s is refused: %v", version, err)
				}
			}
			for _, version := range append(test.refused, "v1.8.0") {
				if err := r.accept(v, version); err == nil || !strings.HasPrefix(err.Error(), "check "+version+": ") {
					t.Errorf("%s: got %v, want it refused", version, err)
				}
			}
		})
	}
}
